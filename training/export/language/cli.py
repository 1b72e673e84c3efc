"""Writes the files of the fused model: language.onnx, embeddings.bin, tokenizer.json, fusion.onnx (docs/fused-model.md).

python -m training.export.language --base BASE --work WORK --out models
"""

from __future__ import annotations

import argparse
import shutil
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper

from training.export.language.entries import entries, put_entries
from training.export.language.graph import BLOCK, CONTRIB, decoder, quantise, write_embeddings
from training.models.language.checkpoints import trained
from training.models.language.fusion import STEPS, FusionCore, LiveCore, Projection
from training.models.language.llama import Llama

EXACT = "foresight"
"""Nodes with this in their name keep float weights: the frozen forecaster."""
INPUTS = ["boxes", "seen", "kind", "age", "aspect", "slot", "looks", "clips", "clip_age"]


def fusion_inputs(objects: int, scenes: int, seed: int = 3) -> dict[str, np.ndarray]:
    """Valid inputs for tracing: drifting boxes, some of them not seen, embeddings of length 1."""
    rng = np.random.default_rng([seed, objects, scenes])
    starts, drift = rng.uniform(0.05, 0.7, (objects, 1, 4)), rng.normal(0, 0.1, (objects, 1, 4)) * [1, 1, 0, 0]
    boxes = starts + drift * np.arange(STEPS)[None, :, None] / STEPS
    seen = (rng.uniform(size=(objects, STEPS)) > 0.2).astype(np.float32)

    def embeddings(count: int) -> np.ndarray:
        values = rng.normal(size=(count, 256))
        return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)

    return {
        "boxes": (boxes * seen[..., None]).astype(np.float32),
        "seen": seen,
        "kind": rng.integers(0, 4, objects),
        "age": rng.uniform(0.1, 20, objects).astype(np.float32),
        "aspect": np.array([1.5], np.float32),
        "slot": rng.permutation(objects),
        "looks": embeddings(objects),
        "clips": embeddings(scenes),
        "clip_age": np.arange(scenes, dtype=np.float32)[::-1].copy(),
    }


def quantise_linears(model: onnx.ModelProto) -> None:
    """Quantise, in place, every product with a constant matrix to int8, except those of the forecaster."""
    graph = model.graph
    constants = {weight.name: weight for weight in graph.initializer}
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in constants or EXACT in node.name:
            continue
        weight = numpy_helper.to_array(constants[node.input[1]])
        inputs, outputs = weight.shape
        if inputs % BLOCK:
            continue
        codes, scales = quantise(np.ascontiguousarray(weight.T))
        name = node.input[1]
        graph.initializer.extend(
            [numpy_helper.from_array(codes, f"{name}.codes"), numpy_helper.from_array(scales, f"{name}.scales")]
        )
        quantised = helper.make_node(
            "MatMulNBits", [node.input[0], f"{name}.codes", f"{name}.scales"], list(node.output), name=node.name,
            domain=CONTRIB, K=inputs, N=outputs, bits=8, block_size=BLOCK, accuracy_level=4,
        )  # fmt: skip
        node.CopyFrom(quantised)
    used = {name for node in graph.node for name in node.input}
    kept = [weight for weight in graph.initializer if weight.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


def write_fusion(core: FusionCore | Projection, path: Path) -> None:
    """Trace, quantise and write the core."""
    feed = fusion_inputs(5, 3)
    objects = {name: {0: "objects"} for name in ("boxes", "seen", "kind", "age", "slot", "looks")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            LiveCore(core).eval(), tuple(torch.from_numpy(value) for value in feed.values()), str(path), dynamo=False,
            opset_version=17, input_names=INPUTS, output_names=["prefix"],
            dynamic_axes=objects | {"clips": {0: "clips"}, "clip_age": {0: "clips"}},
        )  # fmt: skip
    model = onnx.load(path)
    quantise_linears(model)
    model.producer_name, model.doc_string = "presage", ""
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.save(model, path)


def write_language(model: Llama, folder: Path) -> None:
    """Write language.onnx and embeddings.bin."""
    onnx.save(decoder(model.eval()), folder / "language.onnx")
    write_embeddings(model, folder / "embeddings.bin")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of training.convert.smollm.prune")
    parser.add_argument("--work", type=Path, required=True, help="folder of the checkpoints")
    parser.add_argument("--stage", choices=["none", "align", "instruct"], default="instruct", help="the last stage to include")
    parser.add_argument("--linear", action="store_true", help="use the linear projection in place of the fusion core")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    fused = trained(options.base, options.work, options.stage, options.linear)
    write_language(fused.language, options.out)
    write_fusion(fused.visual, options.out / "fusion.onnx")
    shutil.copy(options.base / "tokenizer.json", options.out / "tokenizer.json")
    made, manifest = entries(fused, options.out), options.out / "manifest.json"
    for entry in made:
        print(f"{options.out / entry['file']}: {entry['bytes']} bytes, {entry['sha256']}")
    if not manifest.exists():
        manifest.write_text('{ "version": 1, "models": [] }')
    put_entries(manifest, made)


if __name__ == "__main__":
    main()
