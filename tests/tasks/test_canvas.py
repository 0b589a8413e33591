"""Canvases: exact sizes, what a mask covers, and that what it does not cover keeps its bytes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from brushwork.engines.base import Place
from brushwork.tasks.canvas import (
    Covered,
    can_cover,
    fill,
    inside,
    lay,
    longer,
    old_share,
    outpaint_layout,
    pan_layout,
    put_together,
    white,
)
from tests.tasks.running import noise, pixels

SQUARE = [100, 100, 400, 100, 400, 400, 100, 400]
STAR = [250, 20, 390, 450, 20, 180, 480, 180, 110, 450]
EIGHT = [100, 100, 400, 400, 400, 100, 100, 400]


def covered(points: list[int], *, space: int = 500, size: tuple[int, int] = (500, 500)) -> Covered:
    return fill(points, (space, space), size, Place(0, 0, *size))


@pytest.mark.parametrize(
    ("direction", "canvas", "place"),
    [
        (0, (300, 300), (0, 0, 300, 200)),
        (1, (450, 200), (0, 0, 300, 200)),
        (2, (300, 300), (0, 100, 300, 200)),
        (3, (450, 200), (150, 0, 300, 200)),
    ],
    ids=["down", "right", "up", "left"],
)
def test_a_pan_makes_one_side_longer(direction: int, canvas: tuple[int, int], place: tuple[int, ...]) -> None:
    assert pan_layout((300, 200), direction=direction, scale=1.5) == (canvas, place)


def test_an_outpaint_makes_both_sides_longer_round_the_middle() -> None:
    assert outpaint_layout((300, 200), scale=1.2) == ((360, 240), (30, 20, 300, 200))
    assert outpaint_layout((1366, 768), scale=1.1) == ((1502, 844), (68, 38, 1366, 768))


@given(st.integers(8, 2048), st.floats(1.1, 3.0))
def test_longer_sides_are_even_and_within_a_pixel_of_the_scale(side: int, scale: float) -> None:
    long = longer(side, scale)

    assert long % 2 == 0
    assert long > side
    assert abs(long - side * scale) <= 1 or side * scale < side + 2


def test_a_square_covers_the_pixels_whose_middle_it_holds() -> None:
    mask = covered(SQUARE)

    assert mask[100:400, 100:400].all()
    assert mask.sum() == 300 * 300


def test_a_polygon_is_scaled_from_its_own_space() -> None:
    mask = fill(SQUARE, (500, 1000), (1000, 300), Place(0, 0, 1000, 300))

    assert mask[30:120, 200:800].all()
    assert mask.sum() == 600 * 90


def test_a_polygon_lies_where_the_picture_lies_and_ends_with_it() -> None:
    mask = fill([-100, -100, 900, -100, 900, 900, -100, 900], (500, 500), (400, 300), Place(50, -20, 200, 100))

    assert mask[:80, 50:250].all()
    assert mask.sum() == 80 * 200


@given(st.lists(st.integers(0, 120), min_size=6, max_size=6))
def test_triangles_cover_about_their_area(points: list[int]) -> None:
    (x0, y0), (x1, y1), (x2, y2) = (points[0], points[1]), (points[2], points[3]), (points[4], points[5])
    area = abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)) / 2
    around = math.dist((x0, y0), (x1, y1)) + math.dist((x1, y1), (x2, y2)) + math.dist((x2, y2), (x0, y0))

    mask = covered(points, space=120, size=(120, 120))

    assert abs(float(mask.sum()) - area) <= around
    backwards = [value for pair in ((x2, y2), (x1, y1), (x0, y0)) for value in pair]
    assert (covered(backwards, space=120, size=(120, 120)) == mask).all()


def test_a_star_is_filled_in_the_middle_and_an_eight_in_both_loops() -> None:
    star, eight = covered(STAR), covered(EIGHT)

    assert star[250, 250]
    assert star[100, 250]
    assert not star[40, 40]
    assert eight[250, 120]
    assert eight[250, 380]
    assert not eight[110, 250]


def test_thousands_of_corners_are_drawn_in_a_moment() -> None:
    zigzag = [value for step in range(512) for value in (step % 500, 0, (step * 7) % 500, 499)]

    assert covered(zigzag, size=(2048, 2048)).any()


@pytest.mark.parametrize(
    ("points", "some"),
    [
        (SQUARE, True),
        ([-50, -50, 20, -50, 20, 20], True),
        ([600, 0, 700, 0, 700, 100], False),
        ([0, -100, 100, -100, 50, 0], False),
        ([10, 10, 200, 200, 400, 400], False),
        ([10, 10, 10, 10, 10, 10], False),
        ([10, 10, 10, 10, 200, 10, 200, 200], True),
    ],
)
def test_polygons_that_cannot_cover_anything_are_told_from_the_others(points: list[int], some: bool) -> None:
    assert can_cover(points, (500, 500)) is some
    assert covered(points).any() == some


def test_a_mask_picture_of_any_size_and_mode_is_repainted_where_it_is_white() -> None:
    mask = Image.new("L", (20, 10), 0)
    ImageDraw.Draw(mask).rectangle((10, 0, 19, 9), fill=255)
    clear = Image.new("RGBA", (20, 10), (255, 255, 255, 0))
    clear.paste((255, 255, 255, 255), (10, 0, 20, 10))

    for picture in (mask, mask.convert("1"), mask.convert("P"), mask.convert("RGB"), clear):
        found = white(picture, (200, 100), Place(0, 0, 200, 100))
        assert not found[:, :99].any()
        assert found[:, 101:].all()


def test_a_mask_picture_lies_where_the_source_lies() -> None:
    found = white(Image.new("L", (7, 7), 255), (100, 60), Place(-10, 20, 50, 100))

    assert found[20:, :40].all()
    assert found.sum() == 40 * 40


def test_a_source_of_its_own_size_is_laid_down_byte_for_byte() -> None:
    source = noise(40, 30)

    laid = lay(source, (50, 40), Place(20, -10, 40, 30))

    assert (laid.pixels[:20, 20:] == pixels(source)[10:, :30]).all()
    assert (laid.alpha > 0).sum() == 20 * 30
    assert not laid.pixels[20:].any()


def test_a_source_of_another_size_is_resized_as_a_whole() -> None:
    source = noise(64, 64).resize((256, 256), Image.Resampling.BICUBIC)
    whole = pixels(source.resize((128, 64), Image.Resampling.LANCZOS)).astype(int)

    laid = lay(source, (100, 64), Place(-14, 0, 128, 64))

    assert np.abs(laid.pixels.astype(int) - whole[:, 14:114]).max() <= 1


@given(st.integers(0, 2**32 - 1))
def test_pixels_outside_the_mask_are_the_sources_own(seed: int) -> None:
    rng = np.random.default_rng(seed)
    place = Place(int(rng.integers(-30, 30)), int(rng.integers(-30, 30)), 48, 36)
    source, painted = noise(48, 36, seed=seed), noise(64, 48, seed=seed + 1)
    laid = lay(source, (64, 48), place)
    asked = np.zeros((48, 64), bool)
    asked[: rng.integers(0, 48), rng.integers(0, 64) :] = True
    repainted = asked | ~inside(place, (64, 48))

    result = pixels(put_together(laid, painted, old_share(laid, repainted)))

    assert (result[~repainted] == laid.pixels[~repainted]).all()
    beyond = ~inside(place, (64, 48))
    assert (result[beyond] == pixels(painted)[beyond]).all()


def test_a_mask_of_everything_gives_the_painted_picture_and_one_of_nothing_the_source() -> None:
    source, painted = noise(40, 30), noise(40, 30, seed=1)
    laid = lay(source, (40, 30), Place(0, 0, 40, 30))

    assert put_together(laid, painted, old_share(laid, np.ones((30, 40), bool))) == painted
    assert put_together(laid, painted, old_share(laid, np.zeros((30, 40), bool))) == source


def test_the_new_comes_in_gently_inside_the_mask() -> None:
    laid = lay(Image.new("RGB", (640, 640), "black"), (640, 640), Place(0, 0, 640, 640))
    repainted = np.zeros((640, 640), bool)
    repainted[:, 320:] = True

    painted = Image.new("RGB", (640, 640), "white")
    row = pixels(put_together(laid, painted, old_share(laid, repainted)))[100, :, 0].astype(int)

    assert (row[:320] == 0).all()
    assert (row[331:] == 255).all()
    assert np.diff(row).max() < 40
    assert (np.diff(row) >= 0).all()


def test_what_is_half_transparent_shows_what_is_painted_behind_it() -> None:
    source = Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    laid = lay(source, (8, 8), Place(0, 0, 8, 8))

    kept = old_share(laid, np.zeros((8, 8), bool))
    result = put_together(laid, Image.new("RGB", (8, 8), "blue"), kept)

    assert result.getpixel((4, 4)) == (128, 0, 127)


def test_an_engine_that_draws_another_size_is_brought_to_the_canvas() -> None:
    laid = lay(noise(40, 30), (40, 30), Place(0, 0, 40, 30))

    assert put_together(laid, noise(8, 8), old_share(laid, np.ones((30, 40), bool))).size == (40, 30)
