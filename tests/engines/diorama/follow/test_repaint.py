"""Pan, outpaint, inpaint, edit: what is kept, what goes on, what comes anew."""

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import Op, Place
from brushwork.engines.diorama.drawing import paint_shot
from brushwork.engines.diorama.recipe import scene_of, shot_of
from tests.engines.diorama.follow.helpers import SIDE, after, apart, colours, difference, new, repainted, widened


@pytest.mark.parametrize("text", ["a red fox in a snowy forest", "a sailboat on a lake at sunset", "a city street"])
def test_the_world_goes_on_and_the_source_stays(text: str) -> None:
    source = new(text)

    wide = widened(source, right=64)

    assert wide.image.size == (SIDE + 64, SIDE)
    assert wide.image.crop((0, 0, SIDE, SIDE)).tobytes() == source.image.tobytes()
    assert "pixels" not in wide.recipe


@pytest.mark.parametrize("text", ["a red fox in a snowy forest", "a camel in the desert", "a rocket in space"])
def test_what_a_wider_window_shows_where_the_source_lies_is_the_source(text: str) -> None:
    source = new(text)
    wide = widened(source, right=64)
    shot = shot_of(wide.recipe)
    assert shot is not None

    again = paint_shot(shot)[:, :SIDE]

    off = np.abs(again - colours(source)).max(2)
    assert off.mean() < 0.008
    assert (off > 0.1).mean() < 0.01


def test_windows_of_windows_stay_in_the_same_world() -> None:
    source = new("mountains")

    right_then_down = widened(widened(source, right=64), bottom=64)
    down_then_right = widened(widened(source, bottom=64), right=64)

    assert right_then_down.recipe["view"] == pytest.approx(down_then_right.recipe["view"])
    corner = (slice(SIDE, None), slice(SIDE, None))
    assert difference(colours(right_then_down)[corner], colours(down_then_right)[corner]) < 0.03


@pytest.mark.parametrize("foreign", [False, True])
def test_there_is_no_seam(foreign: bool) -> None:
    source = new("a sailboat on a lake at sunset")
    wide = colours(widened(source.image if foreign else source, right=64))

    steps = np.abs(np.diff(wide, axis=1)).mean(axis=(0, 2))

    assert steps[SIDE - 1] < 2.0 * np.median(steps[SIDE - 24 : SIDE + 24])


def test_other_pictures_of_the_grid_go_on_differently() -> None:
    source = new("a sailboat on a lake at sunset")

    first, second = (widened(source, right=96, index=index) for index in (0, 1))

    assert first.image.tobytes() != second.image.tobytes()
    assert second.image.crop((0, 0, SIDE, SIDE)).tobytes() == source.image.tobytes()


def test_new_words_stand_in_the_new_part() -> None:
    source = new("a camel in the desert")

    wide = widened(source, "an elephant", right=96)

    subjects = {s.concept: s for s in scene_of(wide.recipe).subjects}
    assert set(subjects) == {"camel", "elephant"}
    scene, elephant = scene_of(wide.recipe), subjects["elephant"]
    assert elephant.x / elephant.z * scene.focal > 1.0  # right of the source
    before = widened(source, right=96)
    assert difference(colours(wide)[:, SIDE:], colours(before)[:, SIDE:]) > 0.01


def test_a_hole_over_a_subject_gets_what_the_words_ask_for() -> None:
    source = new("a camel in the desert")

    made = repainted(source, (0, 20, SIDE, SIDE), "a snowman")

    assert {s.concept for s in scene_of(made.recipe).subjects} == {"snowman"}
    assert made.image.crop((0, 0, SIDE, 20)).tobytes() == source.image.crop((0, 0, SIDE, 20)).tobytes()


def test_a_hole_without_words_is_painted_again_otherwise() -> None:
    source = new("a meadow with flowers")

    first, second = (repainted(source, (40, 40, 110, 120), index=index) for index in (0, 1))

    assert first.image.tobytes() != source.image.tobytes()
    assert first.image.tobytes() != second.image.tobytes()
    assert apart(source, first) < 0.1


def test_another_place_in_the_words_is_painted_into_the_hole() -> None:
    source = new("a camel in the desert")

    made = repainted(source, (0, 64, SIDE, SIDE), "the sea")

    blue = colours(made)[90:, :, 2] - colours(made)[90:, :, 0]
    assert blue.mean() > (colours(source)[90:, :, 2] - colours(source)[90:, :, 0]).mean() + 0.1
    assert made.recipe["pixels"] is True


def test_a_foreign_picture_goes_on_in_its_own_patches() -> None:
    foreign = new("a sailboat on a lake at sunset").image

    wide = widened(foreign, right=48)

    assert wide.image.crop((0, 0, SIDE, SIDE)).tobytes() == foreign.tobytes()
    part, beside = colours(wide)[:, SIDE:], colours(wide)[:, SIDE - 48 : SIDE]
    assert np.abs(part.mean((0, 1)) - beside.mean((0, 1))).max() < 0.12
    assert part.std() > 0.3 * beside.std()
    assert "scene" not in wide.recipe


def test_words_put_a_subject_into_a_foreign_picture() -> None:
    foreign = new("a meadow").image

    made, plain = repainted(foreign, (30, 40, 100, 120), "a red car"), repainted(foreign, (30, 40, 100, 120))

    box = (slice(40, 120), slice(30, 100))
    red = [float((c[box][..., 0] - c[box][..., 1] > 0.3).mean()) for c in (colours(made), colours(plain))]
    assert red[0] > red[1] + 0.05


def test_the_source_may_be_placed_smaller_and_partly_outside() -> None:
    source = new("mountains")

    made = after(Op.INPAINT, source, size=(SIDE, SIDE), place=Place(-20, 40, 64, 64))

    assert made.image.size == (SIDE, SIDE)
    shrunk = source.image.resize((64, 64), Image.Resampling.LANCZOS).crop((20, 0, 64, 64))
    assert made.image.crop((0, 40, 44, 104)).tobytes() == shrunk.tobytes()


@pytest.mark.parametrize("shade", [0, 255])
def test_a_mask_of_nothing_or_of_everything_is_handled(shade: int) -> None:
    source = new("mountains")

    made = after(Op.INPAINT, source, "mountains", mask=Image.new("L", (SIDE, SIDE), shade))

    assert (made.image.tobytes() == source.image.tobytes()) == (shade == 0)
