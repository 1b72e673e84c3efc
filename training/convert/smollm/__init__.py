"""SmolLM2-135M-Instruct: reads its GGUF file, prunes layers and vocabulary, writes the tokenizer."""
