"""The network: eight small convolutions at low resolution, then one rearrangement to high resolution.

Besides them runs one linear filter from picture to picture. It begins as bicubic enlarging and is trained with the
rest, so that the convolutions only have to say what bicubic misses. Knows no pictures and no training.
"""

import numpy as np
import torch
from torch import Tensor, nn

REACH = 2
"""Of the linear filter, in pixels: it is 5 x 5."""
SLOPE = 0.1
"""Of the activations below zero, before training."""


class SuperResolution(nn.Module):
    def __init__(self, factor: int, *, channels: int = 48, depth: int = 6) -> None:
        super().__init__()
        out = 3 * factor * factor
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(depth))
        self.act = nn.ModuleList(nn.PReLU(channels, init=SLOPE) for _ in range(depth + 1))
        self.tail = nn.Conv2d(channels, out, 3, padding=1)
        self.skip = nn.Conv2d(3, out, 2 * REACH + 1, padding=REACH, bias=False)
        self.shuffle = nn.PixelShuffle(factor)
        begin(self, factor)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, 3, factor H, factor W), colours 0..1."""
        features = self.act[0](self.head(picture))
        for convolution, activation in zip(self.body, self.act[1:], strict=True):
            features = activation(convolution(features))
        return self.shuffle(self.tail(features) + self.skip(picture))


def begin(network: SuperResolution, factor: int) -> None:
    for convolution in [network.head, *network.body]:
        nn.init.kaiming_normal_(convolution.weight, a=SLOPE)
        nn.init.zeros_(convolution.bias)
    network.tail.weight.data.mul_(0.1)
    nn.init.zeros_(network.tail.bias)
    network.skip.weight.data = torch.from_numpy(bicubic_filter(factor))


def bicubic_filter(factor: int) -> np.ndarray:
    """(3 factor^2, 3, 5, 5): each of the factor^2 new pixels from its surroundings, colour by colour."""
    shifts = [(phase + 0.5) / factor - 0.5 for phase in range(factor)]
    taps = np.array([[cubic(tap - shift) for tap in range(-REACH, REACH + 1)] for shift in shifts])
    taps /= taps.sum(1, keepdims=True)
    weights = np.zeros((3, factor, factor, 3, 2 * REACH + 1, 2 * REACH + 1), np.float32)
    for colour in range(3):
        weights[colour, :, :, colour] = taps[:, None, :, None] * taps[None, :, None, :]
    return weights.reshape(3 * factor * factor, 3, 2 * REACH + 1, 2 * REACH + 1)


def cubic(distance: float, a: float = -0.5) -> float:
    distance = abs(distance)
    if distance < 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    return a * (distance**3 - 5 * distance**2 + 8 * distance - 4) if distance < 2 else 0.0
