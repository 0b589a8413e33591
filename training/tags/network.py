"""The heads on the encoder's features: what is seen, where, in which scenery. For PyTorch, and as ONNX nodes."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from training.tags.encoder import Graph
from training.tags.pictures import numbers

CHANNELS = 112 + 320
WIDTH = 320
LOOKS = 4
"""Places in the picture that are looked at, each with a quarter of the channels."""
COUNTS = 5
"""Nothing, one, two, three, many."""


def heads() -> Mapping[str, int]:
    """What the whole picture is asked: name → classes. "foreign": whether the painter painted it (0) or not (1)."""
    scenery = {name: len(classes) for name, classes in numbers().items() if name != "concept"}
    return {**scenery, "count": COUNTS, "foreign": 2}


class Tagger(nn.Module):
    """(B, 432, h, w) → logits of the concepts and of each head, and where it looked."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(CHANNELS, affine=False)
        self.first = nn.Conv2d(CHANNELS, WIDTH, 1)
        self.around = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH)
        self.second = nn.Conv2d(WIDTH, WIDTH, 1)
        self.look = nn.Conv2d(WIDTH, LOOKS, 1)
        self.drop = nn.Dropout(0.25)
        self.concept = nn.Linear(2 * WIDTH, len(numbers()["concept"]))
        self.scenery = nn.Linear(WIDTH + CHANNELS, sum(heads().values()))

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        x = self.norm(features)
        h = torch.relu(self.first(x))
        v = torch.relu(self.second(h + torch.relu(self.around(h))))
        looks = self.look(v).flatten(2).softmax(dim=2)  # (B, LOOKS, h * w)
        split = v.flatten(2).unflatten(1, (LOOKS, WIDTH // LOOKS))  # (B, LOOKS, WIDTH / LOOKS, h * w)
        seen = (split @ looks[..., None])[..., 0].flatten(1)
        logits = self.concept(self.drop(torch.cat([seen, v.mean(dim=(2, 3))], dim=1)))
        scenery = self.scenery(self.drop(torch.cat([h.mean(dim=(2, 3)), x.mean(dim=(2, 3))], dim=1)))
        parts = scenery.split(list(heads().values()), dim=1)
        return {"concept": logits, **dict(zip(heads(), parts, strict=True)), "looks": looks.mean(dim=1)}


def as_nodes(graph: Graph, network: Tagger) -> None:
    """Adds the heads to a graph that holds the encoder: → "concept", "scenery" (all other heads in their order) and
    "looks" (B, h, w)."""
    weights = {name: value.detach().numpy().astype(np.float32) for name, value in network.state_dict().items()}
    add = graph.add
    halved = add("AveragePool", ["middle"], "halved", kernel_shape=[2, 2], strides=[2, 2])
    raw = add("Concat", [halved, "deep"], "features", axis=1)
    gain = 1 / np.sqrt(weights["norm.running_var"] + network.norm.eps)
    shift = graph.constant("norm.shift", -(weights["norm.running_mean"] * gain)[:, None, None])
    x = add("Add", [add("Mul", [raw, graph.constant("norm.gain", gain[:, None, None])], "scaled"), shift], "x")

    def conv(name: str, taken: str, **more: int) -> str:
        inputs = [taken, *(graph.constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))]
        side = weights[f"{name}.weight"].shape[2]
        return add("Conv", inputs, f"{name}.out", kernel_shape=[side, side], pads=[side // 2] * 4, **more)

    def linear(name: str, taken: str, output: str) -> str:
        inputs = [taken, *(graph.constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))]
        return add("Gemm", inputs, output, transB=1)

    def shape(name: str, *sizes: int) -> str:
        return graph.constant(name, np.array(sizes, np.int64))

    def mean(taken: str, output: str) -> str:
        return add("Flatten", [add("GlobalAveragePool", [taken], f"{output}4")], output)

    h = add("Relu", [conv("first", x)], "h")
    near = add("Relu", [conv("around", h, group=WIDTH)], "near")
    v = add("Relu", [conv("second", add("Add", [h, near], "h.near"))], "v")
    flat = add("Reshape", [conv("look", v), shape("flat", 0, LOOKS, -1)], "look.flat")
    looks = add("Softmax", [flat], "looks.each", axis=2)
    split = add("Reshape", [v, shape("split", 0, LOOKS, WIDTH // LOOKS, -1)], "v.split")
    column = add("Unsqueeze", [looks, shape("last", 3)], "looks.column")
    seen = add("Reshape", [add("MatMul", [split, column], "seen4"), shape("row", 0, -1)], "seen")
    linear("concept", add("Concat", [seen, mean(v, "v.mean")], "seen.all", axis=1), "concept")
    linear("scenery", add("Concat", [mean(h, "h.mean"), mean(x, "x.mean")], "means", axis=1), "scenery")
    add("ReduceMean", [looks], "looks", axes=[1], keepdims=0)
