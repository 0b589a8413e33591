"""Shorter and shorter prompts: what weighs most stays, flags and image URLs always."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from brushwork.errors import BrushworkError
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.shortening import analysis, shortenings, written

FOX = (
    "https://example.com/a.png a red fox, in the snowy forest, watercolor painting, beautiful light --ar 3:2 --no trees"
)
WEIGHTS = (0, 0.4, 1, 0, 0, 0.8, 0.7, 0.6, 0.6, 0.03, 0.03)
"""a red fox, in the snowy forest, watercolor painting, beautiful light"""


def test_a_prompt_has_three_parts() -> None:
    parts = written(FOX)

    assert parts.urls == ("https://example.com/a.png",)
    assert parts.words[:3] == ("a", "red", "fox,")
    assert parts.flags == "--ar 3:2 --no trees"


def test_each_is_shorter_than_the_one_before() -> None:
    lengths = [len(prompt) for prompt in shortenings(written(FOX), WEIGHTS)]

    assert len(lengths) == 5
    assert sorted(lengths, reverse=True) == lengths
    assert len(FOX) > lengths[0] > lengths[-1]


def test_what_weighs_most_stays_longest() -> None:
    *_, last = shortenings(written(FOX), WEIGHTS)

    assert last == "https://example.com/a.png fox --ar 3:2 --no trees"


def test_flags_and_image_urls_are_kept() -> None:
    for prompt in shortenings(written(FOX), WEIGHTS):
        parsed = parse_prompt(prompt)
        assert parsed.params["ar"] == "3:2"
        assert parsed.no == ("trees",)
        assert parsed.image_urls == ("https://example.com/a.png",)


def test_phrases_stay_together_and_clauses_apart() -> None:
    first, second, *_ = shortenings(written(FOX), WEIGHTS)

    assert "fox, snowy forest, watercolor painting" in first
    assert "watercolor" not in second or "watercolor painting" in second


def test_one_word_stays_as_it_is() -> None:
    assert shortenings(written("fox --v 7"), [1.0]) == ["fox --v 7"] * 5


def test_words_that_all_say_nothing_are_not_lost() -> None:
    assert shortenings(written("the of"), [0.0, 0.0]) == ["the of"] * 5


def test_the_analysis_marks_what_matters_and_what_does_not() -> None:
    assert analysis(written("the red fox, quickly --v 7"), [0.0, 0.3, 1.0, 0.2]) == "~~the~~ red **fox**, quickly"


PIECES = st.sampled_from(
    ["fox", "a,", '"red', 'blue"', "{a,", "b}", "cat::2", "dog::", "::", "-", "\\{", "x;", ",", "é"]
)


@given(st.lists(PIECES, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_what_could_be_parsed_can_be_parsed_when_shorter(pieces: list[str], random: Random) -> None:
    prompt = " ".join(pieces) + " --ar 3:2"
    try:
        parse_prompt(prompt)
    except BrushworkError:
        return
    parts = written(prompt)
    for shorter in shortenings(parts, [random.random() for _ in parts.words]):
        assert parse_prompt(shorter).params["ar"] == "3:2"
