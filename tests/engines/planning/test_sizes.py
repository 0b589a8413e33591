"""Drawn sizes: multiples of the family's, about the model's area, nearly the row's shape; and exact when finished."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from brushwork.engines.base import Op
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning import finish
from brushwork.engines.diffusion.planning.sizes import MOST_PIXELS, WIDE, drawn_size, multiple_of, whole_size
from tests.engines.planning.models import CATALOG, KLEIN, PIPE, SDXL, TOOLS, TURBO, planned, source

MODELS = st.sampled_from([*CATALOG.values(), PIPE])
SIDES = st.integers(64, 4096)


@given(MODELS, SIDES, SIDES, st.booleans())
def test_sides_are_multiples_of_the_familys(model: Model, width: int, height: int, draft: bool) -> None:
    size = drawn_size(width, height, model=model, draft=draft)

    assert size.width % multiple_of(model) == size.height % multiple_of(model) == 0
    assert size.width > 0 < size.height


@given(MODELS, SIDES, SIDES)
def test_an_ordinary_shape_is_drawn_with_the_models_area_and_nearly_undistorted(
    model: Model, width: int, height: int
) -> None:
    ratio = width / height
    size = drawn_size(width, height, model=model)

    if max(ratio, 1 / ratio) > WIDE:
        assert size.panes or model.family == "pipe"
        return
    assert size.panes == 0
    assert abs(math.log(size.width / size.height / ratio)) < math.log(1.07)
    assert 0.85 < size.width * size.height / model.side**2 < 1.15 or max(size.width, size.height) > model.max_side - 64


@given(SIDES, st.floats(WIDE + 0.1, 14))
def test_a_very_long_shape_is_drawn_in_panes_that_fit_into_it(short: int, ratio: float) -> None:
    width, height = round(short * ratio), short
    size = drawn_size(width, height, model=TURBO)

    assert size.panes == min(size.width, size.height) >= TURBO.side / 2
    assert abs(math.log(size.width / size.height / (width / height))) < math.log(1.06)


def test_a_draft_is_drawn_with_fewer_pixels_than_a_picture_but_not_with_too_few() -> None:
    draft = planned(TURBO, width=512, height=512, params={"draft": True})

    assert (draft.width, draft.height) == (640, 640)
    assert draft.applied["draft"] == "native"


@pytest.mark.parametrize(("model", "side", "how"), [(TURBO, 2048, "native"), (SDXL, 1024, "emulated")])
def test_a_large_picture_is_drawn_at_once_only_where_the_model_was_taught_to(model: Model, side: int, how: str) -> None:
    plan = planned(model, width=2048, height=2048, params={"hd": True})

    assert (plan.width, plan.height, plan.applied["hd"]) == (side, side, how)


@given(st.integers(64, 8192), st.integers(64, 8192))
def test_a_picture_that_is_redrawn_keeps_its_size_in_panes_as_far_as_there_is_memory(width: int, height: int) -> None:
    size = whole_size(width, height, model=SDXL)

    assert size.width % 8 == size.height % 8 == 0
    assert size.panes <= min(size.width, size.height)
    assert size.width * size.height < 1.02 * MOST_PIXELS + 8 * (size.width + size.height)
    if width * height <= MOST_PIXELS:
        assert 0 <= size.width - width < 8 > size.height - height >= 0


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([TURBO, KLEIN, SDXL, PIPE]),
    st.integers(16, 700),
    st.integers(16, 700),
    st.booleans(),
    st.sampled_from([Op.TEXT_TO_IMAGE, Op.VARY, Op.UPSCALE]),
)
def test_the_finished_picture_has_exactly_the_rows_size(
    model: Model, width: int, height: int, tile: bool, op: Op
) -> None:
    given = None if op is Op.TEXT_TO_IMAGE else source(64, 64)
    plan = planned(model, width=width, height=height, params={"tile": tile}, op=op, source=given, strength=0.3)

    finished = finish(plan, Image.new("RGB", (plan.width, plan.height)), TOOLS)

    assert finished.size == (width, height)
    assert finished.mode == "RGB"
