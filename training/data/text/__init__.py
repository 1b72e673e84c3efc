"""Prompts and answers of the language model, built from track scenes (docs/fused-model.md)."""
