"""Pictures a task works on: what it asks for, and what it is given once they are there. Values only; fetches nothing.

A task names its pictures in `wanted()`. Before the job is accepted each is found, checked and copied to where a worker
can read it, so that a job never waits for a stranger's server and can be drawn again to the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class FromJob:
    """A picture of an earlier job of the same account."""

    job_id: str
    number: int | None = None
    """Its picture, from 0; None: the job as a whole, as reroll takes it."""


@dataclass(frozen=True)
class FromUrl:
    """A picture from outside: an http(s) URL, a `data:` URL or a link to a file of this server."""

    url: str
    field: str
    """As the client spells it, for the error that names it."""
    max_bytes: int = 10 * MEGABYTE
    max_pixels: int = 64 * MEGABYTE
    tiff: bool = False


Wanted = FromJob | FromUrl


@dataclass(frozen=True)
class Parent:
    """The job a follow-up comes from. A reroll counts as the job that it repeated, under its own id and seed."""

    job_id: str
    number: int | None
    task: str
    input: Mapping[str, Any]
    """Its fields, as they were stored."""
    seed: int
    prompt: str
    """What its pictures show: its own prompt with parameters, or that of the job it came from. "" when unknown."""
    given: tuple["Given", ...] = ()
    """What it was given itself, for whoever repeats it; empty when only one picture of it was asked for."""


@dataclass(frozen=True)
class Given:
    """A wanted picture that is there."""

    path: str
    """In the store; "" when a job was asked for as a whole."""
    width: int = 0
    height: int = 0
    recipe: Mapping[str, Any] | None = None
    """How an engine made it, when one of ours did."""
    parent: Parent | None = None
    origin: str = ""
    """The job or upload of this server whose picture it is, where it came by a link."""


def pictures_of(given: Sequence[Given]) -> list[Given]:
    """Those of which bytes are needed, in order: in place of a job as a whole, the pictures it was given itself."""
    found: list[Given] = []
    for one in given:
        if one.path:
            found.append(one)
        elif one.parent:
            found += pictures_of(one.parent.given)
    return found
