"""Enlarging along edges: nothing changes where nothing is to be known, and edges lie where the picture has them."""

import cv2
import numpy as np

from brushwork.engines.tools.guided import Bytes, enlarged
from brushwork.engines.tools.network import Floats


def shrunk(large: Bytes, size: tuple[int, int]) -> Floats:
    return np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255))


def halves(width: int, height: int, edge: float) -> Floats:
    """Dark to the left of the edge (a share of the width), light to the right."""
    picture = np.full((height, width, 3), 0.2, np.float32)
    picture[:, round(edge * width) :] = (0.9, 0.7, 0.4)
    return picture


def test_a_constant_stays_what_it_is() -> None:
    large = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    small = shrunk(large, (40, 30))

    given = enlarged(np.full((30, 40), 0.6, np.float32), small, large, reach=2, smoothness=1e-3)

    np.testing.assert_allclose(given, 0.6, atol=1e-3)


def test_an_edge_moves_to_where_the_large_picture_has_it() -> None:
    large = np.asarray(halves(320, 240, 0.53) * 255 + 0.5, np.uint8)
    small = shrunk(large, (32, 24))
    truth = (np.arange(320) >= round(0.53 * 320)).astype(np.float32)
    rough = np.asarray(cv2.resize(np.tile(truth, (240, 1)), (32, 24), interpolation=cv2.INTER_AREA), np.float32)

    given = enlarged(rough, small, large, reach=2, smoothness=1e-4)

    plain = cv2.resize(rough, (320, 240), interpolation=cv2.INTER_LINEAR)
    assert np.abs(given - truth).mean() < 0.3 * np.abs(plain - truth).mean()
