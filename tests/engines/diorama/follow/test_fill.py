"""Filling holes with the picture's own patches, also where little of it is known."""

import numpy as np
import pytest

from brushwork.engines.diorama.follow.fill import filled

SIDE = 160
ACROSS = np.tile(np.arange(SIDE), (SIDE, 1))


def picture() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Soft stripes, from dark to light."""
    waves = 0.5 + 0.3 * np.sin(ACROSS / 9) + 0.1 * np.cos(ACROSS.T / 15)
    return np.repeat(waves[..., None], 3, axis=2).astype(np.float32)


@pytest.mark.parametrize(
    "hole",
    [ACROSS % 8 < 4, ACROSS % 8 < 7, ACROSS.T != 70, (ACROSS != 5) | (ACROSS.T != 5), ACROSS > 0],
    ids=["comb", "fine comb", "one row known", "one pixel known", "one column known"],
)
def test_any_hole_is_filled_with_colours_of_the_picture(hole: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> None:
    source = picture()
    given = np.where(hole[..., None], np.float32(9), source)  # what is in the hole must not matter

    result = filled(given, hole.astype(np.float32), seed=3)

    known = source[~hole]
    assert np.array_equal(result[~hole], known)
    assert np.isfinite(result).all()
    assert result[hole].min() >= known.min() - 0.1
    assert result[hole].max() <= known.max() + 0.1


def test_stripes_under_a_comb_go_on_as_stripes() -> None:
    hole = (ACROSS % 8 < 4).astype(np.float32)

    result = filled(picture(), hole, seed=3)

    assert np.abs(result - picture()).mean() < 0.06
