"""Variations and remixes: the same Scene a little or a lot otherwise, or new words on the old seed and camera.

`strength` 0-1 says how far. A picture that no Scene describes is varied in its pixels, and where new words ask for
something, painted anew in its light and layout.
"""

import math
from dataclasses import replace

import numpy as np

from brushwork.engines.base import Row
from brushwork.engines.diorama.drawing import as_colours, paint_shot
from brushwork.engines.diorama.follow import pixels
from brushwork.engines.diorama.follow.plane import around, groups, moved, seen, stands, tilt_of
from brushwork.engines.diorama.follow.retouch import retouched
from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.layout.spots import half_sides
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.params import knobs_of
from brushwork.engines.diorama.recipe import Shot, recipe_of, shot_hinted, shot_of, without_scene
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
from brushwork.engines.diorama.scene import Scene, Subject, View, natural_view
from brushwork.engines.diorama.words.forbidden import forbid
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.words.reading import Understanding
from brushwork.engines.diorama.worlds.places import PLACES

NEW_PLANTS, NEW_TURNS, NEW_LAND = 0.3, 0.3, 0.72
"""Strengths from which plants are sown anew, subjects may turn round, the land is another."""
FREE = 0.6
"""Strength from which new words no longer keep the old place and light."""


def varied(row: Row, tell: OnPass) -> Made:
    """The row's source, otherwise."""
    source = source_of(row)
    shot = shot_of(source.recipe)
    if shot is None:
        return reworked(row, tell)
    rng = np.random.default_rng([row.seed, 61, row.index])
    scene = remixed(shot.scene, row, rng) if asks_anew(row) else perturbed(shot.scene, row.strength, rng)
    shot = replace(shot, scene=scene, view=fitting(shot.view, row))
    picture = paint_shot(shot, on_pass=tell)
    return Made(picture, recipe_of(shot, words=lasting_words(row)))


def fitting(view: View, row: Row) -> View:
    """The same window at the row's size; wider or higher when the row's shape is another."""
    width, height = view.right - view.left, view.bottom - view.top
    ratio = (row.width / row.height) / (width / height)
    if abs(ratio - 1) < 0.01:
        return replace(view, width=row.width, height=row.height)
    wide, high = width * max(ratio, 1.0), height / min(ratio, 1.0)
    u, v = (view.left + view.right) / 2, (view.top + view.bottom) / 2
    return View(u - wide / 2, v - high / 2, u + wide / 2, v + high / 2, row.width, row.height)


# ---------------------------------------------------------------- the same words


def perturbed(scene: Scene, strength: float, rng: np.random.Generator) -> Scene:
    """Another picture of the same: the stronger, the farther."""
    new = int(rng.integers(1, 2**31))
    camera = replace(
        scene,
        pitch=scene.pitch + float(rng.normal(0, 0.25 + 3.2 * strength**1.5)),
        focal=scene.focal * math.exp(float(rng.normal(0, 0.01 + 0.13 * strength))),
        grain=new,
        growth=new if strength >= NEW_PLANTS else scene.growth,
        seed=new if strength >= NEW_LAND else scene.seed,
        stylize=float(np.clip(scene.stylize + rng.uniform(-0.06, 0.10) * strength, 0, 1)),
    )
    return rearranged(scene, camera, strength, rng)


def rearranged(scene: Scene, camera: Scene, strength: float, rng: np.random.Generator) -> Scene:
    """All groups of subjects moved about a little; the best of several throws, so that nothing collides."""
    best, least = camera, math.inf
    for throw in range(10):
        subjects = []
        reach = strength * (1 - throw / 14)
        for group in groups(scene):
            u, v, grow = thrown(group, scene, camera, reach, rng)
            subjects += [turned(s, strength, rng) for s in moved(group, scene, to=camera, u=u, v=v, grow=grow)]
        found = replace(camera, subjects=tuple(sorted(subjects, key=lambda subject: -subject.z)))
        crowd = overlap(found) - overlap(scene)
        if crowd < least - 1e-3:
            best, least = found, crowd
        if least <= 1e-3:
            break
    return best


def thrown(
    group: list[Subject], scene: Scene, camera: Scene, strength: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Where a group's foot goes, and how many times its size."""
    box = around(group, scene)
    half_u, half_v = half_sides(scene)
    grow = math.exp(float(rng.normal(0, 0.03 + 0.28 * strength)))
    grow = min(grow, max(1.0, 1.75 * half_v / box.height))
    u = box.u + float(rng.uniform(-1, 1)) * (0.05 + 0.75 * strength) * half_u
    limit = max(0.94 * half_u - box.width * grow / 2, 0.15 * half_u, min(abs(box.u), half_u))
    horizon = tilt_of(camera) * camera.focal - tilt_of(scene) * scene.focal
    if stands(group[0], scene):
        drop = box.v - tilt_of(scene) * scene.focal
        v = box.v + horizon + drop * float(rng.uniform(-0.3, 0.3)) * strength
    else:
        v = box.v + float(rng.uniform(-0.4, 0.4)) * strength * half_v
        v = float(np.clip(v, -0.92 * half_v + box.height * grow, 0.9 * half_v))
    return float(np.clip(u, -limit, limit)), min(v, 1.05 * half_v), grow


def turned(subject: Subject, strength: float, rng: np.random.Generator) -> Subject:
    """Perhaps mirrored, perhaps drawn by another hand."""
    flips, other = rng.random() < 0.5, int(rng.integers(0, 2**16))
    if strength < NEW_TURNS:
        return subject
    pictures = concepts()[subject.concept].artwork
    can_flip = concepts()[subject.concept].facing != "F" or subject.flip
    return replace(subject, flip=subject.flip ^ bool(flips and can_flip), artwork=pictures[other % len(pictures)])


def overlap(scene: Scene) -> float:
    """How much of subjects' boxes lies over each other, without those that belong together."""
    boxes = [around(group, scene) for group in groups(scene)]
    total = 0.0
    for number, a in enumerate(boxes):
        for b in boxes[:number]:
            across = min(a.right, b.right) - max(a.left, b.left)
            along = min(a.v, b.v) - max(a.top, b.top)
            total += max(across, 0.0) * max(along, 0.0)
    return total


# ---------------------------------------------------------------- new words


def remixed(old: Scene, row: Row, rng: np.random.Generator) -> Scene:
    """The new words' Scene on the old seed and camera. With little strength place, light and layout stay too, where
    the words do not say otherwise.
    """
    asked, knobs = understood(row), knobs_of(row.params, row.model)
    names, _ = forbid(row.negative)
    if row.strength < FREE:
        asked = kept(asked, old)
    scene = compose(asked, knobs=knobs, seed=row.seed, index=row.index, aspect=old.aspect, forbidden=frozenset(names))
    share = row.strength if PLACES[scene.place].stands == PLACES[old.place].stands else 1.0
    same_land = row.strength < NEW_LAND
    camera = replace(
        scene,
        seed=old.seed if same_land else scene.seed,
        grain=old.grain if row.strength < 0.2 else int(rng.integers(1, 2**31)),
        growth=old.growth if row.strength < NEW_PLANTS else int(rng.integers(1, 2**31)),
        pitch=old.pitch + (scene.pitch - old.pitch) * share,
        focal=old.focal + (scene.focal - old.focal) * share,
        time=scene.time if asked.time or row.strength >= FREE else old.time,
    )
    return laid_like(scene, camera, old, 1 - row.strength)


def kept(asked: Understanding, old: Scene) -> Understanding:
    """What the words leave open stays as it was."""
    suits = not asked.mentions or asked.camera != "portrait"
    return replace(
        asked,
        place=asked.place or (old.place if suits else None),
        time=asked.time or old.time,
        weather=asked.weather or old.weather,
        season=asked.season or (old.season if not asked.place else None),
        style=asked.style or (old.style if old.style != "none" else None),
        palette=asked.palette or old.palette,
    )


def laid_like(scene: Scene, camera: Scene, old: Scene, share: float) -> Scene:
    """The new subjects seen by `camera`, the largest drawn towards where the largest of the old was."""
    if not scene.subjects:
        return camera
    found = sorted(groups(scene), key=lambda group: -around(group, scene).height)
    hero = around(found[0], scene)
    du, dv, grow = 0.0, 0.0, 1.0
    if old.subjects:
        before = around(max(groups(old), key=lambda group: around(group, old).height), old)
        same_kind = stands(found[0][0], scene) == stands(max(old.subjects, key=lambda s: seen(s, old).height), old)
        du = (before.u - hero.u) * share
        dv = (before.v - hero.v) * share if same_kind else 0.0
        grow = float(np.clip(before.height / hero.height, 0.6, 1.5)) ** share
    half_u, half_v = half_sides(scene)
    subjects: list[Subject] = []
    for number, group in enumerate(found):
        box = around(group, scene)
        limit = max(0.96 * half_u - box.width * grow / 2, 0.1)
        u = float(np.clip(box.u * (1 if number == 0 else grow) + du, -limit, limit))
        v = float(min(box.v + dv, 1.0 * half_v))
        subjects += moved(group, scene, to=camera, u=u, v=v, grow=grow)
    return replace(camera, subjects=tuple(sorted(subjects, key=lambda subject: -subject.z)))


# ---------------------------------------------------------------- pictures without a Scene


def reworked(row: Row, tell: OnPass) -> Made:
    """A foreign picture: its own pixels moved and repainted, or new words in its light and layout."""
    source = source_of(row)
    guide = pixels.covering(as_colours(source.image), row.width, row.height)
    asked = understood(row)
    hint = shot_hinted(source.recipe)
    is_new = asks_anew(row) and (asked.mentions or asked.place)
    if not is_new and (row.strength < NEW_PLANTS or hint is None):
        tell("retouch")
        made = retouched(guide, row.strength, seed=row.seed, index=row.index)
        recipe = without_scene(row.width, row.height, words=lasting_words(row))
        return Made(made, recipe, applied={"variation": "emulated"})
    rng = np.random.default_rng([row.seed, 61, row.index])
    if hint is not None and not is_new:
        scene = perturbed(hint.scene, row.strength, rng)
    elif hint is not None:
        scene = remixed(hint.scene, row, rng)
    else:
        scene = scene_for(row)
    shot = Shot(scene, natural_view(scene, row.width, row.height))
    if hint is not None:
        shot = replace(hint, scene=scene, view=fitting(hint.view, row))
    picture = paint_shot(shot, on_pass=tell)
    picture, grade = matched(picture, guide, 0.85 * (1 - 0.5 * row.strength))
    side = min(row.width, row.height)
    picture = pixels.in_light_of(picture, guide, 0.75 * (1 - row.strength), sigma=side / 10)
    recipe = recipe_of(replace(shot, grade=grade), words=words(row), pixels=True)
    return Made(picture, recipe, applied={"variation": "emulated"})


def matched(picture: Field, guide: Field, share: float) -> tuple[Field, tuple[float, ...]]:
    """The picture in the guide's colours, and the grade that does it."""
    grade = pixels.grade_towards(pixels.statistics(picture), pixels.statistics(guide), share)
    return pixels.regraded(picture, grade), grade
