"""What the words of an edit ask for is to be seen in the new part, or said not to be."""

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import Op, Place, RowResult
from brushwork.engines.diorama.recipe import scene_of
from tests.engines.diorama.follow.helpers import SIDE, after, colours, difference, new, repainted, widened


def framed(source: RowResult | Image.Image, text: str, *, index: int = 0) -> RowResult:
    """On a wider canvas, in its middle, with room above."""
    mask = Image.new("L", (2 * SIDE, SIDE + 40), 255)
    mask.paste(0, (SIDE // 2, 40, SIDE // 2 + SIDE, 40 + SIDE))
    place = Place(SIDE // 2, 40, SIDE, SIDE)
    return after(Op.INPAINT, source, text, index=index, size=mask.size, mask=mask, place=place)


@pytest.mark.parametrize("foreign", [False, True])
def test_a_rainbow_is_set_round_what_is_kept(foreign: bool) -> None:
    source = new("a sailboat on a calm sea at noon")
    given = source.image if foreign else source
    words = "a sailboat on a calm sea at noon"

    plain, made = framed(given, words), framed(given, f"{words}, a rainbow")

    assert "word:rainbow" not in made.degraded
    more = np.abs(colours(made) - colours(plain)).max(2)
    assert (more > 0.05).mean() > 0.01


def test_where_there_is_no_sky_a_rainbow_is_said_to_be_missing() -> None:
    source = new("a sailboat on a calm sea at noon")

    made = repainted(source, (0, 110, SIDE, SIDE), "a rainbow")

    assert "word:rainbow" in made.degraded


def test_a_boat_of_another_colour_is_another_boat() -> None:
    source = new("a sailboat on a calm sea at noon")

    made = widened(source, "a red sailboat", left=40, right=40)

    assert [s.colour for s in scene_of(made.recipe).subjects].count("red") == 1
    assert not made.degraded


def test_what_finds_no_room_is_told_in_the_words_of_the_prompt() -> None:
    source = new("a sailboat on a calm sea at noon")

    made = widened(source, "a red boat", right=2)

    assert made.degraded == ("word:boat",)


def test_another_hour_and_weather_come_into_the_new_part() -> None:
    source = new("a castle on a hill at noon")

    bright, dark = widened(source, right=96), widened(source, "a castle on a hill at night", right=96)

    assert colours(dark)[:, -40:].mean() < 0.7 * colours(bright)[:, -40:].mean()
    assert dark.image.crop((0, 0, SIDE, SIDE)).tobytes() == source.image.tobytes()
    assert not dark.degraded


def test_an_hour_that_a_foreign_picture_cannot_be_given_is_told() -> None:
    foreign = new("a meadow at noon").image

    made = repainted(foreign, (30, 40, 100, 120), "a red car at night")

    assert made.degraded == ("word:night",)


@pytest.mark.parametrize("foreign", [False, True])
def test_the_four_pictures_of_a_grid_show_what_is_new_otherwise(foreign: bool) -> None:
    source = new("a camel in the desert")
    given = source.image if foreign else source
    box = (64, 4, 124, 100)

    grid = [colours(repainted(given, box, "an elephant", index=index))[4:100, 64:124] for index in range(4)]

    for number, one in enumerate(grid):
        for other in grid[number + 1 :]:
            assert difference(one, other) > 0.02


def test_new_things_stand_in_the_mask_not_beside_the_picture() -> None:
    foreign = new("a meadow").image
    mask = Image.new("L", (SIDE + 60, SIDE + 60), 255)
    mask.paste(0, (30, 30, 30 + SIDE, 30 + SIDE))
    mask.paste(255, (50, 60, 110, 140))
    place = Place(30, 30, SIDE, SIDE)

    made = after(Op.INPAINT, foreign, "a red car", size=mask.size, mask=mask, place=place)

    red = colours(made)[..., 0] - colours(made)[..., 1] > 0.3
    assert red[60:140, 50:110].mean() > 0.05
    assert red.sum() < 1.2 * red[60:140, 50:110].sum() + 20
