"""How commands speak: tables for people, JSON for programs, errors to stderr."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def fail(message: str) -> None:
    """Say what went wrong, on stderr."""
    line = Text.assemble(("error ", "bold red"), message)
    errors.print(line, soft_wrap=True)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """One line a row; the first row's keys are the columns. Brackets stay brackets; a `Text` keeps its style.

    Nothing is cut off: people copy names from tables. What is in the first column stays in one piece where it can. What
    a terminal would obey rather than show is shown as its code.
    """
    if not rows:
        console.print(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(rows[0]):
        table.add_column(column, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(value if isinstance(value, Text) else escape(shown(str(value))) for value in row.values()))
    console.print(table)


def shown(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else f"U+{ord(one):04X}" for one in text)


def day(moment: float | None) -> str:
    """A time as people read it, in UTC; a dash for never."""
    return "–" if moment is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment))


def iso(moment: float | None) -> str | None:
    """A time as the API writes it, for programs; None for never."""
    return None if moment is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
