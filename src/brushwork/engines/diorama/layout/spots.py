"""A thing on the image plane: the value that arranging works on, before anything has metres.

Units as in scene.py: the picture's shorter side is two units; u grows to the right, v downwards.
"""

import math
from dataclasses import dataclass

from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.subjects.sprites import aspect
from brushwork.engines.diorama.words.lexicon import Concept
from brushwork.engines.diorama.words.reading import Mention


@dataclass(frozen=True)
class Spot:
    """One thing on the image plane."""

    mention: Mention
    concept: Concept
    number: int
    """Which of the mention's things."""
    artwork: str
    size: float
    """Height in units."""
    u: float = 0.0
    """Middle, units right."""
    v: float = 0.6
    """Where it stands (its lower edge), units below the middle."""
    zone: str = "ground"
    """ground, water, air, free."""
    behind: float = 1.0
    """Distance as a multiple of the hero's."""
    tilt: float = 0.0
    flip: bool = False
    feet: float | None = None
    """Where the thing it stands on meets the ground, when it stands on another."""

    @property
    def width(self) -> float:
        return self.size * aspect(self.artwork)


def half_sides(scene: Scene) -> tuple[float, float]:
    ratio = scene.aspect[0] / scene.aspect[1]
    return (ratio, 1.0) if ratio >= 1 else (1.0, 1.0 / ratio)


def horizon(scene: Scene) -> float:
    return math.tan(math.radians(scene.pitch)) * scene.focal
