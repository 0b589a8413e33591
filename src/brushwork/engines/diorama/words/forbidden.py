"""What `--no`, "without" and negative weights forbid: names of things, places, styles and of what places bring."""

from collections.abc import Sequence

from brushwork.engines.diorama.words.lexicon import TOKEN, Meaning, look_up

CONTENT = frozenset({"subject", "place", "time", "weather", "season", "element", "nearest"})
"""Groups of meanings that a picture can show."""
ALSO = {
    "tree": ("trees",), "pine tree": ("trees",), "palm tree": ("trees", "palms"), "bare tree": ("trees",),
    "forest": ("trees",), "flower_field": ("flowers",), "daisy": ("flowers",), "cloudy": ("clouds",),
    "house": ("houses", "buildings"), "office building": ("buildings",), "village": ("houses",),
    "city_street": ("buildings",), "skyline": ("buildings",), "snow": ("snow",), "winter": ("snow",),
    "rock": ("rocks",), "man": ("people", "person"), "woman": ("people",), "sea": ("water",), "lake": ("water",),
    "meadow": ("grass",), "cactus": ("cacti",), "night": ("stars",), "star": ("stars",), "mountains": ("mountains",),
    "coral": ("corals",), "space": ("planets",), "ringed planet": ("planets",), "arctic": ("ice",),
    "island": ("islands",), "neon": ("neon",), "bird": ("birds",), "beach": ("sand",), "castle": ("castle",),
    "fish": ("fish",), "rain": ("rain",), "fog": ("fog",), "hills": ("hills",), "volcano": ("lava", "smoke"),
    "studio": ("backdrop",),
}  # fmt: skip
"""What else must not be seen when this is forbidden: names that places bring."""


def denials(meaning: Meaning) -> set[str]:
    """All names that a forbidden phrase stands for."""
    return {meaning.value, *ALSO.get(meaning.value, ())}


def forbid(terms: Sequence[str]) -> tuple[set[str], tuple[str, ...]]:
    """`--no` terms → names that must not appear, and the terms that mean nothing here."""
    names: set[str] = set()
    unknown = []
    for term in terms:
        tokens, at, known = TOKEN.findall(term.lower()), 0, False
        while at < len(tokens):
            count, meanings = look_up(tokens, at)
            for meaning in meanings:
                if meaning.group in CONTENT | {"style", "palette", "colour"}:
                    names |= denials(meaning)
                    known = True
            at += max(count, 1)
        if not known:
            unknown.append(term)
    return names, tuple(unknown)
