"""Pieces copied from different spots, levelled: their own gradients inside, no steps between them or at the border.

A Poisson equation over the hole, solved by conjugate gradients on the small picture. Knows nothing of patches.
"""

import numpy as np

from brushwork.engines.diorama.noise import Field

ROUNDS = 160
MOST = 0.25
"""Of the colour range, how far a piece may be moved."""


def levelling(picture: Field, unknown: Field, source: Field) -> Field:
    """(H, W, 3): what to add to each unknown pixel, which was copied from `source` (H, W, 2), a row and a column."""
    copied = picture[source[..., 0], source[..., 1]]
    across, down = (steps(picture, 1 - unknown, source, way) for way in ((0, 1), (1, 0)))
    free = unknown[..., None]
    residual = spread(copied, across, down) * free
    total, search = np.zeros_like(copied), residual.copy()
    power = (residual * residual).sum((0, 1))
    for _ in range(ROUNDS):
        image = -spread(search, 0.0, 0.0) * free
        rate = power / np.maximum((search * image).sum((0, 1)), 1e-12)
        total += rate * search
        residual -= rate * image
        new = (residual * residual).sum((0, 1))
        if float(new.max()) < 1e-5:
            break
        search = residual + new / np.maximum(power, 1e-12) * search
        power = new
    return np.asarray(np.clip(total, -MOST, MOST), np.float32)


def steps(picture: Field, known: Field, source: Field, way: tuple[int, int]) -> Field:
    """From each pixel to its next one that way, as seen where both were copied from and the picture is known."""
    dy, dx = way
    height, width = known.shape
    here, there = source[: height - dy, : width - dx], source[dy:, dx:]
    limits = np.array(known.shape) - 1
    ahead, behind = np.minimum(here + np.array(way), limits), np.maximum(there - np.array(way), 0)
    first = picture[ahead[..., 0], ahead[..., 1]] - picture[here[..., 0], here[..., 1]]
    second = picture[there[..., 0], there[..., 1]] - picture[behind[..., 0], behind[..., 1]]
    sure = known[ahead[..., 0], ahead[..., 1]][..., None], known[behind[..., 0], behind[..., 1]][..., None]
    return np.asarray((first * sure[0] + second * sure[1]) / np.maximum(sure[0] + sure[1], 1), np.float32)


def spread(values: Field, across: Field | float, down: Field | float) -> Field:
    """At each pixel, how far its neighbours lie above what the wanted steps say."""
    out = np.zeros_like(values)
    right = values[:, 1:] - values[:, :-1] - across
    below = values[1:] - values[:-1] - down
    out[:, :-1] += right
    out[:, 1:] -= right
    out[:-1] += below
    out[1:] -= below
    return out
