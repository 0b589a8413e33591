"""What a policy catches, however it is spelled, and what it leaves alone."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brushwork.prompts.moderation import Policy, PolicyError, Rule, read_policy

POLICY = Policy(
    "2026-11",
    (
        Rule("violence", ("gore", "behead*", "torture scene"), allow=("gore-tex",)),
        Rule("adult", ("sex", "nude", "ass")),
    ),
)


@pytest.mark.parametrize(
    ("text", "matched"),
    [
        ("a field of gore", "gore"),
        ("GORE, everywhere", "GORE"),
        ("g0re", "g0re"),
        ("g o r e in a field", "g o r e"),
        ("a g.o.r.e poster", "g.o.r.e"),
        ("g-o_r e", "g-o_r e"),
        ("gооооre with Cyrillic о", "gооооre"),
        ("ɡоrе", "ɡоrе"),
        ("ｇｏｒｅ", "ｇｏｒｅ"),
        ("𝓰𝓸𝓻𝓮", "𝓰𝓸𝓻𝓮"),
        ("gör​e", "gör​e"),
        ("gooooore", "gooooore"),
        ("a king is beheaded at dawn", "beheaded"),
        ("the Torture  Scene of a film", "Torture  Scene"),
        ("nudes on a beach", "nudes"),
        ("$ex", "$ex"),
        ("a gore-tex jacket in gore", "gore"),
        ("goʀᴇ", "goʀᴇ"),
        ("🅖🅞🅡🅔 and more", "🅖🅞🅡🅔"),
        ("🇬🇴🇷🇪", "🇬🇴🇷🇪"),
        ('a sign "--no gore"', "gore"),
        ("a sign “--no gore” --ar 1:1", "gore"),
        ("xhttps://gore", "gore"),
    ],
)
def test_a_word_is_caught_however_it_is_spelled(text: str, matched: str) -> None:
    found = POLICY.match(text)

    assert found is not None
    assert found.matched == matched
    assert text[slice(*found.span)] == matched


@pytest.mark.parametrize(
    "text",
    [
        "the countryside of Essex and Sussex",
        "a classic assassin in the grass, passionate",
        "e s s e x",
        "Gorey's drawings of a gorge",
        "a gore-tex jacket",
        "a torture-free scene",
        "a quiet lake --no gore, nude --ar 16:9",
        '"a quiet lake --no gore"',
        'a "quiet" lake --no gore --ar 16:9',
        "a cat --sref https://example.com/gore.png --cref=https://example.com/gore.png",
        "https://example.com/gore/sex.png a cat",
        "room 5 3 x 7",
        "",
        "молоко и хлеб",
    ],
)
def test_other_words_are_left_alone(text: str) -> None:
    assert POLICY.match(text) is None


def test_words_after_a_list_of_unwanted_things_still_count() -> None:
    found = POLICY.match("a lake --no fog --ar 1:1 gore")

    assert found is not None
    assert found.matched == "gore"


def test_the_first_match_in_the_text_is_told_with_its_category_and_rule() -> None:
    found = POLICY.match("a nude scene of gore")

    assert found is not None
    assert (found.category, found.rule, found.span) == ("adult", "nude", (2, 6))


def test_words_of_other_scripts_are_caught_too() -> None:
    assert Policy("1", (Rule("war", ("война",)),)).match("картина: ВОЙНА") is not None


@given(st.text(max_size=300))
def test_any_text_can_be_looked_at_and_every_span_is_in_it(text: str) -> None:
    found = POLICY.match(text)

    if found:
        assert 0 <= found.span[0] < found.span[1] <= len(text)
        assert text[slice(*found.span)] == found.matched


def test_a_long_text_is_looked_at_quickly() -> None:
    large = Policy("1", tuple(Rule("many", (f"word{number}x", f"other thing{number}")) for number in range(300)))
    began = time.process_time()

    large.match("a g o r e " * 819)

    assert time.process_time() - began < 2


POLICY_FILE = """
version = "2026-11"

[[rule]]
category = "violence"
words = ["gore", "behead*"]
allow = ["gore-tex"]
"""


def test_a_policy_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY_FILE)

    policy = read_policy(path)

    assert policy.version == "2026-11"
    assert policy.match("he was beheaded") is not None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version = 3", "`version` must be a text"),
        ('version = "1"\nwords = []', "not words"),
        ('version = "1"\n[[rule]]\ncategory = "x"', "rule 1: needs `category` and `words`"),
        ('version = "1"\n[[rule]]\ncategory = "x"\nwords = "gore"', "`words` must be a list"),
        ('version = "1"\n[[rule]]\ncategory = "x"\nwords = ["..."]', "holds no word"),
        ("version", "policy.toml"),
    ],
)
def test_a_wrong_policy_says_where(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)

    with pytest.raises(PolicyError, match=problem):
        read_policy(path)
