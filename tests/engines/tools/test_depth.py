"""Nearness: in the order of the painter's own distances, the ground before the sky, on any picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.tools.depth import nearness
from brushwork.engines.tools.network import Floats
from tests.engines.tools.painted import painted

PHOTOS = Path(__file__).parent / "photos"
UNSEEN = (
    "a polar bear in a meadow, noon",
    "a house in the mountains",
    "a bicycle on a city street",
    "a cow on the beach",
)


def in_order(given: Floats, truth: Floats) -> float:
    """Share of pairs, apart by a fifth or more, of which the nearer one is told."""
    left, right = np.random.default_rng(0).integers(truth.size, size=(2, 20_000))
    a, b = truth.ravel()[left] + 2e-3, truth.ravel()[right] + 2e-3
    apart = np.abs(np.log(a / b)) > 0.2
    return float(((given.ravel()[left] > given.ravel()[right]) == (a > b))[apart].mean())


@pytest.mark.parametrize("prompt", UNSEEN)
def test_what_is_nearer_in_a_painted_world_is_told(prompt: str) -> None:
    picture = painted(prompt)

    assert in_order(nearness(picture.image), picture.near) > 0.85


def test_the_ground_is_near_and_the_sky_far() -> None:
    near = nearness(painted("a wide meadow, noon", seed=9).image)

    assert near[-20:].mean() > near[:20].mean() + 0.5


def test_the_subject_of_a_photograph_is_nearer_than_the_far_corner() -> None:
    near = nearness(Image.open(PHOTOS / "coffee.webp"))
    height, width = near.shape

    assert near[height // 2 : 3 * height // 4, width // 3 : 2 * width // 3].mean() > near[:20, :20].mean()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (517, 40), (301, 333)])
def test_any_size_and_shape_has_its_distances(size: tuple[int, int]) -> None:
    near = nearness(Image.open(PHOTOS / "coffee.webp").resize(size))

    assert near.shape == size[::-1]
    assert near.dtype == np.float32
    assert float(near.min()) >= 0
    assert float(near.max()) <= 1


def test_an_empty_picture_is_no_reason_to_fail() -> None:
    near = nearness(Image.new("RGB", (200, 120), (90, 120, 150)))

    assert np.isfinite(near).all()
