"""Write trained weights as an ONNX file of 16-bit numbers, and compare what it computes with the original.

python -m training.matting_depth.export weights.pt matting_depth.onnx
"""

import argparse
import hashlib
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.matting_depth.network import MattingDepth

OPSET, IR = 17, 8
"""Old enough for every ONNX Runtime that Brushwork may meet."""
CLOSE = 1e-3
"""Of 1."""
HALVED = 64
"""Smaller tensors keep their 32 bits."""


class Finished(nn.Module):
    """With the sigmoid that training leaves to the loss."""

    def __init__(self, network: MattingDepth) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        return torch.sigmoid(self.network(picture))


def export(network: MattingDepth, path: Path) -> None:
    finished = Finished(rounded(network.to(memory_format=torch.contiguous_format))).eval()
    sizes = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the older exporter is enough, and needs nothing else
        torch.onnx.export(
            finished,
            (torch.rand(1, 3, 64, 96),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": sizes, "output": sizes},
        )
    model = halved(onnx.load(path))
    model.ir_version = IR
    model.producer_name, model.producer_version = "brushwork", ""
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
    difference = compare(finished, path)
    if difference > CLOSE:
        raise SystemExit(f"{path} differs from the trained network by {difference:.2g}")
    weights = sum(weight.numel() for weight in network.parameters())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path}  {weights} parameters  difference {difference:.1g}  sha256 {digest}")


def rounded(network: MattingDepth) -> MattingDepth:
    """With weights that 16 bits can hold, so that the file computes the same."""
    for weight in network.parameters():
        if weight.numel() > HALVED:
            weight.data.copy_(weight.data.half().float())
    return network


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Weights stored as 16-bit floats and widened when the file is read; all computing stays in 32 bits."""
    graph, widened = model.graph, []
    for weights in graph.initializer:
        if weights.data_type == TensorProto.FLOAT and np.prod(weights.dims) > HALVED:
            name = weights.name
            weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights).astype(np.float16), f"{name}.half"))
            widened.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*widened, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def compare(network: nn.Module, path: Path) -> float:
    """The largest difference on a random picture."""
    picture = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(picture).numpy()
    (result,) = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(
        None, {"input": picture.numpy()}
    )
    return float(np.abs(result - expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path)
    parser.add_argument("onnx", type=Path)
    arguments = parser.parse_args()
    network = MattingDepth()
    network.load_state_dict(torch.load(arguments.weights, weights_only=True))
    export(network, arguments.onnx)


if __name__ == "__main__":
    main()
