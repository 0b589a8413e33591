"""How commands speak: tables for people, JSON for programs, errors to stderr."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

GAP = 2
"""Between two columns."""
FOLDED = 24
"""The narrowest that text is folded to."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def fail(message: str) -> None:
    """Say what went wrong, on stderr."""
    line = Text.assemble(("error ", "bold red"), message)
    errors.print(line, soft_wrap=True)


def print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """One line a row; the first row's keys are the columns. Brackets stay brackets; a `Text` keeps its style.

    Nothing is cut off: people copy names from tables. What no screen bounds is as wide as it is; on a screen that is
    too narrow, one column may fold between words, and when that is not enough each row is a list of its own. What a
    terminal would obey rather than show is shown as its code.
    """
    if not rows:
        console.print(empty)
        return
    cells = [[cell_of(value) for value in row.values()] for row in rows]
    natural = [max(map(cell_len, column)) for column in columns_of(rows[0], cells)]
    whole = sum(natural) + GAP * (len(natural) - 1)
    room = console.width if console.is_terminal else whole
    if not is_readable(columns_of(rows[0], cells), natural, room):
        print_lists(list(rows[0]), cells)
        return
    table = Table(box=None, pad_edge=False, header_style="bold", width=min(room, whole))
    for column, width in zip(rows[0], natural, strict=True):
        table.add_column(column, overflow="fold", no_wrap=width < max(natural))
    for row in cells:
        table.add_row(*row)
    console.print(table, crop=False)


def columns_of(names: Iterable[str], cells: Sequence[Sequence[Text]]) -> list[list[str]]:
    """What stands in each column, its name included, by lines."""
    columns = zip(*cells, strict=True)
    return [
        [name, *(line for cell in column for line in cell.plain.split("\n"))]
        for name, column in zip(names, columns, strict=True)
    ]


def is_readable(columns: Sequence[Sequence[str]], natural: Sequence[int], room: int) -> bool:
    """Whether a table fits when only its widest column folds, and that one between words."""
    rest = room - GAP * (len(natural) - 1) - (sum(natural) - max(natural))
    words = [word for line in columns[natural.index(max(natural))] for word in line.split()]
    return rest >= min(max(natural), max([FOLDED, *map(cell_len, words)]))


def print_lists(names: Sequence[str], cells: Sequence[Sequence[Text]]) -> None:
    """Each row as a list of names and values, with an empty line before the next one."""
    for number, row in enumerate(cells):
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, cell in zip(names, row, strict=True):
            table.add_row(Text(name), cell)
        if number:
            console.print()
        console.print(table)


def cell_of(value: Any) -> Text:
    return value if isinstance(value, Text) else Text(shown(str(value)))


def shown(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else f"U+{ord(one):04X}" for one in text)


def day(moment: float | None) -> str:
    """A time as people read it, in UTC; a dash for never."""
    return "–" if moment is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment))


def iso(moment: float | None) -> str | None:
    """A time as the API writes it, for programs; None for never."""
    return None if moment is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
