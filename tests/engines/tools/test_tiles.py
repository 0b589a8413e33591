"""Tiles: every pixel once, none too large."""

import numpy as np
import pytest

from brushwork.engines.tools.tiles import tiles


@pytest.mark.parametrize(("width", "height", "side"), [(1, 1, 256), (256, 256, 256), (257, 40, 256), (1000, 333, 64)])
def test_tiles_cover_every_pixel_once_and_are_never_too_large(width: int, height: int, side: int) -> None:
    covered = np.zeros((height, width), int)

    for tile in tiles(width, height, side=side):
        covered[tile.top : tile.bottom, tile.left : tile.right] += 1
        assert 0 < tile.right - tile.left <= side
        assert 0 < tile.bottom - tile.top <= side

    assert (covered == 1).all()


def test_tiles_are_of_nearly_the_same_size() -> None:
    widths = {tile.right - tile.left for tile in tiles(1030, 10, side=256)}

    assert widths == {206}
