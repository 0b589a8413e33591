"""Where subjects stand: sizes, places and depths on the image plane, then metres in the world.

The hero is big enough to be the star; others stand beside it in tempered proportion; what is far larger stands
behind. Nothing overlaps unless the words put one thing on another. Units as in scene.py: the picture's shorter side
is two units.
"""

import itertools
import math
from dataclasses import replace

import numpy as np

from brushwork.engines.diorama.layout.metres import camera_at, on_rock, subject_of
from brushwork.engines.diorama.layout.relate import related
from brushwork.engines.diorama.layout.spots import Spot, half_sides
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.words.lexicon import Concept, concepts
from brushwork.engines.diorama.words.reading import Mention, Understanding
from brushwork.engines.diorama.worlds.places import PLACES, Place

HERO = {
    "animal": 0.92, "bird": 0.80, "fish": 0.80, "person": 1.08, "plant": 1.0, "food": 0.98, "object": 0.98,
    "building": 1.02, "vehicle": 0.66, "boat": 0.90, "aircraft": 0.84, "celestial": 0.90,
}  # fmt: skip
"""Height of a lone subject on the image plane, units."""
CAMERA_SIZE = {"close": 1.5, "portrait": 1.95, "wide": 0.42, "aerial": 0.45, "full": 1.25, "low": 1.1}
MOST = 14
"""Subjects in one picture."""
TEMPER = 0.5
"""How much of the true proportion between subjects remains (in the exponent)."""


def hero_of(asked: Understanding) -> Mention:
    """The star: the heaviest, then the first that lives."""
    alive = {"animal", "person", "bird", "fish"}
    return max(
        asked.mentions,
        key=lambda m: (
            m.weight,
            m.position not in ("background",),
            concepts()[m.concept].kind in alive,
            -asked.mentions.index(m),
        ),
    )


def arranged(scene: Scene, asked: Understanding, own: np.random.Generator, grid: np.random.Generator) -> Scene:
    """The scene with its subjects, and a camera at a height that suits them."""
    if not asked.mentions:
        return scene
    spots = [spot for mention in asked.mentions for spot in spots_of(mention, scene, asked, own)][:MOST]
    spots = in_proportion(spots, asked)
    spots = placed(spots, scene, asked, own, grid)
    spots = related(spots, asked, scene)
    scene = camera_at(scene, spots, asked)
    subjects = [subject for spot in spots for subject in on_rock(subject_of(spot, scene), spot, scene)]
    return replace(scene, subjects=tuple(sorted(subjects, key=lambda subject: -subject.z)))


def spots_of(mention: Mention, scene: Scene, asked: Understanding, own: np.random.Generator) -> list[Spot]:
    """All things of one mention, in the zone where they belong here."""
    concept = concepts()[mention.concept]
    heaviest = max(m.weight for m in asked.mentions)
    size = HERO[concept.kind] * CAMERA_SIZE.get(asked.camera or "", 1.0)
    size *= np.clip((mention.weight / heaviest) ** 0.5, 0.4, 1.0) * scenery_share(mention, asked)
    size *= {"background": 0.5, "foreground": 1.15}.get(mention.position or "", 1.0)
    size *= float(np.clip(math.exp(float(own.normal(0, 0.5)) * scene.weird), 0.45, 1.5))
    if scene.chaos > 0 and not asked.camera:
        size *= float(np.clip(math.exp(float(own.normal(0, 0.55)) * scene.chaos), 0.5, 1.4))
    zone = zone_of(mention, concept, PLACES[scene.place], scene)
    spots = []
    for number in range(mention.count):
        artwork = concept.artwork[int(own.integers(0, len(concept.artwork)))]
        turn = float(own.normal(0, 40 * scene.weird)) if scene.weird > 0.15 else 0.0
        turn += {"jumping": -14.0, "upside": 180.0, "tilted": 15.0}.get(mention.pose or "", 0.0)
        spots.append(
            Spot(mention, concept, number, artwork, float(size), zone=zone, tilt=turn, flip=bool(own.random() < 0.5))
        )
    if scene.weird > 0.2:
        spots = [replace(spot, zone="air") if own.random() < scene.weird * 0.7 else spot for spot in spots]
    return spots


def scenery_share(mention: Mention, asked: Understanding) -> float:
    """Smaller when another part of the prompt (a place) weighs more."""
    heavy = max((factor for _, factor in asked.elements), default=1.0)
    return (
        float(np.clip((mention.weight / max(heavy, 1e-3)) ** 0.4, 0.5, 1.5))
        if heavy > 1.7 or mention.weight != 1
        else 1.0
    )


def zone_of(mention: Mention, concept: Concept, place: Place, scene: Scene) -> str:
    """ground, water, air or free (space and deep water)."""
    if place.stands in ("space", "sky"):
        return "free"
    if mention.pose in ("flying", "floating"):
        return "air"
    if place.kind == "underwater":
        return (
            "ground"
            if concept.habitat in ("land", "prop", "water") or concept.name in ("crab", "coral", "octopus")
            else "free"
        )
    if concept.habitat in ("air", "space") and not (concept.habitat == "space" and concept.kind == "person"):
        if scene.place == "studio" or (concept.name == "rocket" and scene.place in ("moon", "mars")):
            return "ground"
        return "air"
    if concept.habitat == "under":
        return "leap" if place.water else "air"
    if place.stands == "water":
        return "water"
    return "ground"


def in_proportion(spots: list[Spot], asked: Understanding) -> list[Spot]:
    """Sizes relative to the hero: tempered nature, and far larger things behind."""
    hero_mention = hero_of(asked)
    hero = next((spot for spot in spots if spot.mention is hero_mention), spots[0])
    joined = {
        id(asked.mentions[r.b])
        for r in asked.relations
        if r.kind in ("on", "in", "holds") and r.b < len(asked.mentions)
    }
    crowd = max(1, sum(id(spot.mention) not in joined for spot in spots)) ** -0.36
    result = []
    for spot in spots:
        ratio = spot.concept.height * spot.mention.size / (hero.concept.height * hero.mention.size)
        if spot.mention is hero.mention:
            ratio = 1.0
        massive = spot.concept.kind in ("building", "plant", "boat", "aircraft", "celestial", "vehicle") and ratio > 2.5
        if massive and spot.zone not in ("air", "free"):
            result.append(replace(spot, size=spot.size * 0.95, behind=ratio * 0.8))
            continue
        size = hero.size * float(np.clip(ratio**TEMPER, 0.33, 1.9))
        size *= float(np.clip((spot.mention.weight / hero.mention.weight) ** 0.5, 0.4, 1.0))
        if spot.zone in ("air", "free") and hero.zone not in ("air", "free"):
            size = min(size, spot.size * 0.62)
        if asked.camera != "portrait":
            alone = spot.mention is hero.mention and spot.mention.count == 1
            size *= crowd**0.6 if alone or spot.zone in ("air", "free") else crowd
        if len(asked.mentions) == 1 and spot.mention.size != 1:
            size *= spot.mention.size**0.3
        result.append(replace(spot, size=size * (1.0 if spot.mention.position != "background" else 0.5)))
    return result


def placed(
    spots: list[Spot], scene: Scene, asked: Understanding, own: np.random.Generator, grid: np.random.Generator
) -> list[Spot]:
    """Places on the image plane: rows that do not collide, the hero near a third."""
    half_u, half_v = half_sides(scene)
    carried = [spot for spot in spots if is_carried(spot, spots, asked)]  # related() sets them on what carries them
    spots = [spot for spot in spots if spot not in carried]
    ahead = [spot for spot in spots if spot.behind == 1.0 and spot.zone in ("ground", "water", "leap")]
    back = [spot for spot in spots if spot.behind > 1.0]
    aloft = [spot for spot in spots if spot.zone in ("air", "free") and spot.behind == 1.0]
    family = grid if own.random() > scene.chaos else own
    ahead = on_ground(ordered(ahead, asked), half_u, half_v, scene, family, own, asked)
    lean = float(np.sign(sum(spot.u for spot in ahead)) or (1 if family.random() < 0.5 else -1))
    back = behind(back, half_u, -lean if ahead else 0.0, own)
    aloft = in_air(aloft, [*ahead, *back], half_u, half_v, scene, family, own)
    return [*back, *aloft, *ahead, *carried]


def is_carried(spot: Spot, spots: list[Spot], asked: Understanding) -> bool:
    """Whether the words put it on or in another thing of the front row, so that it needs no room of its own."""
    return spot.behind == 1.0 and any(
        relation.kind in ("on", "in")
        and relation.b < len(asked.mentions)
        and asked.mentions[relation.a] is spot.mention
        and any(
            base.mention is asked.mentions[relation.b]
            and base.behind == 1.0
            and base.zone in ("ground", "water")
            and base.concept.kind != "celestial"
            for base in spots
        )
        and not any(other.kind in ("on", "in") and other.a == relation.b for other in asked.relations)
        for relation in asked.relations
    )


def ordered(spots: list[Spot], asked: Understanding) -> list[Spot]:
    """From left to right as the words say."""
    rank = {"left": -10.0, "right": 10.0}
    keys = {id(mention): rank.get(mention.position or "", 0.0) + i * 0.01 for i, mention in enumerate(asked.mentions)}
    for relation in asked.relations:
        if relation.b >= len(asked.mentions):
            continue
        a, b = asked.mentions[relation.a], asked.mentions[relation.b]
        if relation.kind in ("left_of", "right_of"):
            keys[id(a)] = keys[id(b)] + (-1 if relation.kind == "left_of" else 1)
    return sorted(spots, key=lambda spot: keys.get(id(spot.mention), 0.0))


def on_ground(
    spots: list[Spot],
    half_u: float,
    half_v: float,
    scene: Scene,
    family: np.random.Generator,
    own: np.random.Generator,
    asked: Understanding,
) -> list[Spot]:
    """Side by side in one row, or in two when there are many."""
    if not spots:
        return []
    rear = spots[1::2][: (len(spots) - 1) // 2] if len(spots) > 4 else []
    front = [spot for spot in spots if spot not in rear]
    count = len(front)
    room = 1.84 * half_u * (0.94 if scene.place not in ("city_street", "cyberpunk") else 0.8)
    total = sum(spot.width for spot in front) * 1.12
    shrink = min(1.0, room / total)
    front = [replace(spot, size=spot.size * shrink) for spot in front]
    rear = [replace(spot, size=spot.size * shrink * 0.74) for spot in rear]
    base = feet_line(scene, half_v, asked, max(spot.size for spot in front))
    gap = min((room - total * shrink) / count, 0.22 * half_u)
    span = total * shrink + gap * count
    left = start_of(front, span, half_u, family, own, asked, scene) - span / 2
    result: list[Spot] = []
    for spot in front:
        step = spot.width * 1.12 + gap
        aside = float(own.uniform(-0.2, 0.2)) * gap
        rise = 0.0 if asked.camera == "portrait" else float(own.uniform(-0.03, 0.05)) * half_v
        result.append(replace(spot, u=left + step / 2 + aside, v=base + rise))
        left += step
    heads = [spot.u for spot in result]
    between = [(a + b) / 2 for a, b in itertools.pairwise(heads)]
    return result + [replace(spot, u=u, v=base - 0.2) for spot, u in zip(rear, between, strict=False)]


def start_of(
    row: list[Spot],
    span: float,
    half_u: float,
    family: np.random.Generator,
    own: np.random.Generator,
    asked: Understanding,
    scene: Scene,
) -> float:
    """Where the middle of a row lies: a third for one or two, the middle for many; or as the words say."""
    slack = max(half_u * 0.94 - span / 2, 0.0)
    wanted = {spot.mention.position for spot in row}
    if wanted <= {"left"} or wanted <= {"right"}:
        return math.copysign(min(0.46 * half_u, slack), -1 if "left" in wanted else 1)
    if "centre" in wanted or asked.camera in ("portrait", "close"):
        return 0.0
    third = float(family.choice([-0.24, 0.24, 0.0, -0.18, 0.18])) * half_u if len(row) <= 2 else 0.0
    stray = 0.07 + 0.4 * scene.chaos * half_u
    return float(np.clip(third + own.uniform(-stray, stray), -slack, slack))


def feet_line(scene: Scene, half_v: float, asked: Understanding, size: float) -> float:
    """Units below the middle where the nearest row stands."""
    if asked.camera == "portrait":
        return -0.74 * half_v + size
    if asked.camera == "close":
        return min(0.72 * half_v, 0.5 * size + 0.1)
    if scene.place == "studio":
        return min(0.62 * half_v, 0.5 * size + 0.16)
    low = 0.70 if half_v == 1 else 0.62
    return min(low * half_v, 0.1 + size * 0.62) if size > 0.5 else min(low * half_v, 0.5)


def behind(spots: list[Spot], half_u: float, lean: float, own: np.random.Generator) -> list[Spot]:
    """Large things in the distance, on the side that the hero leaves free."""
    result = []
    for number, spot in enumerate(spots):
        side = lean if number % 2 == 0 else -lean
        u = side * 0.45 * half_u + float(own.uniform(-0.06, 0.06))
        u = {"left": -0.48 * half_u, "right": 0.48 * half_u, "centre": 0.0}.get(spot.mention.position or "", u)
        limit = max(half_u * 0.98 - spot.width / 2, 0.0)
        result.append(replace(spot, u=float(np.clip(u + (number // 2) * 0.3 * side, -limit, limit)), v=0.2))
    return result


def in_air(
    spots: list[Spot],
    others: list[Spot],
    half_u: float,
    half_v: float,
    scene: Scene,
    family: np.random.Generator,
    own: np.random.Generator,
) -> list[Spot]:
    """Flying and floating things: best of several random places, farthest from everything else."""
    free = PLACES[scene.place].stands in ("space", "sky") or PLACES[scene.place].kind == "underwater"
    low, high = (-0.80, 0.62) if free else (-0.86, -0.06)
    done: list[Spot] = []
    for number, spot in enumerate(spots):
        if len(spots) > 1:
            spot = replace(spot, size=spot.size * float((1.0, 0.72, 0.86, 0.6, 0.5, 0.66)[number % 6]))
        reach = max(half_u * 0.92 - spot.width / 2, 0.0)
        top, bottom = (
            low * half_v + spot.size / 2,
            max(high * half_v - spot.size / 2, low * half_v + spot.size / 2 + 0.01),
        )
        best, best_room = (0.0, (top + bottom) / 2), -1e9
        aside = 0.2 if len(spots) == 1 else 0.42
        for trial in range(96):
            u, mid = own.uniform(-reach, reach), own.uniform(top, bottom)
            if number == 0 and not others:
                sides = [-aside, aside, 0.0] if len(spots) != 2 else [-aside, aside]
                u = float(family.choice(sides)) * half_u + own.uniform(-0.08, 0.08)
                mid = (-0.1 if free else -0.28) * half_v + own.uniform(-0.08, 0.08)
                mid = float(np.clip(mid, top, bottom))
            if spot.mention.position in ("left", "right"):
                u = math.copysign(abs(u), -1 if spot.mention.position == "left" else 1)
            room = min((clearance(u, mid, spot, other) for other in (*others, *done)), default=1.0)
            if room > best_room:
                best, best_room = (float(u), float(mid)), room
            if best_room > 0.12 and trial > 12:
                break
        if best_room < 0 and (number > 0 or others):
            spot = replace(spot, size=max(spot.size + 1.2 * best_room, 0.3 * spot.size))
        done.append(replace(spot, u=best[0], v=best[1] + spot.size / 2, tilt=spot.tilt + float(own.uniform(-5, 5))))
    return done


def clearance(u: float, mid: float, spot: Spot, other: Spot) -> float:
    """Free units between two boxes; negative when they overlap."""
    across = abs(u - other.u) - (spot.width + other.width) / 2
    along = abs(mid - (other.v - other.size / 2)) - (spot.size + other.size) / 2
    return max(across, along)
