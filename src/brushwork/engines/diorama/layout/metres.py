"""From the image plane into the world: the camera's height, and each thing's distance and size in metres.

By perspective a thing of height h metres at distance z is h * focal / z units tall, and level ground at distance z lies
eye * focal / z units below the horizon.
"""

import math
from dataclasses import replace

import numpy as np

from brushwork.engines.diorama.layout.spots import Spot, horizon
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.subjects.sprites import aspect
from brushwork.engines.diorama.words.reading import Understanding
from brushwork.engines.diorama.worlds.places import PLACES

ROCK = "f-1FAA8"
SMALLEST = 0.45
"""Metres; on the ground smaller things are shown this tall, or grass would hide them."""


def camera_at(scene: Scene, spots: list[Spot], asked: Understanding) -> Scene:
    """The camera comes down to small subjects and stays up for large ones, so that feet meet the ground."""
    if asked.camera == "aerial" or PLACES[scene.place].stands in ("space", "sky"):
        return scene
    standing = [spot for spot in spots if spot.zone in ("ground", "water", "leap") and spot.behind == 1.0]
    if not standing:
        return scene
    main = max(standing, key=lambda spot: spot.size)
    drop = max(main.v - horizon(scene), 0.12)
    height = shown_height(main, scene)
    eye = drop * height / main.size
    low, high = (1.2, 3.2) if scene.place == "studio" else (0.42, 7.0)
    if PLACES[scene.place].water:  # not so near that the shore begins
        low = PLACES[scene.place].near * 0.85 * drop / scene.focal
    return replace(scene, eye=float(np.clip(eye, low, high)))


def shown_height(spot: Spot, scene: Scene) -> float:
    """Metres tall in this world."""
    if scene.place == "studio":
        return 1.5
    height = spot.concept.height * float(np.clip(spot.mention.size, 0.5, 4))
    return max(height, SMALLEST * (2.0 if PLACES[scene.place].stands == "water" else 1.0))


def on_rock(subject: Subject, spot: Spot, scene: Scene) -> tuple[Subject, ...]:
    """What cannot swim stands on a rock where there is only water."""
    dry = spot.concept.habitat in ("land", "prop", "space") and spot.concept.kind != "boat"
    if spot.zone != "water" or not dry or "rock" in scene.forbidden:
        return (subject,)
    wide = subject.height * aspect(spot.artwork)
    tall = wide * 1.35 / aspect(ROCK)
    rock = Subject("rock", subject.x, subject.z * 1.005, tall, lift=-0.44 * tall, colour="grey", flip=spot.flip)
    return (replace(subject, lift=0.42 * tall), rock)


def subject_of(spot: Spot, scene: Scene) -> Subject:
    """From the image plane into the world."""
    place = PLACES[scene.place]
    tilt = math.tan(math.radians(scene.pitch))
    drop = spot.v - horizon(scene)
    if spot.zone in ("ground", "water", "leap", "on") and spot.behind == 1.0 and (drop > 0.05 or spot.zone == "on"):
        reference = spot.v if spot.feet is None else spot.feet + 0.01  # a little nearer than its base
        z = scene.eye * scene.focal / max(reference - horizon(scene), 0.05)
    else:
        z = shown_height(spot, scene) * scene.focal / spot.size
        if spot.behind > 1:
            z = max(min(z, place.far * 1.2), place.near * 2)
    if place.stands in ("space", "sky") or spot.zone in ("air", "free"):
        z = float(np.clip(z, place.near, place.far)) if place.kind != "studio" else z
    height = spot.size * z / scene.focal
    bottom = scene.eye + (tilt - spot.v / scene.focal) * z
    lift = {"ground": 0.0, "water": -0.04 * height, "leap": 0.05 * height}.get(spot.zone, bottom)
    facing = spot.concept.facing
    inward = (facing == "L" and spot.u < -0.15) or (facing == "R" and spot.u > 0.15)
    flip = inward if facing != "F" and abs(spot.u) > 0.15 else spot.flip and facing != "R"
    if spot.zone == "leap":
        lift = 0.10 * height
    return Subject(
        concept=spot.concept.name,
        x=spot.u * z / scene.focal,
        z=z,
        height=height,
        lift=lift if spot.behind == 1.0 or spot.zone == "air" else 0.0,
        colour=spot.mention.colour,
        flip=flip,
        tilt=spot.tilt,
        weight=spot.mention.weight,
    )
