"""Write trained weights as an ONNX file, node by node, and compare what it computes with the original.

python -m training.super_resolution.export x2.pt super_resolution_x2.onnx
"""

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from training.super_resolution.network import REACH, SuperResolution

OPSET, IR = 17, 8
"""Old enough for every ONNX Runtime that Brushwork may meet."""
CLOSE = 1e-4
"""Of 1: a fortieth of one step of an eight-bit colour, and more than rounding makes."""


def export(network: SuperResolution, path: Path) -> None:
    model = model_of(network)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
    difference = compare(network, path)
    if difference > CLOSE:
        raise SystemExit(f"{path} differs from the trained network by {difference:.2g}")
    weights = sum(weight.numel() for weight in network.parameters())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    print(f"{path}  {weights} parameters  difference {difference:.1g}  sha256 {digest}")


def model_of(network: SuperResolution) -> onnx.ModelProto:
    weights = {name: value.detach().contiguous().numpy() for name, value in network.state_dict().items()}
    constants = [
        # PReLU's slopes, (C,) in torch, meet (B, C, H, W) here.
        numpy_helper.from_array(value[:, None, None] if name.startswith("act") else value, name)
        for name, value in weights.items()
    ]
    nodes = [conv("head", "input", "f0", reach=1)]
    for layer in range(len(network.body) + 1):
        nodes.append(helper.make_node("PRelu", [f"f{layer}", f"act.{layer}.weight"], [f"a{layer}"]))
        name = f"body.{layer}" if layer < len(network.body) else "tail"
        nodes.append(conv(name, f"a{layer}", f"f{layer + 1}", reach=1))
    nodes += [
        conv("skip", "input", "linear", reach=REACH, bias=False),
        helper.make_node("Add", [f"f{len(network.body) + 1}", "linear"], ["sum"]),
        helper.make_node("DepthToSpace", ["sum"], ["output"], blocksize=network.shuffle.upscale_factor, mode="CRD"),
    ]
    inputs = [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 3, "height", "width"])]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 3, "tall", "wide"])]
    graph = helper.make_graph(nodes, "super_resolution", inputs, outputs, constants)
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR, producer_name="brushwork")


def conv(name: str, taken: str, given: str, *, reach: int, bias: bool = True) -> onnx.NodeProto:
    inputs = [taken, f"{name}.weight", *([f"{name}.bias"] if bias else [])]
    side = 2 * reach + 1
    return helper.make_node("Conv", inputs, [given], kernel_shape=[side, side], pads=[reach] * 4)


def compare(network: SuperResolution, path: Path) -> float:
    """The largest difference on a random picture."""
    picture = torch.rand(1, 3, 37, 53, generator=torch.Generator().manual_seed(0))
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
    weights = torch.load(arguments.weights, weights_only=True)
    channels, _, _, _ = weights["head.weight"].shape
    factor = round((weights["tail.bias"].numel() / 3) ** 0.5)
    depth = sum(name.startswith("body") and name.endswith("bias") for name in weights)
    network = SuperResolution(factor, channels=channels, depth=depth)
    network.load_state_dict(weights)
    export(network, arguments.onnx)


if __name__ == "__main__":
    main()
