"""Read a TensorFlow.js GraphModel, and run it literally with NumPy.

The reader gives the converter its nodes and weights. The interpreter is a second, independent opinion: it executes
every node as TensorFlow defines it (NHWC, explicit paddings, transposes and all) and shares no code with the ONNX
builder, so agreement between the two says that the conversion kept the network's meaning.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

DTYPES = {"float32": np.float32, "int32": np.int32, "float16": np.float16}


@dataclass
class Node:
    """One TensorFlow node: `inputs` are names, with `:k` for the k-th output of a node that has several."""

    name: str
    op: str
    inputs: list[str]
    attr: dict = field(repr=False)

    def ints(self, key: str) -> list[int]:
        return [int(v) for v in self.attr[key]["list"]["i"]]

    def text(self, key: str) -> str:
        return base64.b64decode(self.attr[key]["s"]).decode()


class GraphModel:
    """Nodes by name and constants by name, weights dequantised to float32 (or int32)."""

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

    def _read_weights(self, specs: list[dict], blob: bytes) -> None:
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
        """The node that makes the value called `name`."""
        return self.nodes[name.split(":")[0]]


class Interpreter:
    """Executes a GraphModel node by node, each value computed once. Values are NumPy arrays in TensorFlow's layout."""

    def __init__(self, model: GraphModel, placeholder: np.ndarray):
        self.model = model
        self.placeholder = placeholder
        self.values: dict[str, list[np.ndarray]] = {}

    def value(self, name: str) -> np.ndarray:
        base, _, index = name.partition(":")
        if base in self.model.constants:
            return self.model.constants[base]
        if base not in self.values:
            # Nodes are chained deeper than Python's default recursion limit likes, so inputs are walked with a stack.
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

    def _Placeholder(self, node):
        return self.placeholder

    def _Identity(self, node, x):
        return x

    def _Transpose(self, node, x, perm):
        return np.transpose(x, perm)

    def _Add(self, node, a, b):
        return a + b

    _AddV2 = _Add

    def _Pad(self, node, x, paddings):
        return np.pad(x, paddings)

    def _PadV2(self, node, x, paddings, value):
        return np.pad(x, paddings, constant_values=value)

    def _LeakyRelu(self, node, x):
        return np.where(x > 0, x, np.float32(node.attr["alpha"]["f"]) * x)

    def _Sigmoid(self, node, x):
        return 1 / (1 + np.exp(-x))

    def _ConcatV2(self, node, *parts_and_axis):
        return np.concatenate(parts_and_axis[:-1], axis=int(parts_and_axis[-1]))

    def _SplitV(self, node, x, sizes, axis):
        return np.split(x, np.cumsum(sizes)[:-1], axis=int(axis))

    def _Reshape(self, node, x, shape):
        return x.reshape(shape)

    def _SparseToDense(self, node, indices, shape, values, default):
        dense = np.full(shape, default)
        if indices.size:
            dense[tuple(np.atleast_2d(indices).T)] = values
        return dense

    def _Conv2D(self, node, x, kernel):
        assert node.text("padding") == "VALID" and node.text("data_format") == "NHWC" and set(node.ints("dilations")) == {1}
        _, stride_y, stride_x, _ = node.ints("strides")
        windows = np.lib.stride_tricks.sliding_window_view(x[0], kernel.shape[:2], axis=(0, 1))
        windows = windows[::stride_y, ::stride_x]  # [h, w, in, ky, kx]
        height, width = windows.shape[:2]
        flat = windows.transpose(0, 1, 3, 4, 2).reshape(height * width, -1)
        return (flat @ kernel.reshape(-1, kernel.shape[3])).reshape(1, height, width, -1)

    def _MaxPool(self, node, x):
        assert node.text("padding") == "VALID" and node.text("data_format") == "NHWC"
        _, size_y, size_x, _ = node.ints("ksize")
        _, stride_y, stride_x, _ = node.ints("strides")
        windows = np.lib.stride_tricks.sliding_window_view(x, (size_y, size_x), axis=(1, 2))
        return windows[:, ::stride_y, ::stride_x].max(axis=(-2, -1))

    def _ResizeBilinear(self, node, x, size):
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
