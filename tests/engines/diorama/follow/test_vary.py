"""Variations and remixes: how far from the parent, and what stays."""

import numpy as np
import pytest

from brushwork.engines.base import Op
from brushwork.engines.diorama.recipe import scene_of
from tests.engines.diorama.follow.helpers import SIDE, after, apart, new

PROMPTS = ("a red fox in a snowy forest", "a castle on a hill, oil painting", "a camel in the desert", "mountains")
"""Few, for time; the order held on the mean of twenty when it was built."""


def test_a_subtle_variation_is_nearer_than_a_strong_one_and_that_than_a_reroll() -> None:
    subtle, strong, reroll = [], [], []
    for text in PROMPTS:
        parent = new(text)
        subtle += [apart(parent, after(Op.VARY, parent, text, index=i, strength=0.15)) for i in (0, 1)]
        strong += [apart(parent, after(Op.VARY, parent, text, index=i, strength=0.5)) for i in (0, 1)]
        reroll.append(apart(parent, new(text, seed=1234)))

    assert 0.01 < np.mean(subtle) < np.mean(strong) < np.mean(reroll)


@pytest.mark.parametrize("strength", [0.15, 0.5])
def test_all_four_variations_differ(strength: float) -> None:
    parent = new("a red fox in a snowy forest")

    made = [after(Op.VARY, parent, index=index, strength=strength) for index in range(4)]

    assert len({result.image.tobytes() for result in (parent, *made)}) == 5


def test_a_variation_of_the_same_words_keeps_what_is_shown() -> None:
    parent = new("two cats in a meadow, watercolor")

    child = scene_of(after(Op.VARY, parent, "two cats in a meadow, watercolor", strength=0.5).recipe)

    old = scene_of(parent.recipe)
    assert (child.place, child.time, child.style, child.seed) == (old.place, old.time, old.style, old.seed)
    assert [s.concept for s in child.subjects] == [s.concept for s in old.subjects]


def test_a_remix_shows_the_new_words_and_when_subtle_the_old_layout() -> None:
    parent = new("a red fox in a snowy forest")
    subtle, strong = (after(Op.VARY, parent, "a blue robot", strength=strength) for strength in (0.3, 0.8))

    old = scene_of(parent.recipe)
    for result in (subtle, strong):
        assert {subject.concept for subject in scene_of(result.recipe).subjects} == {"robot"}
        assert result.recipe["words"] == [["a blue robot", 1.0]]
    assert scene_of(subtle.recipe).place == old.place
    assert scene_of(subtle.recipe).seed == old.seed
    assert apart(parent, subtle) < apart(parent, strong)


def test_a_remix_follows_the_place_of_its_words() -> None:
    remixed = after(Op.VARY, new("a red fox in a snowy forest"), "a red fox on mars", strength=0.3)

    assert scene_of(remixed.recipe).place == "mars"


def test_variations_can_be_varied_again() -> None:
    first = after(Op.VARY, new("mountains"), strength=0.5)

    second = after(Op.VARY, first, strength=0.15)

    assert second.image.tobytes() != first.image.tobytes()
    assert apart(first, second) < apart(first, new("a camel in the desert"))


def test_a_foreign_picture_is_varied_in_its_pixels() -> None:
    foreign = new("a camel in the desert").image

    subtle = [apart(foreign, after(Op.VARY, foreign, index=i, strength=0.15)) for i in range(3)]
    strong = [apart(foreign, after(Op.VARY, foreign, index=i, strength=0.5)) for i in range(3)]

    assert 0.005 < np.mean(subtle) < np.mean(strong) < apart(foreign, new("a red fox in a snowy forest"))


def test_new_words_paint_a_foreign_picture_anew_in_its_light() -> None:
    foreign = new("a sailboat on a lake at sunset").image

    remixed = after(Op.VARY, foreign, "a horse in a meadow", strength=0.5)

    assert apart(foreign, remixed) < apart(foreign, new("a horse in a meadow"))
    assert remixed.recipe["pixels"] is True
    assert scene_of(remixed.recipe).subjects[0].concept == "horse"


def test_another_shape_shows_more_of_the_same_world() -> None:
    wide = after(Op.VARY, new("mountains"), strength=0.15, size=(2 * SIDE, SIDE))

    assert wide.image.size == (2 * SIDE, SIDE)
    assert wide.recipe["view"][0] < -1.9
