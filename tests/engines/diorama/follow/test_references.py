"""References of new pictures: real effect by role and weight, and the truth about it."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from brushwork.engines.diorama.follow.cutout import cut_out
from brushwork.engines.diorama.recipe import scene_of
from tests.engines.diorama.follow.helpers import apart, colours, like, new, refer

PHOTOS = Path(__file__).parents[2] / "tools/photos"
SUNSET = "a sailboat on a lake at sunset"


def warmth(result: object) -> float:
    picture = colours(result)  # type: ignore[arg-type]  # a result
    return float((picture[..., 0] - picture[..., 2]).mean())


def test_a_style_reference_gives_its_colours_by_weight() -> None:
    guide = new(SUNSET).image

    plain, little, much = like(), like(refer("style", guide, 0.2), sref="x"), like(refer("style", guide, 3.0), sref="x")

    assert warmth(plain) < warmth(little) < warmth(much)
    assert little.applied["sref"] == "emulated"
    assert "parameter:sref" not in little.degraded


def test_a_style_reference_of_ours_gives_its_style() -> None:
    made = like(refer("style", new("a village, oil painting")))

    assert scene_of(made.recipe).style == "oil"


def test_an_image_prompt_draws_the_picture_nearer_by_weight() -> None:
    guide = new(SUNSET).image

    far, near, nearest = (apart(like(refer("image", guide, weight)), guide) for weight in (0.25, 1.0, 3.0))

    assert nearest < near < far < apart(like(), guide)


def test_an_image_prompt_of_ours_gives_its_contents_where_words_leave_room() -> None:
    made = scene_of(like(refer("image", new(SUNSET)), text="a horse").recipe)

    assert (made.place, made.time) == ("lake", "sunset")
    assert {s.concept for s in made.subjects} >= {"horse"}


def test_a_character_of_ours_plays_the_part_in_the_words() -> None:
    made = like(refer("character", new("a wizard in a village")), text="a girl on a beach", cref="x", cw=100)

    assert [s.concept for s in scene_of(made.recipe).subjects] == ["wizard"]
    assert scene_of(made.recipe).place == "beach"
    assert (made.applied["cref"], made.applied["cw"]) == ("emulated", "emulated")


def test_an_omni_reference_comes_beside_things_that_do_not_live() -> None:
    made = like(refer("omni", new("a red fox in a snowy forest")), text="a castle")

    assert {s.concept for s in scene_of(made.recipe).subjects} == {"fox", "castle"}


def test_somebody_from_outside_is_cut_out_and_set_in() -> None:
    foreign = Image.new("RGBA", (96, 128), (0, 0, 0, 0))
    ImageDraw.Draw(foreign).ellipse((16, 8, 80, 124), fill=(255, 0, 220, 255))

    made, plain = like(refer("omni", foreign), oref="x"), like()

    pink = [
        float(((c[..., 0] > c[..., 1] + 0.3) & (c[..., 2] > c[..., 1] + 0.2)).mean())
        for c in (colours(made), colours(plain))
    ]
    assert pink[0] > pink[1] + 0.03
    assert made.applied["oref"] == "emulated"
    assert made.recipe["pixels"] is True


def test_a_reference_in_which_nobody_is_found_is_told() -> None:
    empty = Image.fromarray(np.full((96, 96, 4), (90, 120, 150, 0), np.uint8), "RGBA")

    made = like(refer("character", empty), cref="x")

    assert "parameter:cref" in made.degraded
    assert "cref" not in made.applied


def test_somebody_in_a_photograph_is_told_from_what_is_behind() -> None:
    with Image.open(PHOTOS / "astronaut.webp") as photo:
        photo.load()

    cut = cut_out(photo)

    assert cut is not None
    alpha = cut[..., 3]
    height, width = alpha.shape
    assert alpha[6 * height // 10 : 8 * height // 10, width // 5 : width // 2].mean() > 0.9  # the chest
    assert alpha[:20, :20].mean() < 0.1  # beside the head
    assert (cut[..., :3] <= alpha[..., None] + 1e-6).all()


def test_a_close_view_without_a_whole_subject_is_nobody() -> None:
    with Image.open(PHOTOS / "coffee.webp") as photo:
        assert cut_out(photo) is None


def test_in_a_picture_of_one_colour_is_nobody() -> None:
    assert cut_out(Image.new("RGB", (64, 64), "teal")) is None
