"""Parameters of other services that are always refused, and what to do instead."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refused:
    """A parameter of other services that is always refused."""

    reason: str
    switch: bool = True
    """Whether it stands alone there."""


REFUSED: dict[str, Refused] = {
    "repeat": Refused("submit the prompt several times instead", switch=False),
    "r": Refused("submit the prompt several times instead", switch=False),
    "personalize": Refused("use --p instead"),
    "stealth": Refused("who sees a picture is not said in a prompt"),
    "public": Refused("who sees a picture is not said in a prompt"),
    "relax": Refused("there is no relaxed lane; leave it out, or use --fast or --turbo"),
    "sd": Refused("the size is not said in this way; leave it out"),
}

REMOVED_IN: dict[str, frozenset[str]] = {"sd": frozenset({"8.1"})}
"""Refused parameters that a version once had: there the answer is `unsupported_for_version`."""
