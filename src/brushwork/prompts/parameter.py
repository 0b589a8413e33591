"""The shape of a row of `parameters.py`: what there is to say about one --parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "aspect",
    "decimal",
    "end",
    "integer",
    "list",
    "motion",
    "niji",
    "one of",
    "optional integer",
    "profile",
    "references",
    "style",
    "switch",
    "version",
]


@dataclass(frozen=True)
class Parameter:
    """A --parameter."""

    name: str
    """Canonical, without dashes: the key in `Prompt.params`."""
    aliases: tuple[str, ...]
    """Every other spelling, without dashes."""
    kind: Kind
    values: str
    """What may be written, for people."""
    description: str
    example: str
    """A prompt that works and uses it."""
    versions: frozenset[str]
    default: Any = None
    """What holds when it is not written; None when nothing does."""
    low: float = 0
    high: float = 0
    bare: Any = None
    """The value of the flag alone, where it needs none."""
    members: tuple[float, ...] = ()
    """What a "one of" can be, over all versions."""
    most: int | None = None
    """How many references it takes."""
    codes: bool = False
    """Whether references may be style codes or `random` besides URLs."""
    weighs: tuple[str, ...] = ()
    """Without any of these it has no effect, and a warning says so."""
    ignored_on: Mapping[str, str] = field(default_factory=dict)
    """Task → why the parameter is ignored there, with a warning, rather than refused."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """With dashes, canonical name first."""
        return tuple(f"--{name}" for name in (self.name, *self.aliases))
