"""Where the flags of a prompt are: one pass over its characters, one backwards over what looks like a flag.

Quoted text and URLs are literal: nothing inside them is seen here or later. Knows which names exist and what shape
their values have, because a single typographic dash or a missing space makes a flag only when both fit; whether a value
is right is left to `values.py`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from brushwork.prompts.parameter import Kind
from brushwork.prompts.parameters import SPELLINGS
from brushwork.prompts.refused import REFUSED

DASH = "\\-\u2010-\u2015\u2212\ufe58\ufe63\uff0d"
URL_START = "[hH][tT][tT][pP][sS]?://"

MARK = re.compile(
    rf"""["hH{{}}\\{DASH}]
    (?: (?<=")(?P<quote>[^"]*")
      | (?<=[hH])(?<![^\W_].)(?P<url>[tT][tT][pP][sS]?://[^\ ]*)
      | (?P<brace>(?<=[{{}}])|(?<=\\)[{{}}])
      | (?<=[{DASH}])(?<![{DASH}].)(?P<dash>[{DASH}]{{1,2}}\ ?|(?<![^\ ].))(?!{URL_START})(?P<name>[^\W\d_]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
"""A set of first characters, which the search skips to quickly, then one alternative for each kind of mark. Each is
bounded by the next mark, which keeps the pass linear."""

PUNCTUATION = ",.;\uff0c\uff0e\uff1b"
STRAY = f" {PUNCTUATION}"
"""Signs that end a value by mistake."""

CUT = re.compile(f"[{PUNCTUATION}]+(?= |$)")
"""Punctuation that ends a flag's name by mistake."""

ASCII_FLAG = "--"
GLUED_VALUES = frozenset({"version", "niji"})
"""Parameters whose value may follow without a space: `--v7`, `--niji6`."""

LONGEST_SHAPE = 40
"""Characters that are enough to see whether a value follows."""

NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
URL = rf"{URL_START}[^ ]*"
ALONE = f"(?:[{PUNCTUATION[1:]}][{PUNCTUATION}]*)? ?$"
"""Nothing up to the next flag. A comma makes text: `x —raw, y` is a list."""


def valued(value: str, *, glued: bool = False, alone: bool = False) -> re.Pattern[str]:
    """What follows a name whose value looks like this."""
    start = "(?: ?=? ?)" if glued else "(?: = ?| ?=|=? )"
    pattern = f"{start}(?:{value})[{PUNCTUATION}]*(?= |$)"
    return re.compile(f"{pattern}|{ALONE}" if alone else pattern, re.IGNORECASE)


SHAPES: dict[Kind, re.Pattern[str]] = {
    "aspect": valued(r"[0-9]+(?:\.[0-9]+)?:[0-9]+(?:\.[0-9]+)?"),
    "decimal": valued(NUMBER),
    "end": valued(URL),
    "integer": valued(NUMBER),
    "list": valued(f"[^ ]*?[^ {PUNCTUATION}]"),
    "motion": valued("low|high|[0-9]+"),
    "niji": valued(NUMBER, glued=True, alone=True),
    "one of": valued(NUMBER),
    "optional integer": valued(NUMBER, alone=True),
    "profile": valued("(?=[^ ]*[0-9])[a-z0-9]+", alone=True),
    "references": valued(f"{URL}|[0-9]+(?:::[^ ]*)?|random(?:::[^ ]*)?"),
    "style": valued("raw"),
    "switch": re.compile(ALONE),
    "version": valued(NUMBER, glued=True),
}
"""What follows the name of each kind when it has a value, right or wrong."""

FITS = {
    **{name: SHAPES[parameter.kind] for name, parameter in SPELLINGS.items()},
    **{name: SHAPES["switch" if refused.switch else "integer"] for name, refused in REFUSED.items()},
}
"""The shape for each known name."""


class Flag(NamedTuple):
    """One written flag and all that follows it up to the next."""

    name: str
    """Without dashes, in lower case; with what is stuck to it where that makes the name unknown."""
    body: str
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

    text: str
    quotes: Sequence[tuple[int, int]]
    urls: Sequence[tuple[int, int]]
    dashes: Sequence[int]
    """Of each flag: where its dashes start, where its name starts and ends. Then the text's length. All in one list of
    plain numbers, because thousands of small objects would wake the garbage collector."""
    possible_flag: str | None
    """The first thing that looks like a flag but stays text."""
    braces: str
    """The unescaped braces outside quotes, in order; those of a URL count."""

    @property
    def end_of_words(self) -> int:
        """Where the first flag starts."""
        return self.dashes[0]

    def flags(self) -> Iterator[Flag]:
        """The flags in reading order."""
        for i in range(0, len(self.dashes) - 1, 3):
            start, name, end, following = self.dashes[i : i + 4]
            yield flag_of(self.text, start, name, end, following)


def mark(text: str) -> Marks:
    """Find the literal zones, the flags and the braces of a text with single spaces."""
    quotes, urls, braces = [], [], []
    dashes: list[int] = []
    for match in MARK.finditer(text):
        found = match.lastgroup
        if found == "name":
            dashes += (match.start(), match.start("name"), match.end())
        elif found == "brace":
            if not match["brace"]:
                braces.append(match[0])
        elif found == "quote":
            quotes.append(match.span())
        else:
            urls.append(match.span())
            braces.extend(character for character in match[0] if character in "{}")
    flags, possible_flag = read_backwards(text, dashes)
    return Marks(text, quotes, urls, flags, possible_flag, "".join(braces))


def read_backwards(text: str, dashes: Sequence[int]) -> tuple[list[int], str | None]:
    """Decide which dashes make flags, last first: a flag's value ends where the next flag starts."""
    following = len(text)
    flags = [following]
    kept_as_text = []
    for i in range(len(dashes) - 3, -1, -3):
        start, name, end = dashes[i : i + 3]
        if is_flag(text, start, name, end, following):
            flags += (end, name, start)
            following = start
        else:
            kept_as_text.append(i)
    flags.reverse()
    for i in reversed(kept_as_text):
        start, name, end = dashes[i : i + 3]
        if looks_like_a_flag(text, start, name, end):
            return flags, text[start:end]
    return flags, None


def is_flag(text: str, start: int, name: int, end: int, following: int) -> bool:
    """Whether a flag starts here, rather than text. `following` is where the next flag starts."""
    dash = text[start:name]
    if dash == "-" or len(dash) > 2 or dash[-1] == " ":
        return False
    plain_pair = dash == ASCII_FLAG or (len(dash) == 2 and text[name:end].isascii())
    if plain_pair and (start == 0 or text[start - 1] == " "):
        return True
    shape = FITS.get(text[name:end].lower())
    if shape is None:
        return False
    # Only the first word decides, after ` = `, with one character of the next: thousands of near-flags must not each
    # look at the rest of the text.
    limit = min(following, end + LONGEST_SHAPE)
    space = text.find(" ", end + 3, limit)
    value = text[end : limit if space < 0 else min(space + 2, limit)]
    return bool(shape.match(value) or (not value.isascii() and shape.match(plain_value(value))))


def flag_of(text: str, start: int, name: int, end: int, following: int) -> Flag:
    spaced = start == 0 or text[start - 1] == " "
    spelled, body, sign = name_and_body(text, text[name:end].lower(), end, following)
    return Flag(spelled, body, text[start:name] != ASCII_FLAG, not spaced, sign)


def name_and_body(text: str, name: str, after: int, end: int) -> tuple[str, str, str]:
    """The name, what follows it, and the sign between them that was ignored."""
    sign = text[after] if after < end else " "
    if sign == " ":
        body = text[after + 1 : end]
        return (name, body[1:], "=") if body[:1] == "=" else (name, body, "")
    if sign == "=":
        return name, text[after + 1 : end], sign
    if sign in PUNCTUATION:
        cut = CUT.match(text, after, end)
        if cut:
            return name, text[cut.end() : end], cut[0]
    parameter = SPELLINGS.get(name)
    if parameter and parameter.name in GLUED_VALUES and sign in "0123456789":
        return name, text[after:end], ""
    stuck, _, body = text[after:end].partition(" ")
    return name + stuck.lower(), body, ""


def looks_like_a_flag(text: str, start: int, name: int, end: int) -> bool:
    """Whether text deserves the warning `possible_flag`: a known name after `-`, `-- `, `---` or a missing space."""
    if text[name:end].lower() not in SPELLINGS or (end < len(text) and text[end] not in f"{STRAY}=0123456789"):
        return False
    dash = text[start:name]
    if len(dash.rstrip(" ")) == 1:
        return dash == "-"
    return start == 0 or text[start - 1] == " " or dash[-1] != " "


def plain_value(word: str) -> str:
    """A flag's value in its compatibility form: `１６：９` is 16:9. Never used on a URL: it could change the host."""
    return word if word.isascii() else unicodedata.normalize("NFKC", word)
