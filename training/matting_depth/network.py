"""One encoder, two decoders: how much of each pixel the subject covers, and how near each pixel is.

Each decoder climbs from the coarsest features to the picture's size and looks at finer ones on its way; the first step
also sees the mean of the whole picture, because what the subject is depends on all of it.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.matting_depth.encoder import CHANNELS, Encoder

ALPHA_WIDTHS = (96, 64, 40, 24, 12)
NEAR_WIDTHS = (80, 56, 32, 16)
"""Channels at 1/16, 1/8, 1/4, 1/2 and 1 of the picture's size; nearness has no finer edges than 1/2."""


class Step(nn.Module):
    """Twice as large, joined with the encoder's features of that size."""

    def __init__(self, inputs: int, taken: int, outputs: int) -> None:
        super().__init__()
        self.join = nn.Conv2d(inputs + taken, outputs, 3, padding=1)
        self.act = nn.PReLU(outputs)

    def forward(self, x: Tensor, taken: Tensor) -> Tensor:
        x = functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.act(self.join(torch.cat([x, taken], 1)))


class Decoder(nn.Module):
    """Features and the picture → one number a pixel, before the sigmoid."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        coarse = CHANNELS[-1]
        self.narrow = nn.Conv2d(coarse, widths[0], 1)
        self.whole = nn.Conv2d(coarse, widths[0], 1)
        self.act = nn.PReLU(widths[0])
        taken = (*CHANNELS[-2::-1], 3)[: len(widths)]
        before = (widths[0], *widths[:-1])
        self.steps = nn.ModuleList(Step(*sizes) for sizes in zip(before, taken, widths, strict=True))
        self.last = nn.Conv2d(widths[-1], 1, 3, padding=1)

    def forward(self, taps: list[Tensor], picture: Tensor) -> Tensor:
        x = self.act(self.narrow(taps[-1]) + self.whole(taps[-1].mean((2, 3), keepdim=True)))
        for step, taken in zip(self.steps, (*taps[-2::-1], picture - 0.5), strict=False):
            x = step(x, taken)
        return self.last(x)


class MattingDepth(nn.Module):
    """(B, 3, H, W) in 0..1, sides multiples of 32 → (B, 2, H, W) logits: alpha, nearness."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        super().__init__()
        self.encoder = encoder or Encoder()
        self.alpha = Decoder(ALPHA_WIDTHS)
        self.near = Decoder(NEAR_WIDTHS)

    def forward(self, picture: Tensor) -> Tensor:
        alpha, near = self.logits(picture, picture.shape[0])
        return torch.cat([alpha, near], 1)

    def logits(self, picture: Tensor, painted: int) -> tuple[Tensor, Tensor]:
        """Alpha of all pictures, nearness of the first ones, whose truth is known."""
        taps = self.encoder(picture)
        near = self.near([tap[:painted] for tap in taps], picture[:painted])
        near = functional.interpolate(near, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.alpha(taps, picture), near
