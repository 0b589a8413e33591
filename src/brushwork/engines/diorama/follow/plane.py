"""Subjects on the image plane: where they are seen, moved there and put back into the world, in whole groups.

By perspective a thing at height y and distance z is seen at v = (tilt - (y - eye) / z) * focal. The ground is taken as
level. Units as in scene.py. Knows no pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.subjects.sprites import aspect
from brushwork.engines.diorama.subjects.standing import on_something
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.worlds.places import PLACES


@dataclass(frozen=True)
class Seen:
    """A subject's box: the middle of its lower edge, and its sides."""

    u: float
    v: float
    width: float
    height: float

    @property
    def left(self) -> float:
        return self.u - self.width / 2

    @property
    def right(self) -> float:
        return self.u + self.width / 2

    @property
    def top(self) -> float:
        return self.v - self.height


def artwork_of(subject: Subject) -> str:
    return subject.artwork or concepts()[subject.concept].artwork[0]


def tilt_of(scene: Scene) -> float:
    return math.tan(math.radians(scene.pitch))


def seen(subject: Subject, scene: Scene) -> Seen:
    scale = scene.focal / subject.z
    v = tilt_of(scene) * scene.focal - (subject.lift - scene.eye) * scale
    height = subject.height * scale
    return Seen(subject.x * scale, v, height * aspect(artwork_of(subject)), height)


def stands(subject: Subject, scene: Scene) -> bool:
    """Whether its feet are on ground or water, so that its height in the picture is its distance."""
    floats = PLACES[scene.place].stands in ("space", "sky")
    return not floats and abs(subject.lift) < 0.35 * subject.height


def groups(scene: Scene) -> list[list[Subject]]:
    """Subjects that belong together: what stands on another, and what is held at the same spot."""
    found: list[list[Subject]] = []
    for subject in sorted(scene.subjects, key=lambda s: s.lift):
        near = next((group for group in found if any(joined(subject, other, scene) for other in group)), None)
        if near is None:
            found.append([subject])
        else:
            near.append(subject)
    return found


def joined(a: Subject, b: Subject, scene: Scene) -> bool:
    pair = replace(scene, subjects=(a, b))
    return on_something(a, pair) or on_something(b, pair)


def around(group: Sequence[Subject], scene: Scene) -> Seen:
    """The box of all of them."""
    boxes = [seen(subject, scene) for subject in group]
    left, right = min(box.left for box in boxes), max(box.right for box in boxes)
    top, bottom = min(box.top for box in boxes), max(box.v for box in boxes)
    return Seen((left + right) / 2, bottom, right - left, bottom - top)


def moved(group: Sequence[Subject], scene: Scene, *, to: Scene, u: float, v: float, grow: float) -> list[Subject]:
    """The group seen by `scene`, with its box's foot at (u, v) and `grow` times as large in the picture of `to`."""
    box = around(group, scene)
    base = min(group, key=lambda subject: abs(subject.lift))
    drop = v - tilt_of(to) * to.focal
    grounded = stands(base, scene)
    z = to.eye * to.focal / drop if grounded and drop > 0.04 else base.z
    result = []
    for subject in group:
        old, far = seen(subject, scene), z * subject.z / base.z
        height = old.height * grow * far / to.focal
        lift = subject.lift * height / subject.height
        if not grounded:
            lift = to.eye + (tilt_of(to) - (v + (old.v - box.v) * grow) / to.focal) * far
        x = (u + (old.u - box.u) * grow) * far / to.focal
        result.append(replace(subject, x=x, z=far, height=height, lift=lift))
    return result
