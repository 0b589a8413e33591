"""Pictures to the network's size and back."""

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import Place, Source
from brushwork.engines.flow.canvas import enlarged, filled, free_latents, laid_out, middle
from brushwork.engines.flow.shapes import nearest, places, shapes


def test_shapes_are_even_and_at_most_twice_as_long_as_wide() -> None:
    assert shapes(12)[0] == (12, 12)
    assert all(h % 2 == 0 and w % 2 == 0 and max(h, w) == 12 and max(h, w) <= 2 * min(h, w) for h, w in shapes(12))


@pytest.mark.parametrize(
    ("ratio", "shape"), [(1, (12, 12)), (16 / 9, (6, 12)), (3 / 2, (8, 12)), (2 / 3, (12, 8)), (5, (6, 12))]
)
def test_the_nearest_shape_is_taken(ratio: float, shape: tuple[int, int]) -> None:
    assert nearest(12, ratio) == shape


def test_places_are_counted_from_the_middle() -> None:
    assert places(4, 2).tolist() == [[-0.5, 0.0], [0.5, 0.0]]


def test_a_source_lies_where_it_was_placed_and_the_rest_takes_its_colours() -> None:
    source = Source(Image.new("RGB", (100, 50), (255, 0, 0)))

    canvas = laid_out(source, Place(100, 25, 100, 50), (200, 100), (6, 12))

    assert canvas.shape == (48, 96, 3)
    assert canvas[14:34, 50:] == pytest.approx(np.broadcast_to([1.0, 0, 0], (20, 46, 3)), abs=0.02)
    assert canvas[..., 0].min() > 0.9
    assert canvas[..., 1].max() < 0.05


def test_nothing_that_is_covered_changes_when_the_rest_is_filled() -> None:
    picture = np.random.default_rng(0).random((32, 32, 3), np.float32)
    cover = np.zeros((32, 32, 1), np.float32)
    cover[:, :10] = 1

    result = filled(picture, cover)

    assert np.allclose(result[:, :10], picture[:, :10])
    assert result.min() >= 0
    assert result.max() <= 1


def test_a_latent_is_free_where_any_of_its_pixels_is() -> None:
    mask = Image.new("L", (96, 48))
    mask.paste(255, (40, 0, 41, 48))

    free = free_latents(mask, (6, 12))

    assert free.shape == (1, 6, 12)
    assert free[0, 0].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    assert free_latents(None, (6, 12)).all()


def test_enlarging_crops_the_middle_or_keeps_every_place() -> None:
    image = Image.new("RGB", (96, 64), (0, 0, 255))
    image.paste((255, 0, 0), (0, 0, 12, 64))

    cropped, stretched = (enlarged(image, (200, 200), crop=crop, threads=1) for crop in (True, False))

    assert cropped.size == stretched.size == (200, 200)
    assert np.asarray(cropped)[..., 0].mean() < 8
    assert np.asarray(stretched)[:, :20, 0].mean() > 200
    assert middle((96, 64), (200, 200)) == (16, 0, 80, 64)
