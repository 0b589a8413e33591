"""Shapes of latents that the network was trained for, and where their points lie. Knows no pixels of pictures."""

import math

import numpy as np

PATCH = 8
"""Pixels of a picture for one latent, each way."""
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def shapes(side: int) -> list[tuple[int, int]]:
    """(height, width) of all shapes: square, and shorter one way down to half of it, in even numbers."""
    shorter = range(side - 2, side // 2 - 1, -2)
    return [(side, side), *((short, side) for short in shorter), *((side, short) for short in shorter)]


def nearest(side: int, ratio: float) -> tuple[int, int]:
    """The shape whose width / height is nearest to this ratio."""
    return min(shapes(side), key=lambda shape: abs(math.log(shape[1] / shape[0] / ratio)))


def places(height: int, width: int) -> Floats:
    """(height / 2 * width / 2, 2): rows and columns of the transformer's points, from the middle."""
    rows, columns = (np.arange(length // 2) - (length // 2 - 1) / 2 for length in (height, width))
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1)
    return np.asarray(grid.reshape(-1, 2), np.float32)
