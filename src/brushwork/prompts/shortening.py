"""Shorter and shorter prompts from what each word weighs; flags and image URLs are kept.

Knows nothing of who weighs the words: an engine tells it (`word_weights`), because only it knows what it understands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from brushwork.errors import BrushworkError
from brushwork.prompts.findings import Findings
from brushwork.prompts.normalise import plain
from brushwork.prompts.parser import parse_prompt, unwrap

SHARES = (0.8, 0.6, 0.42, 0.28, 0.15)
"""How many of the words that say something each of the five keeps."""
SAYS_SOMETHING = 0.02
IMPORTANT, NEEDLESS = 0.5, 0.05
"""Of 1: words that are set in bold, and words that are struck out."""
ENDS = ",.;!?"


@dataclass(frozen=True)
class Written:
    """A prompt as it was written, in its three parts."""

    urls: tuple[str, ...]
    words: tuple[str, ...]
    """With their punctuation."""
    flags: str
    """From the first to the last, as one text."""

    def with_words(self, words: str) -> str:
        return " ".join(part for part in (*self.urls, words, self.flags) if part)


def written(prompt: str) -> Written:
    """The parts of a prompt that can be parsed."""
    findings = Findings()
    text, marks = unwrap(plain(prompt, findings), findings)
    cursor, urls = 0, []
    for start, end in marks.urls:
        if start > cursor or start >= marks.end_of_words:
            break
        urls.append(text[start:end])
        cursor = end + 1
    words = text[cursor : marks.end_of_words].split()
    return Written(tuple(urls), tuple(words), text[marks.end_of_words :].strip())


def shortenings(prompt: Written, weights: Sequence[float]) -> list[str]:
    """Five prompts, each at most as long as the one before; with fewer words than that, the last ones are equal."""
    units = phrases(prompt.words, weights)
    speaking = sum(len(unit) for unit in units)
    shorter, most, last = [], speaking, prompt.with_words(" ".join(prompt.words))
    for number, share in enumerate(SHARES):
        most = max(1, min(round(share * speaking), most - 1))
        kept = heaviest(units, weights, most)
        if number == 0:
            kept |= links(prompt.words, kept)
        last = next(filter(can_be_parsed, [prompt.with_words(told(prompt.words, kept))]), last)
        shorter.append(last)
    return shorter


def can_be_parsed(prompt: str) -> bool:
    """Not where only punctuation remains, or half of a permutation."""
    try:
        return bool(parse_prompt(prompt))
    except BrushworkError:
        return False


def phrases(words: Sequence[str], weights: Sequence[float]) -> list[list[int]]:
    """Neighbours of one weight go together: "golden hour" is kept or dropped as a whole."""
    clause, clauses = 0, []
    for word in words:
        clauses.append(clause)
        clause += word[-1] in ENDS
    runs = groupby(range(len(words)), key=lambda at: (clauses[at], weights[at]))
    return [list(run) for (_, weight), run in runs if weight > SAYS_SOMETHING]


def heaviest(units: Sequence[Sequence[int]], weights: Sequence[float], most: int) -> set[int]:
    """Positions of the weightiest words, `most` of them; of a phrase all, unless it alone is too long."""
    kept: set[int] = set()
    for unit in sorted(units, key=lambda unit: (-weights[unit[0]], unit[0])):
        if len(kept) + len(unit) <= most:
            kept |= set(unit)
        elif not kept:
            return set(unit[-most:])
    return kept


def links(words: Sequence[str], kept: set[int]) -> set[int]:
    """Small words that stand between two kept ones of a clause: "fox in the snow"."""
    linking: set[int] = set()
    run: list[int] | None = None
    for at, word in enumerate(words):
        if at in kept:
            linking |= set(run or ())
            run = []
        elif run is not None:
            run.append(at)
        if word[-1] in ENDS or (run is not None and len(run) > 3):
            run = None
    return linking


def told(words: Sequence[str], kept: set[int]) -> str:
    """The kept words in their order, with a comma where a clause ended."""
    parts: list[str] = []
    ended = False
    for at, word in enumerate(words):
        if at in kept and word.rstrip(ENDS):
            parts += [","] if ended and parts else []
            parts += [" " if parts else "", word.rstrip(ENDS)]
            ended = False
        ended = ended or word[-1] in ENDS
    return balanced("".join(parts))


def balanced(text: str) -> str:
    """Without quotes and braces of which the other half is gone."""
    if text.count('"') % 2:
        text = text.replace('"', "")
    if text.count("{") != text.count("}"):
        text = text.replace("{", "").replace("}", "")
    return text.strip()


def analysis(prompt: Written, weights: Sequence[float]) -> str:
    """All words as written: **important** ones in bold, ~~needless~~ ones struck out. Markdown."""
    marked = []
    for word, weight in zip(prompt.words, weights, strict=True):
        bare = word.rstrip(ENDS)
        sign = "**" if weight >= IMPORTANT else "~~" if weight < NEEDLESS else ""
        marked.append(f"{sign}{bare}{sign}{word[len(bare) :]}" if bare else word)
    return " ".join(marked)
