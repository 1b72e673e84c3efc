"""Writes models/objects.onnx, clip.onnx, forecaster.onnx and causes.onnx from trained weights, with their manifest entries.

python -m training.export objects|clip|forecaster|causes --work WORK
"""

from __future__ import annotations

import argparse
import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import nn

from training.export.check_parity import CASES, object_inputs, sampled, scene_inputs
from training.export.track_inputs import TRACK_CASES
from training.export.track_models import GRAPHS, TRACED_THINGS, axes
from training.models.object_heads import EMBEDDING_SIZE, GRID_COLUMNS, GRID_ROWS, MARGIN, MASK_SIDE, ObjectHeads
from training.models.scene_encoder import WINDOW_FRAMES, WINDOW_HZ, SceneEmbedding, SceneEncoder
from training.paths import REFERENCE, ROOT

OPSET = 17
VERSION = "1"
CELLS = GRID_ROWS * GRID_COLUMNS
OBJECT_INPUTS = ["p3", "p4", "p5", "y", "u", "v", "covered", "boxes", "points"]
OBJECT_OUTPUTS = ["masks", "quality", "tokens", "grid"]
"""Names in the file; `tokens` are the appearance embeddings."""


def load_heads(work: Path) -> ObjectHeads:
    """Object heads after the last trained stage."""
    heads = ObjectHeads()
    path = next(p for p in (work / "embeddings.pt", work / "masks.pt") if p.exists())
    heads.load_state_dict(torch.load(path, weights_only=True)["module"])
    return heads.eval()


def load_scene_encoder(work: Path) -> SceneEmbedding:
    """Trained scene encoder."""
    encoder = SceneEncoder()
    encoder.load_state_dict(torch.load(work / "clip.pt", weights_only=True)["module"])
    return SceneEmbedding(encoder).eval()


def write(
    module: nn.Module, inputs: tuple[Any, ...], path: Path, names: tuple[list[str], list[str]], axes: dict[str, Any]
) -> None:
    """Trace a module to an ONNX file without documentation strings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module, inputs, str(path), dynamo=False, opset_version=OPSET,
            input_names=names[0], output_names=names[1], dynamic_axes=axes,
        )  # fmt: skip
    model = onnx.load(path)
    model.producer_name, model.producer_version, model.doc_string = "presage", VERSION, ""
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def arguments(feed: dict[str, np.ndarray]) -> tuple[torch.Tensor, ...]:
    """Inputs as tensors."""
    return tuple(torch.from_numpy(values) for values in feed.values())


@torch.no_grad()
def record_reference(runs: Path, case: str, module: nn.Module, feed: dict[str, np.ndarray], names: list[str]) -> None:
    """Store the outputs of PyTorch for `python -m training.export.check_parity`."""
    kept = runs / REFERENCE.name
    values = module(*arguments(feed))
    values = values if isinstance(values, tuple) else (values,)
    reference = json.loads(kept.read_text()) if kept.exists() else {}
    reference[case] = {name: sampled(output.numpy()) for name, output in zip(names, values, strict=True)}
    kept.write_text(json.dumps(reference) + "\n")


def export_objects(work: Path, path: Path, runs: Path) -> dict[str, Any]:
    """Write objects.onnx; return its manifest entry."""
    axes = {name: {2: f"{name}_rows", 3: f"{name}_columns"} for name in OBJECT_INPUTS[:6]}
    axes |= {name: {0: "things"} for name in ("boxes", "points", "masks", "quality", "tokens")}
    heads = load_heads(work)
    # Traced with several objects: the tracer would treat sizes of 1 as constants.
    write(heads, arguments(object_inputs(*CASES[1])), path, (OBJECT_INPUTS, OBJECT_OUTPUTS), axes)
    for case in CASES:
        record_reference(runs, "objects " + " x ".join(map(str, case)), heads, object_inputs(*case), OBJECT_OUTPUTS)
    maps = {f"p{k}": tensor("float32", 1, 128, f"canvasHeight/{2**k}", f"canvasWidth/{2**k}") for k in (3, 4, 5)}
    chroma = tensor("uint8", 1, 1, "chromaHeight", "chromaWidth")
    return {
        "name": "presage-objects",
        "role": "objects",
        "inputs": maps
        | {"y": tensor("uint8", 1, 1, "height", "width"), "u": chroma, "v": chroma, "covered": tensor("float32", 2)}
        | {"boxes": tensor("float32", "things", 4), "points": tensor("float32", "things", 3)},
        "outputs": {
            "masks": tensor("float32", "things", MASK_SIDE, MASK_SIDE),
            "quality": tensor("float32", "things"),
            "tokens": tensor("float32", "things", EMBEDDING_SIZE),
            "grid": tensor("float32", CELLS, 256),
        },
        "settings": {"maskSide": MASK_SIDE, "margin": MARGIN, "gridRows": GRID_ROWS, "gridColumns": GRID_COLUMNS},
        "notes": (
            "p3, p4, p5 are the detector's outputs for the same picture; planes are I420, BT.601 limited range. covered = share of "
            "the [width, height] that the picture fills. boxes are x, y, w, h, points x, y, given (1 or 0), as fractions "
            "of the picture. A mask is a probability on the grid of the box enlarged by the share `margin` of its sides about "
            "its centre. quality is the predicted IoU of the mask cut at 0.5. Tokens have "
            "length 1. grid: mean of P4 (128) and P5 (128) over gridRows x gridColumns parts of the picture, row by row."
        ),
    }


def export_scene_encoder(work: Path, path: Path, runs: Path) -> dict[str, Any]:
    """Write clip.onnx; return its manifest entry."""
    encoder, feed = load_scene_encoder(work), scene_inputs()
    write(encoder, arguments(feed), path, (["grid"], ["token"]), {})
    record_reference(runs, "clip", encoder, feed, ["token"])
    return {
        "name": "presage-clip",
        "role": "clip",
        "inputs": {"grid": tensor("float32", 1, WINDOW_FRAMES, CELLS, 256)},
        "outputs": {"token": tensor("float32", 1, 256)},
        "settings": {"frames": WINDOW_FRAMES, "hz": WINDOW_HZ},
        "notes": "grid: the output of the objects model at `frames` instants, `hz` a second, oldest first. The token has length 1.",
    }


def export_reasoner(model: str, work: Path, path: Path, runs: Path) -> tuple[dict[str, Any], str]:
    """Write the forecaster or the cause head; return its manifest entry and the records of its runs."""
    graph_of, inputs_of, names, outputs, entry, records = GRAPHS[model]
    graph = graph_of(work)
    write(graph, arguments(inputs_of(TRACED_THINGS)), path, (names, outputs), axes(names + outputs))
    for things in TRACK_CASES:
        record_reference(runs, f"{model} {things}", graph, inputs_of(things), outputs)
    return entry, records


def tensor(kind: str, *shape: int | str) -> dict[str, Any]:
    """Type and shape of a tensor."""
    return {"type": kind, "shape": list(shape)}


def update_manifest(path: Path, entry: dict[str, Any], stages: str) -> None:
    """Replace the entry of the file in the manifest of its folder, with hash and provenance."""
    known = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "license": "Apache-2.0",
        "source": f"trained here on simulated scenes ({stages}); no recordings",
        "made": "training/reproduce.sh",
    }
    order = ["name", "role", "file", "sha256", "bytes", "license", "source", "made", "inputs", "outputs", "settings", "notes"]
    merged = entry | known
    manifest_path = path.parent / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    models, made = manifest["models"], {key: merged[key] for key in order}
    manifest["models"] = [made if m["role"] == entry["role"] else m for m in models]
    if made not in manifest["models"]:
        manifest["models"].append(made)
    manifest_path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    print(f"{path}: {known['bytes']} bytes, {known['sha256']}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=["objects", "clip", *GRAPHS])
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--out", type=Path, default=ROOT / "models")
    parser.add_argument(
        "--runs", type=Path, default=REFERENCE.parent, help="folder for the outputs of PyTorch, for training.export.check_parity"
    )
    options = parser.parse_args()
    path = options.out / f"{options.model}.onnx"
    if options.model == "objects":
        update_manifest(path, export_objects(options.work, path, options.runs), "training/train/runs/masks.json, embeddings.json")
    elif options.model in GRAPHS:
        update_manifest(path, *export_reasoner(options.model, options.work, path, options.runs))
    else:
        update_manifest(path, export_scene_encoder(options.work, path, options.runs), "training/train/runs/clip.json")


if __name__ == "__main__":
    main()
