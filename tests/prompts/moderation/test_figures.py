"""How well a policy is kept, in figures: of spellings that try to pass, and of ordinary prompts that should.

docs/concepts/moderation.md tells the same figures. The tables are lists of lines, each kind under its own heading;
`\\n`, `\\t`, `\\u` and `\\U` are read in them.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from brushwork.prompts.moderation import read_policy
from tests.prompts.lines import lines_run

HERE = Path(__file__).parent
POLICY = read_policy(HERE / "policy.toml")
DOCS = HERE.parents[2] / "docs" / "concepts" / "moderation.md"
ESCAPED = re.compile(r"\\(n|t|\\|u[0-9a-f]{4}|U[0-9a-f]{8})")
SHORT = {"n": "\n", "t": "\t", "\\": "\\"}

PASS_UNSEEN = {
    *("n*d*", "nudde", "nudee", "nudewoman"),
    *("nu de", "rap e", "na ked", "go re", "tort ure"),
    *("edun", "eduN", "n-ud-e-e", "|\\|ude", "/\\/ude", "\\/agina", "dlck", "pron", "hore", "newd", "/\\//_/|)[-"),
}
"""Spellings that are not recognised: words glued together, cut into words, spelled wrong, drawn with signs."""
REFUSED_WRONGLY = {
    "a titmouse and a game of tit for tat",
    "a pan, pots of paint, a spot",
    "ein dickes Buch auf einem Tisch",
    "hell erleuchtete Straße im Regen",
}
"""Prompts in which a listed word means something else; `allow` is for them."""


def lines_of(name: str) -> Iterator[str]:
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("# "):
            yield ESCAPED.sub(lambda found: SHORT.get(found[1]) or chr(int(found[1][1:], 16)), line)


AROUND = (
    ("", ""),
    ("🦊 e\u0301 ｗ ﬃ 👨‍👩‍👧 \u200b", " ﬁ 🏄🏽"),
    ("\U0001f1fa\U0001f1f8 \n", " \u00ad!"),
)
EVASIONS = [line.split(" | ", 1) for line in lines_of("evasions.txt")]
ORDINARY = list(lines_of("ordinary.txt"))


def test_the_tables_are_large_and_hold_nothing_twice() -> None:
    texts = [text for _, text in EVASIONS]

    assert len(texts) >= 150
    assert len(ORDINARY) >= 300
    assert len({*texts, *ORDINARY}) == len(texts) + len(ORDINARY)


def test_these_spellings_pass_and_no_others() -> None:
    passed = {text for word, text in EVASIONS if word not in {match.rule for match in POLICY.matches(text)}}

    assert passed == PASS_UNSEEN


def test_these_ordinary_prompts_are_refused_and_no_others() -> None:
    assert {text for text in ORDINARY if POLICY.match(text)} == REFUSED_WRONGLY


def test_the_docs_tell_these_figures() -> None:
    page = DOCS.read_text(encoding="utf-8")

    assert f"{len(EVASIONS) - len(PASS_UNSEEN)} of {len(EVASIONS)}" in page
    assert f"{len(REFUSED_WRONGLY)} of {len(ORDINARY)}" in page


@pytest.mark.parametrize(("word", "text"), EVASIONS)
def test_the_span_is_where_the_word_stands_in_the_text_as_it_was_sent(word: str, text: str) -> None:
    for before, after in AROUND:
        for match in POLICY.matches(before + text + after):
            start, end = match.span
            assert len(before) <= start < end <= len(before + text)
            assert (before + text + after)[start:end] == match.matched


HOSTILE = [
    *(
        "n u d ",
        "n/u/d/",
        "nu/dn/",
        "be/he/ad/",
        "b.e.h.e.a.d.i.",
        "goree ",
        "ggoorree ",
        "nude ",
        "--no nude ",
        "—no a",
    ),
    *("n🍑u", "рот дом ", "рoт ", "k1|1", "1!", "n*de ", "*", "$", "a$ ", "he'll ", "n'u'd'", "NudGirlFox ", "aBbb"),
    *('"nude" ', " ", "A", "I ", "1a2 ", "裸", "裸体 ", "\u200b", "\u0301", "n\u00ad", "po rm ", "as s ", '"a --no '),
    *("http://a ", "--", " --a", "—no, ", "a-", "o.", "u n", "/imagine ", "porn", "ass ", "k1l!"),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_twice_the_text_is_at_most_twice_the_work(piece: str) -> None:
    # Lines of Python run, rather than seconds: the same on every machine.
    text = piece * 8192
    POLICY.match(text[:8192])

    half, whole = lines_run(lambda: POLICY.match(text[:4096])), lines_run(lambda: POLICY.match(text[:8192]))

    assert whole <= 2.2 * half + 1000


@pytest.mark.parametrize("piece", ["n u d ", "n🍑u", "nude ", "mixed рoт ", "a red fox in the snow, "])
def test_the_longest_prompt_is_looked_at_in_milliseconds(piece: str) -> None:
    text = (piece * 8192)[:8192]
    POLICY.match(text)
    took = []
    for _ in range(5):
        began = time.process_time()
        POLICY.match(text)
        took.append(time.process_time() - began)

    assert min(took) < 0.05
