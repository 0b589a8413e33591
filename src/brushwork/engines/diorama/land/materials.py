"""What land can be made of: grass, woods, rock, snow, and the wild land of them all. Colours are linear light;
arrays are flat (n,) lists of seen spots.

A material is a display colour under full daylight. Grass, wood, rock, sand and snow are laid over each other by
slope, height, distance and noise; every layer of noise fades out where a pixel is too wide to show it, so larger
pictures gain detail. Which place is made of what is in grounds.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from brushwork.engines.diorama.land.landforms import Height
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, fade, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import hexes


@dataclass(frozen=True)
class Spots:
    """Seen spots of the land: (n,) each."""

    x: Field
    y: Field
    z: Field
    foot: Field
    """Width of a pixel there, metres."""
    up: Field
    """Upward part of the surface normal."""
    gx: Field
    gz: Field
    """Slope of the surface along x and z."""

    def __getitem__(self, some: NDArray[np.intp]) -> "Spots":
        return Spots(*(getattr(self, row.name)[some] for row in fields(self)))


# grass: four tones from shade to tip; by season
_GRASS = {
    "spring": ("#3f7a2a", "#6aa63a", "#9cc653", "#c9dc7a"),
    "summer": ("#3a6b26", "#5c9134", "#86ad42", "#b3bd5f"),
    "autumn": ("#6a6228", "#94803a", "#b8974a", "#d3b36a"),
    "winter": ("#6d7256", "#8b8c6c", "#a9a686", "#c4bf9f"),
}
_WOOD = {
    "spring": ("#2c5a2c", "#5d9440", "#a5b95a"),
    "summer": ("#1f4727", "#386b34", "#5b8a3d"),
    "autumn": ("#6b4a22", "#b5682a", "#d99a3a"),
    "winter": ("#3a4a47", "#5d6a66", "#8a958f"),
}
_ROCK = ("#59565a", "#85807d", "#aaa49b")


def spots_of(height: Height, x: Field, z: Field, foot: Field, y: Field) -> Spots:
    """Surface data of the land at seen places of height `y`, from small differences."""
    step = np.maximum(foot * 0.9, 0.04)
    gx = (height(x + step, z) - y) / step
    gz = (height(x, z + step) - y) / step
    return Spots(x, y, z, foot, as_f32(1 / np.sqrt(1 + gx * gx + gz * gz)), as_f32(gx), as_f32(gz))


def cover(colour: Field, share: Field, s: Spots, lay: Callable[[Spots], Field]) -> Field:
    """Lay a material over `colour` by `share` 0-1; it is only made for the spots where it shows."""
    some = np.flatnonzero(share > 0)
    if some.size > 0.8 * share.size:
        return blend(colour, lay(s), share)
    if some.size:
        colour[some] = blend(colour[some], lay(s[some]), share[some])
    return colour


def ramp(tones: Field, t: Field) -> Field:
    """Colours (k, 3) along t in 0..1: (n, 3)."""
    at = np.clip(t, 0, 1) * (len(tones) - 1)
    low = np.minimum(at.astype(np.int32), len(tones) - 2)
    return blend(tones[low], tones[low + 1], as_f32(at - low))


def strokes(g: Grain, s: Spots, key: int) -> Field:
    """Upright brush strokes for grass, 0..1: narrow across the picture, long in depth."""
    a = g.at("fine", s.x / s.z * 300, np.log(s.z) * 34, 1024, key, turn=False)
    b = g.at("fine", s.x / s.z * 120, np.log(s.z) * 16, 1024, key + 1, turn=False)
    return as_f32(a[..., 0] * 0.5 + b[..., 1] * 0.5)


def lay_grass(scene: Scene, g: Grain, s: Spots) -> Field:
    tones = hexes(*_GRASS[scene.season]) * 0.62
    patch = g.at("soft", s.x, s.z, 210, 301)
    fine = g.at("soft", s.x, s.z, 17, 302)
    speck = g.at("fine", s.x, s.z, 8, 303)
    t = 0.42 + (patch[..., 0] - 0.5) * 0.9 + (fine[..., 0] - 0.5) * 0.55 * fade(s.foot, 0.6)
    t = t + (speck[..., 0] - 0.5) * 0.55 * fade(s.foot, 0.06)
    t = t + (strokes(g, s, 304) - 0.5) * 0.55 * smooth(1.5, 5, s.z) * smooth(260, 60, s.z)
    colour = ramp(tones, t)
    dry = hexes("#c3b257")[0] * 0.6
    return blend(colour, dry, 0.35 * smooth(0.5, 0.75, patch[..., 2]))


def lay_woodland(scene: Scene, g: Grain, s: Spots) -> Field:
    """Tree cover seen from afar: dark gaps between lit crowns."""
    tones = hexes(*_WOOD[scene.season]) * 0.55
    crowns = g.at("cells", s.x, s.z * 0.8, 260, 310)
    stand = g.at("soft", s.x, s.z, 900, 311)
    near = fade(s.foot, 9)
    t = 0.40 + (stand[..., 0] - 0.5) * 0.8 + near * ((0.55 - crowns[..., 0]) * 0.75 + (crowns[..., 2] - 0.5) * 0.35)
    return ramp(tones, t)


def lay_rock(
    g: Grain, s: Spots, tones: Field, *, strata: float = 0.0, warp: float = 10.0, size: float = 220.0
) -> Field:
    rough = g.at("soft", s.x, s.z + s.y * 0.7, size, 320)
    fine = g.at("ridge", s.x + s.y, s.z - s.y * 0.6, size * 0.22, 321)
    speck = g.at("fine", s.x + s.y, s.z, 14, 322)
    t = 0.42 + (rough[..., 0] - 0.5) * 0.9 + (0.42 - fine) * 0.45 * fade(s.foot, size * 0.02)
    t = t + (speck[..., 0] - 0.5) * 0.30 * fade(s.foot, 0.10)
    if strata > 0:
        band = s.y + (rough[..., 1] - 0.5) * warp
        lines = g.at("soft", band * 0 + 3.3, band, 62, 323, turn=False)[..., 2]
        thin = g.at("soft", band * 0 + 7.1, band, 14, 324, turn=False)[..., 1]
        t = t * (1 - strata) + strata * (0.5 + (lines - 0.5) * 1.8 + (thin - 0.5) * 0.6 * fade(s.foot, 0.8))
    return ramp(tones, t)


def snow_cover(g: Grain, s: Spots, line: float, soft: float, steep: float = 0.60) -> Field:
    """0-1: how much snow lies, above `line` metres and not on walls."""
    n = g.at("soft", s.x, s.z, 900, 330)
    high = smooth(line - soft, line + soft, s.y + (n[..., 0] - 0.5) * soft * 2.2)
    return high * smooth(steep, steep + 0.16, s.up + (n[..., 1] - 0.5) * 0.22)


def lay_snow(g: Grain, s: Spots) -> Field:
    """Wind-packed snow: blue hollows, bright crests, a sparkle near by."""
    drift = g.at("soft", s.x, s.z * 1.8, 46, 331)
    small = g.at("swell", s.x * 1.4, s.z * 2.4, 9, 332)
    sparkle = g.at("fine", s.x, s.z, 2.5, 333)[..., 0]
    t = 0.55 + (drift[..., 0] - 0.5) * 0.9 + (small - 0.5) * 0.5 * fade(s.foot, 0.4)
    colour = ramp(hexes("#a9c3e6", "#d5e2f2", "#f2f5fa") * 0.37, t)
    return colour * (1 + 0.5 * smooth(0.80, 0.95, sparkle) * fade(s.foot, 0.02))[..., None]


def lay_wild(scene: Scene, g: Grain, s: Spots, *, snow_line: float, tree_line: float, wooded: float) -> Field:
    """Meadow, woods, rock and snow: the temperate landscape."""
    colour = lay_grass(scene, g, s)
    if any(name == "snow_peaks" for name, _ in scene.emphasis):
        snow_line = min(snow_line, 170)
    stand = g.at("soft", s.x, s.z, 1400, 340)
    if wooded > 0 and "trees" not in scene.forbidden:
        edge = 0.80 - 0.55 * wooded
        woods = smooth(edge, edge + 0.10, stand[..., 0] + 0.12 * smooth(20, 200, s.y)) * smooth(170, 420, s.z)
        woods *= smooth(tree_line + 120, tree_line - 120, s.y + (stand[..., 1] - 0.5) * 300) * smooth(0.50, 0.66, s.up)
        colour = cover(colour, woods, s, lambda some: lay_woodland(scene, g, some))
    tones = hexes(*_ROCK) * 0.6
    bare = smooth(0.80, 0.62, s.up + (stand[..., 2] - 0.5) * 0.25 - 0.22 * smooth(tree_line, tree_line + 500, s.y))
    bare *= smooth(40, 160, s.z)
    colour = cover(colour, bare, s, lambda some: lay_rock(g, some, tones, strata=0.25, warp=60, size=420))
    if scene.season == "winter":
        snow_line = -50
    if "snow" not in scene.forbidden:
        colour = cover(colour, snow_cover(g, s, snow_line, 130, 0.52), s, lambda some: lay_snow(g, some))
    return colour
