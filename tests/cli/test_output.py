"""Tables on narrow and wide screens, and where there is no screen."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from brushwork.cli import output

Show = Callable[..., list[str]]
KEY = {"id": 1, "account": "studio", "name": "laptop", "begins with": "bw_SgZh6mFTqu", "may": "read generate"}
TIMES = dict.fromkeys(("ends", "created", "last used"), "2026-11-22 18:03")


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    def shown(rows: list[dict[str, Any]], *, width: int = 80, is_screen: bool = True) -> list[str]:
        said = io.StringIO()
        screen = Console(file=said, force_terminal=is_screen, color_system=None, width=width, highlight=False)
        with monkeypatch.context() as patch:
            patch.setattr(output, "console", screen)
            output.print_table(rows, empty="Nothing.")
        return [line.rstrip() for line in said.getvalue().splitlines()]

    return shown


def test_what_fits_is_a_table(show: Show) -> None:
    assert show([KEY, KEY | {"id": 22}]) == [
        "id  account  name    begins with    may",
        "1   studio   laptop  bw_SgZh6mFTqu  read generate",
        "22  studio   laptop  bw_SgZh6mFTqu  read generate",
    ]


def test_a_table_may_fill_the_screen_to_its_edge(show: Show) -> None:
    assert len(show([KEY], width=49)) == 2
    assert len(show([KEY], width=48)) == 5


def test_a_long_text_folds_between_words(show: Show) -> None:
    said = show([{"id": 1, "message": "the endpoint was switched off " * 5, "read": "no"}])

    assert said[0].split() == ["id", "message", "read"]
    assert len(said) == 4
    assert max(map(len, said)) <= 80
    assert "switched" in said[1]


def test_what_does_not_fit_is_a_list_of_each_row(show: Show) -> None:
    said = show([KEY | TIMES, KEY | TIMES | {"id": 2, "name": "office"}])

    assert said[0] == "id           1"
    assert said[3] == "begins with  bw_SgZh6mFTqu"
    assert said[7] == "last used    2026-11-22 18:03"
    assert said[8:10] == ["", "id           2"]
    assert len(said) == 17


def test_a_word_that_people_copy_is_not_broken_in_a_table(show: Show) -> None:
    url = "https://example.com/" + "hook/" * 8
    said = show([{"id": 1, "url": url, "events": "job.completed job.failed", "state": "on"}])

    assert f"url     {url}" in said


def test_without_a_screen_each_row_is_one_line(show: Show) -> None:
    said = show([KEY | TIMES, KEY | TIMES | {"may": "a long text " * 20}], is_screen=False)

    assert len(said) == 3
    assert said[1].count("2026-11-22 18:03") == 3


@pytest.mark.parametrize("width", [24, 80])
def test_brackets_and_styles_stay_and_nothing_is_obeyed(show: Show, width: int) -> None:
    said = "\n".join(show([{"": Text("ok", style="green"), "what": "[bold]x[/bold]", "found": "\x1b[2J"}], width=width))

    assert "ok" in said
    assert "[bold]x[/bold]" in said
    assert "U+001B[2J" in said


def test_no_rows_are_a_sentence(show: Show) -> None:
    assert show([]) == ["Nothing."]
