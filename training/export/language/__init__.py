"""Writes the language model and the fusion core (docs/fused-model.md)."""
