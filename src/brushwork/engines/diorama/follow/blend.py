"""One picture out of two to five. Pictures with Scenes share a world: the place of one, the subjects of all, light and
colours between; others are laid over each other where each has most to show. Either is then drawn towards the middle
of all until it is nearer to each than they are to one another.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from brushwork.engines.base import Row
from brushwork.engines.diorama.drawing import as_colours, paint_shot
from brushwork.engines.diorama.follow import pixels
from brushwork.engines.diorama.follow.plane import around, groups, moved, stands, tilt_of
from brushwork.engines.diorama.layout.spots import half_sides
from brushwork.engines.diorama.looks.brushes import luma
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.recipe import natural_shot, recipe_of, shot_hinted, without_scene
from brushwork.engines.diorama.rows import Made, OnPass
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.worlds.places import PLACES
from brushwork.errors import InvalidField

MOST = 7
"""Groups of subjects in a blend."""
LEVELS = 5
STEPS = (0.2, 0.4, 0.6, 0.8, 1.0)
"""How far towards the middle of all, tried in this order."""


def blended(row: Row, tell: OnPass) -> Made:
    """All references in one picture of the row's size."""
    sources = [reference.source for reference in row.references]
    if len(sources) < 2:
        raise InvalidField("references", "A blend needs at least two pictures.")
    weights = np.array([max(reference.weight, 0.05) for reference in row.references])
    weights = weights / weights.sum()
    parts = [pixels.covering(as_colours(source.image), row.width, row.height) for source in sources]
    shots = [shot_hinted(source.recipe) for source in sources]
    scenes = [shot.scene for shot in shots if shot]
    if len(scenes) == len(sources):
        scene = together(scenes, row)
        picture = paint_shot(natural_shot(scene, row.width, row.height), on_pass=tell)
        recipe = recipe_of(natural_shot(scene, row.width, row.height), pixels=True)
    else:
        tell("blend")
        picture = laid_over(parts, row)
        recipe = without_scene(row.width, row.height)
    tell("colours")
    return Made(between(picture, parts, weights), recipe, {"blend": "emulated"})


# ---------------------------------------------------------------- in one world


def together(scenes: Sequence[Scene], row: Row) -> Scene:
    """The place of one picture, another's light and style, everybody's subjects side by side."""
    first = row.index % len(scenes)
    second = (first + 1) % len(scenes)
    rng = np.random.default_rng([row.seed, 97, row.index])
    host, guest = scenes[first], scenes[second]
    common = math.gcd(row.width, row.height)
    styles = [scene.style for scene in (*scenes[first:], *scenes[:first]) if scene.style != "none"]
    stage = replace(
        host,
        seed=int(rng.integers(1, 2**31)) if row.index >= len(scenes) else host.seed,
        time=guest.time if row.index % 2 == 0 or guest.place == "studio" else host.time,
        season=guest.season if PLACES[guest.place].kind == PLACES[host.place].kind else host.season,
        style=styles[0] if styles else "none",
        palette=host.palette or guest.palette,
        focal=(host.focal + guest.focal) / 2,
        stylize=(host.stylize + guest.stylize) / 2,
        aspect=(row.width // common, row.height // common),
        subjects=(),
    )
    return replace(stage, subjects=tuple(sorted(gathered(scenes, first, stage, rng), key=lambda s: -s.z)))


def gathered(scenes: Sequence[Scene], first: int, stage: Scene, rng: np.random.Generator) -> list[Subject]:
    """Groups of all pictures in one row, the host's first; those that fly stay aloft."""
    found = [(scene, group) for scene in (*scenes[first:], *scenes[:first]) for group in groups(scene)][:MOST]
    half_u, half_v = half_sides(stage)
    order = rng.permutation(len(found))
    boxes = [around(group, scene) for scene, group in found]
    low = [number for number in order if stands(found[number][1][0], found[number][0])]
    high = [number for number in order if number not in low]
    result: list[Subject] = []
    for numbers, aloft in ((low, False), (high, True)):
        room = 1.8 * half_u
        wide = sum(boxes[number].width for number in numbers) * 1.12
        grow = min(1.0, room / wide) if wide else 1.0
        gap = (room - wide * grow) / (len(numbers) + 1)
        left = -room / 2
        for number in numbers:
            scene, group = found[number]
            box = boxes[number]
            u = left + gap + box.width * grow / 2
            left = u + box.width * grow / 2
            foot = tilt_of(stage) * stage.focal + max(box.v - tilt_of(scene) * scene.focal, 0.3)
            v = min(foot, 0.88 * half_v)
            if aloft:
                v = float(np.clip(box.v, -0.9 * half_v + box.height * grow, 0.0 if low else 0.5 * half_v))
            result += moved(group, scene, to=stage, u=u, v=v, grow=grow)
    return result


# ---------------------------------------------------------------- any pictures


def laid_over(parts: Sequence[Field], row: Row) -> Field:
    """A Laplacian pyramid in which every spot comes from the picture that has most to show there."""
    side = min(row.width, row.height)
    rng = np.random.default_rng([row.seed, 101, row.index])
    shows = [saliency(part) * float(rng.uniform(0.85, 1.15)) for part in parts]
    if row.index % 2:  # for another picture of the grid, one of them is mirrored
        turned = row.index // 2 % len(parts)
        parts = [part[:, ::-1] if n == turned else part for n, part in enumerate(parts)]
        shows = [show[:, ::-1] if n == turned else show for n, show in enumerate(shows)]
    best = np.argmax(np.stack([pixels.broad(np.asarray(show, np.float32), side / 14) for show in shows]), 0)
    total: list[Field] = []
    for number, part in enumerate(parts):
        mask = np.asarray(best == number, np.float32)
        mask = np.asarray(0.08 + (1 - 0.08 * len(parts)) * pixels.broad(mask, side / 40), np.float32)
        layers = laplacian(np.ascontiguousarray(part))
        for level, layer in enumerate(layers):
            share = cv2.resize(mask, (layer.shape[1], layer.shape[0]), interpolation=cv2.INTER_AREA)[..., None]
            if level < len(total):
                total[level] = np.asarray(total[level] + layer * share, np.float32)
            else:
                total.append(np.asarray(layer * share, np.float32))
    return np.asarray(np.clip(collapsed(total), 0, 1), np.float32)


def laplacian(picture: Field) -> list[Field]:
    layers, current = [], picture
    for _ in range(LEVELS):
        small = cv2.resize(
            current, (max(1, current.shape[1] // 2), max(1, current.shape[0] // 2)), interpolation=cv2.INTER_AREA
        )
        layers.append(np.asarray(current - grown_to(small, current), np.float32))
        current = np.asarray(small, np.float32)
    return [*layers, current]


def collapsed(layers: Sequence[Field]) -> Field:
    current = layers[-1]
    for layer in reversed(layers[:-1]):
        current = np.asarray(grown_to(current, layer) + layer, np.float32)
    return current


def grown_to(small: Field, like: Field) -> Field:
    return np.asarray(cv2.resize(small, (like.shape[1], like.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def saliency(picture: Field) -> Field:
    """Where a picture has something to show: rare colours, edges, its middle; mean 1."""
    height, width = picture.shape[:2]
    small = pixels.sized(picture, 128, 128)
    lab = pixels.to_lab(small)
    rare = np.linalg.norm(cv2.GaussianBlur(lab, (0, 0), 2) - np.median(lab.reshape(-1, 3), 0), axis=2)
    grey = luma(small)
    edges = cv2.GaussianBlur(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), (0, 0), 3)
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    middle = np.exp(-(x * x + y * y) * 0.9)
    shown = (rare / max(float(rare.mean()), 1e-3) + 0.7 * edges / max(float(edges.mean()), 1e-3)) * middle
    shown = cv2.resize(np.asarray(shown / shown.mean(), np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(shown, np.float32)


def between(
    picture: Field, parts: Sequence[Field], weights: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]"
) -> Field:
    """The picture in colours and light between all parts: as little as makes it nearer to each than they are to each
    other.
    """
    side = min(picture.shape[:2])
    facts = [pixels.statistics(part) for part in parts]
    mean = sum(weight * fact[0] for weight, fact in zip(weights, facts, strict=True))
    spread = sum(weight * fact[1] for weight, fact in zip(weights, facts, strict=True))
    guide = np.asarray(sum(np.float32(weight) * part for weight, part in zip(weights, parts, strict=True)), np.float32)
    out = picture
    for step in STEPS:
        grade = pixels.grade_towards(pixels.statistics(picture), (mean, spread), min(1.0, 0.5 + 0.5 * step))
        out = pixels.regraded(picture, grade)
        out = pixels.in_light_of(out, guide, 0.55 * step, sigma=side / (6 + 6 * step))
        if all(is_between(out, parts, number) for number in range(len(parts))):
            break
    return out


def is_between(out: Field, parts: Sequence[Field], number: int) -> bool:
    """Whether it is nearer to this part than the nearest other part is, with some to spare."""
    nearest = min(pixels.unlikeness(parts[number], part) for n, part in enumerate(parts) if n != number)
    return pixels.unlikeness(out, parts[number]) < 0.92 * nearest
