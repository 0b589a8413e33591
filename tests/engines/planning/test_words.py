"""Words: the parts of a prompt, what is added to it, what is kept out, and how strictly all of it is followed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brushwork.engines.base import Op
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning.seeds import mix64
from brushwork.engines.diffusion.planning.styles import chosen, words_of
from brushwork.prompts.prompt import Reference as StyleItem
from tests.engines.planning.models import ANIME, BASE, KLEIN, PIPE, SDXL, TURBO, planned, source


def with_negative(model: Model, negative: str) -> Model:
    return replace(model, negative=negative, params=model.params | {"no"})  # type: ignore[arg-type]


def test_a_guided_model_gets_a_negative_prompt() -> None:
    plan = planned(SDXL, model="6.1", negative=("fruit", "flowers"))

    assert plan.negative == "fruit, flowers"
    assert plan.applied["no"] == "native"
    assert plan.guidance_end == 0


def test_a_few_step_model_is_guided_in_its_first_steps_when_its_entry_says_so() -> None:
    plan = planned(with_negative(TURBO, "emulated"), model="7", negative=("fruit",))

    assert (plan.negative, plan.applied["no"]) == ("fruit", "emulated")
    assert (plan.guidance, plan.guidance_end) == (1.0, 3)


def test_a_model_that_cannot_be_guided_at_all_is_told_in_words() -> None:
    plan = planned(with_negative(KLEIN, "emulated"), "a table", model="7", negative=("fruit", "flowers"))

    assert plan.texts[0].text == "a table, without fruit, flowers"
    assert (plan.negative, plan.applied["no"]) == ("", "emulated")


@pytest.mark.parametrize("model", [TURBO, KLEIN])
def test_what_cannot_be_kept_out_is_named(model: Model) -> None:
    plan = planned(with_negative(model, "none"), model="7", negative=("fruit", "flowers"))

    assert plan.negative == ""
    assert {"negative:fruit", "negative:flowers"} <= set(plan.degraded)
    assert "no" not in plan.applied


def test_a_distilled_model_is_not_guided_whatever_its_profile_says() -> None:
    wrong = replace(KLEIN, profiles={"7": replace(KLEIN.profiles["7"], guidance=4.0)})

    assert planned(wrong, model="7").guidance == 1.0


def test_the_profiles_own_words_are_left_out_with_raw_and_with_little_style() -> None:
    usual = planned(ANIME, "a kite", model="niji 6")
    raw = planned(ANIME, "a kite", model="niji 6", params={"raw": True})
    plain = planned(ANIME, "a kite", model="niji 6", params={"stylize": 0})

    assert usual.texts[0].text.startswith("a kite, masterpiece")
    assert "lowres" in usual.negative
    assert (raw.texts[0].text, raw.negative, raw.applied["raw"]) == ("a kite", "", "native")
    assert plain.texts[0].text == "a kite"


def test_stylize_is_guidance_and_the_usual_value_changes_nothing() -> None:
    usual, said, strong, none = (
        planned(BASE, model="8", params=params) for params in ({}, {"stylize": 100}, {"stylize": 1000}, {"stylize": 0})
    )

    assert usual.guidance == said.guidance == pytest.approx(4.0)
    assert strong.guidance == pytest.approx(4.0 * 0.75 / 1.2)
    assert none.guidance > usual.guidance
    assert said.applied == {"stylize": "emulated"}


def test_stylize_without_guidance_is_not_claimed() -> None:
    assert "parameter:stylize" in planned(TURBO, model="7", params={"stylize": 500}).degraded


def test_parts_of_a_prompt_keep_their_weights_as_shares() -> None:
    guided = planned(SDXL, model="6.1", segments=(("tulips", 2.0), ("red", -1.0), ("field", 2.0)))
    few = planned(TURBO, model="7", segments=(("tulips", 1.0), ("field", 1.0)))

    assert [(words.text, words.weight) for words in guided.texts] == [("tulips", 0.5), ("red", -0.25), ("field", 0.5)]
    assert guided.applied["weights"] == "native"
    assert few.applied["weights"] == "emulated"


def test_the_generic_pipeline_reads_one_text_and_is_told_to_avoid_the_rest() -> None:
    plan = planned(PIPE, segments=(("tulips", 2.0), ("red", -1.0), ("field", 2.0)))

    assert [words.text for words in plan.texts] == ["tulips, field"]
    assert plan.negative == "red"
    assert "weights" in plan.degraded


@given(st.integers(1, 2**32 - 1))
def test_a_style_code_always_means_the_same_words(code: int) -> None:
    assert words_of(code) == words_of(code)
    assert words_of(code).count(",") >= 2


def test_the_words_of_style_codes_never_change() -> None:
    assert words_of(1234) == "isometric 3D render, faded vintage colours, glowing backlight"
    assert words_of(3799554500) == "loose watercolour on rough paper, warm ochre and sienna, light through haze"


def test_style_codes_are_said_heaviest_first_and_random_follows_from_the_seed() -> None:
    items = (StyleItem(code=1234), StyleItem(random=True, weight=2.0))
    plan = planned(TURBO, "a harbour", model="7", params={"sref": items})

    assert plan.texts[0].text == f"a harbour, {words_of(chosen(7))}, {words_of(1234)}"
    assert plan.applied["sref"] == "emulated"
    assert plan.notes["style_codes"] == [1234, chosen(7)]


def test_a_style_code_without_weight_says_nothing() -> None:
    plan = planned(TURBO, "a harbour", model="7", params={"sref": (StyleItem(code=1234),), "sw": 0})

    assert plan.texts[0].text == "a harbour"


def test_an_enlarged_picture_is_not_restyled() -> None:
    plan = planned(
        TURBO, "a harbour", op=Op.UPSCALE, source=source(), model="7", params={"sref": (StyleItem(code=1234),)}
    )

    assert plan.texts[0].text == "a harbour"


@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_every_picture_of_every_grid_has_noise_of_its_own(seed: int, index: int, other: int, another: int) -> None:
    one, two = mix64(seed, index), mix64(other, another)

    assert 0 <= one < 2**63
    assert (one == two) == ((seed, index) == (other, another))


def test_seeds_in_recipes_stay_what_they_are() -> None:
    assert [mix64(42, index) for index in range(2)] == [997922986816500972, 318789237974345571]
