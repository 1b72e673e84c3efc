"""Writes trained weights as ONNX files and checks them against PyTorch."""
