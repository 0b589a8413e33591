"""One picture of the painter and all that is true of it. A seed is a picture: the same one on every machine.

What is wished for is thrown together in wishes.py. Knows no network and no files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.looks.grade import finished
from brushwork.engines.diorama.params import Knobs
from brushwork.engines.diorama.scene import Scene, natural_view
from brushwork.engines.diorama.subjects.standing import paint_subjects
from brushwork.engines.diorama.words.reading import Understanding
from brushwork.engines.diorama.worlds.world import paint_world
from training.world.wishes import caption_of, wish


@dataclass(frozen=True)
class Sample:
    """A picture and its truth."""

    image: np.ndarray
    """(H, W, 3) bytes."""
    alpha: np.ndarray
    """(H, W) float32 0..1: how much of each pixel subjects hide."""
    depth: np.ndarray
    """(H, W) float32 metres along the view axis; inf for the sky."""
    concepts: tuple[str, ...]
    """What is drawn, the hero first; empty for a landscape."""
    place: str
    time: str
    weather: str
    season: str
    style: str
    caption: str


def sample(
    seed: int, *, size: int = 224, concepts: Sequence[str] | None = None, subjects: bool = True, detail: float = 0.35
) -> Sample:
    """The picture of this seed, `size` pixels a side; its hero is one of `concepts` where they are given."""
    cv2.setNumThreads(1)  # one process a core is faster than many threads on a small picture
    rng = np.random.default_rng([seed, 2026])
    asked = wish(seed, rng, concepts=concepts, subjects=subjects)
    scene = compose(asked, knobs=knobs(rng), seed=int(rng.integers(2**31)), index=0)
    image, alpha, depth = painted(scene, size, detail)
    return Sample(
        image=image,
        alpha=alpha,
        depth=depth,
        concepts=shown(asked, scene),
        place=scene.place,
        time=scene.time,
        weather=scene.weather,
        season=scene.season,
        style=scene.style,
        caption=caption_of(asked, scene, rng),
    )


def knobs(rng: np.random.Generator) -> Knobs:
    """Mostly the usual ones, sometimes more daring."""
    chaos = float(rng.uniform(0, 0.8)) if rng.random() < 0.5 else 0.0
    return Knobs(chaos=chaos, stylize=float(rng.choice([0.05, 0.1, 0.1, 0.3, 0.6])), quality=0.5)


def shown(asked: Understanding, scene: Scene) -> tuple[str, ...]:
    """The wished concepts that found a place in the scene, in the order of the wish."""
    drawn = {subject.concept for subject in scene.subjects}
    return tuple(dict.fromkeys(mention.concept for mention in asked.mentions if mention.concept in drawn))


def painted(scene: Scene, size: int, detail: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """→ picture in bytes, cover of the subjects, depth."""
    world = paint_world(scene, natural_view(scene, size, size), detail=detail)
    world.cover = np.zeros(world.depth.shape, np.float32)
    paint_subjects(world, scene)
    colours = finished(world.color, world.depth, scene)
    return np.asarray(colours * 255 + 0.5, np.uint8), world.cover.clip(0, 1), np.asarray(world.depth, np.float32)
