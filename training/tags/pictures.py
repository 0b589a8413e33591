"""What is learned from: painter pictures whose every fact is known, many subjects on each painted world.

A world takes ten times longer to paint than what stands in it, so each is painted once and shared by a dozen casts.
Knows no network.
"""

import io
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.looks.grade import finished
from brushwork.engines.diorama.params import Knobs
from brushwork.engines.diorama.scene import PLACES, SEASONS, STYLES, TIMES, WEATHERS, Scene, Subject, natural_view
from brushwork.engines.diorama.subjects.standing import paint_subjects, posed
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.diorama.words.reading import Mention, Understanding
from brushwork.engines.diorama.worlds.places import PLACES as ROWS
from brushwork.engines.diorama.worlds.world import World, paint_world
from training.super_resolution.pictures import fetch_photos, photos
from training.world import shards

SIDE = 320
"""Pixels of a painted picture."""
CASTS = 24
"""Pictures of one world; the last shows nothing but the world."""
GENTLE = ("morning", "noon", "afternoon", "golden_hour")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white", "gold", "teal")
PALETTES = ("warm", "cold", "pastel", "vibrant", "teal_orange", "dreamy", "dark")
READABLE = 0.12
"""Of the picture's height: a subject below this is not asked for."""
FRAMED = 0.55
"""How much of a subject's box must lie in the picture."""
SEEN = 0.12
"""How much of the box must have changed when the subject came in."""
Box = tuple[float, float, float, float]
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Labelled:
    """A picture and the truth about it."""

    image: Bytes
    """(H, W, 3), as high as wide."""
    scene: Scene | None
    """None of a photograph."""
    hero: str | None
    """What was cast, if it is of readable size and to be seen; None otherwise."""
    empty: bool
    """Whether nothing was cast at all."""
    shown: tuple[str, ...]
    """All concepts of readable size."""
    count: int | None
    """How many of the hero; None where that was not kept."""
    box: Box
    """left, top, right, bottom of one hero, 0..1."""


def pictures(seed: int, deck: Sequence[str]) -> Iterator[Labelled]:
    """Worlds without end; each concept of the deck is dealt as often as the others."""
    rng = random.Random(seed)
    hands: list[str] = []
    for number in range(2**31):
        while len(hands) < 4 * len(deck):
            hands += rng.sample(list(deck), len(deck))
        yield from shared_world(rng, hands, seed * 100_003 + number)


def shared_world(rng: random.Random, hands: list[str], seed: int) -> Iterator[Labelled]:
    """One world and its casts. Takes from the hands whoever is at home here, and a few who are not."""
    first = hands[0]
    place = rng.choice(concepts()[first].places) if rng.random() < 0.7 else rng.choice(PLACES)
    cast = [hands.pop(0)]
    while len(cast) < CASTS - 1:
        at_home = (at for at, name in enumerate(hands[: 2 * len(concepts())]) if place in concepts()[name].places)
        at = next(at_home, 0) if rng.random() < 0.6 else 0
        cast.append(hands.pop(at))
    asked = Understanding(
        place=place,
        time=rng.choice(GENTLE) if rng.random() < 0.5 else rng.choice(TIMES),
        weather="clear" if rng.random() < 0.5 else rng.choice(WEATHERS),
        season=rng.choice(SEASONS) if rng.random() < 0.5 else None,
    )
    knobs = Knobs(chaos=rng.choice((0.0, 0.0, 0.1, 0.3, 0.6)), stylize=rng.choice((0.0, 0.1, 0.1, 0.3, 0.7)))
    base = compose(with_mentions(rng, asked, cast[0], cast), knobs=knobs, seed=seed, index=0)
    world = paint_world(base, natural_view(base, SIDE, SIDE), detail=0.4)
    for name in cast:
        scene = compose(with_mentions(rng, asked, name, cast), knobs=knobs, seed=seed, index=0)
        if scene.place == base.place:
            yield drawn(world, in_looks(rng, replace(base, subjects=moved(scene, base))), name)
    yield drawn(world, in_looks(rng, replace(base, subjects=())), None)


def of_world(folder: Path) -> Iterator[Labelled]:
    """The samples that `training.world` kept in a folder."""
    for shard in shards(folder):
        for image, alpha, truth in zip(shard["image"], shard["alpha"], shard["truth"], strict=True):
            shown = tuple(truth["concepts"])
            rows, columns = (np.flatnonzero((alpha > 127).any(axis=axis)) / len(image) for axis in (1, 0))
            seen = shown and min(len(rows), len(columns)) and max(np.ptp(rows), np.ptp(columns)) > READABLE
            box = (columns[0], rows[0], columns[-1], rows[-1]) if seen else (0.0, 0.0, 1.0, 1.0)
            scene = Scene(0, truth["place"], truth["time"], truth["weather"], truth["season"], truth["style"])
            yield Labelled(image, scene, shown[0] if seen else None, not shown, shown if seen else (), None, box)


def of_photographs(rng: random.Random, folder: Path, each: int = 90) -> Iterator[Labelled]:
    """Squares cut from the photographs that super-resolution is trained on: what the painter did not make."""
    if not folder.exists():
        fetch_photos(folder)
    for picture in photos(folder):
        for _ in range(each):
            side = round(min(picture.shape[:2]) * rng.uniform(0.3, 1.0))
            top, left = rng.randint(0, picture.shape[0] - side), rng.randint(0, picture.shape[1] - side)
            part = cv2.resize(picture[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            yield Labelled(part, None, None, True, (), None, (0.0, 0.0, 1.0, 1.0))


def with_mentions(rng: random.Random, asked: Understanding, hero: str, cast: Sequence[str]) -> Understanding:
    def mention(name: str) -> Mention:
        count = 1 if rng.random() < 0.72 else rng.choice((2, 2, 3, 4, 5))
        return Mention(name, count, rng.choice(COLOURS) if rng.random() < 0.12 else None)

    mentions = [mention(hero)]
    if rng.random() < 0.2:
        mentions.append(replace(mention(rng.choice(list(cast))), count=1))
    camera = rng.choice(("close", "full", "wide", "low")) if rng.random() < 0.2 else None
    return replace(asked, mentions=tuple(mentions), camera=camera)


def moved(scene: Scene, base: Scene) -> tuple[Subject, ...]:
    """A cast composed for its own camera height, as it looks the same to the world's camera."""
    by = 1.0 if ROWS[base.place].stands in ("space", "sky") else base.eye / scene.eye
    return tuple(
        replace(each, x=each.x * by, z=each.z * by, height=each.height * by, lift=each.lift * by)
        for each in scene.subjects
    )


def in_looks(rng: random.Random, scene: Scene) -> Scene:
    style = "none" if rng.random() < 0.4 else rng.choice(STYLES)
    palette = rng.choice(PALETTES) if rng.random() < 0.12 else None
    return replace(scene, style=style, palette=palette, stylize=rng.choice((0.0, 0.1, 0.1, 0.1, 0.3, 0.7)))


def drawn(world: World, scene: Scene, hero: str | None) -> Labelled:
    here = replace(world, color=world.color.copy(), depth=world.depth.copy())
    boxes = boxes_of(here, scene)
    paint_subjects(here, scene)
    changed = np.abs(here.color - world.color).max(axis=2) > 0.04
    seen = {index: box for index, box in boxes.items() if visible(changed, box)}
    shown = tuple(dict.fromkeys(scene.subjects[index].concept for index in seen))
    mine = [box for index, box in seen.items() if scene.subjects[index].concept == hero]
    box = max(mine, key=lambda box: (box[2] - box[0]) * (box[3] - box[1])) if mine else (0.0, 0.0, 1.0, 1.0)
    colours = finished(here.color, here.depth, scene, exp=0.0)
    image = np.asarray(colours * 255 + 0.5).astype(np.uint8)
    return Labelled(image, scene, hero if mine else None, hero is None, shown, len(mine), box)


def boxes_of(world: World, scene: Scene) -> dict[int, Box]:
    """Number of a subject → its box, for those of readable size that are mostly in the picture."""
    rng, boxes = np.random.default_rng([scene.seed, 17]), {}
    for index, subject in enumerate(scene.subjects):
        pose = posed(subject, world, scene, rng)
        tall, wide = pose.picture.shape[:2]
        left, right = max(pose.left, 0), min(pose.left + wide, SIDE)
        top, bottom = max(pose.top, 0), min(pose.top + tall, SIDE)
        inside = max(right - left, 0) * max(bottom - top, 0) / (tall * wide)
        if inside >= FRAMED and max(bottom - top, right - left) >= READABLE * SIDE:
            boxes[index] = (left / SIDE, top / SIDE, right / SIDE, bottom / SIDE)
    return boxes


def visible(changed: NDArray[np.bool_], box: Box) -> bool:
    left, top, right, bottom = (round(edge * SIDE) for edge in box)
    return bool(changed[top:bottom, left:right].mean() > SEEN)


# ---------------------------------------------------------------- as the network sees it


def whole(rng: random.Random, picture: Labelled, side: int) -> tuple[Bytes, Box]:
    """The picture, half of the time a little cut or turned over, sometimes through a JPEG; and the hero's box in it."""
    cut = rng.uniform(0.88, 1.0) if rng.random() < 0.5 else 1.0
    left, top = rng.uniform(0, 1 - cut), rng.uniform(0, 1 - cut)
    return framed(rng, picture, (left, top, left + cut, top + cut), side)


def closer(rng: random.Random, picture: Labelled, side: int) -> tuple[Bytes, Box]:
    """A square around the hero."""
    left, top, right, bottom = picture.box
    size = min(max(right - left, bottom - top) * rng.uniform(1.1, 2.0), 1.0)
    x = (left + right) / 2 + rng.uniform(-0.2, 0.2) * size - size / 2
    y = (top + bottom) / 2 + rng.uniform(-0.2, 0.2) * size - size / 2
    x, y = min(max(x, 0), 1 - size), min(max(y, 0), 1 - size)
    return framed(rng, picture, (x, y, x + size, y + size), side)


def framed(rng: random.Random, picture: Labelled, frame: Box, side: int) -> tuple[Bytes, Box]:
    left, top, right, bottom = (round(edge * len(picture.image)) for edge in frame)
    part = picture.image[top:bottom, left:right]
    across, down = 1 / (frame[2] - frame[0]), 1 / (frame[3] - frame[1])
    a, b, c, d = picture.box
    a, b, c, d = (a - frame[0]) * across, (b - frame[1]) * down, (c - frame[0]) * across, (d - frame[1]) * down
    if rng.random() < 0.5:
        part, a, c = part[:, ::-1], 1 - c, 1 - a
    small = len(part) > side
    part = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA if small else cv2.INTER_CUBIC)
    if rng.random() < 0.25:
        packed = io.BytesIO()
        Image.fromarray(part).save(packed, "JPEG", quality=rng.randint(60, 95))
        part = np.asarray(Image.open(packed))
    return np.asarray(part, np.uint8), (a, b, c, d)


@lru_cache(maxsize=1)
def numbers() -> Mapping[str, Mapping[str, int]]:
    """Head → name → number of its class. The last class of "concept" is nothing; numbers count 0, 1, 2, 3, many."""
    names = {"concept": [*concepts(), ""], "place": PLACES, "time": TIMES, "weather": WEATHERS, "style": STYLES}
    return {head: {name: number for number, name in enumerate(each)} for head, each in names.items()}
