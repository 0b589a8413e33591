"""What a letter, a digit or a sign may be read as, and whether a word as it was written can be read as another one.

Two words that can have the same `key`. It is what words are looked up by; `pattern` then has the last word.
"""

import re
from functools import lru_cache
from itertools import groupby

from brushwork.prompts.moderation.letters import CAPITAL_I, SIGNS

MEANINGS = {
    "0": "ou",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
    "!": "il",
    "|": "il",
    "€": "e",
    "£": "l",
    "+": "t",
    "(": "c",
    "<": "c",
    "¢": "c",
    "¥": "y",
    "×": "x",
    "v": "u",
    "и": "un",
    CAPITAL_I: "il",
}
"""Beside themselves."""

SELDOM_TWICE = "ahijkquvwxy"
"""Letters that words hardly ever have twice in a row: twice is drawn out."""
LONGEST = 48
"""Letters of a word that is worth a look."""
THRICE = re.compile(r"(.)\1{3,}")
TWICE = re.compile(r"(.)\1+")


def classes() -> dict[str, str]:
    """Of each character the one that stands for all that it can be taken for, directly or by way of others."""
    first: dict[str, str] = {}

    def found(character: str) -> str:
        while first.setdefault(character, character) != character:
            character = first[character]
        return character

    for character, letters in MEANINGS.items():
        for letter in letters:
            first[found(character)] = found(letter)
    return {character: found(character) for character in list(first)}


AS_CLASSES = str.maketrans(classes())


def keys(text: str) -> str:
    """The keys of all words of a text at once. What separates words is drawn together as letters are."""
    return TWICE.sub(r"\1", text.translate(AS_CLASSES))


def reads_as(written: str, word: str, *, is_beginning: bool = False) -> bool:
    """Whether a word as it was written can be read as this one, or begins so."""
    if written == word:
        return True
    letters = sum(map(str.isalpha, written))
    digits = sum(map(str.isdigit, written))
    if digits and letters < 2 and not word.isdigit():
        return False
    if len(written) > LONGEST:
        written = THRICE.sub(r"\1\1\1", written)[: LONGEST if is_beginning else None]
        if len(written) > LONGEST:
            return False
    found = pattern(word)
    return bool(found.match(written) if is_beginning else found.fullmatch(written))


@lru_cache(maxsize=65_536)
def pattern(word: str) -> re.Pattern[str]:
    """A word with whatever may stand for its letters, drawn out or not.

    Twice a letter is another word, as in "planed" and "planned", but at the beginning; thrice it is drawn out.
    """
    parts = []
    for number, (letter, run) in enumerate(groupby(word)):
        count = len(list(run))
        others = "".join(sign for sign, letters in MEANINGS.items() if letter in letters)
        one = f"[{re.escape(letter + others)}]" if not letter.isdigit() else letter
        if letter.isdigit():
            parts.append(f"{one}{{{count}}}")
        elif count > 1 or number == 0 or letter in SELDOM_TWICE:
            parts.append(f"{one}{{{count},}}")
        else:
            parts.append(f"{one}(?:{one}{{2,}})?")
    return re.compile("".join(parts))


def meant(token: str) -> str:
    """A word with its signs as letters."""
    return "".join(MEANINGS[sign][0] if sign in MEANINGS and sign in SIGNS else sign for sign in token.strip("!|(+<"))


def without_signs(text: str) -> str:
    """Signs as what lies between words."""
    return text.translate(NO_SIGNS)


NO_SIGNS = str.maketrans(dict.fromkeys(SIGNS, "/"))
