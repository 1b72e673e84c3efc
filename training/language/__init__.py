"""The language model of the fused model: SmolLM2 from its GGUF file, pruned, with a visual prefix; and its text."""
