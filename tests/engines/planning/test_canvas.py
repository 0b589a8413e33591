"""Repainting: what is filled, what is drawn, from how near, and what is put back."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from brushwork.engines.base import Op, Place, Row, Source
from brushwork.engines.diffusion.planning import canvas as canvases
from brushwork.engines.diffusion.planning import finish
from tests.engines.planning.models import SDXL, TOOLS, TURBO, a_row, picture, planned


def mask_of(size: tuple[int, int], box: tuple[int, int, int, int]) -> Image.Image:
    mask = Image.new("L", size)
    mask.paste(255, box)
    return mask


def inpaint(
    width: int, height: int, place: Place, mask: Image.Image | None = None, image: Image.Image | None = None
) -> Row:
    given = Source(image or picture(place.width, place.height))
    return a_row(width=width, height=height, op=Op.INPAINT, source=given, place=place, mask=mask, model="6.1")


def fill_of(row: Row, *, scale: float = 1.0) -> np.ndarray[Any, Any]:
    """0-1."""
    size = (round(row.width * scale), round(row.height * scale))
    return np.asarray(canvases.filled(canvases.laid(row), size, seed=1), np.float32) / 255


def test_what_the_source_does_not_show_is_painted_whatever_the_mask_says() -> None:
    canvas = canvases.laid(inpaint(300, 200, Place(50, 0, 200, 200)))

    assert canvas.hole[:, :50].all()
    assert canvas.hole[:, 250:].all()
    assert not canvas.hole[:, 50:250].any()


def test_transparent_parts_are_painted() -> None:
    half = picture(200, 200)
    half.putalpha(mask_of((200, 200), (0, 0, 100, 200)))

    canvas = canvases.laid(inpaint(200, 200, Place(0, 0, 200, 200), image=half))

    assert not canvas.hole[:, :95].any()
    assert canvas.hole[:, 105:].all()


def test_a_margin_is_filled_with_colours_that_run_on() -> None:
    ramp = Image.new("RGB", (100, 100), (200, 40, 40))
    ramp.paste((40, 40, 200), (50, 0, 100, 100))

    filled = fill_of(inpaint(200, 100, Place(50, 0, 100, 100), image=ramp))

    left, right = filled[:, :20].mean((0, 1)), filled[:, -20:].mean((0, 1))
    assert left[0] > left[2] + 0.3
    assert right[2] > right[0] + 0.3
    assert filled[:, :40].std() > 0.02  # grain


def test_a_large_canvas_is_filled_as_small_as_it_is_drawn_without_dark_edges() -> None:
    white = Image.new("RGB", (1000, 1000), "white")
    row = inpaint(1501, 1000, Place(0, 0, 1000, 1000), image=white)

    small = fill_of(row, scale=0.31)

    assert small.shape == (310, 465, 3)
    assert small.min() > 0.7


def test_what_is_under_the_mask_does_not_shine_through() -> None:
    sky = Image.new("RGB", (128, 128), (90, 140, 220))
    sky.paste((255, 0, 0), (48, 48, 80, 80))
    row = inpaint(128, 128, Place(0, 0, 128, 128), mask_of((128, 128), (44, 44, 84, 84)), sky)

    filled = fill_of(row)

    middle = filled[48:80, 48:80].mean((0, 1))
    assert middle == pytest.approx(np.array([90, 140, 220]) / 255, abs=0.03)


def test_a_small_part_is_drawn_alone_with_all_of_the_models_pixels() -> None:
    mask = mask_of((2048, 1536), (1500, 700, 1620, 820))
    plan = planned(SDXL, **vars_of(inpaint(2048, 1536, Place(0, 0, 2048, 1536), mask)))

    assert plan.part is not None
    assert (plan.part.width, plan.part.height) == (512, 512)
    assert plan.part.left < 1500 < 1620 < plan.part.left + plan.part.width
    assert (plan.width, plan.height) == (1024, 1024)


def test_a_large_part_is_drawn_with_all_of_the_canvas() -> None:
    plan = planned(TURBO, **vars_of(inpaint(1536, 1024, Place(0, 0, 1024, 1024))))

    assert plan.part is None
    assert (plan.width, plan.height) == (1536, 1024)
    assert plan.mask is not None
    columns = np.asarray(plan.mask)[512]
    assert columns[:900].max() == 0
    assert columns[1024:].min() == 255


def vars_of(row: Row) -> dict[str, Any]:
    names = ("width", "height", "op", "source", "place", "mask", "model", "strength", "seed", "index")
    return {name: getattr(row, name) for name in names}


@given(
    st.integers(16, 400),
    st.integers(16, 400),
    st.floats(0, 0.95),
    st.floats(0, 0.95),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
    st.sampled_from([64, 256, 1024]),
)
def test_a_part_lies_inside_the_canvas_and_holds_the_whole_hole(
    width: int, height: int, left: float, top: float, across: float, down: float, side: int
) -> None:
    x, y = int(left * width), int(top * height)
    hole = np.zeros((height, width), np.uint8)
    hole[y : y + max(1, int(down * height)), x : x + max(1, int(across * width))] = 1

    part = canvases.part_of(hole, side=side)

    if part is not None:
        assert 0 <= part.left < part.left + part.width <= width
        assert 0 <= part.top < part.top + part.height <= height
        inside = hole[part.top : part.top + part.height, part.left : part.left + part.width]
        assert inside.sum() == hole.sum()
        assert part.width * part.height <= canvases.WORTH_IT * width * height


def test_the_mask_that_is_drawn_is_wider_than_the_hole_and_soft() -> None:
    hole = np.zeros((1024, 1024), np.uint8)
    hole[400:600, 400:600] = 1

    soft = canvases.softened(hole, reach=8)

    assert soft[400:600, 400:600].min() == 1
    assert 0 < soft[500, 390] < 1
    assert soft[500, 397] > 0.9
    assert soft[500, 370] == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(8, 90), st.integers(8, 90))
def test_far_from_the_mask_the_source_comes_back_and_inside_it_what_was_drawn(
    left: int, top: int, across: int, down: int
) -> None:
    box = (left, top, left + across, top + down)
    row = inpaint(300, 300, Place(0, 0, 300, 300), mask_of((300, 300), box))
    assert row.source is not None
    plan = planned(TURBO, **vars_of(row))

    finished = np.asarray(finish(plan, Image.new("RGB", (plan.width, plan.height), "lime"), TOOLS))

    old = np.asarray(row.source.image)
    assert (finished[top : top + down, left : left + across] == (0, 255, 0)).all()
    far = np.ones((300, 300), bool)
    far[max(0, top - 16) : top + down + 16, max(0, left - 16) : left + across + 16] = False
    assert (finished[far] == old[far]).all()


def test_a_source_that_covers_nothing_gives_an_even_ground() -> None:
    clear = Image.new("RGBA", (64, 64))

    filled = fill_of(inpaint(64, 64, Place(0, 0, 64, 64), image=clear))

    assert filled.mean() == pytest.approx(0.5, abs=0.01)
