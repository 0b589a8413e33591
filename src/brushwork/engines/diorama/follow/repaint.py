"""Repaint and extend: pan, outpaint, inpaint, edit. A picture with a Scene goes on in its own world, through a wider or
moved window; any other is continued with its own patches. New words put their subjects into the hole.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from brushwork.engines.base import Row
from brushwork.engines.diorama.drawing import finish, paint_shot
from brushwork.engines.diorama.follow import pixels
from brushwork.engines.diorama.follow.bow import with_bow
from brushwork.engines.diorama.follow.canvas import LEAST, Canvas, laid, largest_part, stage
from brushwork.engines.diorama.follow.fill import begun, filled
from brushwork.engines.diorama.follow.newcomers import newcomers
from brushwork.engines.diorama.follow.plane import seen
from brushwork.engines.diorama.follow.shown import RAINBOW, as_asked, changes_of, is_changed, not_there, unseen
from brushwork.engines.diorama.follow.strangers import as_world
from brushwork.engines.diorama.follow.vary import matched, turned
from brushwork.engines.diorama.looks import brushes
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.recipe import Shot, natural_shot, recipe_of, shot_hinted, without_scene
from brushwork.engines.diorama.rows import (
    Made,
    OnPass,
    asks_anew,
    lasting_words,
    scene_for,
    source_of,
    understood,
    words,
)
from brushwork.engines.diorama.scene import Scene, Subject, View
from brushwork.engines.diorama.subjects.standing import paint_subjects
from brushwork.engines.diorama.words.reading import Understanding
from brushwork.engines.diorama.worlds.world import paint_world

NOTHING = Understanding()
UNKNOWN = Scene(seed=0, time="", weather="", season="", style="none")
"""Any picture: nothing is known of its hour."""
AGREES = 0.09
"""Mean difference from the pixels around the hole up to which a reworked picture still shows its world."""


def repainted(row: Row, tell: OnPass) -> Made:
    """The row's canvas with its hole painted."""
    canvas = laid(row)
    if canvas.hole.mean() > 0.999:
        shot = natural_shot(scene_for(row), row.width, row.height)
        return Made(paint_shot(shot, on_pass=tell), recipe_of(shot, words=words(row)))
    shot_before = shot_hinted(source_of(row).recipe)
    if shot_before and not shot_before.scene.tile:
        made = in_its_world(row, canvas, shot_before, tell)
        if made:
            return made
    return in_its_pixels(row, canvas, tell)


# ---------------------------------------------------------------- with a Scene


def in_its_world(row: Row, canvas: Canvas, before: Shot, tell: OnPass) -> Made | None:
    """Painted through the canvas's window; None when the picture around the hole no longer shows its world."""
    asked = understood(row) if asks_anew(row) else NOTHING
    shot = replace(before, view=window(before.view, canvas, row))
    scene, cut = cleared(shot, canvas, row, renew=not asked.mentions)
    shot, asked = replace(shot, scene=scene), not_there(asked, scene)
    wished = as_asked(scene, asked)
    is_new = wished.place != scene.place
    made = on_canvas(row, shot, NOTHING if is_new else asked, canvas, tell)
    was_reworked = bool((source_of(row).recipe or {}).get("pixels"))
    if was_reworked and disagreement(made.picture, canvas) > AGREES:
        return None
    picture, missing = pixels.seam_eased(made.picture, canvas.colours, canvas.hole, reach=0.2), made.missing
    is_other = wished == scene and not made.came and (row.index > 0 or is_inner(canvas))
    if wished != scene or is_other:
        picture = pixels.as_bytes(picture)
        made = replace(made, picture=picture)  # it waits for another, and takes less room so
    if wished != scene:
        other = on_canvas(row, replace(shot, scene=again(wished, row)), asked, canvas, tell)
        eased = pixels.seam_eased(other.picture, canvas.colours, canvas.hole, reach=0.08)
        blended = crossed(picture, eased, canvas.hole, row, 0.004, 0.06 if is_inner(canvas) else 0.25)
        unchanged = () if is_changed(pixels.as_floats(picture), blended, canvas.hole) else changes_of(scene, asked)
        picture, missing, made = blended, (*other.missing, *unchanged), other
    elif is_other:
        picture, painted = otherwise(row, picture, made.shot, canvas, tell)
        made = replace(made, shot=painted)
    picture = pixels.mixed(canvas.colours, picture, canvas.hole)
    stays = not (wished != scene or is_other or cut or was_reworked or made.bowed)
    recipe = recipe_of(made.shot, words=lasting_words(row), pixels=not stays)
    return Made(picture, recipe, degraded=tuple(missing))


def again(scene: Scene, row: Row) -> Scene:
    """With other clouds and plants in each picture of the grid."""
    if row.index == 0:
        return scene
    new = int(np.random.default_rng([row.seed, 73, row.index]).integers(1, 2**31))
    return replace(scene, grain=new, growth=new)


def is_inner(canvas: Canvas) -> bool:
    """Whether a good part of the source itself is repainted."""
    return float(canvas.within.sum()) > 0.3 * float(canvas.hole.sum())


def window(view: View, canvas: Canvas, row: Row) -> View:
    """What the canvas shows of the plane on which the source shows `view`."""
    across, down = (view.right - view.left) / canvas.place.width, (view.bottom - view.top) / canvas.place.height
    left, top = view.left - canvas.place.left * across, view.top - canvas.place.top * down
    return View(left, top, left + row.width * across, top + row.height * down, row.width, row.height)


@dataclass(frozen=True)
class Staged:
    """A canvas painted through a window, with newcomers."""

    picture: Field
    shot: Shot
    came: bool = False
    """Whether something new stands there."""
    missing: tuple[str, ...] = ()
    """What of the words is not to be seen."""
    bowed: bool = False
    """Whether a rainbow was set into its sky."""


def on_canvas(row: Row, shot: Shot, asked: Understanding, canvas: Canvas, tell: OnPass) -> Staged:
    """The Shot with what is asked for standing in the hole, and the Shot that it has become."""
    world = paint_world(shot.scene, shot.view, detail=shot.detail, on_pass=tell)
    tell("subjects")
    missing: list[str] = []
    bowed = False
    if asked.weather == RAINBOW and shot.scene.weather != RAINBOW:
        sky = np.asarray(~np.isfinite(world.depth), np.float32)
        level = (world.camera.tilt * world.camera.focal - shot.view.top) * world.camera.row_scale
        bowed = with_bow(world.color, sky, canvas.hole, world.light, level=level)
        missing += [] if bowed else [f"word:{RAINBOW}"]
    new = newcomers(row, asked, shot.scene, world, stage(canvas, row.index)) if asked.mentions else ()
    missing += unseen(new, asked, row, world, canvas.hole)
    scene = replace(shot.scene, subjects=tuple(sorted((*shot.scene.subjects, *new), key=lambda s: -s.z)))
    shot = replace(shot, scene=scene)
    paint_subjects(world, scene)
    tell("finish")
    colour, depth = world.color, world.depth
    del world
    return Staged(finish(colour, depth, shot), shot, bool(new), tuple(missing), bowed)


def cleared(shot: Shot, canvas: Canvas, row: Row, *, renew: bool) -> tuple[Scene, bool]:
    """The Scene without the subjects that are repainted (or with others of their kind), and whether one is cut."""
    rng = np.random.default_rng([row.seed, 67, row.index])
    kept: list[Subject] = []
    cut = False
    for subject in shot.scene.subjects:
        share = covered(subject, shot, canvas)
        cut = cut or 0.05 < share < 0.95
        if share < 0.55:
            kept.append(subject)
        elif renew:
            kept.append(turned(subject, 1.0, rng))
    return replace(shot.scene, subjects=tuple(kept)), cut


def covered(subject: Subject, shot: Shot, canvas: Canvas) -> float:
    """How much of a subject's box, as far as the source shows it, is repainted."""
    view, box = shot.view, seen(subject, shot.scene)
    across, down = view.width / (view.right - view.left), view.height / (view.bottom - view.top)
    x0, x1 = (int(np.clip((u - view.left) * across, 0, view.width)) for u in (box.left, box.right))
    y0, y1 = (int(np.clip((v - view.top) * down, 0, view.height)) for v in (box.top, box.v))
    shown = float(canvas.inside[y0:y1, x0:x1].sum())
    return float(canvas.within[y0:y1, x0:x1].sum()) / shown if shown else 0.0


def otherwise(row: Row, picture: Field, shot: Shot, canvas: Canvas, tell: OnPass) -> tuple[Field, Shot]:
    """Away from the border other clouds and plants than the world's own: pictures of a grid differ."""
    rng = np.random.default_rng([row.seed, 71, row.index])
    new = int(rng.integers(1, 2**31))
    shot = replace(shot, scene=replace(shot.scene, grain=new, growth=new))
    other = paint_shot(shot, on_pass=tell)
    inner = is_inner(canvas)
    return crossed(picture, other, canvas.hole, row, 0.0 if inner else 0.04, 0.06 if inner else 0.45), shot


def crossed(near: Field, far: Field, hole: Field, row: Row, start: float, end: float) -> Field:
    """From one picture at the hole's border to another inside, along a wandering line; distances in shares of the
    shorter side.
    """
    side = min(hole.shape)
    away = pixels.distance_from(np.asarray(1 - hole, np.float32)) / side
    wander = brushes.noise(hole.shape, row.seed + row.index, side / 24) * 0.25 + 1
    share = pixels.ramp(start, end, np.asarray(away * np.clip(wander, 0.4, 1.6), np.float32))
    return pixels.mixed(near, far, share)


def disagreement(picture: Field, canvas: Canvas) -> float:
    """Mean difference just outside the hole, after a blur."""
    wide = max(3, round(0.05 * min(canvas.hole.shape))) | 1
    ring = cv2.dilate(canvas.hole, np.ones((wide, wide), np.uint8)) * (1 - canvas.hole)
    if ring.sum() < 8:
        return 0.0
    sigma = wide / 8
    both = [pixels.broad(np.asarray(p * ring[..., None], np.float32), sigma) for p in (picture, canvas.picture)]
    weight = pixels.broad(np.asarray(ring, np.float32), sigma)
    return float(np.abs(both[0] - both[1]).mean(2).sum() / max(float(weight.sum()), 1e-6))


# ---------------------------------------------------------------- without


def in_its_pixels(row: Row, canvas: Canvas, tell: OnPass) -> Made:
    """Any picture: its own patches go on into the hole, and what the words ask for stands there."""
    tell("fill")
    asked = understood(row) if asks_anew(row) else NOTHING
    is_placed = bool(asked.place) and (not asked.mentions or not is_inner(canvas))
    if is_placed:  # little of the old picture goes on, a mirror image will do
        picture = begun(canvas.picture, canvas.hole)
    else:
        picture = filled(canvas.picture, canvas.hole, seed=row.seed + row.index)
    missing: list[str] = [] if is_placed else list(changes_of(UNKNOWN, asked))
    if is_placed:
        tell("land")
        other, _ = matched(landscape(row, canvas, tell), picture, 0.35)
        picture = crossed(picture, other, canvas.hole, row, 0.0, 0.022)
    elif asked.place:
        missing.append(f"place:{asked.place}")
    if asked.mentions or (asked.weather == RAINBOW and not is_placed):
        tell("subjects")
        picture, unmet = peopled(picture, asked, row, canvas, bow=not is_placed)
        missing += unmet
    picture = pixels.mixed(canvas.colours, picture, canvas.hole)
    recipe = without_scene(row.width, row.height, words=lasting_words(row))
    return Made(picture, recipe, {"inpaint": "emulated"}, tuple(missing))


def peopled(picture: Field, asked: Understanding, row: Row, canvas: Canvas, *, bow: bool) -> tuple[Field, list[str]]:
    """Any picture with what is asked for in it, and what of that is not to be seen."""
    box = stage(canvas, row.index)
    world, scene = as_world(picture, row, box)
    missing: list[str] = []
    if bow and asked.weather == RAINBOW:
        sky = np.asarray(~np.isfinite(world.depth), np.float32)
        if not with_bow(world.color, sky, canvas.hole, world.light, level=float(sky.any(1).sum())):
            missing.append(f"word:{RAINBOW}")
    new = newcomers(row, asked, scene, world, box)
    missing += unseen(new, asked, row, world, canvas.hole)
    farthest = max((subject.z for subject in new), default=0.0)
    world.depth = np.asarray(np.maximum(world.depth, farthest), np.float32)  # nothing known stands before them
    paint_subjects(world, replace(scene, subjects=new))
    return np.asarray(np.clip(world.color, 0, 1), np.float32), missing


def landscape(row: Row, canvas: Canvas, tell: OnPass) -> Field:
    """The place of the words round the source; in a repainted part of the source, a nearer view of its ground."""
    scene = replace(scene_for(row), subjects=())
    picture = paint_shot(natural_shot(scene, row.width, row.height), on_pass=tell)
    part = largest_part(canvas.within)
    if part.mean() < LEAST or is_inner(canvas):
        return picture
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    height, width = part[box].shape
    half = 0.5 / max(width / height, 1)
    near = paint_shot(
        Shot(scene, View(-half * width / height, 0.95 - 2 * half, half * width / height, 0.95, width, height))
    )
    picture[box] = pixels.mixed(picture[box], near, part[box])
    return picture
