"""Subjects that move: boats rock, birds and balloons drift, animals breathe, flames flicker, what swims sways.

Each subject is lit once, larger than it will be shown, and then set into every frame where it is by now. Its artwork
is one drawing, so it leans, rises and breathes, but does not walk.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.motion.clock import Moment
from brushwork.engines.diorama.noise import Field, as_f32
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.subjects.standing import (
    GLOWS,
    Pose,
    cast_shadow,
    glow,
    lit_by,
    mirror,
    on_something,
    posed,
    standing_in,
    unhidden,
    wet_feet,
)
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.worlds.painted import World
from brushwork.engines.diorama.worlds.places import PLACES

LARGER = 1.35
"""How much larger than in the still picture subjects are drawn, for a camera that comes nearer."""


@dataclass(frozen=True)
class Gesture:
    """How a subject stands at a moment, against the still picture."""

    aside: float = 0.0
    up: float = 0.0
    """In parts of its height."""
    tilt: float = 0.0
    """Degrees, clockwise."""
    wide: float = 1.0
    tall: float = 1.0
    light: float = 1.0


Way = Callable[[Moment, float], Gesture]
"""Moment and the subject's own phase (0-1) → gesture."""


def _rocks(m: Moment, p: float) -> Gesture:
    return Gesture(0, 0.012 * m.swing(3.1, p), 1.7 * m.swing(3.9, p + 0.3) + 0.6 * m.swing(2.2, p))


def _drifts(m: Moment, p: float) -> Gesture:
    return Gesture(0.045 * m.swing(8, p), 0.035 * m.swing(5, p + 0.2), 0.8 * m.swing(6, p))


def _flaps(m: Moment, p: float) -> Gesture:
    beat = m.swing(0.62, p)
    return Gesture(
        0.10 * m.swing(5, p), 0.05 * m.swing(2.5, p) - 0.012 * beat, 1.5 * m.swing(3.3, p), 1, 1 + 0.035 * beat
    )


def _swims(m: Moment, p: float) -> Gesture:
    return Gesture(
        0.16 * m.swing(5, p), 0.05 * m.swing(3.4, p), 1.6 * m.swing(2.8, p), 1 + 0.022 * m.swing(0.85, p), 1.0
    )


def _breathes(m: Moment, p: float) -> Gesture:
    breath = m.swing(3.0, p)
    return Gesture(0, 0, 0.35 * m.swing(5.0, p + 0.4), 1 - 0.002 * breath, 1 + 0.006 * breath)


def _sways(m: Moment, p: float) -> Gesture:
    return Gesture(0, 0, 1.0 * m.swing(2.6, p) + 0.4 * m.swing(1.2, 2 * p))


def _floats(m: Moment, p: float) -> Gesture:
    return Gesture(0.05 * m.swing(9, p), 0.04 * m.swing(7, p + 0.1), 2.2 * m.swing(10, p))


def _burns(m: Moment, p: float) -> Gesture:
    lick = 0.6 * m.swing(0.45, p) + 0.4 * m.swing(0.31, p + 0.4)
    return Gesture(0, 0, 0.5 * m.swing(0.7, p), 1 - 0.012 * lick, 1 + 0.028 * lick, 1 + 0.20 * lick)


def _shines(m: Moment, p: float) -> Gesture:
    return replace(_drifts(m, p), aside=0.0, light=1 + 0.15 * m.swing(1.7, p))


def _stands(_m: Moment, _p: float) -> Gesture:
    return Gesture()


_BY_KIND: dict[str, Way] = {
    "animal": _breathes, "person": _breathes, "plant": _sways, "fish": _swims, "bird": _breathes, "boat": _rocks,
    "celestial": _shines,
}  # fmt: skip
_BY_NAME: dict[str, Way] = {"fire": _burns, "candle": _burns, "phoenix": _burns, "robot": _breathes}


def way_of(subject: Subject, scene: Scene, *, flies: bool, wet: bool) -> Way:
    """How a subject moves, by what it is and where it is."""
    kind, stands = concepts()[subject.concept].kind, PLACES[scene.place].stands
    if subject.concept in _BY_NAME:
        return _BY_NAME[subject.concept]
    if scene.place == "underwater" and (kind in ("fish", "animal", "person") or flies):
        return _swims
    if stands == "space":
        return _floats
    if wet and kind != "building":
        return _rocks
    if flies:
        return _flaps if kind == "bird" else _drifts
    return _BY_KIND.get(kind, _shines if subject.concept in GLOWS else _stands)


@dataclass(frozen=True)
class Actor:
    """A subject, ready to be set into frames."""

    subject: Subject
    picture: Field
    """(h, w, 4) premultiplied, under the scene's light, `LARGER` than in the still picture."""
    outline: Field
    """(h, w) its whole alpha, also where grass or water hides its feet."""
    scale: float
    """Pixels per metre in `picture`."""
    from_middle: tuple[float, float]
    """Pixels in `picture` from the spot it is at to the middle of its canvas, right and down."""
    pivot: float
    """Where it turns: pixels in `picture` from its middle down to it."""
    lifted: float
    way: Way
    phase: float


def actors_of(scene: Scene, world: World) -> list[Actor]:
    """The scene's subjects in a painted world without them, far to near."""
    rng = np.random.default_rng([scene.seed, 17])
    large = _larger(world)
    poses = [posed(subject, large, scene, rng) for subject in sorted(scene.subjects, key=lambda subject: -subject.z)]
    return [_actor(pose, large, scene) for pose in poses]


def _larger(world: World) -> World:
    """The same world in more pixels: only what posing and lighting look at."""
    v = world.camera.view
    view = replace(v, width=round(v.width * LARGER), height=round(v.height * LARGER))
    shape = (view.height, view.width)
    color, depth = np.zeros((*shape, 3), np.float32), np.full(shape, np.inf, np.float32)
    water = as_f32(cv2.resize(world.water, (view.width, view.height), interpolation=cv2.INTER_NEAREST))
    return World(color, depth, water, world.light, replace(world.camera, view=view), world.ground_height)


def _actor(pose: Pose, world: World, scene: Scene) -> Actor:
    lit = lit_by(world, scene, pose)
    alpha = lit[..., 3]
    if pose.lifted < 0.05 * pose.subject.height:
        alpha = alpha * standing_in(world, scene, pose, alpha.shape, pose.top, pose.left)
    picture = as_f32(np.concatenate([lit[..., :3] * alpha[..., None], alpha[..., None]], 2))
    h, w = alpha.shape
    px, _, scale = world.project(pose.subject.x, 0.0, pose.subject.z)
    middle = (pose.left + w / 2 - px, pose.top + h / 2 - pose.feet)
    flies = pose.lifted > 0.35 * pose.subject.height and not on_something(pose.subject, scene)
    wet = wet_feet(world, pose) > 0.5 and not flies
    phase = float(np.random.default_rng([scene.seed, 61, int(abs(pose.subject.x) * 100)]).random())
    way = way_of(pose.subject, scene, flies=flies, wet=wet)
    pivot = 0.0 if flies else -middle[1]
    return Actor(pose.subject, picture, lit[..., 3], scale, middle, pivot, pose.lifted, way, phase)


# ---------------------------------------------------------------- in a frame


def set_actors(world: World, actors: list[Actor], scene: Scene, camera: Camera, moment: Moment) -> None:
    """All of them into the world, which is seen by `camera`."""
    gestures = [actor.way(moment, actor.phase) for actor in actors]
    poses = [_pose(actor, gesture, world, scene, camera) for actor, gesture in zip(actors, gestures, strict=True)]
    shown = [(pose, lit, gesture) for (pose, lit), gesture in zip(poses, gestures, strict=True) if pose is not None]
    for pose, _, _ in shown:
        cast_shadow(world, scene, replace(pose, subject=replace(pose.subject, x=pose.subject.x - camera.x)))
    company = replace(scene, subjects=tuple(pose.subject for pose, _, _ in shown))
    for pose, lit, gesture in shown:
        _set(world, company, pose, lit, gesture, moment)


def _pose(actor: Actor, gesture: Gesture, world: World, scene: Scene, camera: Camera) -> tuple[Pose | None, Field]:
    """Where the actor is in this frame, with its outline as picture; and its lit picture there."""
    subject, nothing = actor.subject, np.zeros((1, 1, 4), np.float32)
    z = subject.z - camera.z
    if z < 0.8:
        return None, nothing
    x = subject.x - camera.x + gesture.aside * subject.height
    ground = world.ground(x, z) if PLACES[scene.place].stands not in ("space", "sky") else 0.0
    flying = actor.lifted > 0.35 * subject.height and not on_something(subject, scene)
    base = subject.lift if flying else ground + subject.lift
    px, py, scale = world.project(x, base + gesture.up * subject.height, z)
    zoom = scale / actor.scale
    middle_x, middle_y = px + actor.from_middle[0] * zoom, py + actor.from_middle[1] * zoom
    turn = np.deg2rad(gesture.tilt)
    c, s = float(np.cos(turn)) * zoom, float(np.sin(turn)) * zoom
    linear = np.array([[c * gesture.wide, -s * gesture.tall], [s * gesture.wide, c * gesture.tall]])
    h, w = actor.outline.shape
    pivot = np.array([0.0, actor.pivot])
    centre = np.array([middle_x, middle_y]) + pivot * zoom - linear @ pivot
    reach = np.abs(linear) @ np.array([w / 2, h / 2]) + 1.5
    left, top = (int(np.floor(v)) for v in centre - reach)
    right, bottom = (int(np.ceil(v)) for v in centre + reach)
    rows, columns = world.color.shape[:2]
    if right <= 0 or bottom <= 0 or left >= columns or top >= rows or bottom - top > 3 * rows:
        return None, nothing
    shift = centre - linear @ np.array([w / 2 - 0.5, h / 2 - 0.5]) - np.array([left + 0.5, top + 0.5])
    matrix = np.concatenate([linear, shift[:, None]], 1)
    size = (right - left, bottom - top)
    way = cv2.INTER_AREA if zoom < 0.5 else cv2.INTER_LINEAR
    lit = as_f32(cv2.warpAffine(actor.picture, matrix, size, flags=way))
    outline = as_f32(cv2.warpAffine(actor.outline, matrix, size, flags=way))
    moved = replace(subject, z=z)
    picture = np.repeat(outline[..., None], 4, 2)
    return Pose(moved, picture, left, top, py, scale, max(base - ground, 0.0)), lit


def _set(world: World, scene: Scene, pose: Pose, lit: Field, gesture: Gesture, moment: Moment) -> None:
    rows, columns = world.color.shape[:2]
    y0, y1 = max(pose.top, 0), min(pose.top + lit.shape[0], rows)
    x0, x1 = max(pose.left, 0), min(pose.left + lit.shape[1], columns)
    if y1 <= y0 or x1 <= x0:
        return
    part = lit[y0 - pose.top : y1 - pose.top, x0 - pose.left : x1 - pose.left]
    depth = world.depth[y0:y1, x0:x1]
    keep = unhidden(depth, pose)
    alpha = part[..., 3] * keep
    target = world.color[y0:y1, x0:x1]
    target *= 1 - alpha[..., None]
    target += part[..., :3] * keep[..., None]
    depth[...] = np.where(alpha > 0.5, np.float32(pose.subject.z), depth)
    if not on_something(pose.subject, scene):
        straight = lit[..., :3] / np.maximum(lit[..., 3:], 1e-3)
        ripple = 2 * np.pi * moment.turns(1.6)
        mirror(world, scene, pose, as_f32(np.concatenate([straight, pose.picture[..., 3:]], 2)), ripple=ripple)
    if pose.subject.concept in GLOWS:
        r, g, b = (channel * gesture.light for channel in GLOWS[pose.subject.concept])
        glow(world, pose, (r, g, b))
