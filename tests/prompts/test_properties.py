"""What holds for any text: no surprise errors, one canonical form, and work that grows with the length alone."""

from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.canonical import canonical
from brushwork.prompts.parameters import PARAMETERS
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt, Task
from tests.prompts.lines import lines_run
from tests.prompts.test_language import TABLE
from tests.prompts.test_rules import rules

PIECES = st.sampled_from(
    [
        *(
            " ",
            " ",
            " ",
            '"',
            "{",
            "}",
            "\\{",
            "\\}",
            "::",
            "::2",
            "::-.5",
            "::2b",
            "-",
            "--",
            "—",
            "=",
            ",",
            ".",
            ";",
            "，",
        ),
        *(
            "cat",
            "été",
            "ｃａｒ",
            "½",
            "¨",
            "\u200b",
            "\u2212",
            "/imagine ",
            "/imagine prompt:",
            "(a:1.3)",
            "Ⅷ",
            "\ufe32",
        ),
        *(
            "--ar 16:9",
            "--c 5",
            "—s 50",
            "——s 5",
            "-ar 3",
            "-- v",
            "—raw",
            "--raw",
            "—tile,",
            "--no a, b",
            "--no=",
            "--no",
            "——no=",
            "‑",
            "･",
            "\\",
            "（",
            "--p",
        ),
        *(
            "--v 8",
            "--v7",
            "--niji",
            "--hd",
            "--q .5",
            "--q 4",
            "--exp",
            "--sv 6",
            "--style raw",
            "--motion 3",
            "--bs 2",
        ),
        *(
            "--sref random",
            "--sref 12::2",
            "--cref http://a.b::2::3",
            "--oref http://a.b",
            "--end http://e.com",
            "--loop",
        ),
        *("http://a.b ", "https://e.com/a.png ", "https://[::1]/x", "http://x@y ", "--foo"),
    ]
)
PROMPTS = st.lists(PIECES, max_size=12).map("".join)
TASKS = st.sampled_from(["image", "video"])

TYPOGRAPHIC = ["——", "––", "−−", "－－", "﹘﹘", "-–"]


def parsed(text: str, task: Task) -> Prompt | None:
    try:
        return parse_prompt(text, task=task)
    except (PromptGrammarError, PromptValueError):
        return None


def check_canonical(prompt: Prompt) -> None:
    once = canonical(prompt)

    again = parse_prompt(once, task=prompt.task)

    assert again == prompt
    assert canonical(again) == once


@settings(deadline=None)
@given(text=st.text(), task=TASKS)
@example(text="--no=", task="image")
@example(text="\ud800", task="image")
def test_any_text_is_read_or_refused(text: str, task: Task) -> None:
    prompt = parsed(text, task)

    if prompt:
        check_canonical(prompt)


@settings(max_examples=500, deadline=None)
@given(text=PROMPTS, task=TASKS)
@example(text="x --no b, a—raw, b", task="image")
@example(text="x --no=—s 50, b", task="image")
@example(text="x --no a，—s 50", task="image")
@example(text="/imagine--raw", task="video")
@example(text="x --no = = }", task="image")
@example(text="x --no=--no=--no=}", task="image")
@example(text="x --no 1--no=--no=é", task="image")
@example(text="x --no=--v7}ｃ：", task="image")
@example(text='x --no "a, —raw" –x', task="image")
@example(text="x --oref http://a.b,::", task="image")
def test_the_canonical_form_of_any_prompt_is_a_fixed_point(text: str, task: Task) -> None:
    prompt = parsed(f"http://a.b http://c.d {text}" if task == "image" else text, task)

    if prompt:
        check_canonical(prompt)


@pytest.mark.parametrize(("task", "written"), [rule[:2] for rule in (*TABLE, *rules())])
def test_the_canonical_form_of_each_known_prompt_is_a_fixed_point(task: Task, written: str) -> None:
    prompt = parsed(written, task)

    assert prompt is None or canonical(prompt)
    if prompt:
        check_canonical(prompt)


@settings(deadline=None)
@given(
    words=st.text("abcdefgh ,", min_size=1).filter(str.strip),
    flags=st.lists(st.sampled_from(["ar 16:9", "c 5", "raw", "v 6", "no fog, rain", "sref 12::2"]), min_size=1),
    dash=st.sampled_from(TYPOGRAPHIC),
)
def test_typographic_dashes_change_nothing_but_the_warnings(words: str, flags: list[str], dash: str) -> None:
    plain = parsed(" ".join([words, *(f"--{flag}" for flag in flags)]), "image")

    typographic = parsed(" ".join([words, *(f"{dash}{flag}" for flag in flags)]), "image")

    assert typographic == plain
    if typographic:
        assert "dash_normalized" in [warning.code for warning in typographic.warnings]


def test_what_looks_like_a_flag_in_a_list_of_unwanted_things_is_its_words() -> None:
    assert parse_prompt("x --no=--foo, eggs—raw,—s 50, well-lit").no == ("foo", "eggs—raw", "s 50", "well-lit")
    assert parse_prompt('x --no a, "b —raw c"').no == ("a", '"b —raw c"')


def test_warnings_do_not_make_prompts_different() -> None:
    prompt = parse_prompt("a cat —ar 16:9")

    assert prompt.warnings
    assert prompt == replace(prompt, warnings=())


def test_canonical_forms_read_well() -> None:
    written = "http://e.com/a  a \\{b\\}::2 c --no x,y --v 6.1 --sref 5::.5 random --q .5 --p —raw --ASPECT 32:18"

    assert canonical(parse_prompt("a cat")) == "a cat --v 7"
    assert canonical(parse_prompt(written.replace("--p ", ""))) == (
        "http://e.com/a a \\{b\\}::2 c --ar 16:9 --quality 0.5 --v 6.1 --raw --sref 5::0.5 random --no x, y"
    )
    assert canonical(parse_prompt("--bs 2 --motion 4", task="video")) == "--motion high --bs 2"


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "-",
            "- ",
            "-- ",
            "-s ",
            "x--s ",
            "--s:",
            "—s ",
            "x——no ",
            "--a ",
            "--s 1 ",
            "—s 1 ",
            '"',
            '"a" ',
            '" http://a"b ',
        ),
        *(
            ":",
            "a::",
            "a::2 ",
            "a::2b ",
            '"a"::',
            "{",
            "} ",
            "\\{ ",
            "(a:1",
            "http://a ",
            "http://[::1]/ ",
            "http://@ ",
        ),
        *("\u200b", "a\u2003", "/imagine ", "--no a ", "a, ", "１ ", "--sref 1 ", "12 "),
    ],
)
def test_twice_the_text_is_at_most_twice_the_work(piece: str) -> None:
    # Lines of Python run, rather than seconds: the same on every machine.
    text = piece * 8192

    half, whole = lines_run(lambda: parsed(text[:4096], "image")), lines_run(lambda: parsed(text[:8192], "image"))

    assert whole <= 2.1 * half + 100


def test_every_parameter_row_describes_itself() -> None:
    for row in PARAMETERS.values():
        assert row.description.endswith(".")
        assert row.values
        assert row.versions
        assert row.spellings[0] == f"--{row.name}"
