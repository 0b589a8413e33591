"""Small pieces of Markdown that all reference pages are made of."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

NOTICE = "<!-- Written by scripts/generate_docs.py from the code. Change the code, then run `make docs`. -->"


def page(title: str, introduction: str, *sections: str) -> str:
    """A whole page, ending with one newline."""
    return "\n\n".join((f"# {title}", NOTICE, introduction.strip(), *(text.strip() for text in sections))) + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a pipe inside a cell is escaped."""
    lines = [row_of(columns), row_of(["---"] * len(columns))]
    return "\n".join(lines + [row_of(row) for row in rows])


def row_of(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def fence(text: str, language: str = "") -> str:
    return f"```{language}\n{text.strip()}\n```"


def json_fence(value: Any) -> str:
    return fence(json.dumps(value, indent=2, ensure_ascii=False), "json")


def code(value: object) -> str:
    return f"`{value}`"


def link_to(heading: str) -> str:
    """A link to a heading of the same page."""
    return f"[{code(heading)}](#{anchor(heading)})"


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading: lower case, spaces as hyphens, most punctuation dropped."""
    plain = heading.strip().lower().replace("`", "")
    return "".join(letter for letter in plain if letter.isalnum() or letter in "-_ ").replace(" ", "-")
