"""Reads a TensorFlow.js GraphModel and runs it literally with NumPy.

The reader gives the converter its nodes and weights. The interpreter executes every node as TensorFlow defines it (NHWC,
explicit
paddings, transposes) and shares no code with the ONNX builder, so that agreement of the two verifies the conversion.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DTYPES = {"float32": np.float32, "int32": np.int32, "float16": np.float16}


@dataclass
class Node:
    """One TensorFlow node: `inputs` are names, with `:k` for the k-th output of a node with several."""

    name: str
    op: str
    inputs: list[str]
    attr: dict[str, Any] = field(repr=False)

    def ints(self, key: str) -> list[int]:
        """List of integers in an attribute."""
        return [int(v) for v in self.attr[key]["list"]["i"]]

    def text(self, key: str) -> str:
        """String in an attribute."""
        return base64.b64decode(self.attr[key]["s"]).decode()


class GraphModel:
    """Nodes by name and constants by name, weights dequantised to float32 (or int32).

    Raises ValueError when the file is not a graph model or the weights have an unsupported format.
    """

    def __init__(self, json_path: Path):
        document = json.loads(json_path.read_text())
        if document.get("format") != "graph-model":
            raise ValueError(f"{json_path} is not a TensorFlow.js graph model")
        self.outputs = {name.split(":")[0]: info for name, info in document["signature"]["outputs"].items()}
        self.nodes: dict[str, Node] = {}
        for raw in document["modelTopology"]["node"]:
            inputs = [name for name in raw.get("input", []) if not name.startswith("^")]
            self.nodes[raw["name"]] = Node(raw["name"], raw["op"], inputs, raw.get("attr", {}))
        self.constants: dict[str, np.ndarray] = {}
        self.float16_constants: set[str] = set()
        for group in document["weightsManifest"]:
            blob = b"".join((json_path.parent / path).read_bytes() for path in group["paths"])
            self._read_weights(group["weights"], blob)

    def _read_weights(self, specs: list[dict[str, Any]], blob: bytes) -> None:
        offset = 0
        for spec in specs:
            quantization = spec.get("quantization")
            if quantization and quantization["dtype"] != "float16":
                raise ValueError(f"{spec['name']}: quantisation {quantization['dtype']} is not supported")
            stored = np.dtype(DTYPES["float16" if quantization else spec["dtype"]])
            count = int(np.prod(spec["shape"], dtype=np.int64))
            values = np.frombuffer(blob, stored, count, offset).reshape(spec["shape"])
            self.constants[spec["name"]] = values.astype(DTYPES[spec["dtype"]])
            if quantization:
                self.float16_constants.add(spec["name"])
            offset += count * stored.itemsize
        if offset != len(blob):
            raise ValueError(f"weights use {offset} of {len(blob)} bytes: the package is not the expected one")

    def source(self, name: str) -> Node:
        """Node that produces the value `name`."""
        return self.nodes[name.split(":")[0]]


class Interpreter:
    """Executes a GraphModel node by node, each value once. Values are NumPy arrays in the layout of TensorFlow."""

    def __init__(self, model: GraphModel, placeholder: np.ndarray):
        self.model = model
        self.placeholder = placeholder
        self.values: dict[str, list[np.ndarray]] = {}

    def value(self, name: str) -> np.ndarray:
        """The value `name`. Raises NotImplementedError for unknown operators."""
        base, _, index = name.partition(":")
        if base in self.model.constants:
            return self.model.constants[base]
        if base not in self.values:
            # The graph is deeper than the default recursion limit of Python, so inputs are visited with a stack.
            stack = [base]
            while stack:
                node = self.model.nodes[stack[-1]]
                waiting = [
                    ref
                    for ref in (i.split(":")[0] for i in node.inputs)
                    if ref not in self.values and ref not in self.model.constants
                ]
                if waiting:
                    stack.extend(waiting)
                else:
                    self.values[stack.pop()] = self._run(node)
        return self.values[base][int(index or 0)]

    def _run(self, node: Node) -> list[np.ndarray]:
        method = getattr(self, f"_{node.op}", None)
        if method is None:
            raise NotImplementedError(f"{node.op} ({node.name})")
        result = method(node, *[self.value(name) for name in node.inputs])
        return result if isinstance(result, list) else [result]

    def _Placeholder(self, node: Node) -> np.ndarray:
        return self.placeholder

    def _Identity(self, node: Node, x: np.ndarray) -> np.ndarray:
        return x

    def _Transpose(self, node: Node, x: np.ndarray, perm: np.ndarray) -> np.ndarray:
        return np.transpose(x, perm)

    def _Add(self, node: Node, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return a + b

    _AddV2 = _Add

    def _Pad(self, node: Node, x: np.ndarray, paddings: np.ndarray) -> np.ndarray:
        return np.pad(x, paddings)

    def _PadV2(self, node: Node, x: np.ndarray, paddings: np.ndarray, value: np.ndarray) -> np.ndarray:
        return np.pad(x, paddings, constant_values=value)

    def _LeakyRelu(self, node: Node, x: np.ndarray) -> np.ndarray:
        return np.where(x > 0, x, np.float32(node.attr["alpha"]["f"]) * x)

    def _Sigmoid(self, node: Node, x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    def _ConcatV2(self, node: Node, *values_and_axis: np.ndarray) -> np.ndarray:
        return np.concatenate(values_and_axis[:-1], axis=int(values_and_axis[-1]))

    def _SplitV(self, node: Node, x: np.ndarray, sizes: np.ndarray, axis: np.ndarray) -> list[np.ndarray]:
        return np.split(x, np.cumsum(sizes)[:-1], axis=int(axis))

    def _Reshape(self, node: Node, x: np.ndarray, shape: np.ndarray) -> np.ndarray:
        return x.reshape(shape)

    def _SparseToDense(
        self, node: Node, indices: np.ndarray, shape: np.ndarray, values: np.ndarray, default: np.ndarray
    ) -> np.ndarray:
        dense = np.full(shape, default)
        if indices.size:
            dense[tuple(np.atleast_2d(indices).T)] = values
        return dense

    def _Conv2D(self, node: Node, x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
        assert node.text("padding") == "VALID" and node.text("data_format") == "NHWC" and set(node.ints("dilations")) == {1}
        _, stride_y, stride_x, _ = node.ints("strides")
        windows = np.lib.stride_tricks.sliding_window_view(x[0], kernel.shape[:2], axis=(0, 1))
        windows = windows[::stride_y, ::stride_x]  # [h, w, in, ky, kx]
        height, width = windows.shape[:2]
        flat = windows.transpose(0, 1, 3, 4, 2).reshape(height * width, -1)
        return (flat @ kernel.reshape(-1, kernel.shape[3])).reshape(1, height, width, -1)

    def _MaxPool(self, node: Node, x: np.ndarray) -> np.ndarray:
        assert node.text("padding") == "VALID" and node.text("data_format") == "NHWC"
        _, size_y, size_x, _ = node.ints("ksize")
        _, stride_y, stride_x, _ = node.ints("strides")
        windows = np.lib.stride_tricks.sliding_window_view(x, (size_y, size_x), axis=(1, 2))
        return windows[:, ::stride_y, ::stride_x].max(axis=(-2, -1))

    def _ResizeBilinear(self, node: Node, x: np.ndarray, size: np.ndarray) -> np.ndarray:
        assert node.attr["half_pixel_centers"]["b"] and not node.attr["align_corners"]["b"]
        return resize_axis(resize_axis(x, 1, int(size[0])), 2, int(size[1]))


def resize_axis(x: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Bilinear resize of one axis, half-pixel centres, edges clamped, no antialiasing."""
    length = x.shape[axis]
    at = np.clip((np.arange(size) + 0.5) * length / size - 0.5, 0, length - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, length - 1)
    shape = [1] * x.ndim
    shape[axis] = size
    weight = (at - low).astype(np.float32).reshape(shape)
    return np.take(x, low, axis) * (1 - weight) + np.take(x, high, axis) * weight
