"""What may be in a name or a description, and what may not because nobody would see it."""

import pytest

from brushwork.accounts.labels import fit_name, unseen_in, visible


@pytest.mark.parametrize(
    "text",
    [
        "studio",
        "Müller & Søn, 2. Etage [main]",
        "株式会社スタジオ",
        "استوديو",
        "می\u200cخواهم",  # Persian spells with a non-joiner
        "👩\u200d🚀 team",  # one picture of two
        "❤\ufe0f",
        "à la carte with a combining grave: a\u0300",
        "",
    ],
)
def test_writing_of_all_scripts_is_fine(text: str) -> None:
    assert unseen_in(text) is None


@pytest.mark.parametrize(
    "unseen",
    [
        *"\x00\x07\x1b\x7f\x85\n\t",
        *"\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
        *"\u00ad\u200b\u2060\ufeff\u034f\u115f\u3164\uffa0\u2800\u180e\u2028\u2029\u206a\ufff9",
        *"\U000e0041\U000e0001\ue000\u0378\u00a0",
        *"\u200c\u200d",  # between ASCII letters they join nothing
    ],
)
def test_what_cannot_be_seen_is_named(unseen: str) -> None:
    with pytest.raises(ValueError, match=f"U\\+{ord(unseen):04X}"):
        visible(f"a{unseen}b")


@pytest.mark.parametrize("text", ["\u200dえ", "え\u200d", "え\u200d\u200dえ", "\u200c"])
def test_a_joiner_needs_something_to_join(text: str) -> None:
    assert unseen_in(text) in ("\u200c", "\u200d")


def test_lines_may_be_broken_only_where_that_is_allowed() -> None:
    assert visible("one\ntwo", breaks="\n") == "one\ntwo"
    with pytest.raises(ValueError, match="U\\+001B"):
        visible("one\n\x1b[2J", breaks="\n")


def test_a_name_has_no_spaces_around_it_and_is_not_only_spaces() -> None:
    assert fit_name("  a studio ") == "a studio"
    with pytest.raises(ValueError, match="empty"):
        fit_name("   ")
