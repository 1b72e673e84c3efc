"""The language model as an ONNX graph of the fused operators of ONNX Runtime: int8 weights, KV cache, explicit attention bias."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from training.models.language.llama import Llama, LlamaShape, rotary_tables

BLOCK = 32
"""Number of weights that share a scale."""
POSITIONS = 1024
"""Maximum context length of the rotary tables."""
CONTRIB = "com.microsoft"


def quantise(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Symmetric 8 bits around 128 per block of BLOCK inputs: codes uint8 [N, K / BLOCK, BLOCK], scales [N · K / BLOCK]."""
    rows, columns = weight.shape
    blocks = weight.reshape(rows, columns // BLOCK, BLOCK)
    scales = np.maximum(np.abs(blocks).max(-1) / 127, 1e-12)
    codes = np.clip(np.round(blocks / scales[..., None]) + 128, 0, 255).astype(np.uint8)
    return codes, scales.astype(np.float32).reshape(-1)


class Graph:
    """Collects nodes and weights."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray) -> str:
        """Add a constant; return its name."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: object) -> str:
        """Add a node; return its first output."""
        self.nodes.append(helper.make_node(kind, inputs, outputs, name=outputs[0], domain=domain, **attributes))
        return outputs[0]

    def linear(self, name: str, x: str, weight: np.ndarray) -> str:
        """Add a product with an int8 weight [N, K]; return its output."""
        codes, scales = quantise(weight)
        inputs = [x, self.weight(f"{name}.codes", codes), self.weight(f"{name}.scales", scales)]
        rows, columns = weight.shape
        return self.add("MatMulNBits", inputs, [f"{name}.out"], CONTRIB,
                        K=columns, N=rows, bits=8, block_size=BLOCK, accuracy_level=4)  # fmt: skip


def array(tensor: torch.Tensor) -> np.ndarray:
    """Float32 values of a tensor."""
    return tensor.detach().float().numpy()


def attention(graph: Graph, model: Llama, number: int, x: str) -> str:
    """Add the attention of a layer; return its output."""
    layer, shape = model.layers[number], model.shape
    fused = np.concatenate([array(linear.weight) for linear in (layer.q, layer.k, layer.v)])
    qkv = graph.linear(f"{number}.qkv", x, fused)
    parts = [f"{number}.{part}" for part in "qkv"]
    graph.add("Split", [qkv, "parts"], parts, axis=-1)
    # The attention operator ignores the given positions when there is no past, so the rotation is a node of its own.
    q, k = (
        graph.add("RotaryEmbedding", [part, "position_ids", "cosines", "sines"], [f"{part}.turned"], CONTRIB)
        for part in parts[:2]
    )
    past = [f"past_key_{number}", f"past_value_{number}"]
    present = [f"present_key_{number}", f"present_value_{number}"]
    attended = graph.add(
        "GroupQueryAttention",
        [q, k, parts[2], *past, "last", "total", "", "", "", "attention_bias"],
        [f"{number}.attended", *present], CONTRIB,
        num_heads=shape.heads, kv_num_heads=shape.kv_heads, do_rotary=0, scale=shape.head**-0.5,
    )  # fmt: skip
    return graph.linear(f"{number}.o", attended, array(layer.o.weight))


def feed_forward(graph: Graph, model: Llama, number: int, x: str) -> str:
    """Add the feed-forward of a layer; return its output."""
    layer = model.layers[number]
    gate = graph.linear(f"{number}.gate", x, array(layer.gate.weight))
    up = graph.linear(f"{number}.up", x, array(layer.up.weight))
    share = graph.add("Sigmoid", [gate], [f"{number}.share"])
    opened = graph.add("Mul", [gate, share], [f"{number}.opened"])
    product = graph.add("Mul", [opened, up], [f"{number}.product"])
    return graph.linear(f"{number}.down", product, array(layer.down.weight))


def add_norm(graph: Graph, name: str, x: str, residual: str, weight: torch.Tensor, epsilon: float) -> tuple[str, str]:
    """Add the norm of a sum; return (norm, sum)."""
    scale = graph.weight(f"{name}.scale", array(weight))
    outputs = [f"{name}.norm", "", "", f"{name}.sum"]
    graph.add("SkipSimplifiedLayerNormalization", [residual, x, scale], outputs, CONTRIB, epsilon=epsilon)
    return outputs[0], outputs[3]


def add_lengths(graph: Graph) -> None:
    """Add the length of the context and the index of its last step, which the attention operator requires."""
    graph.add("Shape", ["attention_bias"], ["bias_shape"])
    graph.add("Gather", ["bias_shape", graph.weight("three", np.array(3, np.int64))], ["context"])
    graph.add("Cast", ["context"], ["total"], to=TensorProto.INT32)
    graph.add("Sub", ["total", graph.weight("one", np.array([1], np.int32))], ["last"])


def tables(graph: Graph, shape: LlamaShape) -> None:
    """Add the rotary tables and the sizes of q, k and v."""
    cosines, sines = rotary_tables(shape, torch.arange(POSITIONS))
    graph.weight("cosines", array(cosines))
    graph.weight("sines", array(sines))
    graph.weight("parts", np.array([shape.width, shape.kv_heads * shape.head, shape.kv_heads * shape.head], np.int64))


def decoder(model: Llama) -> onnx.ModelProto:
    """The model as an ONNX graph."""
    shape, graph = model.shape, Graph()
    add_lengths(graph)
    tables(graph, shape)
    residual = "inputs_embeds"
    scale = graph.weight("first.scale", array(model.layers[0].attention_norm.weight))
    x = graph.add("SimplifiedLayerNormalization", [residual, scale], ["first.norm"], axis=-1, epsilon=shape.epsilon, stash_type=1)
    for number, layer in enumerate(model.layers):
        y = attention(graph, model, number, x)
        x, residual = add_norm(graph, f"{number}.middle", y, residual, layer.feed_norm.weight, shape.epsilon)
        y = feed_forward(graph, model, number, x)
        following = model.layers[number + 1].attention_norm if number + 1 < shape.layers else model.norm
        x, residual = add_norm(graph, f"{number}.end", y, residual, following.weight, shape.epsilon)
    asked = graph.add("Gather", [x, "logit_positions"], ["asked"], axis=1)
    graph.add("Identity", [graph.linear("head", asked, array(model.embeddings.weight))], ["logits"])
    return assemble(graph, shape)


def assemble(graph: Graph, shape: LlamaShape) -> onnx.ModelProto:
    """Add inputs and outputs to a graph."""

    def floats(name: str, *sizes: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)

    kinds = [f"{kind}_{number}" for number in range(shape.layers) for kind in ("key", "value")]
    inputs = [
        floats("inputs_embeds", 1, "S", shape.width),
        helper.make_tensor_value_info("position_ids", TensorProto.INT64, [1, "S"]),
        floats("attention_bias", 1, 1, "S", "P + S"),
        helper.make_tensor_value_info("logit_positions", TensorProto.INT64, ["L"]),
        *(floats(f"past_{kind}", 1, shape.kv_heads, "P", shape.head) for kind in kinds),
    ]
    outputs = [floats("logits", 1, "L", shape.vocabulary)]
    outputs += [floats(f"present_{kind}", 1, shape.kv_heads, "P + S", shape.head) for kind in kinds]
    made = helper.make_graph(graph.nodes, "language", inputs, outputs, graph.weights)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(CONTRIB, 1)]
    return helper.make_model(made, opset_imports=opsets, ir_version=9, producer_name="presage")


def write_embeddings(model: Llama, path: Path) -> None:
    """Write V rows of int8, then V float32 scales: embedding = row · scale."""
    table = array(model.embeddings.weight)
    scales = np.maximum(np.abs(table).max(1) / 127, 1e-12).astype(np.float32)
    rows = np.clip(np.round(table / scales[:, None]), -127, 127).astype(np.int8)
    path.write_bytes(rows.tobytes() + scales.astype("<f4").tobytes())


def read_embeddings(path: Path, width: int) -> np.ndarray:
    """Embeddings float32 [V, width] from a file of `write_embeddings`."""
    data = path.read_bytes()
    count = len(data) // (width + 4)
    rows = np.frombuffer(data, np.int8, count * width).reshape(count, width)
    return rows * np.frombuffer(data, "<f4", count, count * width)[:, None]
