"""Braces in batches: what they stand for, and that their number is known first."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brushwork.errors import PromptGrammarError
from brushwork.prompts.permutations import permutations


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("a fox", ["a fox"]),
        ("a {red, blue} fox", ["a red fox", "a blue fox"]),
        ("{a,b} {1,2}", ["a 1", "a 2", "b 1", "b 2"]),
        ("a {red {big, small}, blue} fox", ["a red big fox", "a red small fox", "a blue fox"]),
        ("a fox --ar {1:1, 16:9}", ["a fox --ar 1:1", "a fox --ar 16:9"]),
        ("a {, red} fox", ["a  fox", "a red fox"]),
        (r"a {red\, or so, blue} fox", ["a red, or so fox", "a blue fox"]),
        (r"a \{plain\} fox", [r"a \{plain\} fox"]),
        ('a sign "{a, b}" and {x, y}', ['a sign "{a, b}" and x', 'a sign "{a, b}" and y']),
        ("one, two", ["one, two"]),
        ("{only}", ["only"]),
    ],
)
def test_braces_stand_for_prompts(text: str, prompts: list[str]) -> None:
    assert permutations(text, most=100) == prompts


@pytest.mark.parametrize("text", ["a {red, blue fox", "a red} fox", "{{a}", "}{"])
def test_a_brace_without_its_partner_is_refused(text: str) -> None:
    with pytest.raises(PromptGrammarError, match="without its partner"):
        permutations(text, most=100)


def test_too_many_are_refused_before_one_is_written() -> None:
    began = time.monotonic()

    with pytest.raises(PromptGrammarError, match="stand for"):
        permutations("{a,b,c,d}" * 500, most=100)

    assert time.monotonic() - began < 1
    with pytest.raises(PromptGrammarError, match="1000000 prompts or more"):
        permutations("{a,b}" * 6_000, most=100)
    with pytest.raises(PromptGrammarError, match="at most 32768 characters"):
        permutations("{a,b}" * 20_000, most=100)
    assert permutations('"' * 32_000, most=100) == ['"' * 32_000]
    assert time.monotonic() - began < 2
    with pytest.raises(PromptGrammarError, match="deep"):
        permutations("{" * 4000, most=100)


@given(st.text(alphabet='{},\\" ab', max_size=60))
def test_any_text_ends_in_prompts_or_a_refusal(text: str) -> None:
    try:
        found = permutations(text, most=50)
    except PromptGrammarError:
        return
    assert 1 <= len(found) <= 50
