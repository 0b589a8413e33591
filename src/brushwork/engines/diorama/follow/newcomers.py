"""New subjects for a given part of a picture: sized for it, and set on the ground that is seen there."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from brushwork.engines.base import Place, Row
from brushwork.engines.diorama.follow.plane import Seen, around, groups, moved, stands, tilt_of
from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.params import knobs_of
from brushwork.engines.diorama.scene import Scene, Subject, View
from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.words.reading import Understanding
from brushwork.engines.diorama.worlds.painted import World

NARROW = 0.62
"""A box of at most this share of the canvas is filled by what is asked for; a larger one is a stage."""
STRIP = 0.25
"""In a box with a side below this share of the canvas, what is asked for stands as far away as it looks."""
DISTANCES = np.geomspace(0.6, 500, 90)
TAKES: Sequence[tuple[float, float, bool]] = (
    (1.0, 0.0, False),
    (0.76, -0.8, True),
    (0.88, 0.8, False),
    (0.62, 0.3, True),
)
"""For each picture of a grid: size, way across of the room that is left, whether mirrored."""


def newcomers(row: Row, asked: Understanding, scene: Scene, world: World, box: Place) -> tuple[Subject, ...]:
    """The mentions of `asked` as subjects of `scene`, within the box of the canvas that `world` shows."""
    if not asked.mentions or box.width < 4 or box.height < 4:
        return ()
    names, _ = forbid(row.negative)
    common = math.gcd(box.width, box.height)
    stage = compose(
        replace(asked, place=scene.place, time=scene.time),
        knobs=knobs_of(row.params, row.model),
        seed=row.seed,
        index=row.index,
        aspect=(box.width // common, box.height // common),
        forbidden=frozenset(names),
    )
    if not stage.subjects:
        return ()
    view = world.camera.view
    size, across, is_mirrored = TAKES[row.index % len(TAKES)]
    stage = replace(stage, subjects=tuple(recast(subject, row.index, is_mirrored) for subject in stage.subjects))
    grow, whole = scale_of(stage, box, view)
    grow *= size
    spare = max(0.94 * box.width / world.camera.scale - whole.width * grow, 0.0) / 2
    middle_u = view.left + (box.left + box.width / 2) / world.camera.scale + across * spare
    middle_v = view.top + (box.top + box.height / 2) / world.camera.row_scale
    half_v = box.height / 2 / world.camera.row_scale
    if any(stands(subject, stage) for subject in stage.subjects):
        foot = fitted_foot(middle_v, half_v, whole, grow)
        if min(box.width / view.width, box.height / view.height) < STRIP:
            foot = min(foot, max(true_foot(stage, scene, grow), middle_v - half_v * 0.94 + whole.height * grow))
        shift = foot - whole.v * grow
    else:  # in the air: as high as on the stage, within the box
        highest = middle_v - half_v * 0.94 - whole.top * grow
        shift = float(np.clip(middle_v, highest, middle_v + half_v * 0.94 - whole.v * grow))
    found: list[Subject] = []
    for group in groups(stage):
        seen = around(group, stage)
        u, v = middle_u + (seen.u - whole.u) * grow, seen.v * grow + shift
        placed = moved(group, stage, to=scene, u=u, v=v, grow=grow)
        found += grounded(placed, group, stage, scene, world, u, v)
    return tuple(found)


def recast(subject: Subject, index: int, is_mirrored: bool) -> Subject:
    """The same in another picture of the grid: mirrored, or by another of its pictures."""
    pictures = concepts()[subject.concept].artwork
    artwork = subject.artwork or (pictures[index % len(pictures)] if len(pictures) > 1 else None)
    return replace(subject, artwork=artwork, flip=subject.flip != is_mirrored)


def scale_of(stage: Scene, box: Place, view: View) -> tuple[float, Seen]:
    """Units of the canvas for a unit of the stage, and the box of all that stands on it."""
    boxes = [around(group, stage) for group in groups(stage)]
    left, right = min(b.left for b in boxes), max(b.right for b in boxes)
    top, bottom = min(b.top for b in boxes), max(b.v for b in boxes)
    whole = Seen((left + right) / 2, bottom, right - left, bottom - top)
    wide = box.width * (view.right - view.left) / view.width
    high = box.height * (view.bottom - view.top) / view.height
    fits = min(0.94 * wide / whole.width, 0.94 * high / whole.height)
    if max(box.width / view.width, box.height / view.height) <= NARROW:
        return fits, whole
    return min(math.sqrt(min(wide, high) / 2 * fits), fits), whole


def fitted_foot(middle: float, half: float, whole: Seen, grow: float) -> float:
    """Where the lowest foot goes: near the box's lower edge, inside it."""
    spare = 2 * half - whole.height * grow
    return middle + half - min(0.35 * spare, 0.16 * half)


def true_foot(stage: Scene, scene: Scene, grow: float) -> float:
    """Where on level ground it would look as large as it is to look."""
    base = min((s for s in stage.subjects if stands(s, stage)), key=lambda s: s.z)
    looks = base.height / base.z * stage.focal * grow
    natural = concepts()[base.concept].height
    return scene.focal * (tilt_of(scene) + scene.eye * looks / (natural * scene.focal))


def grounded(
    group: Sequence[Subject], before: Sequence[Subject], stage: Scene, scene: Scene, world: World, u: float, v: float
) -> list[Subject]:
    """The group at the distance at which the real ground is seen at (u, v); what flies, or has no ground, as it is."""
    base = min(zip(group, before, strict=True), key=lambda pair: abs(pair[1].lift))
    if not stands(base[1], stage):
        return list(group)
    view = world.camera.view
    row = (v - view.top) * world.camera.row_scale
    rows = []
    for z in DISTANCES:
        x = u * z / scene.focal
        rows.append(world.project(x, world.ground(x, float(z)), float(z))[1])
    errors = np.abs(np.array(rows) - row)
    near = np.flatnonzero(errors < 0.012 * view.height)
    if near.size:
        factor = float(DISTANCES[near[0] + int(errors[near[0] : near[0] + 3].argmin())]) / base[0].z
        return [
            replace(s, x=s.x * factor, z=s.z * factor, height=s.height * factor, lift=s.lift * factor) for s in group
        ]
    far = max(base[0].z, 12.0) / base[0].z  # in the sky: it hovers
    z = base[0].z * far
    lift = scene.eye + (tilt_of(scene) - v / scene.focal) * z
    return [replace(s, x=s.x * far, z=s.z * far, height=s.height * far, lift=s.lift * far + lift) for s in group]
