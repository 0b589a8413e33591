"""The dictionary: every phrase the painter understands, and every thing it can draw.

Reads two hand-written lists beside the artwork (assets/subjects.txt and assets/words.txt) once, when first asked.
Knows nothing of sentences (see reading.py) or of pixels (see sprites.py).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TOKEN = re.compile(r"[^\W_]+|[,.;:!?()\n|]+")
"""A word, or something that ends a phrase."""
ASSETS = Path(__file__).parent.parent / "assets"
KINDS = (
    "animal",
    "bird",
    "fish",
    "person",
    "plant",
    "food",
    "object",
    "building",
    "vehicle",
    "boat",
    "aircraft",
    "celestial",
)
HABITATS = ("land", "water", "under", "air", "space", "prop")
KIND_PLACES: Mapping[str, tuple[str, ...]] = {
    "animal": ("meadow", "forest", "hills"),
    "bird": ("meadow", "hills", "sky"),
    "fish": ("underwater",),
    "person": ("meadow", "hills", "beach"),
    "plant": ("meadow", "hills"),
    "food": ("studio",),
    "object": ("studio",),
    "building": ("hills", "meadow", "mountains"),
    "vehicle": ("city_street", "hills"),
    "boat": ("sea", "lake"),
    "aircraft": ("sky", "mountains"),
    "celestial": ("space",),
}
"""Where a thing without a place of its own is shown."""


@dataclass(frozen=True)
class Concept:
    """One thing that can be drawn."""

    name: str
    artwork: tuple[str, ...]
    """Names of sprites; more than one where people differ."""
    height: float
    """Metres, as in nature."""
    kind: str
    habitat: str
    places: tuple[str, ...]
    facing: str
    """L, R, or F when it looks at us."""
    words: tuple[str, ...]


@dataclass(frozen=True)
class Meaning:
    """What a phrase stands for: "place", "beach"."""

    group: str
    value: str
    plural: bool = False


@lru_cache(maxsize=1)
def concepts() -> Mapping[str, Concept]:
    """Name → concept, in the order of the list."""
    return {concept.name: concept for concept in read_concepts()}


def read_concepts() -> Iterator[Concept]:
    for line in lines_of("subjects.txt"):
        name, artwork, height, kind, habitat, places, facing, words = (part.strip() for part in line.split("|"))
        own = () if places == "-" else tuple(places.split(","))
        yield Concept(
            name=name,
            artwork=tuple(source.strip().replace(":", "-") for source in artwork.split(",")),
            height=float(height),
            kind=kind,
            habitat=habitat,
            places=own or KIND_PLACES[kind],
            facing=facing,
            words=tuple(word.strip() for word in words.split(",") if word.strip()),
        )


def lines_of(name: str) -> list[str]:
    text = (ASSETS / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@lru_cache(maxsize=1)
def phrases() -> Mapping[str, tuple[Meaning, ...]]:
    """Phrase (normalised, singular or plural as written) → its meanings, the preferred one first."""
    table: dict[str, list[Meaning]] = {}

    def add(phrase: str, meaning: Meaning) -> None:
        entry = table.setdefault(normalised(phrase), [])
        if all(meaning.group != other.group for other in entry):
            entry.append(meaning)

    for concept in concepts().values():
        for word in (concept.name, *concept.words):
            add(word, Meaning("subject", concept.name))
    for line in lines_of("words.txt"):
        head, _, tail = line.partition(":")
        group, _, value = head.partition(" ")
        for phrase in tail.split(","):
            add(phrase.strip(), Meaning(group, value.strip()))
    return {phrase: tuple(entry) for phrase, entry in table.items() if phrase}


@lru_cache(maxsize=1)
def longest() -> Mapping[str, int]:
    """First word of a phrase → words in the longest phrase that begins with it. Keeps matching linear."""
    table: dict[str, int] = {}
    for phrase in phrases():
        first, count = phrase.split(" ", 1)[0], phrase.count(" ") + 1
        table[first] = max(table.get(first, 0), count)
    return table


def normalised(phrase: str) -> str:
    """As tokens are compared: lower case, hyphens and apostrophes opened."""
    return " ".join(phrase.lower().replace("-", " ").replace("’", "'").replace("'s", " s").replace("'", " ").split())


IRREGULAR = {
    "men": "man", "women": "woman", "children": "child", "mice": "mouse", "geese": "goose", "wolves": "wolf",
    "leaves": "leaf", "people": "person", "knives": "knife", "loaves": "loaf", "oxen": "ox", "feet": "foot",
    "calves": "calf", "elves": "elf", "thieves": "thief", "policemen": "policeman", "firemen": "fireman",
    "cacti": "cactus",
}  # fmt: skip


def singulars(word: str) -> tuple[str, ...]:
    """Likely singulars of a word; empty when it does not look like a plural."""
    if word in IRREGULAR:
        return (IRREGULAR[word],)
    if len(word) < 4 or not word.endswith("s") or word.endswith("ss"):
        return ()
    if word.endswith("ies"):
        return (word[:-3] + "y", word[:-1])
    if word.endswith("es"):
        return (word[:-1], word[:-2])
    return (word[:-1],)


def look_up(words: list[str], start: int) -> tuple[int, tuple[Meaning, ...]]:
    """The longest phrase that begins at `start`: how many words, and its meanings. (0, ()) when there is none."""
    table = phrases()
    first = words[start]
    reach = max((longest().get(form, 0) for form in (first, *singulars(first))), default=0)
    for count in range(min(reach, len(words) - start), 0, -1):
        head = " ".join(words[start : start + count - 1])
        last = words[start + count - 1]
        exact = table.get(f"{head} {last}".strip())
        for single in singulars(last):
            found = table.get(f"{head} {single}".strip())
            if found and exact in (None, found):
                return count, tuple(Meaning(meaning.group, meaning.value, plural=True) for meaning in found)
        if exact:
            return count, exact
    return 0, ()
