"""An operator's policy, and where a text goes against it.

A policy is a TOML file of words by category. Words match as words, never inside others: "sex" is not in "Essex".

    version = "2026-11"
    unwanted = false  # whether what stands behind --no is held against it too

    [[rule]]
    category = "violence"
    words = ["gore", "behead*", "torture scene"]
    allow = ["gore-tex"]
"""

import re
import tomllib
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from brushwork.prompts.moderation.asked import not_asked
from brushwork.prompts.moderation.letters import Plain, plain
from brushwork.prompts.moderation.words import Words, by_start, camels_of, follows, phrase_of

KEYS = {"category": str, "words": list, "allow": list}


class PolicyError(ValueError):
    """A policy file that cannot be read as one; says where and why."""


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
    def allowed(self) -> re.Pattern[str]:
        """The phrases in which a word is fine, as they are spelled: no other spelling is."""
        return re.compile("|".join(map(allowing, self.allow)) or r"(?!)", re.IGNORECASE)


@dataclass(frozen=True)
class Policy:
    """What an operator does not allow."""

    version: str
    rules: tuple[Rule, ...] = field(default=())
    unwanted: bool = False
    """Whether what stands behind `--no` is held against it too."""

    @cached_property
    def listed(self) -> Words:
        """The words of all rules."""
        words = Words()
        for word in dict.fromkeys(word for rule in self.rules for phrase, _ in rule.phrases for word in phrase):
            words.add(word)
        return words

    @cached_property
    def phrases(self) -> Mapping[str, list[tuple[tuple[str, ...], str, Rule]]]:
        """First word → (the words, as the rule has them, the rule)."""
        found: dict[str, list[tuple[tuple[str, ...], str, Rule]]] = {}
        for rule in self.rules:
            for phrase, words in rule.phrases:
                found.setdefault(phrase[0], []).append((phrase, words, rule))
        return found

    @cached_property
    def has_phrases(self) -> bool:
        return any(len(phrase) > 1 for rule in self.rules for phrase, _ in rule.phrases)

    def match(self, text: str) -> Match | None:
        """The first place where the text goes against the policy, in its own order; None when it does not."""
        return next(self.matches(text), None)

    def matches(self, text: str) -> Iterator[Match]:
        """Every place where it does, and no allowed phrase covers it, in the order of the text."""
        read = plain(text, not_asked(text, unwanted=self.unwanted))
        hits = self.listed.hits(read.text, camels_of(text, read.text))
        if not hits:
            return
        starts = by_start(hits) if self.has_phrases else {}
        fine: dict[int, list[tuple[int, int]]] = {}  # of each rule
        for hit in sorted(hits):
            for phrase, words, rule in self.phrases.get(hit.word, ()):
                end = end_of(phrase, hit.end, starts, read.text)
                if end is None:
                    continue
                start, last = span_of(read, hit.start, end, text)
                if id(rule) not in fine:
                    fine[id(rule)] = [found.span() for found in rule.allowed.finditer(text)]
                if not covered(start, last, fine[id(rule)]):
                    yield Match(rule.category, text[start:last], (start, last), words)


def end_of(phrase: tuple[str, ...], end: int, starts: Mapping[tuple[int, str], list[int]], letters: str) -> int | None:
    """Where the phrase ends whose first word ends here; None when its other words do not follow."""
    for word in phrase[1:]:
        ends = starts.get((follows(letters, end), word))
        if not ends:
            return None
        end = ends[0]
    return end


def span_of(read: Plain, start: int, end: int, text: str) -> tuple[int, int]:
    """Where it stands in the text as it was given, with the marks of its last letter."""
    last = read.origins[end - 1] + 1
    while last < len(text) and unicodedata.category(text[last]) in ("Mn", "Me"):
        last += 1
    return read.origins[start], last


def covered(start: int, end: int, places: Sequence[tuple[int, int]]) -> bool:
    """Whether one of these places, which are in order and apart, holds all of it."""
    at = bisect_right(places, (start, end)) - 1
    return any(before <= start and end <= after for before, after in places[max(0, at) : at + 2])


def allowing(words: str) -> str:
    """The pattern of a phrase in which a word is fine: any case, any sign between its words, a plural."""
    ending = r"\w*" if words.endswith("*") else "(?:e?s)?"
    spellings = {unicodedata.normalize(form, words.removesuffix("*")) for form in ("NFC", "NFD")}
    patterns = [
        r"[\W_]+".join(map(re.escape, re.findall(r"[^\W_]+(?:[\u0300-\u036f]+\w*)*", one))) for one in spellings
    ]
    return rf"(?<!\w)(?:{'|'.join(sorted(patterns))}){ending}(?!\w)"


def read_policy(path: Path) -> Policy:
    """A policy from its file. Raises PolicyError that names what is wrong."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path}: {error}") from None
    version, rules, unwanted = given.pop("version", None), given.pop("rule", []), given.pop("unwanted", False)
    if not isinstance(version, str) or not version:
        raise PolicyError(f"{path}: `version` must be a text that names this policy")
    if not isinstance(unwanted, bool):
        raise PolicyError(f"{path}: `unwanted` must be true or false")
    if given or not isinstance(rules, list):
        raise PolicyError(
            f"{path}: only `version`, `unwanted` and [[rule]] are known, not {', '.join(given) or 'rule'}"
        )
    return Policy(
        version, tuple(rule_of(rule, f"{path}: rule {number}") for number, rule in enumerate(rules, 1)), unwanted
    )


def rule_of(given: Any, where: str) -> Rule:
    if not isinstance(given, dict) or given.keys() - KEYS or not {"category", "words"} <= given.keys():
        raise PolicyError(f"{where}: needs `category` and `words`, may have `allow`, and nothing else")
    for name, kind in KEYS.items():
        if not isinstance(given.get(name, kind()), kind):
            raise PolicyError(f"{where}: `{name}` must be a {'list of texts' if kind is list else 'text'}")
    for text in (*given["words"], *given.get("allow", ())):
        if not isinstance(text, str) or not phrase_of(text):
            raise PolicyError(f"{where}: {text!r} holds no word")
        if "*" in text[:-1]:
            raise PolicyError(f"{where}: {text!r} has a * that does not end it")
    return Rule(given["category"], tuple(given["words"]), tuple(given.get("allow", ())))
