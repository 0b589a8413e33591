"""Where the words of a list stand in plain letters: as words, never inside others, however they are cut or drawn out.

Whatever a text holds, each of its words is looked up a few times; only what has the key of a listed word is compared.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from brushwork.prompts.moderation.letters import (
    CAPITAL_I,
    EDGE,
    SIGNS,
    SPACE,
    STOP,
    TIGHT,
    forms,
    letters_of,
)
from brushwork.prompts.moderation.readings import keys, meant, reads_as, without_signs

SINGLES = re.compile("x{3,}")
TOKEN = re.compile(rf"[^{SPACE}{TIGHT}{EDGE}{STOP}]+")
GAP = re.compile(rf"[{SPACE}{TIGHT}{EDGE}]*")
SHORTENED = re.compile(rf"(?<=[^{SPACE}{TIGHT}{EDGE}{STOP}])'(?:s|ll|re|ve|d|t|m)(?![^{SPACE}{TIGHT}{EDGE}{STOP}])")
"""What is behind the apostrophe of "he'll": not half of a word."""
WITH_SIGNS = re.compile(rf"[^{SPACE}{TIGHT}{EDGE}{STOP}]*[{re.escape(SIGNS)}][^{SPACE}{TIGHT}{EDGE}{STOP}]*")
CAMEL = re.compile(r"(?<![^\W_])[A-Z]?[a-z]+(?:[A-Z][a-z]{2,})+(?![^\W_])")
HUMP = re.compile(r"[A-Z]?[a-z]+")
NUMERALS = "0123456789"
MASK = "*"
FIRST_UNSPACED = "\u0e00"
"""Scripts from here on have letters that are words."""
VOWELS = frozenset("aeiouyıäöü")
ENDINGS = ("", "s", "es", "z")
SPELLED = 3
"""Single letters in a row from which on they are read as one word."""
MOST_PIECES = 48
SHORTEST_IN_PIECES = 4
"""Letters of a word that is recognised although spaces cut it."""


class Hit(NamedTuple):
    """A listed word in a text of plain letters."""

    start: int
    end: int
    word: str


@dataclass
class Words:
    """A list of words to look for; one that ends in * stands for all that begin so."""

    exact: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Key → (the word with an ending, the word of the list)."""
    stems: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    """The first letter or two of a key → (key, the stem, the word of the list)."""
    beginnings: set[str] = field(default_factory=set)
    """With what keys begin."""
    masked: dict[tuple[int, str, str], list[tuple[str, str]]] = field(default_factory=dict)
    """Length, first and last letter → as `exact`."""

    def add(self, word: str) -> None:
        """A word in plain letters."""
        stem = word.rstrip("*")
        for form in forms(stem):
            for ending in ENDINGS if stem == word else ("",):
                spelled = form + ending
                key = keys(spelled)
                self.beginnings.update(key[:length] for length in range(1, len(key)))
                if stem != word:
                    self.stems.setdefault(key[:2], []).append((key, spelled, word))
                    continue
                self.exact.setdefault(key, []).append((spelled, word))
                self.masked.setdefault((len(spelled), spelled[0], spelled[-1]), []).append((spelled, word))

    def reading(self, written: str, key: str) -> str | None:
        """The word of the list that a whole word is."""
        for spelled, word in self.exact.get(key, ()):
            if reads_as(written, spelled):
                return word
        for first in dict.fromkeys((key[:1], key[:2])):
            for beginning, stem, word in self.stems.get(first, ()):
                if key.startswith(beginning) and reads_as(written, stem, is_beginning=True):
                    return word
        return None

    def unmasked(self, written: str) -> str | None:
        """Likewise, of a word with * for some of its letters."""
        shown = len(written) - written.count(MASK)
        if shown in (1, len(written)) or MASK in (written[0], written[-1]):
            return None
        for spelled, word in self.masked.get((len(written), written[0], written[-1]), ()):
            if all(letter in (MASK, wanted) for letter, wanted in zip(written, spelled, strict=True)):
                return word
        return None

    def hits(self, text: str, camels: Iterable[tuple[int, str]] = ()) -> list[Hit]:
        """Every place where a word of the list stands. `camels` are words that stand inside others as in "MyWord"."""
        cut = SHORTENED.sub(lambda found: SPACE * len(found[0]), text).replace("'", TIGHT)
        line = Line.of(without_signs(cut))
        found = [*self.whole(line), *self.in_pieces(line), *self.in_letters(line)]
        if cut != line.text:
            found += self.with_signs(cut)
        for start, word in camels:
            if reading := self.reading(word, keys(word)):
                found.append(Hit(start, start + len(word), reading))
        return found

    def may_hold(self, key: str) -> bool:
        """Whether a word of this key is worth a look."""
        return key in self.exact or key[:2] in self.stems or key[:1] in self.stems

    def whole(self, line: "Line") -> Iterator[Hit]:
        likely = [at for at, key in enumerate(line.keys) if self.may_hold(key)]
        known: dict[str, str | None] = {}
        for at in likely:
            token = line.tokens[at]
            if token not in known:
                known[token] = self.reading(token, line.keys[at])
            if word := known[token]:
                yield line.hit(at, at, word)
        numbered = [at for at, token in enumerate(line.tokens) if token[-1] in NUMERALS or token[0] in NUMERALS]
        for at in numbered:  # "nude2"
            core = line.tokens[at].strip(NUMERALS)
            if core not in known:
                known[core] = self.reading(core, keys(core)) if core else None
            if word := known[core]:
                yield line.hit(at, at, word)

    def with_signs(self, text: str) -> Iterator[Hit]:
        """Words in which signs stand for letters."""
        known: dict[str, tuple[str, str] | None] = {}
        for found in WITH_SIGNS.finditer(text):
            whole = found[0]
            if whole not in known:
                known[whole] = self.signs_read(whole)
            if known_as := known[whole]:
                written, word = known_as
                start = found.start() + whole.index(written)
                yield Hit(start, start + len(written), word)

    def signs_read(self, whole: str) -> tuple[str, str] | None:
        """The part of a word that is one of the list, when signs are letters, and that one."""
        for written in dict.fromkeys((whole, whole.rstrip(SIGNS), whole.lstrip(SIGNS), whole.strip(SIGNS))):
            word = written and (self.reading(written, keys(written)) or self.unmasked(written))
            if word:
                return written, word
        return None

    def in_pieces(self, line: "Line") -> Iterator[Hit]:
        """Words that were cut: "nu/de", "n ude"."""
        beginnings, ends = self.beginnings, line.ends
        for first in [at for at, key in enumerate(line.keys) if key in beginnings and line.may_begin(at)]:
            key = line.keys[first]
            for last in range(first + 1, first + MOST_PIECES):
                if ends[last - 1] or key not in beginnings:
                    break
                following = line.keys[last]
                key += following[key[-1] == following[0] :]
                if not self.may_hold(key):
                    continue
                written = "".join(line.tokens[first : last + 1])
                if line.is_one_word(first, last, written) and (word := self.reading(written, key)):
                    yield line.hit(first, last, word)

    def in_letters(self, line: "Line") -> Iterator[Hit]:
        """Words that were spelled: "g o r e", with or without "a" before it. All of the letters, not some of them."""
        for first, last in line.spelled():
            without_article = line.tokens[first] in ("a", "i", CAPITAL_I) and last - first >= SPELLED
            for begin in range(first, first + 2 if without_article else first + 1):
                written = "".join(line.tokens[begin : last + 1])
                word = self.reading(written, keys(written))
                if word:
                    yield line.hit(begin, last, word)


@dataclass(frozen=True)
class Line:
    """The words of a text, and what lies between them."""

    text: str
    tokens: Sequence[str]
    keys: Sequence[str]
    gaps: Sequence[str]
    """Behind each word."""
    singles: Sequence[bool]
    """Whether it is one letter."""
    ends: Sequence[bool]
    """Whether the next word cannot be the rest of this one."""

    @classmethod
    def of(cls, text: str) -> "Line":
        tokens = TOKEN.findall(text)
        gaps = TOKEN.split(text)[1:]
        singles = [len(token) == 1 and token < FIRST_UNSPACED for token in tokens]
        ends = [STOP in gap or EDGE in gap for gap in gaps]
        if ends:
            ends[-1] = True
        return cls(text, tokens, TOKEN.findall(keys(text)), gaps, singles, ends)

    @cached_property
    def starts(self) -> Sequence[int]:
        lengths = (len(token) + len(gap) for token, gap in zip(self.tokens, self.gaps, strict=True))
        first = TOKEN.search(self.text)
        return list(accumulate(lengths, initial=first.start() if first else 0))

    def hit(self, first: int, last: int, word: str) -> Hit:
        return Hit(self.starts[first], self.starts[last] + len(self.tokens[last]), word)

    def may_begin(self, first: int) -> bool:
        """A word begins neither between two of many letters that are strung together, nor amid a drawn-out one."""
        if not first or self.ends[first - 1]:
            return True
        if self.keys[first] == self.keys[first - 1] and len(self.keys[first]) == 1:
            return False
        return not (self.singles[first] and self.singles[first - 1] and is_tight(self.gaps[first - 1]))

    def is_one_word(self, first: int, last: int, written: str) -> bool:
        """Whether these were one word: strung together by signs, or cut by spaces where no word has an end."""
        goes_on = not self.ends[last] and is_tight(self.gaps[last])
        if all(map(is_tight, self.gaps[first:last])):
            return not (goes_on and self.singles[last] and self.singles[last + 1])
        if goes_on or (first and not self.ends[first - 1] and is_tight(self.gaps[first - 1])):
            return False
        if len(written) < SHORTEST_IN_PIECES or all(self.singles[first : last + 1]):
            return False
        return any(map(is_no_word, self.tokens[first : last + 1]))

    def spelled(self) -> Iterator[tuple[int, int]]:
        """First and last of single letters in a row."""
        goes = ["x" if single else "." for single in self.singles]
        row = (
            "".join(f"{mark}|" if end else mark for mark, end in zip(goes, self.ends, strict=True))
            if True in self.singles
            else ""
        )
        at = 0
        for part in row.split("|"):
            for found in SINGLES.finditer(part):
                first, last = at + found.start(), at + found.end() - 1
                digits = sum(map(str.isdigit, self.tokens[first : last + 1]))
                if digits <= (last - first) // SPELLED:
                    yield first, last
            at += len(part)


def phrase_of(words: str) -> tuple[str, ...]:
    """The words of a listed phrase in plain letters; the last may end in *."""
    letters = SHORTENED.sub(SPACE, letters_of(words.removesuffix("*").casefold()).replace("*", TIGHT)).replace(
        "'", TIGHT
    )
    phrase = tuple(meant(token) for token in TOKEN.findall(letters) if any(map(str.isalnum, token)))
    return (*phrase[:-1], f"{phrase[-1]}*") if phrase and words.endswith("*") else phrase


def is_tight(gap: str) -> bool:
    return gap != "" and not gap.strip(TIGHT)


def is_no_word(token: str) -> bool:
    """What people do not write beside other words: a consonant, or several without a vowel."""
    return token.isalpha() and not VOWELS & set(token)


def follows(text: str, end: int) -> int:
    """Where the next word begins."""
    found = GAP.match(text, end)
    return found.end() if found else end


def by_start(hits: Iterable[Hit]) -> Mapping[tuple[int, str], list[int]]:
    """(start, word) → ends."""
    found = defaultdict(list)
    for hit in hits:
        found[hit.start, hit.word].append(hit.end)
    return found


def camels_of(text: str, letters: str) -> Iterator[tuple[int, str]]:
    """The words in "MyWord", where a text is as long as its letters."""
    if len(text) != len(letters):
        return
    for found in CAMEL.finditer(text):
        for hump in HUMP.finditer(text, *found.span()):
            yield hump.start(), hump[0].lower()
