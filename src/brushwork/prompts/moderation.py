"""What may not be asked: an operator's policy, and where a text goes against it. Pure: text in, match out.

A policy is a TOML file of words by category. Words match as words, never inside others: "sex" is not in "Essex".
Look-alike letters, digits, accents, gaps and repeated letters do not help; the same is done to the policy.

    version = "2026-11"

    [[rule]]
    category = "violence"
    words = ["gore", "behead*", "torture scene"]
    allow = ["gore-tex"]
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

LOOK_ALIKES = str.maketrans(
    "авеёзкмнорстухіјѕһԁԛԝɡαβγεηικνορτυχωıɑɩʏƅгпьі0134578@$!|€£",
    "abeezkmhopctyxijshdqwgabyenikvoptuxwiaiybrnbioieastbasiiel",
)
"""Letters, digits and signs that are read as Latin letters. Accents, widths and styles are taken off before."""
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))
SIGNS = {chr(first + place): letter for first in (0x1F150, 0x1F170, 0x1F1E6) for place, letter in enumerate(ALPHABET)}
STYLED = str.maketrans(SMALL_CAPITALS | SIGNS)
"""Styles that Unicode does not know as such: small capitals, white on black, the letters of flags."""
IN_WORDS = "@$!|€£"
"""Signs that stand for letters inside a word."""
WORD = re.compile(rf"(?:[^\W_]|[{re.escape(IN_WORDS)}](?=\w))+")
SPELLED = 3
"""Single letters in a row from which on they are read as one word."""
THRICE = re.compile(r"(.)\1{2,}")
LATIN_DIGITS = re.compile(r"\d+")
URL = re.compile(r"(?<![^\s=])https?://\S+", re.IGNORECASE)
"""Only where the prompt language reads one: glued to other words it is words."""
UNWANTED = re.compile(r"(?:--|[—–])no(?=[ =,])(?:(?! (?:--|[—–])[a-z]).)*", re.IGNORECASE | re.DOTALL)
"""What must not be in the picture may be named."""
QUOTED = re.compile(r'["“”„‟＂][^"“”„‟＂]*["“”„‟＂]')
KEYS = {"category": str, "words": list, "allow": list}


class PolicyError(ValueError):
    """A policy file that cannot be read as one; says where and why."""


@dataclass(frozen=True)
class Token:
    """A word of a text, in plain letters, and where it stands."""

    plain: str
    start: int
    end: int


@dataclass(frozen=True)
class Match:
    """Where a text goes against the policy."""

    category: str
    matched: str
    """As it was written."""
    span: tuple[int, int]
    """First character and one past the last, in the text as it was given."""
    rule: str
    """The words of the policy that matched."""


@dataclass(frozen=True)
class Rule:
    """Words of one category; each is a sequence of plain words, the last of which may end in *."""

    category: str
    words: tuple[str, ...]
    allow: tuple[str, ...] = ()

    @cached_property
    def phrases(self) -> tuple[tuple[tuple[str, ...], str], ...]:
        return tuple((phrase_of(words), words) for words in self.words)

    @cached_property
    def allowed(self) -> tuple[tuple[str, ...], ...]:
        return tuple(phrase_of(words) for words in self.allow)


@dataclass(frozen=True)
class Policy:
    """What an operator does not allow."""

    version: str
    rules: tuple[Rule, ...] = field(default=())

    def match(self, text: str) -> Match | None:
        """The first place where the text goes against the policy, in its own order; None when it does not."""
        tokens = list(tokens_of(text))
        found = (found for rule in self.rules for found in matches(rule, tokens, text))
        return min(found, key=lambda match: match.span, default=None)


def read_policy(path: Path) -> Policy:
    """A policy from its file. Raises PolicyError that names what is wrong."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path}: {error}") from None
    version, rules = given.pop("version", None), given.pop("rule", [])
    if not isinstance(version, str) or not version:
        raise PolicyError(f"{path}: `version` must be a text that names this policy")
    if given or not isinstance(rules, list):
        raise PolicyError(f"{path}: only `version` and [[rule]] are known, not {', '.join(given) or 'rule'}")
    return Policy(version, tuple(rule_of(rule, f"{path}: rule {number}") for number, rule in enumerate(rules, 1)))


def rule_of(given: Any, where: str) -> Rule:
    if not isinstance(given, dict) or given.keys() - KEYS or not {"category", "words"} <= given.keys():
        raise PolicyError(f"{where}: needs `category` and `words`, may have `allow`, and nothing else")
    for name, kind in KEYS.items():
        if not isinstance(given.get(name, kind()), kind):
            raise PolicyError(f"{where}: `{name}` must be a {'list of texts' if kind is list else 'text'}")
    for text in (*given["words"], *given.get("allow", ())):
        if not isinstance(text, str) or not phrase_of(text):
            raise PolicyError(f"{where}: {text!r} holds no word")
    return Rule(given["category"], tuple(given["words"]), tuple(given.get("allow", ())))


def phrase_of(words: str) -> tuple[str, ...]:
    phrase = tuple(token.plain for token in tokens_of(words.removesuffix("*")))
    return (*phrase[:-1], f"{phrase[-1]}*") if phrase and words.endswith("*") else phrase


def matches(rule: Rule, tokens: Sequence[Token], text: str) -> Iterator[Match]:
    """Every place where the rule matches and no allowed phrase covers it."""
    fine = [place for phrase in rule.allowed for place in places(phrase, tokens)]
    for phrase, words in rule.phrases:
        for first, last in places(phrase, tokens):
            if any(before <= first and last <= after for before, after in fine):
                continue
            span = (tokens[first].start, tokens[last].end)
            yield Match(rule.category, text[slice(*span)], span, words)


def places(phrase: Sequence[str], tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """(first, last) token of each place where the phrase stands."""
    for first in range(len(tokens) - len(phrase) + 1):
        if all(is_word(token.plain, word) for token, word in zip(tokens[first:], phrase, strict=False)):
            yield first, first + len(phrase) - 1


def is_word(plain: str, wanted: str) -> bool:
    """Whether a word is the one that is wanted: itself, or with letters drawn out."""
    if wanted.endswith("*"):
        return any(form.startswith(wanted[:-1]) for form in forms(plain))
    return any(form in (wanted, f"{wanted}s", f"{wanted}es") for form in forms(plain))


def forms(plain: str) -> tuple[str, ...]:
    """The word, and how it reads when its drawn-out letters are short."""
    if not THRICE.search(plain):
        return (plain,)
    return (plain, THRICE.sub(r"\1", plain), THRICE.sub(r"\1\1", plain))


def tokens_of(text: str) -> Iterator[Token]:
    """The words of a text that ask for something: no URLs, no `--no`. Letters that stand alone are read together."""
    quoted = quoted_places(text)
    text = URL.sub(lambda found: " " * len(found[0]), text)
    text = UNWANTED.sub(lambda found: found[0] if quoted[found.start()] else " " * len(found[0]), text)
    letters, origins = plain_letters(text)
    alone: list[Token] = []
    for found in WORD.finditer(letters):
        token = Token(as_letters(found[0]), origins[found.start()], origins[found.end() - 1] + 1)
        if len(found[0]) == 1:
            alone.append(token)
            continue
        yield from spelled(alone)
        alone = []
        yield token
    yield from spelled(alone)


def quoted_places(text: str) -> bytearray:
    """1 for each character in double quotes, where flags are words; quotes round everything are none."""
    inside = bytearray(len(text))
    for found in QUOTED.finditer(text):
        if found[0] != text.strip():
            inside[found.start() : found.end()] = b"\1" * len(found[0])
    return inside


def spelled(alone: Sequence[Token]) -> Iterator[Token]:
    """Single letters: "g o r e" is a word, with or without "a" before it; "a b" are two letters."""
    if len(alone) < SPELLED:
        yield from alone
        return
    for first in range(2 if alone[0].plain in ("a", "i") and len(alone) > SPELLED else 1):
        yield Token("".join(token.plain for token in alone[first:]), alone[first].start, alone[-1].end)


def plain_letters(text: str) -> tuple[str, list[int]]:
    """The text in small letters without accents, widths and invisible signs, and where each letter came from."""
    letters: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        for plain in unicodedata.normalize("NFKD", character.translate(STYLED)).casefold():
            if unicodedata.category(plain) in ("Mn", "Me", "Cf"):
                continue
            letters.append(plain)
            origins.append(place)
    return "".join(letters), origins


def as_letters(word: str) -> str:
    """A word with its look-alikes as Latin letters; what is all digits is a number."""
    return word if LATIN_DIGITS.fullmatch(word) else word.translate(LOOK_ALIKES)
