"""Ranges and bias corrections for quantising a float graph, from pictures that are run through it.

A range minimises the mean squared error of rounding and clipping, with ends from 60 % of the extremes on, because a single
outlier
would reduce the resolution of all other values. The errors of a value that only a LeakyReLU reads are weighted by its slope,
because the LeakyReLU divides errors below zero by ten.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

SAMPLES = 1024
"""Values kept per tensor and picture."""
LEVELS = 255
# Shares of the extreme value that are tried as the end of the range. Cameras give stronger edges than these pictures: with ends
# down to a twentieth, clipping on a street scene cost more (cosine 0.980 of its maps) than all rounding.
SHARES = np.linspace(0.6, 1, 17)


def tap(model: onnx.ModelProto, names: Iterable[str]) -> bytes:
    """The serialised model with further values as outputs."""
    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    present = {output.name for output in tapped.graph.output}
    tapped.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names if name not in present)
    return tapped.SerializeToString()


def open_session(model: bytes | str, threads: int = 1) -> onnxruntime.InferenceSession:
    """Open a model on the CPU without spinning threads."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def find_ranges(
    model: onnx.ModelProto, nodes: list[onnx.NodeProto], feeds: list[dict[str, Any]]
) -> dict[str, tuple[float, float]]:
    """Range (low, high) of every activation that the nodes read or write."""
    constants = {tensor.name for tensor in model.graph.initializer}
    names = sorted({v for node in nodes for v in (*node.input, *node.output) if v and v not in constants})
    readers = {name: [n for n in model.graph.node if name in n.input] for name in names}
    session = open_session(tap(model, names))
    rng = np.random.default_rng(0)
    samples: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for feed in feeds:
        for name, values in zip(names, session.run(names, feed), strict=True):
            flat = values.reshape(-1)
            samples[name] += [rng.choice(flat, SAMPLES), np.array([flat.min(), flat.max()])]
    ranges = {}
    for name in names:
        slopes = [slope(reader) for reader in readers[name]]
        below = slopes[0] if len(slopes) == 1 and slopes[0] is not None else 1.0
        ranges[name] = best_range(np.concatenate(samples[name]).astype(np.float32), below)
    return ranges


def slope(node: onnx.NodeProto) -> float | None:
    """Negative slope of a LeakyReLU; None for other nodes."""
    return next((a.f for a in node.attribute if a.name == "alpha"), 0.01) if node.op_type == "LeakyRelu" else None


def best_range(values: np.ndarray, below: float) -> tuple[float, float]:
    """Range with the smallest mean squared error; `below` weights the errors of negative values."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    weights = np.where(values < 0, below**2, 1.0).astype(np.float32)

    def loss(start: float, end: float) -> float:
        scale = max(end - start, 1e-9) / LEVELS
        rounded = np.clip(np.rint((values - start) / scale), 0, LEVELS) * scale + start
        return float((weights * (values - rounded) ** 2).mean())

    start, end = low, high
    for _ in range(2):
        end = min((high * share for share in SHARES), key=lambda e: loss(start, e))
        if low < 0:
            start = min((low * share for share in SHARES), key=lambda s: loss(s, end))
    return start, end


def refine_weights(quantised: Path, reference: onnx.ModelProto, feeds: list[dict[str, Any]], limit: int) -> None:
    """Round the weights of each convolution so that its outputs, not its weights, change least on real inputs.

    The rounding error of a weight is compensated by the weights that are still to be rounded (Frantar et al., GPTQ, 2023). The
    remaining mean error is added to the bias. limit: largest integer a weight may take.
    """
    model = onnx.load(quantised)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    makers = {output: node for node in model.graph.node for output in node.output}
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in reference.graph.initializer}
    originals = {node.name: node for node in reference.graph.node if node.op_type == "Conv"}
    seen = patches(reference, {node.name: weights[node.input[1]].shape[2] for node in originals.values()}, feeds)
    for node in model.graph.node:
        source = makers.get(node.input[1]) if node.op_type == "Conv" else None
        if source is None or source.op_type != "DequantizeLinear":
            continue
        rows = seen.pop(node.name).astype(np.float64)
        kernel = weights[originals[node.name].input[1]]
        scales = np.broadcast_to(numpy_helper.to_array(stored[source.input[1]]), kernel.shape[:1]).astype(np.float64)
        flat = kernel.reshape(len(kernel), -1).astype(np.float64)
        integers = round_together(flat, scales, rows, limit)
        tensor = stored[source.input[0]]
        tensor.CopyFrom(numpy_helper.from_array(integers.reshape(kernel.shape).astype(np.int8), tensor.name))
        shift_bias(stored, makers, node, (flat - integers * scales[:, None]) @ rows.mean(0))
    onnx.save(model, quantised)


def patches(model: onnx.ModelProto, sizes: dict[str, int], feeds: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Inputs of each convolution with kernel size x size at random places: [rows, channels * size * size]."""
    nodes = [node for node in model.graph.node if node.name in sizes]
    names = sorted({node.input[0] for node in nodes})
    session = open_session(tap(model, names))
    rng = np.random.default_rng(0)
    rows: dict[str, list[np.ndarray]] = {name: [] for name in sizes}
    for feed in feeds:
        values = dict(zip(names, session.run(names, feed), strict=True))
        for node in nodes:
            size = sizes[node.name]
            stride = next((a.ints[0] for a in node.attribute if a.name == "strides"), 1)
            padded = np.pad(values[node.input[0]][0], ((0, 0), (size // 2, size // 2), (size // 2, size // 2)))
            windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2))[:, ::stride, ::stride]
            y, x = (rng.integers(0, side, PATCHES) for side in windows.shape[1:3])
            rows[node.name].append(windows[:, y, x].transpose(1, 0, 2, 3).reshape(PATCHES, -1))
    return {name: np.concatenate(arrays) for name, arrays in rows.items()}


PATCHES = 64
"""Patches per picture; 48 pictures give more rows than the widest convolution has inputs (2304)."""
DAMPING = 0.01
"""Share of the mean curvature that is added to every direction, so that unseen inputs count too."""


def round_together(weights: np.ndarray, scales: np.ndarray, rows: np.ndarray, limit: int) -> np.ndarray:
    """Integers [out, in] for float weights [out, in] and inputs [rows, in]."""
    curvature = rows.T @ rows
    curvature += np.eye(len(curvature)) * DAMPING * max(np.diag(curvature).mean(), 1e-12)
    upper = np.linalg.cholesky(np.linalg.inv(curvature)).T
    rest, integers = weights.copy(), np.zeros_like(weights)
    for column in range(weights.shape[1]):
        integers[:, column] = np.clip(np.rint(rest[:, column] / scales), -limit, limit)
        error = (rest[:, column] - integers[:, column] * scales) / upper[column, column]
        rest[:, column + 1 :] -= np.outer(error, upper[column, column + 1 :])
    return integers


def shift_bias(stored: dict[str, Any], makers: dict[str, Any], node: onnx.NodeProto, by: np.ndarray) -> None:
    """Add `by` to the bias of a convolution, which is an int32 constant behind a DequantizeLinear."""
    maker = makers[node.input[2]]
    bias, scale = stored[maker.input[0]], numpy_helper.to_array(stored[maker.input[1]])
    shifted = numpy_helper.to_array(bias) + np.rint(by / scale)
    bias.CopyFrom(numpy_helper.from_array(shifted.astype(np.int32), bias.name))
