"""How the value of a flag is read: one function a kind. Each takes the flag's words and says how many it used.

A value that cannot be is a `PromptValueError` without `param`: the parser knows how the flag was spelled. Knows nothing
of versions; what a version lacks is in `checks.py`.
"""

import re
from collections.abc import Callable, Sequence
from math import gcd
from typing import Any
from unicodedata import is_normalized

from brushwork.prompts.braces import unescape
from brushwork.prompts.findings import bad_value, shown
from brushwork.prompts.parameter import Kind, Parameter
from brushwork.prompts.references import is_url, looks_like_a_reference, reference_of, url_of
from brushwork.prompts.tokens import DASH, STRAY, URL_START, plain_value
from brushwork.prompts.versions import NIJI, NUMBERED

Read = tuple[Any, int]
"""The value and the number of words it took."""

INTEGER = re.compile(r"[0-9]+")
DECIMAL = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
ASPECT = re.compile(r"([0-9]+):([0-9]+)")
STARTS_A_NUMBER = re.compile(r"[+\-\u2212]?\.?[0-9]")
PROFILE = re.compile(r"(?=.*[0-9])[A-Za-z0-9]+")

MOST_DIGITS = 12
"""More than any bound has; longer numbers are out of range without being counted."""

STEEPEST = 14
"""The aspect ratio, to 1."""

LIST_PART = re.compile(rf'"[^"]*"|(?P<url>(?<![^\W_]){URL_START})|(?P<comma>[,\uff0c])')
LIKE_A_FLAG = re.compile(rf'("[^"]*")|(?:(?<![{DASH}])[{DASH}]{{2}}|(?<![^ ])(?!-)[{DASH}])(?=[^\W\d_])')
"""Dashes in an item that would make a flag of it where it stood behind a space, or before another sign."""
STRUCTURAL = re.compile(rf'["{{}}\\,:/ {DASH}]')
"""Characters that mean something in a prompt; a compatibility form must not bring new ones."""


def read_integer(words: Sequence[str], parameter: Parameter) -> Read:
    return whole_number(words[0], parameter), 1


def whole_number(word: str, parameter: Parameter) -> int:
    given = plain_value(word)
    if not INTEGER.fullmatch(given):
        raise bad_value("invalid_value", f"{shown(word)} is not a whole number; possible is {parameter.values}.")
    digits = given.lstrip("0") or "0"
    if len(digits) > MOST_DIGITS or not parameter.low <= int(digits) <= parameter.high:
        raise bad_value("out_of_range", f"{shown(word)} is out of range; possible is {parameter.values}.")
    return int(digits)


def read_optional_integer(words: Sequence[str], parameter: Parameter) -> Read:
    if words and STARTS_A_NUMBER.match(plain_value(words[0])):
        return whole_number(words[0], parameter), 1
    return parameter.bare, 0


def decimal(word: str, parameter: Parameter) -> float:
    given = plain_value(word)
    if not DECIMAL.fullmatch(given):
        raise bad_value("invalid_value", f"{shown(word)} is not a number; possible is {parameter.values}.")
    return float(given)


def read_decimal(words: Sequence[str], parameter: Parameter) -> Read:
    value = decimal(words[0], parameter)
    if not parameter.low <= value <= parameter.high:
        raise bad_value("out_of_range", f"{shown(words[0])} is out of range; possible is {parameter.values}.")
    return value, 1


def read_one_of(words: Sequence[str], parameter: Parameter) -> Read:
    value = decimal(words[0], parameter)
    for member in parameter.members:
        if member == value:
            return member, 1
    raise bad_value("out_of_range", f"{shown(words[0])} is out of range; possible is {parameter.values}.")


def read_aspect(words: Sequence[str], parameter: Parameter) -> Read:
    match = ASPECT.fullmatch(plain_value(words[0]))
    width, height = (side.lstrip("0") for side in match.groups()) if match else ("", "")
    if not width or not height or max(len(width), len(height)) > MOST_DIGITS:
        raise bad_value(
            "invalid_value", f"{shown(words[0])} is not an aspect ratio; possible is {parameter.values}, as in 16:9."
        )
    across, down = int(width), int(height)
    if max(across, down) > STEEPEST * min(across, down):
        raise bad_value("out_of_range", f"{shown(words[0])} is too extreme; possible is {parameter.values}.")
    common = gcd(across, down)
    return f"{across // common}:{down // common}", 1


def read_version(words: Sequence[str], parameter: Parameter) -> Read:
    given = plain_value(words[0]).lower()
    if given.removesuffix(".0") in NUMBERED:
        return given.removesuffix(".0"), 1
    hint = " For niji write --niji 6." if given.startswith("niji") else ""
    raise bad_value(
        "unsupported_version", f"Version {shown(words[0])} is not available; possible is {parameter.values}.{hint}"
    )


def read_niji(words: Sequence[str], parameter: Parameter) -> Read:
    if not words or not STARTS_A_NUMBER.match(plain_value(words[0])):
        return parameter.bare, 0
    given = plain_value(words[0]).removesuffix(".0")
    if given in NIJI:
        return f"niji {given}", 1
    raise bad_value("unsupported_version", f"Niji {shown(words[0])} is not available; possible is {parameter.values}.")


def read_switch(words: Sequence[str], parameter: Parameter) -> Read:  # noqa: ARG001  # a switch takes no word
    return parameter.bare, 0


def read_style(words: Sequence[str], parameter: Parameter) -> Read:
    if plain_value(words[0]).lower() != "raw":
        raise bad_value("invalid_value", f"{shown(words[0])} is not a style; possible is {parameter.values}.")
    return True, 1


def read_motion(words: Sequence[str], parameter: Parameter) -> Read:
    given = plain_value(words[0]).lower()
    if given in ("low", "high"):
        return given, 1
    return ("low" if whole_number(words[0], parameter) <= 2 else "high"), 1


def read_references(words: Sequence[str], parameter: Parameter) -> Read:
    used = 1
    while used < len(words) and looks_like_a_reference(plain_reference(words[used])):
        used += 1
    if parameter.most is not None and used > parameter.most:
        raise bad_value("too_many_references", f"{used} references are given; possible is {parameter.values}.")
    return tuple(reference_of(plain_reference(word), codes=parameter.codes) for word in words[:used]), used


def plain_reference(word: str) -> str:
    return word if is_url(word) else plain_value(word)


def read_profile(words: Sequence[str], parameter: Parameter) -> Read:
    codes = []
    for word in words:
        code = plain_value(word)
        if not PROFILE.fullmatch(code):
            break
        codes.append(code)
    return tuple(codes) or parameter.bare, len(codes)


def read_end(words: Sequence[str], parameter: Parameter) -> Read:
    if not is_url(words[0]):
        raise bad_value("invalid_value", f"{shown(words[0])} is not a URL; possible is {parameter.values}.")
    return url_of(words[0]), 1


def read_list(words: Sequence[str], parameter: Parameter) -> Read:
    """The items between commas; a comma in quotes does not separate."""
    written = " ".join(words)
    items, start = [], 0
    for part in LIST_PART.finditer(written):
        if part["url"]:
            raise bad_value("invalid_value", f"A URL is given; possible is {parameter.values}.")
        if part["comma"]:
            items.append(written[start : part.start()])
            start = part.end()
    items.append(written[start:])
    named = dict.fromkeys(map(plain_item, items))
    named.pop("", None)
    if not named:
        raise bad_value("missing_value", f"No value is given; possible is {parameter.values}.")
    return tuple(named), len(words)


def plain_item(item: str) -> str:
    """The compatibility form of each word, unless that would bring signs of the prompt language with it.

    `--foo` and `—raw` can be items where they stuck to a comma or `=`. They are read as "foo" and "raw": what an item
    says must not depend on what stands beside it.
    """
    item = LIKE_A_FLAG.sub(lambda found: found[1] or " ", item)
    words = [word for word in item.split(" ") if word]
    if not item.isascii() and not is_normalized("NFKC", item):
        words = [plain_word(word) for word in words]
    return unescape(" ".join(words)).rstrip(STRAY)


def plain_word(word: str) -> str:
    plain = plain_value(word)
    if plain.isalnum():
        return plain
    return plain if len(STRUCTURAL.findall(plain)) == len(STRUCTURAL.findall(word)) else word


READERS: dict[Kind, Callable[[Sequence[str], Parameter], Read]] = {
    "aspect": read_aspect,
    "decimal": read_decimal,
    "end": read_end,
    "integer": read_integer,
    "list": read_list,
    "motion": read_motion,
    "niji": read_niji,
    "one of": read_one_of,
    "optional integer": read_optional_integer,
    "profile": read_profile,
    "references": read_references,
    "style": read_style,
    "switch": read_switch,
    "version": read_version,
}
