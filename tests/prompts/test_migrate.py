"""A prompt for another version: it parses there, says the same as far as it can, and every change has its reason."""

import re

import pytest
from hypothesis import assume, given, settings

from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.canonical import canonical
from brushwork.prompts.migrate import migrate
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.versions import VERSIONS
from tests.prompts.test_language import TABLE
from tests.prompts.test_properties import PROMPTS

DASH_NO = re.compile("[-—]no=", re.IGNORECASE)
PICTURE_VERSIONS = [name for name, version in VERSIONS.items() if version.flag]

every_version = pytest.mark.parametrize("to", PICTURE_VERSIONS)


@pytest.mark.parametrize(
    ("text", "to", "after"),
    [
        ("garden --no weeds, snails --draft", "8.1", "garden::1 weeds::-0.45 snails::-0.45 --v 8.1"),
        ("a lake --no fog", "6", "a lake::1 fog::-0.5 --v 6"),
        ("a lake --v 6.1 --no fog", "7", "a lake --v 7 --no fog"),
        ("k --v 6 --cref https://e.com/k.png https://e.com/l.png --cw 9", "8", "k --v 8 --oref https://e.com/k.png"),
        ("k --v 6 --cref https://e.com/k.png", "8.1", "https://e.com/k.png k --v 8.1"),
        ("duck --oref https://e.com/a.png --ow 40", "6", "duck --v 6 --cref https://e.com/a.png"),
        ("owl --q 4", "6", "owl --quality 2 --v 6"),
        ("owl --q 4", "8", "owl --quality 4 --v 8"),
        ("owl --v 8 --sv 6 --sref 12", "8.1", "owl --v 8.1 --sref 12"),
        ("a boat --turbo --stop 50", "8", "a boat --v 8"),
        ("a girl with a kite --niji 6 --weird 20", "7", "a girl with a kite --weird 20 --v 7"),
    ],
)
def test_what_a_version_lacks_becomes_what_comes_nearest(text: str, to: str, after: str) -> None:
    assert migrate(parse_prompt(text), to).text == after


def test_every_change_is_told_with_its_reason() -> None:
    found = migrate(parse_prompt("a boat --turbo --draft --no fog --exp 5"), "8.1")

    told = {change.param: (change.before, change.after) for change in found.changes}
    assert told == {
        "--version": ("--v 7", "--v 8.1"),
        "--turbo": ("--turbo", ""),
        "--draft": ("--draft", ""),
        "--no": ("--no fog", "::-0.5"),
    }
    assert all(change.reason.endswith(".") for change in found.changes)
    assert found.prompt.params["exp"] == 5


def test_a_clash_that_a_change_brings_about_is_settled() -> None:
    found = migrate(parse_prompt("a knight --cref https://e.com/k.png --q 4"), "8")

    assert found.text == "a knight --v 8 --oref https://e.com/k.png"
    assert found.changes[-1].param == "--quality"
    assert "cannot have quality 4" in found.changes[-1].reason


@every_version
@pytest.mark.parametrize("text", [written for task, written, _ in TABLE if task == "image"])
def test_every_prompt_of_the_table_can_be_written_for_every_version(text: str, to: str) -> None:
    try:
        prompt = parse_prompt(text)
    except (PromptGrammarError, PromptValueError):
        return

    found = migrate(prompt, to)

    assert found.prompt.version == to
    assert parse_prompt(found.text) == found.prompt


@every_version
@settings(max_examples=60, deadline=None)
@given(text=PROMPTS)
def test_any_prompt_that_parses_parses_after_migration(text: str, to: str) -> None:
    try:
        prompt = parse_prompt(text)
    except (PromptGrammarError, PromptValueError):
        return

    assume(not any(DASH_NO.search(item) for item in prompt.no))  # `--no=--no=`: no canonical form is read like it

    found = migrate(prompt, to)

    assert found.prompt.version == to
    assert canonical(found.prompt) == found.text
    again = migrate(found.prompt, to)
    assert again.changes == ()
