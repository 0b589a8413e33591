"""Four prompts: true where the scene is known, careful where it is not, and understood by the painter."""

import itertools
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.scene import PLACES, STYLES, TIMES, WEATHERS, Scene, Subject, natural_view
from brushwork.engines.diorama.subjects.recolour import COLOURS
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.words.reading import understand
from brushwork.engines.tools.describe import TIMELESS, describe, known_of, told
from brushwork.engines.tools.tags import Tags, recognise
from brushwork.prompts.parser import parse_prompt

PHOTOS = Path(__file__).parent / "photos"
HUES = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown", "black", "white", "gray")
GREY = Image.new("RGB", (64, 48), (128, 128, 128))


@lru_cache(maxsize=1)
def tags() -> Tags:
    """One look for five hundred tests."""
    return recognise(GREY)


FOX = Subject("fox", x=0.0, z=5.0, height=1.0)


def prompts_of(*subjects: Subject, **facts: Any) -> tuple[str, ...]:
    """What is said of a scene that is not painted."""
    scene = Scene(1, subjects=subjects or (FOX,), **{"place": "forest", "time": "sunset", **facts})
    return told(known_of(scene, natural_view(scene, 64, 64), tags()))


def painted(prompt: str) -> tuple[Image.Image, dict[str, Any]]:
    (result,) = DioramaEngine(workers=1).run([Row(0, 5, prompt, 384, 256, model="7")], NullSink())
    return result.image, dict(result.recipe)


def test_what_the_painter_knows_of_its_picture_is_said() -> None:
    image, recipe = painted("two red dragons over a snowy village at night, oil painting")

    prompts = describe(image, facts=recipe)

    for prompt in prompts:
        asked = understand(parse_prompt(prompt).text)
        assert {mention.concept for mention in asked.mentions} == {"dragon"}
        assert (asked.place, asked.time, asked.style) == ("village", "night", "oil")
    assert "two red dragons" in prompts[0]


def test_a_recognised_picture_without_facts_is_named_too() -> None:
    image, _ = painted("a lighthouse")

    prompts = describe(image)

    assert all("lighthouse" in prompt for prompt in prompts)


def test_the_four_are_different() -> None:
    assert len(set(describe(GREY))) == 4
    assert len(set(prompts_of())) == 4


def test_nothing_is_claimed_of_a_picture_that_shows_nothing() -> None:
    for prompt in describe(GREY):
        asked = understand(parse_prompt(prompt).text)
        assert not asked.mentions
        assert asked.place is None


def test_a_photograph_of_a_cat_is_one_of_a_cat() -> None:
    photograph = Image.open(PHOTOS / "chelsea.webp")

    assert recognise(photograph).kind[0] == "cat"
    for prompt in describe(photograph):
        assert [mention.concept for mention in understand(parse_prompt(prompt).text).mentions] == ["cat"]


@pytest.mark.parametrize("concept", list(concepts()))
def test_the_painter_reads_every_thing_back(concept: str) -> None:
    for prompt in prompts_of(replace(FOX, concept=concept)):
        assert concept in {mention.concept for mention in understand(prompt).mentions}
        assert not parse_prompt(f"{prompt} --ar 1:1").warnings


def test_the_painter_reads_every_scenery_back() -> None:
    for place, time, weather, style in itertools.zip_longest(PLACES, TIMES, WEATHERS, STYLES):
        facts = {"place": place, "time": time or "night", "weather": weather or "clear", "style": style or "none"}
        for prompt in prompts_of(**facts):
            asked = understand(prompt)
            assert asked.place == place
            assert asked.style == (None if facts["style"] == "none" else facts["style"])
            if place not in TIMELESS:
                assert asked.time == facts["time"]
                assert asked.weather == (None if facts["weather"] == "clear" else facts["weather"])


def test_no_colour_becomes_a_thing() -> None:
    for colour in HUES:
        for prompt in describe(Image.new("RGB", (64, 64), colour)):
            assert not understand(prompt).mentions
    for palette in (*COLOURS, "teal_orange", "dark", "dreamy"):
        for prompt in prompts_of(palette=palette):
            assert [mention.concept for mention in understand(prompt).mentions] == ["fox"]


def test_the_rock_under_a_fox_is_not_a_subject() -> None:
    assert "rock" not in " ".join(prompts_of(replace(FOX, lift=0.4), replace(FOX, concept="rock", lift=-0.4)))


def test_what_the_window_does_not_show_is_not_said() -> None:
    prompts = prompts_of(FOX, replace(FOX, concept="cat", x=40.0))

    assert "fox" in prompts[0]
    assert "cat" not in " ".join(prompts)


def test_a_reworked_picture_is_looked_at_like_any_other() -> None:
    _, recipe = painted("a fox")

    assert "fox" not in " ".join(describe(GREY, facts=recipe | {"pixels": True}))
    assert "fox" in " ".join(describe(GREY, facts=recipe))
