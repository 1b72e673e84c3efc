"""Learned parts of the reasoner: the forecaster and the cause head (docs/fused-model.md)."""
