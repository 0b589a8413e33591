"""What of the words a repainted picture shows: what is asked for besides what is there, and what did not find room."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brushwork.engines.base import Row
from brushwork.engines.diorama.follow.plane import artwork_of
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.rows import words
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.subjects.sprites import aspect
from brushwork.engines.diorama.words.lexicon import TOKEN, look_up
from brushwork.engines.diorama.words.reading import Mention, Understanding
from brushwork.engines.diorama.worlds.painted import World
from brushwork.engines.diorama.worlds.places import PLACES, shows

RAINBOW = "rainbow"
SMALLEST = 0.02
"""Of the canvas's shorter side: a subject that shows less of itself, up or across, is not to be seen."""
CHANGES = 0.012
"""Mean difference in the hole from which another light or weather is to be seen."""


def not_there(asked: Understanding, scene: Scene) -> Understanding:
    """Without what the picture shows already: a prompt for the whole picture names that too."""
    mentions = tuple(left for mention in asked.mentions if (left := missing_of(mention, scene)))
    return asked if mentions == asked.mentions else replace(asked, mentions=mentions, relations=())


def missing_of(mention: Mention, scene: Scene) -> Mention | None:
    """As many as the scene has too few of; another colour is another thing."""
    alike = [s for s in scene.subjects if s.concept == mention.concept and mention.colour in (None, s.colour)]
    return replace(mention, count=mention.count - len(alike)) if len(alike) < mention.count else None


def as_asked(scene: Scene, asked: Understanding) -> Scene:
    """The scene as the words want it: another place under the same camera, another hour or weather there."""
    place = asked.place if asked.place and not shows(scene.place, asked.place) else scene.place
    weather = asked.weather if asked.weather not in (None, RAINBOW) else scene.weather  # a bow is set into any sky
    changed = replace(
        scene,
        place=place,
        time=asked.time or scene.time,
        weather=weather or "clear",
        season=asked.season or scene.season,
        style=asked.style or scene.style,
        palette=asked.palette or scene.palette,
        emphasis=tuple({**dict(scene.emphasis), **dict(asked.elements)}.items()),
    )
    if place == scene.place:
        return changed
    season = asked.season or PLACES[place].default_season
    return replace(changed, season=season, eye=PLACES[place].eye, subjects=())


def changes_of(scene: Scene, asked: Understanding) -> tuple[str, ...]:
    """What of the words besides subjects differs from the scene, as `degraded` names it."""
    found = [
        f"word:{value.replace('_', ' ')}"
        for value, now in (
            (asked.time, scene.time), (asked.weather, scene.weather), (asked.season, scene.season),
            (asked.style, scene.style), (asked.palette, scene.palette),
        )
        if value and value != now and value != RAINBOW
    ]  # fmt: skip
    there = dict(scene.emphasis)
    return (*found, *(f"word:{name}" for name, factor in asked.elements if there.get(name) != factor))


def is_changed(before: Field, after: Field, hole: Field) -> bool:
    """Whether two pictures differ in the hole by more than noise."""
    step = max(1, min(hole.shape) // 256)
    part = hole[::step, ::step] > 0.5
    if not part.any():
        return False
    return float(np.abs(before[::step, ::step][part] - after[::step, ::step][part]).mean()) > CHANGES


def unseen(subjects: Sequence[Subject], asked: Understanding, row: Row, world: World, hole: Field) -> list[str]:
    """The mentions of which no subject is to be seen in the hole, as `degraded` names them."""
    visible = {s.concept for s in subjects if extent(s, world, hole) > SMALLEST * min(hole.shape)}
    return [f"word:{phrase_of(mention, row)}" for mention in asked.mentions if mention.concept not in visible]


def extent(subject: Subject, world: World, hole: Field) -> float:
    """The side, in pixels, of a square as large as what the hole holds of a subject's box."""
    base = world.ground(subject.x, subject.z) + subject.lift
    x, y, scale = world.project(subject.x, base, subject.z)
    high, half = subject.height * scale, subject.height * scale * aspect(artwork_of(subject)) / 2
    y0, y1 = (int(np.clip(row, 0, hole.shape[0])) for row in (y - high, y))
    x0, x1 = (int(np.clip(column, 0, hole.shape[1])) for column in (x - half, x + half))
    return float(np.sqrt(hole[y0:y1, x0:x1].sum()))


def phrase_of(mention: Mention, row: Row) -> str:
    """The words that asked for it."""
    for text, _ in words(row):
        tokens = TOKEN.findall(text.lower())
        at = 0
        while at < len(tokens):
            count, meanings = look_up(tokens, at)
            if any(meaning.value == mention.concept for meaning in meanings):
                return " ".join(tokens[at : at + count])
            at += max(count, 1)
    return mention.concept
