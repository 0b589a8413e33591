"""Emoji are drawn as what they show, and those that show nothing drawable are listed, like any other word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brushwork.engines.diorama.words.emoji import artwork_names, spell_out
from brushwork.engines.diorama.words.reading import understand


@pytest.mark.parametrize(
    ("text", "subjects"),
    [
        ("🦊🌲", ["fox", "pine tree"]),
        ("a 🐳 at sea", ["whale"]),
        ("👩‍🚀 on mars", ["astronaut"]),
        ("👨🏽‍🍳", ["chef"]),
        ("🐈‍⬛", ["black cat"]),
        ("❤️", ["heart"]),
        ("🐶 playing with a ⚽️", ["dog", "soccer ball"]),
    ],
)
def test_an_emoji_is_the_thing_it_shows(text: str, subjects: list[str]) -> None:
    understood = understand(text)

    assert [mention.concept for mention in understood.mentions] == subjects
    assert not [word for word in understood.unknown if word.startswith("emoji")]


def test_an_emoji_may_set_the_scene() -> None:
    assert understand("🌋").place == "volcano"
    assert understand("🏝️").place == "island"
    assert understand("🦊❄️").season == "winter"
    assert understand("🏰 at 🌅").time is not None


@pytest.mark.parametrize("emoji", ["😀", "👍🏽", "🇫🇷"])
def test_an_emoji_that_shows_nothing_drawable_is_listed(emoji: str) -> None:
    assert f"emoji {emoji}" in understand(f"a fox {emoji}").unknown


def test_every_emoji_that_we_have_artwork_of_is_known() -> None:
    for codes, concept in artwork_names().items():
        emoji = "".join(chr(int(code, 16)) for code in codes.split("-"))

        assert spell_out(emoji) == (f" {concept}, ", []), emoji


@given(st.text())
def test_any_text_can_be_spelled_out(text: str) -> None:
    spell_out(text)
