"""The language model, the fusion core and both as one module (docs/fused-model.md)."""
