"""On, in, above, under, behind, holding: moves one thing on the image plane to where the words put it."""

from dataclasses import replace

from brushwork.engines.diorama.layout.spots import Spot, half_sides
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.subjects.sprites import aspect
from brushwork.engines.diorama.words.reading import Understanding

SEATS = {
    "sofa": 0.30, "chair": 0.46, "bed": 0.42, "bicycle": 0.72, "motorcycle": 0.62, "scooter": 0.55, "horse": 0.62,
    "skateboard": 0.52, "elephant": 0.90, "camel": 0.78, "car": 0.94, "truck": 0.96, "books": 0.93, "log": 0.86,
    "dragon": 0.60, "canoe": 0.45, "bathtub": 0.45, "sled": 0.62, "sailboat": 0.22, "whale": 0.80, "unicorn": 0.60,
    "turtle": 0.90, "mushroom": 0.93,
}  # fmt: skip
"""Where on a thing others sit, as a share of its height."""
MOVES = frozenset({"on", "in", "above", "under", "behind", "in_front", "holds"})
SEAT_ASIDE = {"sofa": -0.12, "sailboat": 0.1}


def related(spots: list[Spot], asked: Understanding, scene: Scene) -> list[Spot]:
    """On, above, under, behind: moves the first thing of a mention to where the words put it."""
    spots = list(spots)
    for relation in asked.relations:
        if relation.b >= len(asked.mentions) or relation.kind not in MOVES:
            continue
        first, second = asked.mentions[relation.a], asked.mentions[relation.b]
        if relation.kind in ("under", "holds"):
            first, second = second, first
        at = [i for i, spot in enumerate(spots) if spot.mention is first]
        base = next((spot for spot in spots if spot.mention is second), None)
        if base is None or not at:
            continue
        for i in at:
            spots[i] = moved(spots[i], base, relation.kind, scene)
    return spots


def moved(spot: Spot, base: Spot, kind: str, scene: Scene) -> Spot:
    """`spot` in its relation to `base`."""
    if kind == "on" and base.behind == 1.0 and base.concept.kind not in ("celestial",):
        count = spot.mention.count
        _, half_v = half_sides(scene)
        seat = SEATS.get(base.concept.name, 0.86 if base.concept.kind in ("food", "object") else 0.68)
        wide = max(base.width, base.size) * (0.9 if count > 1 else 2.0) / count
        size = min(spot.size, base.size * 1.15, wide / aspect(spot.artwork), 0.92 * half_v + base.v - base.size * seat)
        aside = SEAT_ASIDE.get(base.concept.name, 0.0) if count == 1 else 0.0
        aside += (spot.number - (count - 1) / 2) * 0.9 / count
        return replace(
            spot,
            size=max(size, 0.2),
            u=base.u + aside * base.width,
            v=base.v - base.size * seat,
            zone="on",
            tilt=0.0,
            feet=base.v,
        )
    if kind == "in" and base.behind == 1.0:  # a little farther, so that the rim hides the feet
        size = min(spot.size, base.size * 1.3)
        return replace(spot, size=size, u=base.u, v=base.v - base.size * 0.30, zone="on", tilt=0.0, feet=base.v - 0.03)
    if kind == "holds" and base.concept.kind in ("person", "animal", "bird", "fish", "object"):
        size = min(spot.size, base.size * (0.5 if base.concept.kind == "person" else 0.42))
        side = 1.0 if base.u <= 0 else -1.0
        u = base.u + side * (0.40 * base.width + 0.30 * size * aspect(spot.artwork))
        return replace(spot, size=size, u=u, v=base.v - base.size * 0.26, zone="on", feet=base.v)
    if kind == "under" and spot.concept.kind in ("plant", "building"):
        return spot  # under a tree is before it
    if kind in ("above", "under"):
        _, half_v = half_sides(scene)
        size = min(spot.size, max(0.35, half_v + (base.v - base.size) - 0.1)) if base.zone != "air" else spot.size * 0.7
        v = max(base.v - base.size - 0.06, -0.92 * half_v + size)
        return replace(spot, size=size, u=base.u + (0.12 if spot.number == 0 else spot.u - base.u), v=v, zone="air")
    if kind == "behind" and spot.behind == 1.0:
        return replace(spot, size=spot.size * 0.72, v=spot.v - 0.14)
    if kind == "in_front" and spot.behind == 1.0:
        return replace(spot, v=spot.v + 0.08)
    return spot
