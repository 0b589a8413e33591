"""Repaint and extend: pan, outpaint, inpaint, edit. A picture with a Scene goes on in its own world, through a wider or
moved window; any other is continued with its own patches. New words put their subjects into the hole.
"""

from dataclasses import replace

import cv2
import numpy as np

from brushwork.engines.base import Row
from brushwork.engines.diorama.drawing import finish, paint_shot
from brushwork.engines.diorama.follow import pixels
from brushwork.engines.diorama.follow.canvas import Canvas, laid, room
from brushwork.engines.diorama.follow.fill import filled
from brushwork.engines.diorama.follow.newcomers import newcomers
from brushwork.engines.diorama.follow.plane import seen
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
from brushwork.engines.diorama.worlds.places import PLACES, shows
from brushwork.engines.diorama.worlds.world import paint_world

NOTHING = Understanding()
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
    elsewhere = bool(asked.place) and not shows(scene.place, asked.place or "")
    is_other = not asked.mentions and (row.index > 0 or is_inner(canvas))
    picture, painted = on_canvas(row, replace(shot, scene=scene), asked if not elsewhere else NOTHING, canvas, tell)
    was_reworked = bool((source_of(row).recipe or {}).get("pixels"))
    if was_reworked and disagreement(picture, canvas) > AGREES:
        return None
    picture = pixels.seam_eased(picture, canvas.colours, canvas.hole, reach=0.2)
    if elsewhere:
        other, painted = on_canvas(row, replace(shot, scene=scenery(scene, asked)), asked, canvas, tell)
        other = pixels.seam_eased(other, canvas.colours, canvas.hole, reach=0.08)
        picture = crossed(picture, other, canvas.hole, row, 0.004, 0.06 if is_inner(canvas) else 0.25)
    elif is_other:
        picture, painted = otherwise(row, picture, painted, canvas, tell)
    picture = pixels.mixed(canvas.colours, picture, canvas.hole)
    stays = not (elsewhere or is_other or cut or was_reworked)
    return Made(picture, recipe_of(painted, words=lasting_words(row), pixels=not stays))


def is_inner(canvas: Canvas) -> bool:
    """Whether a good part of the source itself is repainted."""
    return float(canvas.within.sum()) > 0.3 * float(canvas.hole.sum())


def window(view: View, canvas: Canvas, row: Row) -> View:
    """What the canvas shows of the plane on which the source shows `view`."""
    across, down = (view.right - view.left) / canvas.place.width, (view.bottom - view.top) / canvas.place.height
    left, top = view.left - canvas.place.left * across, view.top - canvas.place.top * down
    return View(left, top, left + row.width * across, top + row.height * down, row.width, row.height)


def on_canvas(row: Row, shot: Shot, asked: Understanding, canvas: Canvas, tell: OnPass) -> tuple[Field, Shot]:
    """The Shot with what is asked for standing in the hole, and the Shot that it has become."""
    world = paint_world(shot.scene, shot.view, detail=shot.detail, on_pass=tell)
    tell("subjects")
    new = newcomers(row, not_there(asked, shot.scene), shot.scene, world, room(canvas.hole))
    scene = replace(shot.scene, subjects=tuple(sorted((*shot.scene.subjects, *new), key=lambda s: -s.z)))
    shot = replace(shot, scene=scene)
    paint_subjects(world, scene)
    tell("finish")
    colour, depth = world.color, world.depth
    del world
    return finish(colour, depth, shot), shot


def not_there(asked: Understanding, scene: Scene) -> Understanding:
    """Without what the picture shows already: a prompt for the whole picture names that too."""
    there = {subject.concept for subject in scene.subjects}
    mentions = tuple(mention for mention in asked.mentions if mention.concept not in there)
    return asked if len(mentions) == len(asked.mentions) else replace(asked, mentions=mentions, relations=())


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


def scenery(scene: Scene, asked: Understanding) -> Scene:
    """Another place under the same camera and light."""
    place = asked.place or scene.place
    return replace(
        scene,
        place=place,
        time=asked.time or scene.time,
        weather=asked.weather or scene.weather,
        season=asked.season or PLACES[place].default_season,
        eye=PLACES[place].eye,
        subjects=(),
    )


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
    picture = filled(canvas.picture, canvas.hole, seed=row.seed + row.index)
    asked = understood(row) if asks_anew(row) else NOTHING
    if asked.place and not asked.mentions:
        tell("land")
        shot = natural_shot(scene_for(row), row.width, row.height)
        other, _ = matched(paint_shot(shot, on_pass=tell), picture, 0.6)
        other = pixels.seam_eased(other, canvas.colours, canvas.hole, reach=0.08)
        picture = crossed(picture, other, canvas.hole, row, 0.01, 0.09)
    if asked.mentions:
        tell("subjects")
        box = room(canvas.hole)
        world, scene = as_world(picture, row, box)
        new = newcomers(row, asked, scene, world, box)
        farthest = max((subject.z for subject in new), default=0.0)
        world.depth = np.asarray(np.maximum(world.depth, farthest), np.float32)  # nothing known stands before them
        paint_subjects(world, replace(scene, subjects=new))
        picture = np.asarray(np.clip(world.color, 0, 1), np.float32)
    picture = pixels.mixed(canvas.colours, picture, canvas.hole)
    return Made(picture, without_scene(row.width, row.height, words=lasting_words(row)), {"inpaint": "emulated"})
