"""A text in plain letters, and where each stood. Knows nothing of words, and nothing of flags.

What comes out has small letters without accents, widths and styles, digits, the signs that may stand for letters, and
what lies between: SPACE, TIGHT for any other sign, EDGE beside characters of scripts that put no spaces between words.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from brushwork.prompts.moderation.look_alikes import LIGATURES, LIKENESSES, SHAPES, TWINS

SPACE, TIGHT, EDGE, STOP = " ", "/", "\t", "\n"
APOSTROPHE = "'"
SIGNS = "@$!|€£+(<¢¥×*"
"""May stand for letters inside a word."""
CAPITAL_I = "ı"
"""Which is drawn as a small l is."""

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\U00020000-\U0003ffff]"
)
FILLERS = "\u115f\u1160\u3164\uffa0\u17b4\u17b5"
"""Letters, for Unicode, that nobody sees."""
MARKS_OF_TRADE = "℠℡™"
"""Stand behind words and would be letters of them."""
APOSTROPHES = "'\u2018\u2019\u02bc\u02b9\u00b4`\uff07"
OPTIONAL = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef]"
)
"""Marks that a word is read without. Those of other scripts are as good as letters."""
NAMED = re.compile(r"(?:LATIN|REGIONAL INDICATOR|NEGATIVE (?:CIRCLED|SQUARED))\b.* ([A-Z])(?: WITH .*| BAR)?")
"""Names of letters that are a Latin one with something to it: `LATIN SMALL LETTER O WITH STROKE`."""

SHAPED = {shape: letter for letter, shapes in SHAPES.items() for shape in shapes} | LIGATURES
ASCII = str.maketrans(
    {
        **{chr(code): TIGHT for code in range(128) if not chr(code).isalnum() and chr(code) not in SIGNS},
        **{chr(code): chr(code).lower() for code in range(ord("A"), ord("Z") + 1)},
        " ": SPACE,
        "I": CAPITAL_I,
        "'": APOSTROPHE,
        "`": APOSTROPHE,
    }
)


@dataclass(frozen=True)
class Plain:
    """A text in plain letters."""

    text: str
    origins: Sequence[int]
    """Of each character: which of the given text it came from."""


REMEMBERED = 65_536
BEYOND_LETTERS = "\U00040000"


class Letters(dict[str, str]):
    """What a character is in plain letters. Remembers more of them than people type."""

    def __missing__(self, character: str) -> str:
        plain = plain_character(character)
        if len(self) < REMEMBERED:
            self[character] = plain
        return plain


def plain_character(character: str) -> str:
    if character in ASCII_LETTERS:
        return ASCII_LETTERS[character]
    if character >= BEYOND_LETTERS:
        return "" if OPTIONAL.match(character) or unicodedata.category(character) == "Cf" else TIGHT
    if character in APOSTROPHES:
        return APOSTROPHE
    if character in FILLERS:
        return ""
    if character.isspace() or character in MARKS_OF_TRADE:
        return TIGHT
    if UNSPACED.match(character):
        return f"{EDGE}{character}{EDGE}"
    known = SHAPED.get(character) or named(character)
    if known:
        return known
    decomposed = unicodedata.normalize("NFKD", character)
    if len(decomposed) == 1:
        return plain_letter(decomposed)
    if decomposed.startswith(SPACE):  # an accent that stands alone
        return TIGHT
    return "".join(LETTERS[part] for part in decomposed)


def plain_letter(character: str) -> str:
    """A character that is not made of others."""
    if OPTIONAL.match(character):
        return ""
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category[0] in "LN" or category in ("Mn", "Mc"):
        small = character.casefold()
        return "".join(SHAPED.get(letter) or named(letter) or letter for letter in small)
    return "" if category == "Cf" else TIGHT if character not in SIGNS else character


def named(character: str) -> str | None:
    """The Latin letter that a character is said to be."""
    found = NAMED.fullmatch(unicodedata.name(character, ""))
    return found[1].lower() if found else None


ASCII_LETTERS = {chr(code): chr(code).translate(ASCII) for code in range(128)}
LETTERS = Letters()

CYRILLIC, GREEK = "\u0400-\u052f", "\u0370-\u03ff"
WRITTEN_IN = re.compile(rf"(?<![^ /\t\n'])(?:[{CYRILLIC}]+|[{GREEK}]+)(?![^ /\t\n'])")
"""A word all of whose letters are Cyrillic, or Greek."""
ANY_FOREIGN = re.compile(f"[{CYRILLIC}{GREEK}]")
SHORTEST_PROOF = 3
AS_LATIN = str.maketrans(LIKENESSES | TWINS)


def plain(text: str, hidden: Sequence[tuple[int, int]] = ()) -> Plain:
    """The text in plain letters. What is hidden is not read, and no word goes on behind it."""
    if text.isascii() and not hidden:
        return Plain(text.translate(ASCII), range(len(text)))
    pieces = list(map(LETTERS.__getitem__, text))
    for start, end in hidden:
        pieces[start:end] = [STOP] * (end - start)
    letters = "".join(pieces)
    origins: Sequence[int] = range(len(text))
    if len(letters) != len(text) or "" in pieces:
        origins = [place for place, piece in enumerate(pieces) for _ in piece]
    return Plain(latin(letters) if ANY_FOREIGN.search(letters) else letters, origins)


def latin(letters: str) -> str:
    """Cyrillic and Greek letters as the Latin ones that they look like, unless the text is really written in them.

    It is when one of its words has a letter that looks like no Latin one: beside "старый", "рот" is a mouth, not a pot.
    """
    words = [found.span() for found in WRITTEN_IN.finditer(letters)]
    drawn = letters.translate(AS_LATIN)
    if not any(end - start >= SHORTEST_PROOF and not TWINS.keys() >= set(letters[start:end]) for start, end in words):
        return drawn
    parts, done = [], 0
    for start, end in words:
        parts += [drawn[done:start], letters[start:end]]
        done = end
    return "".join([*parts, drawn[done:]])


def letters_of(text: str) -> str:
    """The text in plain letters, whatever it is written in."""
    return "".join(map(LETTERS.__getitem__, text))


def forms(word: str) -> set[str]:
    """A word in plain letters as texts in its own script have it, and as others have."""
    return {word, word.translate(AS_LATIN)}
