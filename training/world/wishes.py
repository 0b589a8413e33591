"""What a picture should show, thrown together from everything the painter understands, and how to say it in words.

Every concept is the hero equally often: each run of as many seeds as there are concepts uses each of them once.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from brushwork.engines.diorama.scene import PLACES, SEASONS, STYLES, TIMES, WEATHERS, Scene
from brushwork.engines.diorama.subjects.recolour import COLOURS
from brushwork.engines.diorama.words import lexicon
from brushwork.engines.diorama.words.reading import Mention, Understanding
from brushwork.engines.diorama.worlds.places import PLACES as WORLDS

PLAIN_SHARE = 0.45
"""Of pictures in no style at all."""
HOME_SHARE = 0.6
"""Of heroes where they belong; the others may be anywhere."""
CAMERAS = (None, "full", "close", "wide", "portrait", "low", "aerial")
CAMERA_ODDS = (0.5, 0.14, 0.12, 0.1, 0.06, 0.06, 0.02)
COUNTS, COUNT_ODDS = (1, 2, 3, 5), (0.84, 0.1, 0.04, 0.02)
POSITIONS = (None, "left", "right", "centre")
NUMBERS = {2: "two", 3: "three", 5: "five"}


def wish(
    seed: int, rng: np.random.Generator, *, concepts: Sequence[str] | None = None, subjects: bool = True
) -> Understanding:
    """All that the picture of this seed should show."""
    names = tuple(concepts) if concepts else tuple(lexicon.concepts())
    hero = names[int(order(len(names), seed // len(names))[seed % len(names)])]
    others = [str(name) for name in rng.choice(names, int(rng.choice([0, 1, 2], p=[0.7, 0.24, 0.06])))]
    at_home = rng.random() < HOME_SHARE
    place = str(rng.choice(lexicon.concepts()[hero].places if at_home and subjects else PLACES))
    open_air = WORLDS[place].kind in ("land", "city")
    return Understanding(
        mentions=tuple(mention(name, rng) for name in (hero, *others)) if subjects else (),
        place=place,
        time=some(rng, TIMES, 0.6),
        weather=some(rng, WEATHERS, 0.35) if open_air else None,
        season=some(rng, SEASONS, 0.25) if open_air else None,
        style=None if rng.random() < PLAIN_SHARE else str(rng.choice(STYLES[1:])),
        camera=CAMERAS[int(rng.choice(len(CAMERAS), p=CAMERA_ODDS))] if subjects else None,
    )


@lru_cache(maxsize=4)
def order(count: int, turn: int) -> np.ndarray:
    """In which order the concepts of one turn come."""
    return np.random.default_rng([turn, count, 7]).permutation(count)


def some(rng: np.random.Generator, values: Sequence[str], odds: float) -> str | None:
    return str(rng.choice(values)) if rng.random() < odds else None


def mention(name: str, rng: np.random.Generator) -> Mention:
    return Mention(
        name,
        count=int(rng.choice(COUNTS, p=COUNT_ODDS)),
        colour=str(rng.choice(sorted(COLOURS))) if rng.random() < 0.12 else None,
        size=float(rng.choice([1.0, 1.0, 1.0, 0.6, 1.7])),
        position=POSITIONS[int(rng.choice(len(POSITIONS), p=(0.64, 0.14, 0.14, 0.08)))],
        pose="flying" if rng.random() < 0.03 else None,
    )


def caption_of(asked: Understanding, scene: Scene, rng: np.random.Generator) -> str:
    """The wish in words that the painter would understand again."""
    things = " and ".join(thing(each, rng) for each in asked.mentions)
    place = said("place", scene.place, rng)
    parts = [f"{things} {rng.choice(('in', 'at', 'near'))} {place}" if things else place]
    parts += [said("time", scene.time, rng)] if asked.time else []
    parts += [said("weather", scene.weather, rng)] if asked.weather else []
    parts += [said("season", scene.season, rng)] if asked.season else []
    parts += [said("style", scene.style, rng)] if scene.style != "none" else []
    return ", ".join(parts)


def thing(asked: Mention, rng: np.random.Generator) -> str:
    concept = lexicon.concepts()[asked.concept]
    name = str(rng.choice((concept.name, concept.name, *concept.words)))
    words = [NUMBERS.get(asked.count, "a"), asked.colour or "", name if asked.count == 1 else plural(name)]
    return " ".join(word for word in words if word)


def plural(name: str) -> str:
    return name if name.endswith("s") else f"{name}es" if name.endswith(("x", "ch", "sh")) else f"{name}s"


def said(group: str, value: str, rng: np.random.Generator) -> str:
    """One of the phrases that mean it, the first one more often."""
    known = phrases().get((group, value), (value.replace("_", " "),))
    return known[0] if rng.random() < 0.4 else str(rng.choice(known))


@lru_cache(maxsize=1)
def phrases() -> dict[tuple[str, str], tuple[str, ...]]:
    """(group, value) → the phrases whose first meaning it is."""
    table: dict[tuple[str, str], list[str]] = {}
    for phrase, meanings in lexicon.phrases().items():
        first = meanings[0]
        table.setdefault((first.group, first.value), []).append(phrase)
    return {key: tuple(words) for key, words in table.items()}
