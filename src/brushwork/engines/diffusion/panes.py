"""A picture larger than its model: each step looks at overlapping panes of it, and their answers are blended.

The noise is that of the whole picture, so that panes agree where they overlap.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Window = tuple[int, int, int, int]
"""(top, left, height, width), in latent pixels."""

STRIDE = 0.75
"""Of a pane's side, from one pane to the next: neighbours share a quarter."""
LEAST = 1e-3
"""Weight of the very edge of a pane: it counts only where nothing else is."""


def windows(height: int, width: int, side: int, align: int = 1) -> list[Window]:
    """Panes that cover the picture, row by row; one when it is no larger than a pane."""
    side = max(align, side // align * align)
    tall, wide = min(side, height), min(side, width)
    return [
        (top, left, tall, wide)
        for top in places(height, tall, align)
        for left in places(width, wide, align)
    ]  # fmt: skip


def places(length: int, side: int, align: int) -> list[int]:
    """Where panes begin along one side, evenly."""
    if length <= side:
        return [0]
    gaps = math.ceil((length - side) / (side * STRIDE))
    return [round(at * (length - side) / gaps / align) * align for at in range(gaps)] + [length - side]


def cut(picture: Tensor, window: Window) -> Tensor:
    top, left, height, width = window
    return picture[:, top : top + height, left : left + width]


def blended(answers: Sequence[Tensor], panes: Sequence[Window], height: int, width: int) -> Tensor:
    """The panes' answers as one, each weighted towards its middle."""
    total = answers[0].new_zeros((answers[0].shape[0], height, width))
    weights = answers[0].new_zeros((1, height, width))
    for answer, pane in zip(answers, panes, strict=True):
        weight = bump(pane[2], pane[3]).to(answer)
        cut(total, pane).add_(answer * weight)
        cut(weights, pane).add_(weight)
    return total / weights


def bump(height: int, width: int) -> Tensor:
    """A smooth hill, 1 in the middle."""
    return (hill(height)[:, None] * hill(width)[None, :]).clamp_min(LEAST)[None]


def hill(length: int) -> Tensor:
    return torch.sin(math.pi * (torch.arange(length, dtype=torch.float32) + 0.5) / length) ** 2
