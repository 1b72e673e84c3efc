"""Quantises the detector to INT8, in several ways, and compares their cost and accuracy.

    python -m training.convert.quantise_nanodet --variant static --out models/nanodet-int8.onnx
    python -m training.convert.quantise_nanodet --compare [--threads 1] [--rounds 20]

The default is the fastest variant whose tracking of people is within one point of the float model (docs/adr/0010).
Calibration uses composed photographs (calibration_scenes.py), never evaluation data. The same source gives the same bytes.

Weights are per channel and 7 bits wide (`reduce_range`): without VNNI, AVX2 adds pairs of 8 x 8 bit products in 16 bits,
which saturates with full 8-bit weights. The preamble (planes, resizing), sigmoid, softmax and the box decoding stay in
float; the feature maps p3, p4, p5 leave the graph dequantised.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantType, quantize_dynamic
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

from training.convert.calibrate import find_ranges, open_session, refine_weights
from training.convert.calibration_scenes import feeds
from training.convert.nanodet import update_manifest

FLOAT_MODEL = Path("models/nanodet.onnx")
CANVAS, CONTENT = (320, 416), (312, 416)
CALIBRATION_SCENES, CALIBRATION_SEED = 48, 1
HELD_OUT_SCENES, HELD_OUT_SEED = 12, 2
"""Scenes without calibration data, to measure the difference to the float model."""
OUTPUTS = ["scores", "boxes", "p3", "p4", "p5"]
ALL_OPS = ["Conv", "LeakyRelu", "Concat", "Add", "MaxPool", "AveragePool", "Resize"]


@dataclass(frozen=True)
class Variant:
    """A quantisation. `float_regions` stay in float: `stem` (first convolution), `heads` (all after p3-p5), `outputs`."""

    ops: tuple[str, ...] = tuple(ALL_OPS)
    activation: QuantType = QuantType.QUInt8
    weight: QuantType = QuantType.QInt8
    per_channel: bool = True
    float_regions: tuple[str, ...] = ()
    refined: bool = True
    dynamic: bool = False


VARIANTS = {
    "static": Variant(),
    "static-rounded": Variant(refined=False),
    "static-conv-only": Variant(ops=("Conv",)),
    "static-float-heads": Variant(float_regions=("heads",)),
    "static-float-stem": Variant(float_regions=("stem",)),
    "static-float-outputs": Variant(float_regions=("outputs",)),
    "static-u8u8": Variant(weight=QuantType.QUInt8, per_channel=False, refined=False),
    "static-s8s8": Variant(activation=QuantType.QInt8, refined=False),
    "dynamic": Variant(dynamic=True),
}


def fold_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace float16 weights and their casts by float32 weights, which the quantiser requires."""
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in stored:
            values = numpy_helper.to_array(stored[node.input[0]]).astype(np.float32)
            graph.initializer.remove(stored[node.input[0]])
            graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    return model


def downstream(graph: onnx.GraphProto, values: set[str]) -> set[str]:
    """Names of all nodes that depend on one of the values. Nodes are in topological order."""
    reached, names = set(values), set()
    for node in graph.node:
        if reached.intersection(node.input):
            reached.update(node.output)
            names.add(node.name)
    return names


def excluded(graph: onnx.GraphProto, regions: tuple[str, ...]) -> list[str]:
    """Nodes that stay in float: the preamble, the decoding, and the named regions."""
    tail = downstream(graph, {node.output[0] for node in graph.node if node.name.endswith("_nhwc")})
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    names = set(tail)
    names.update(node.name for node in graph.node if node.op_type == "Transpose")
    names.update(node.name for node in graph.node[: list(graph.node).index(convolutions[0])])
    if "stem" in regions:
        names.add(convolutions[0].name)
        names.update(node.name for node in graph.node if convolutions[0].output[0] in node.input)
    heads = head_nodes(graph)
    if "heads" in regions:
        names.update(heads)
    if "outputs" in regions:
        names.update(node.name for node in convolutions if node.name in heads and kernel(node) == 1)
    return sorted(names)


def head_nodes(graph: onnx.GraphProto) -> set[str]:
    """Nodes from the convolutions that read a feature map to the outputs."""
    sources = {node.input[0] for node in graph.node if node.op_type == "Identity" and node.output[0] in OUTPUTS}
    # A pyramid level also feeds the next one, so only a 3 x 3 convolution on a level starts a head.
    first = {n.output[0]: n.name for n in graph.node if n.op_type == "Conv" and n.input[0] in sources and kernel(n) == 3}
    return set(first.values()) | downstream(graph, set(first))


def kernel(node: onnx.NodeProto) -> int:
    """Kernel size of a convolution."""
    return next(attribute.ints[0] for attribute in node.attribute if attribute.name == "kernel_shape")


def quantise(variant: Variant, out: Path) -> None:
    """Write the variant of the float model to `out`."""
    model = fold_weights(onnx.load(FLOAT_MODEL))
    skip = excluded(model.graph, variant.float_regions)
    if variant.dynamic:
        quantize_dynamic(model, out, op_types_to_quantize=["Conv"], weight_type=QuantType.QUInt8, nodes_to_exclude=skip)
        return
    nodes = [node for node in model.graph.node if node.op_type in variant.ops and node.name not in skip]
    scenes = list(feeds(CALIBRATION_SCENES, CALIBRATION_SEED, CANVAS, CONTENT))
    ranges = {name: tuple(map(np.float32, ends)) for name, ends in find_ranges(model, nodes, scenes).items()}
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    quantiser = QDQQuantizer(
        copy,
        per_channel=variant.per_channel,
        reduce_range=variant.weight == QuantType.QInt8,
        weight_qType=variant.weight,
        activation_qType=variant.activation,
        tensors_range=TensorsData(CalibrationMethod.MinMax, ranges),
        nodes_to_quantize=[],
        nodes_to_exclude=skip,
        op_types_to_quantize=list(variant.ops),
        extra_options={},
    )
    quantiser.quantize_model()
    onnx.save(quantiser.model.model, out)
    if variant.refined:
        refine_weights(out, model, scenes, 63)


def cosines(a: np.ndarray, b: np.ndarray) -> float:
    """Mean cosine over the cells of two feature maps [1, channels, height, width]."""
    x, y = (m[0].reshape(m.shape[1], -1).astype(np.float64) for m in (a, b))
    return float(np.mean((x * y).sum(0) / (np.linalg.norm(x, axis=0) * np.linalg.norm(y, axis=0) + 1e-12)))


def gap(reference: list[np.ndarray], other: list[np.ndarray]) -> dict[str, float]:
    """Differences of a variant from the float model on one scene."""
    best = reference[0].max(-1)
    sure = best > 0.3
    boxes = np.abs(reference[1] - other[1])[sure]
    return {
        "score_mae": float(np.abs(best - other[0].max(-1))[best > 0.1].mean()) if (best > 0.1).any() else float("nan"),
        "box_mae_px": float(boxes.mean()) if sure.any() else float("nan"),
        **{name: cosines(a, b) for name, a, b in zip(OUTPUTS[2:], reference[2:], other[2:], strict=True)},
    }


def compare(names: list[str], threads: int, rounds: int) -> None:
    """Print a table of the variants: median ms and CPU ms, run in turns, and differences on held-out scenes."""
    with tempfile.TemporaryDirectory() as scratch:
        paths = {"float32": FLOAT_MODEL}
        for name in names:
            paths[name] = Path(scratch) / f"{name}.onnx"
            quantise(VARIANTS[name], paths[name])
        sessions = {name: open_session(str(path), threads) for name, path in paths.items()}
        scenes = list(feeds(HELD_OUT_SCENES, HELD_OUT_SEED, CANVAS, CONTENT))
        wall: dict[str, list[float]] = {name: [] for name in sessions}
        cpu: dict[str, list[float]] = {name: [] for name in sessions}
        for turn in range(rounds):
            for name, session in sessions.items():
                started, started_cpu = time.perf_counter(), time.process_time()
                session.run(OUTPUTS[:2], scenes[turn % len(scenes)])
                wall[name].append((time.perf_counter() - started) * 1000)
                cpu[name].append((time.process_time() - started_cpu) * 1000)
        references = [sessions["float32"].run(OUTPUTS, scene) for scene in scenes]
        print("variant | MiB | ms | CPU ms | of float | score gap | box gap px | cos p3 | p4 | p5")
        for name, session in sessions.items():
            gaps = [gap(want, session.run(OUTPUTS, scene)) for want, scene in zip(references, scenes, strict=True)]
            mean = {key: float(np.nanmean([each[key] for each in gaps])) for key in gaps[0]}
            ratio = np.median(np.array(cpu[name]) / np.array(cpu["float32"]))
            print(
                f"{name} | {paths[name].stat().st_size / 2**20:.1f} | {np.median(wall[name]):.1f} | {np.median(cpu[name]):.1f}"
                f" | {ratio:.2f} | {mean['score_mae']:.3f} | {mean['box_mae_px']:.2f}"
                f" | {mean['p3']:.4f} | {mean['p4']:.4f} | {mean['p5']:.4f}"
            )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", choices=VARIANTS, default="static")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", nargs="*", choices=VARIANTS, help="variants to compare; all when none is named")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=24)
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    if options.out:
        quantise(VARIANTS[options.variant], options.out)
        print(f"wrote {options.out} ({options.out.stat().st_size} bytes)")
        update_manifest(options.out)
    if options.compare is not None:
        compare(options.compare or list(VARIANTS), options.threads, options.rounds)


if __name__ == "__main__":
    main()
