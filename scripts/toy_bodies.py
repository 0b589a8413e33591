"""Bodies for artwork that has only a head: small signed-distance figures, shaded like soft vinyl toys.

Only used while the artwork is built (see build_sprites.py). Knows nothing of files or of the painter. Units: the
width of the head is about 1; x to the right, y up, z towards the viewer; the chin is near y = 0.
"""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """A capsule from `a` to `b` that narrows from radius `ra` to `rb`; flattened along z by `flat`."""

    a: Point
    b: Point
    ra: float
    rb: float
    colour: Colour
    flat: float = 1.0


def ball(centre: Point, radius: float, colour: Colour, flat: float = 1.0) -> Part:
    return Part(centre, (centre[0], centre[1] + 1e-3, centre[2]), radius, radius, colour, flat)


def draw(parts: list[Part], *, pixels: int, left: float, right: float, top: float, bottom: float) -> NDArray[np.uint8]:
    """RGBA picture of the window at `pixels` per unit, twice supersampled."""
    scale = pixels * 2
    width, height = round((right - left) * scale), round((top - bottom) * scale)
    xs = (left + (np.arange(width) + 0.5) / scale).astype(np.float32)
    ys = (top - (np.arange(height) + 0.5) / scale).astype(np.float32)
    x, y = (grid.ravel() for grid in np.meshgrid(xs, ys))
    z = np.full_like(x, 1.2)
    alive = np.ones(x.shape, bool)
    for _ in range(56):
        index = np.flatnonzero(alive)
        if not index.size:
            break
        distance, _ = field(parts, x[index], y[index], z[index])
        z[index] -= np.maximum(distance, 0.002) * 0.8
        alive[index] = (distance > 0.003) & (z[index] > -1.2)
    rgb, hit = np.zeros((x.size, 3), np.float32), np.flatnonzero(z > -1.2)
    rgb[hit] = shade(parts, x[hit], y[hit], z[hit])
    alpha = np.zeros(x.size, np.float32)
    alpha[hit] = 1
    flat = np.concatenate([rgb * alpha[:, None], alpha[:, None]], 1).reshape(height, width, 4)
    small = np.asarray(cv2.resize(flat, (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.float32)
    small[..., :3] /= np.maximum(small[..., 3:], 1e-4)
    return (np.clip(small, 0, 1) * 255 + 0.5).astype(np.uint8)


def field(parts: list[Part], x: Array, y: Array, z: Array) -> tuple[Array, Array]:
    """Smooth union of all parts: distance, and the blended colour."""
    total, weight, colour = np.full_like(x, 9.0), np.zeros_like(x), np.zeros((x.size, 3), np.float32)
    for part in parts:
        distance = capsule(part, x, y, z)
        near = np.exp(np.clip(-distance * 90, -60, 20))
        colour += near[:, None] * np.array(part.colour, np.float32)
        weight += near
        blend = np.clip(0.5 + 0.5 * (total - distance) / 0.06, 0, 1)
        total = total * (1 - blend) + distance * blend - 0.06 * blend * (1 - blend)
    return total.astype(np.float32), np.asarray(colour / np.maximum(weight, 1e-9)[:, None], np.float32)


def capsule(part: Part, x: Array, y: Array, z: Array) -> Array:
    ax, ay, az = part.a
    dx, dy, dz = part.b[0] - ax, part.b[1] - ay, part.b[2] - az
    t = np.clip(((x - ax) * dx + (y - ay) * dy + (z - az) * dz) / (dx * dx + dy * dy + dz * dz), 0, 1)
    depth = (z - az - t * dz) / part.flat
    distance = np.sqrt((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 + depth**2)
    return np.asarray((distance - (part.ra + (part.rb - part.ra) * t)) * min(1.0, part.flat), np.float32)


def shade(parts: list[Part], x: Array, y: Array, z: Array) -> Array:
    """Soft light from the upper left, cool shade, a rim from below: the look of the heads."""
    e = 0.004
    base, colour = field(parts, x, y, z)
    normal = np.stack(
        [
            field(parts, x + e, y, z)[0] - base,
            field(parts, x, y + e, z)[0] - base,
            field(parts, x, y, z + e)[0] - base,
        ],
        1,
    )
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    light = np.array([-0.38, 0.62, 0.69], np.float32)
    lambert = np.clip(normal @ light * 0.5 + 0.5, 0, 1)
    shadow = np.array([0.62, 0.50, 0.66], np.float32)
    lit = colour * (shadow + (np.array([1.06, 1.05, 1.03], np.float32) - shadow) * (lambert[:, None] ** 1.2))
    half = light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    gloss = np.clip(normal @ half, 0, 1) ** 24 * 0.13
    rim = (1 - np.clip(normal[:, 2], 0, 1)) ** 3 * 0.10
    return np.asarray(
        np.clip(lit + gloss[:, None] + rim[:, None] * np.array([0.9, 0.85, 1.0], np.float32), 0, 1), np.float32
    )


def mirrored(part: Part) -> list[Part]:
    """The part and its mirror image."""
    (ax, ay, az), (bx, by, bz) = part.a, part.b
    return [part, Part((-ax, ay, az), (-bx, by, bz), part.ra, part.rb, part.colour, part.flat)]


def sitting_animal(fur: Colour, belly: Colour, paws: Colour, tail: Colour | None, tip: Colour) -> list[Part]:
    """Sits and looks at us: chest, forelegs, haunches, and a tail that curls up at the right."""
    parts = [
        Part((0, -0.30, 0), (0, -0.78, 0), 0.27, 0.36, fur),
        Part((0, -0.34, 0.14), (0, -0.62, 0.14), 0.16, 0.20, belly),
        *mirrored(Part((0.15, -0.55, 0.26), (0.155, -1.02, 0.30), 0.105, 0.085, fur)),
        *mirrored(Part((0.155, -1.06, 0.32), (0.16, -1.07, 0.38), 0.105, 0.10, paws)),
        *mirrored(Part((0.33, -0.88, 0.04), (0.36, -0.94, 0.10), 0.22, 0.20, fur)),
        *mirrored(Part((0.36, -1.08, 0.20), (0.40, -1.09, 0.34), 0.11, 0.095, paws)),
    ]
    if tail is not None:
        path = [
            (0.30, -1.02, -0.3),
            (0.58, -1.00, -0.28),
            (0.76, -0.80, -0.25),
            (0.80, -0.55, -0.22),
            (0.74, -0.38, -0.2),
        ]
        for step, (a, b) in enumerate(itertools.pairwise(path)):
            thick = (0.09, 0.13, 0.15, 0.13, 0.05)
            parts.append(Part(a, b, thick[step], thick[step + 1], tip if step >= 2 else tail))
    return parts


def sitting_bear(fur: Colour, belly: Colour, limbs: Colour) -> list[Part]:
    """A stout sitter with its feet towards us."""
    return [
        Part((0, -0.34, 0), (0, -0.68, 0), 0.34, 0.42, fur),
        Part((0, -0.50, 0.24), (0, -0.70, 0.24), 0.20, 0.25, belly),
        *mirrored(Part((0.36, -0.36, 0.05), (0.46, -0.74, 0.22), 0.15, 0.14, limbs)),
        *mirrored(Part((0.30, -0.98, 0.10), (0.36, -1.0, 0.42), 0.19, 0.17, limbs)),
    ]


def standing_person(shirt: Colour, trousers: Colour, shoes: Colour, skin: Colour, *, dress: bool = False) -> list[Part]:
    """A small figure with its arms at its sides; with `dress` the shirt widens to the knees."""
    legs = skin if dress else trousers
    parts = [
        Part((0, 0.02, -0.04), (0, -0.14, -0.02), 0.10, 0.11, skin),
        Part((0, -0.24, 0), (0, -0.62, 0), 0.22, 0.21, shirt, 0.8),
        *mirrored(Part((0.21, -0.23, 0), (0.31, -0.45, 0.04), 0.10, 0.085, shirt)),
        *mirrored(Part((0.31, -0.47, 0.04), (0.33, -0.68, 0.10), 0.072, 0.075, skin)),
        *mirrored(Part((0.115, -0.78, 0), (0.125, -1.16, 0), 0.115, 0.095, legs)),
        *mirrored(Part((0.135, -1.25, 0.02), (0.15, -1.265, 0.13), 0.10, 0.105, shoes)),
    ]
    if dress:
        parts.append(Part((0, -0.50, 0), (0, -0.80, 0), 0.19, 0.36, shirt, 0.75))
    else:
        parts.append(Part((0, -0.66, 0), (0, -0.74, 0), 0.22, 0.215, trousers, 0.8))
    return parts


def robot_body(shell: Colour, dark: Colour, accent: Colour) -> list[Part]:
    """Rounded machine with ball joints."""
    return [
        ball((0, -0.06, 0), 0.10, dark),
        Part((0, -0.34, 0), (0, -0.58, 0), 0.30, 0.26, shell, 0.9),
        ball((0, -0.42, 0.24), 0.085, accent),
        *mirrored(ball((0.34, -0.26, 0), 0.10, accent)),
        *mirrored(Part((0.40, -0.36, 0.03), (0.42, -0.62, 0.10), 0.075, 0.09, shell)),
        *mirrored(ball((0.42, -0.74, 0.12), 0.10, dark)),
        *mirrored(Part((0.14, -0.84, 0), (0.15, -1.02, 0), 0.085, 0.085, dark)),
        *mirrored(Part((0.155, -1.12, 0.02), (0.165, -1.14, 0.14), 0.125, 0.12, shell)),
    ]


def frog_body(skin: Colour, belly: Colour) -> list[Part]:
    """A squat sitter with wide feet."""
    return [
        Part((0, -0.22, 0), (0, -0.42, 0), 0.36, 0.40, skin),
        Part((0, -0.30, 0.16), (0, -0.46, 0.16), 0.24, 0.26, belly),
        *mirrored(Part((0.24, -0.40, 0.30), (0.27, -0.74, 0.34), 0.09, 0.075, skin)),
        *mirrored(Part((0.27, -0.79, 0.36), (0.34, -0.81, 0.46), 0.075, 0.085, skin)),
        *mirrored(Part((0.42, -0.56, 0), (0.50, -0.70, 0.16), 0.17, 0.15, skin)),
        *mirrored(Part((0.50, -0.80, 0.16), (0.62, -0.82, 0.34), 0.09, 0.10, skin)),
    ]


def below_bust(cloth: Colour, trousers: Colour, shoes: Colour, *, half: float, robe: bool) -> list[Part]:
    """What continues a bust downwards: a robe to the ground, or hips, legs and shoes. `half`: half its width."""
    if robe:
        return [
            Part((0, 0.14, 0), (0, -1.10, 0), half * 0.80, half * 1.30, cloth, 0.7),
            *mirrored(Part((0.16, 0.0, 0.16), (0.34, -1.1, 0.38), 0.05, 0.16, cloth)),
            *mirrored(Part((0.15, -0.84, 0.50), (0.16, -0.86, 0.58), 0.09, 0.09, shoes)),
        ]
    return [
        Part((0, 0.14, 0), (0, -0.06, 0), half * 0.80, half * 0.74, cloth, 0.75),
        *mirrored(Part((half * 0.86, 0.16, 0.02), (half * 0.92, -0.08, 0.08), 0.11, 0.10, cloth)),
        *mirrored(Part((half * 0.36, -0.22, 0), (half * 0.40, -0.62, 0), half * 0.36, half * 0.30, trousers)),
        *mirrored(Part((half * 0.42, -0.72, 0.03), (half * 0.46, -0.74, 0.15), 0.12, 0.12, shoes)),
    ]


def lighthouse() -> list[Part]:
    """A tapering tower in red and white bands, with a lantern."""
    white, red, dark, glow = (0.96, 0.95, 0.95), (0.86, 0.16, 0.20), (0.22, 0.22, 0.30), (1.0, 0.88, 0.45)
    parts = [Part((0, -1.45, 0), (0, -1.40, 0), 0.52, 0.46, (0.62, 0.60, 0.62))]
    for band in range(6):
        low, high = -1.32 + band * 0.26, -1.32 + (band + 1) * 0.26
        parts.append(
            Part((0, low, 0), (0, high, 0), 0.34 - 0.022 * band, 0.34 - 0.022 * (band + 1), red if band % 2 else white)
        )
    return [
        *parts,
        Part((-0.10, 0.42, 0), (0.10, 0.42, 0), 0.19, 0.19, dark, 1.4),
        Part((0, 0.58, 0), (0, 0.76, 0), 0.17, 0.17, glow),
        Part((0, 0.92, 0), (0, 1.10, 0), 0.23, 0.05, red),
        ball((0, 1.20, 0), 0.05, dark),
    ]


def windmill() -> list[Part]:
    """A stout tower with four sails."""
    wall, cap, wood, cloth = (0.93, 0.88, 0.80), (0.55, 0.30, 0.24), (0.42, 0.30, 0.24), (0.98, 0.96, 0.92)
    parts = [
        Part((0, -1.35, 0), (0, 0.0, 0), 0.50, 0.30, wall),
        Part((0, 0.12, 0), (0, 0.34, 0), 0.33, 0.12, cap),
        Part((0, -1.50, 0.40), (0, -1.30, 0.42), 0.14, 0.14, wood),
        ball((0.0, -0.55, 0.36), 0.09, (0.35, 0.50, 0.68)),
        ball((0, 0.12, 0.52), 0.09, wood),
    ]
    for turn in range(4):
        angle = np.pi / 4 + turn * np.pi / 2 + 0.18
        c, s = float(np.cos(angle)), float(np.sin(angle))
        parts.append(Part((0.05 * c, 0.12 + 0.05 * s, 0.55), (1.12 * c, 0.12 + 1.12 * s, 0.55), 0.035, 0.03, wood))
        for along in np.arange(0.32, 1.06, 0.12):
            x, y = along * c - 0.11 * s, 0.12 + along * s + 0.11 * c
            parts.append(
                Part((x - 0.05 * c, y - 0.05 * s, 0.54), (x + 0.05 * c, y + 0.05 * s, 0.54), 0.10, 0.10, cloth, 0.3)
            )
    return parts


def hot_air_balloon() -> list[Part]:
    """A striped envelope over a basket. Stripes are thin lobes round the axis."""
    stripes = ((0.93, 0.25, 0.25), (0.99, 0.78, 0.25), (0.97, 0.94, 0.90))
    parts = []
    for lobe in range(24):
        angle = 2 * np.pi * (lobe + 0.5) / 24
        s, c, colour = float(np.sin(angle)), float(np.cos(angle)), stripes[lobe % 3]
        path = [(0.12, 1.03), (0.42, 0.90), (0.62, 0.62), (0.66, 0.30), (0.52, -0.06), (0.30, -0.40), (0.17, -0.58)]
        for (ra, ya), (rb, yb) in itertools.pairwise(path):
            parts.append(Part((ra * s, ya, ra * c), (rb * s, yb, rb * c), 0.05 + 0.09 * ra, 0.05 + 0.09 * rb, colour))
    for x in (-0.13, 0.13):
        parts += [Part((x * 1.2, -0.60, 0.1), (x, -0.92, 0.1), 0.014, 0.014, (0.35, 0.26, 0.20))]
    weave = (0.62, 0.42, 0.26)
    return [
        *parts,
        Part((-0.08, -1.04, 0), (0.08, -1.04, 0), 0.11, 0.11, weave),
        Part((-0.10, -0.96, 0), (0.10, -0.96, 0), 0.06, 0.06, (0.45, 0.29, 0.18)),
    ]


def knight_helmet() -> list[Part]:
    """A closed helmet with a red plume."""
    steel, dark, plume = (0.74, 0.77, 0.83), (0.16, 0.16, 0.22), (0.88, 0.15, 0.25)
    return [
        Part((0, 0.16, 0), (0, 0.48, 0), 0.30, 0.33, steel),
        Part((0, 0.10, 0.20), (0, 0.34, 0.26), 0.14, 0.10, (0.66, 0.69, 0.76)),
        Part((-0.22, 0.42, 0.27), (0.22, 0.42, 0.27), 0.055, 0.055, dark),
        Part((0, 0.55, 0.30), (0, 0.80, 0.05), 0.03, 0.04, (0.93, 0.80, 0.45)),
        Part((0, 0.84, 0.10), (0, 0.98, -0.1), 0.07, 0.13, plume),
        Part((0.03, 0.98, -0.1), (0.22, 0.92, -0.3), 0.13, 0.08, plume),
    ]
