"""Work on a large picture piece by piece, so that memory stays small, progress is real, and cancelling is quick.

Tiles cover a picture once, without overlap. Whoever works on one looks at a margin around it: as wide as what decides
about a pixel, and the pieces fit without a seam.
"""

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Tile:
    """A piece of a picture, in pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int


def tiles(width: int, height: int, *, side: int) -> list[Tile]:
    """Row by row, of nearly the same size, and none larger than `side`."""
    return [Tile(left, top, right, bottom) for top, bottom in spans(height, side) for left, right in spans(width, side)]


def spans(length: int, side: int) -> list[tuple[int, int]]:
    count = -(-length // side)
    cuts = [length * number // count for number in range(count + 1)]
    return list(pairwise(cuts))
