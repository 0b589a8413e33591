"""Values of a TOML file, checked one by one; every complaint names the file, the entry and the field.

Knows no model: which fields an entry has is said in `reading.py`.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from brushwork.engines.catalog.model import Range
from brushwork.errors import Unavailable


@dataclass(frozen=True)
class Place:
    """Where a value stands, such as `models.toml: models.sdxl.steps`."""

    file: Path
    path: tuple[str, ...] = ()

    def __truediv__(self, name: str) -> "Place":
        return replace(self, path=(*self.path, name))

    def __str__(self) -> str:
        return f"{self.file}: {'.'.join(self.path)}" if self.path else str(self.file)

    def refuse(self, problem: str) -> NoReturn:
        raise Unavailable(f"{self}: {problem}.")


Reader = Callable[[Place, Any], Any]


def fields(place: Place, value: Any, readers: Mapping[str, Reader]) -> dict[str, Any]:
    """The fields that the table has, each as its reader takes it."""
    table = a_table(place, value)
    for name in table.keys() - readers.keys():
        place.refuse(f"there is no field {name!r}{hint(name, readers)}")
    return {name: readers[name](place / name, given) for name, given in table.items()}


def hint(name: str, known: Iterable[str]) -> str:
    """In brackets, the nearest of the known names; otherwise what there is, unless that is much."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f" (there are: {', '.join(known)})" if 0 < len(known) < 12 else ""


def need(place: Place, given: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if given.get(name) in (None, ""):
            place.refuse(f"{name!r} is missing")


def a_table(place: Place, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        place.refuse(f"a table is wanted, not {value!r}")
    return value


def text(place: Place, value: Any) -> str:
    if not isinstance(value, str):
        place.refuse(f"a text is wanted, not {value!r}")
    return value.strip()


def one_of(known: Iterable[str]) -> Reader:
    names = tuple(known)

    def read(place: Place, value: Any) -> str:
        if value not in names:
            place.refuse(f"{value!r} is none of {', '.join(names)}")
        return str(value)

    return read


def flag(place: Place, value: Any) -> bool:
    if not isinstance(value, bool):
        place.refuse(f"true or false is wanted, not {value!r}")
    return value


def number(place: Place, value: Any) -> float:
    """0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        place.refuse(f"a number, 0 or more, is wanted, not {value!r}")
    return float(value)


def whole(least: int, most: int) -> Reader:
    def read(place: Place, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            place.refuse(f"a whole number from {least} to {most} is wanted, not {value!r}")
        return value

    return read


def bounds(place: Place, value: Any) -> Range:
    """[least, usual, most]."""
    if not isinstance(value, list) or len(value) != 3:
        place.refuse(f"[least, usual, most] is wanted, not {value!r}")
    least, usual, most = (number(place, item) for item in value)
    if not least <= usual <= most:
        place.refuse(f"[least, usual, most] must rise, which {value!r} does not")
    return Range(least, usual, most)


def texts(place: Place, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        place.refuse(f"a list of texts is wanted, not {value!r}")
    return tuple(text(place, item) for item in value)


def some_of(known: Iterable[str]) -> Reader:
    names = list(known)

    def read(place: Place, value: Any) -> frozenset[str]:
        given = texts(place, value)
        for name in given:
            if name not in names:
                place.refuse(f"there is no {name!r}{hint(name, names)}")
        return frozenset(given)

    return read
