"""Where the flags of a prompt are: one pass over its characters, one backwards over what looks like a flag.

Quoted text and URLs are literal: nothing inside them is seen here or later. Knows which names exist and what shape
their values have, because a single typographic dash or a missing space makes a flag only when both fit; whether a value
is right is left to `values.py`.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from brushwork.prompts.parameters import REFUSED, SPELLINGS, Kind, Parameter

DASH = "\\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
URL_START = "[hH][tT][tT][pP][sS]?://"

MARK = re.compile(
    rf"""(?P<quote>"[^"]*")
    |(?P<url>(?<![^\W_]){URL_START}[^\ ]*)
    |(?P<brace>\\?[{{}}])
    |(?P<dash>(?<![{DASH}])(?:[{DASH}]{{2,3}}\ ?|(?<![^\ ])[{DASH}]))(?!{URL_START})(?P<name>[^\W\d_]+)""",
    re.VERBOSE,
)
"""Each alternative starts at a character of its own and is bounded by the next mark, which keeps the pass linear."""

PUNCTUATION = ",.;\uff0c\uff0e\uff1b"
STRAY = f" {PUNCTUATION}"
"""Signs that end a value by mistake."""

CUT = re.compile(f"[{PUNCTUATION}]+(?= |$)")
"""Punctuation that ends a flag's name by mistake."""

ASCII_FLAG = "--"
GLUED_VALUES = frozenset({"version", "niji"})
"""Parameters whose value may follow without a space: `--v7`, `--niji6`."""

LONGEST_SHAPE = 40
"""Characters that are enough to see the shape of a value."""

NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
SHAPES: dict[Kind, re.Pattern[str]] = {
    "aspect": re.compile(r"[0-9]+(?:\.[0-9]+)?:[0-9]+(?:\.[0-9]+)?"),
    "decimal": NUMBER,
    "end": re.compile(rf"{URL_START}.*"),
    "integer": NUMBER,
    "list": re.compile(r".+"),
    "motion": re.compile(r"low|high|[0-9]+", re.IGNORECASE),
    "niji": NUMBER,
    "one of": NUMBER,
    "optional integer": NUMBER,
    "profile": re.compile(r"(?=.*[0-9])[A-Za-z0-9]+"),
    "references": re.compile(rf"{URL_START}.*|[0-9]+(?:::.*)?|random(?:::.*)?", re.IGNORECASE),
    "style": re.compile(r"raw", re.IGNORECASE),
    "switch": re.compile(r"(?!)"),
    "version": NUMBER,
}
"""What a value of each kind looks like, right or wrong."""


class Flag(NamedTuple):
    """One written flag and all that follows it up to the next."""

    name: str
    """Without dashes, in lower case; with what is stuck to it where that makes the name unknown."""
    body: str
    start: int
    repaired_dash: bool = False
    repaired_space: bool = False
    repaired_value: str = ""
    """The sign that was ignored between the name and its value: "=" or punctuation."""

    @property
    def param(self) -> str:
        return f"--{self.name}"


@dataclass(frozen=True)
class Marks:
    """All that the pass over the characters finds, as positions in the text."""

    quotes: Sequence[tuple[int, int]]
    urls: Sequence[tuple[int, int]]
    flags: Sequence[Flag]
    possible_flag: str | None
    """The first thing that looks like a flag but stays text."""
    braces: str
    """The unescaped braces outside quotes, in order; those of a URL count."""


def mark(text: str) -> Marks:
    """Find the literal zones, the flags and the braces of a text with single spaces."""
    quotes, urls, dashes, braces = [], [], [], []
    for match in MARK.finditer(text):
        found = match.lastgroup
        if found == "name":
            dashes.append(match)
        elif found == "brace":
            braces.append(match[0] if len(match[0]) == 1 else "")
        elif found == "quote":
            quotes.append(match.span())
        else:
            urls.append(match.span())
            braces.extend(character for character in match[0] if character in "{}")
    flags, possible_flag = read_backwards(text, dashes)
    return Marks(quotes, urls, flags, possible_flag, "".join(braces))


def read_backwards(text: str, dashes: Sequence[re.Match[str]]) -> tuple[list[Flag], str | None]:
    """Decide which dashes make flags, last first: a flag's value ends where the next flag starts."""
    flags: list[Flag] = []
    possible_flag = None
    end = len(text)
    for match in reversed(dashes):
        flag = flag_at(text, match, end)
        if flag:
            flags.append(flag)
            end = flag.start
        elif looks_like_a_flag(text, match, end):
            possible_flag = match[0]
    flags.reverse()
    return flags, possible_flag


def flag_at(text: str, match: re.Match[str], end: int) -> Flag | None:
    """The flag that starts here, or None when this is text. `end` is where the next flag starts."""
    dash, name = match["dash"], match["name"].lower()
    start = match.start()
    if len(dash) > 2 or dash[-1] == " " or dash == "-":
        return None
    spaced = start == 0 or text[start - 1] == " "
    typographic = dash != ASCII_FLAG
    if spaced and len(dash) == 2 and (not typographic or name.isascii()):
        flag = named(text, match, end)
    elif name in SPELLINGS or name in REFUSED:
        # Only the first characters decide: thousands of near-flags must not each copy the rest of the text.
        if not fits(named(text, match, min(end, match.end() + LONGEST_SHAPE))):
            return None
        flag = named(text, match, end)
    else:
        return None
    if typographic or not spaced:
        return flag._replace(repaired_dash=typographic, repaired_space=not spaced)
    return flag


def named(text: str, match: re.Match[str], end: int) -> Flag:
    """The flag with its name settled: by a space, by `=`, by punctuation, or by the version's number."""
    name, start, after = match["name"].lower(), match.start(), match.end()
    sign = text[after] if after < end else " "
    if sign == " ":
        body = text[after + 1 : end]
        if body[:1] == "=":
            return Flag(name, body[1:], start, repaired_value="=")
        return Flag(name, body, start)
    if sign == "=":
        return Flag(name, text[after + 1 : end], start, repaired_value="=")
    if sign in PUNCTUATION:
        cut = CUT.match(text, after, end)
        if cut:
            return Flag(name, text[cut.end() : end], start, repaired_value=cut[0])
    parameter = SPELLINGS.get(name)
    if parameter and parameter.name in GLUED_VALUES and sign in "0123456789":
        return Flag(name, text[after:end], start)
    stuck = text[after:end].partition(" ")
    return Flag(name + stuck[0].lower(), stuck[2], start)


def fits(flag: Flag) -> bool:
    """Whether the name is known and what follows has the shape of its value."""
    parameter = SPELLINGS.get(flag.name)
    if parameter is None and flag.name not in REFUSED:
        return False
    word = flag.body.lstrip(" ").partition(" ")[0].rstrip(PUNCTUATION)
    if not word:
        # `x —raw, y` is a list, so a comma leaves text alone.
        return stands_alone(flag.name, parameter) and not flag.body.strip(" ") and flag.repaired_value[:1] != ","
    if parameter is None:
        return not REFUSED[flag.name].switch and bool(NUMBER.fullmatch(word))
    if flag.repaired_value not in ("", "="):
        return False
    return bool(SHAPES[parameter.kind].fullmatch(plain_value(word)))


def stands_alone(name: str, parameter: Parameter | None) -> bool:
    return parameter.bare is not None if parameter else REFUSED[name].switch


def looks_like_a_flag(text: str, match: re.Match[str], end: int) -> bool:
    """Whether text deserves the warning `possible_flag`: a known name after `-`, `-- `, `---` or a missing space."""
    dash, after = match["dash"], match.end()
    if match["name"].lower() not in SPELLINGS or (after < end and text[after] not in f"{STRAY}=0123456789"):
        return False
    if len(dash.rstrip(" ")) == 1:
        return dash == "-"
    return match.start() == 0 or text[match.start() - 1] == " " or dash[-1] != " "


def plain_value(word: str) -> str:
    """A flag's value in its compatibility form: `１６：９` is 16:9. Never used on a URL: it could change the host."""
    return word if word.isascii() else unicodedata.normalize("NFKC", word)
