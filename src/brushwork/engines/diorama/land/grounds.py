"""What the ground of each place is made of, from the materials of materials.py: one function a place.

Colours are linear light; arrays are flat (n,) lists of seen spots. Knows neither the sun nor the camera.
"""

import numpy as np

from brushwork.engines.diorama.land.landforms import cloud_tops
from brushwork.engines.diorama.land.materials import (
    Spots,
    cover,
    lay_grass,
    lay_rock,
    lay_snow,
    lay_wild,
    lay_woodland,
    ramp,
    strokes,
)
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, fade, mix, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import hexes


def alpine(scene: Scene, g: Grain, s: Spots) -> Field:
    return lay_wild(scene, g, s, snow_line=880, tree_line=560, wooded=0.75)


def high_alpine(scene: Scene, g: Grain, s: Spots) -> Field:
    return lay_wild(scene, g, s, snow_line=170, tree_line=260, wooded=0.55)


def country(scene: Scene, g: Grain, s: Spots) -> Field:
    colour = lay_wild(scene, g, s, snow_line=900, tree_line=700, wooded=0.45)
    if scene.season == "winter":
        return colour
    cells = g.at("cells", s.x, s.z * 0.9, 3600, 350)  # a patchwork of fields on the farther slopes
    tint = hexes("#a9a64a", "#5d9038", "#c9b765", "#79a345", "#8a9a3e") * 0.58
    pick = tint[np.minimum((cells[..., 2] * 5).astype(np.int32), 4)]
    amount = smooth(140, 320, s.z) * smooth(2600, 1500, s.z) * 0.5 * smooth(0.9, 0.97, s.up)
    colour = blend(colour, as_f32(pick), as_f32(amount))
    hedge = smooth(0.10, 0.0, cells[..., 1]) * amount * 1.3
    return blend(colour, hexes("#2c5226")[0] * 0.5, as_f32(np.clip(hedge, 0, 1)))


def flowers_ground(scene: Scene, g: Grain, s: Spots) -> Field:
    colour = country(scene, g, s)
    tints = hexes("#e8402f", "#f2b632", "#f5f0e6", "#d95f9e", "#8a5fd0") * 0.6
    drift = g.at("soft", s.x, s.z, 120, 360)
    dots = g.at("cells", s.x, s.z, 9, 361)
    far = smooth(8, 60, s.z)
    pick = np.clip((drift[..., 0] - 0.5) * 1.9 + 0.5 + (dots[..., 2] - 0.5) * 0.5 * (1 - far), 0, 0.999)
    tint = tints[(pick * 5).astype(np.int32)]
    dot = smooth(0.50, 0.34, dots[..., 0]) * (dots[..., 2] > 0.30)
    dense = smooth(0.34, 0.52, drift[..., 1])
    bloom = mix(dot, 0.42, far) * (0.35 + 0.65 * dense) * smooth(900, 250, s.z) * smooth(1.5, 4, s.z) * 0.85
    if "flowers" in scene.forbidden:
        return colour
    return blend(colour, as_f32(tint), as_f32(bloom))


def lavender(scene: Scene, g: Grain, s: Spots) -> Field:
    """Rows that run away from the viewer, earth between them."""
    base = country(scene, g, s)
    rng = np.random.default_rng([scene.seed, 365])
    turn = float(rng.uniform(-0.28, 0.28))
    across = (s.x - s.z * turn) / 1.7
    phase = np.abs(across - np.floor(across) - 0.5) * 2  # 0 in the gap's middle ... 1 in the row's
    row = smooth(0.18, 0.55, 1 - phase)
    seen = fade(s.foot, 2.2)
    fine = g.at("fine", s.x, s.z, 7, 366)
    t = (
        0.45
        + (fine[..., 0] - 0.5) * 0.9 * fade(s.foot, 0.08)
        + (row - 0.5) * 0.35 * seen
        + (strokes(g, s, 367) - 0.5) * 0.5
    )
    purple = ramp(hexes("#3d2a6b", "#6a4bab", "#9272cf", "#c3a5ea") * 0.62, t)
    soil = ramp(hexes("#4a3a30", "#7a6a4c", "#6f8040") * 0.55, fine[..., 1])
    field = blend(soil, purple, mix(0.86, row, seen))
    inside = smooth(460, 380, s.z + (g.at("soft", s.x, s.z, 400, 368)[..., 0] - 0.5) * 120)
    return blend(base, field, inside)


def wheat(scene: Scene, g: Grain, s: Spots) -> Field:
    base = country(scene, g, s)
    wind = g.at("soft", s.x * 0.6, s.z, 60, 370)
    fine = g.at("fine", s.x, s.z, 6, 371)
    t = (
        0.45
        + (wind[..., 0] - 0.5) * 0.8
        + (strokes(g, s, 372) - 0.5) * 0.7
        + (fine[..., 0] - 0.5) * 0.5 * fade(s.foot, 0.07)
    )
    gold = ramp(hexes("#8a6420", "#c8973a", "#e8bf60", "#f7de96") * 0.6, t)
    track = smooth(0.30, 0.10, np.abs(np.abs(s.x - s.z * 0.10 + 1.2) - 0.85)) * fade(s.foot, 0.9)
    gold = blend(gold, hexes("#8b6b45")[0] * 0.5, as_f32(track * 0.85))
    return blend(base, gold, smooth(330, 260, s.z + (wind[..., 1] - 0.5) * 90))


def forest_floor(scene: Scene, g: Grain, s: Spots) -> Field:
    grass = lay_grass(scene, g, s)
    litter = g.at("fine", s.x, s.z, 6, 380)
    patch = g.at("soft", s.x, s.z, 34, 381)
    tones = {
        "autumn_forest": ("#6b3f1c", "#a8622a", "#d08a35", "#e3b04a"),
        "winter_forest": ("#5b4a38", "#7c6a52", "#a39077"),
        "jungle": ("#23401f", "#3d6128", "#6a7a35"),
    }.get(scene.place, ("#453620", "#6b5230", "#8f7443"))
    leaves = ramp(
        hexes(*tones) * 0.58, 0.45 + (litter[..., 0] - 0.5) * 1.3 * fade(s.foot, 0.07) + (patch[..., 0] - 0.5) * 0.8
    )
    share = {"autumn_forest": 0.80, "winter_forest": 0.5, "jungle": 0.35}.get(scene.place, 0.42)
    colour = blend(grass, leaves, smooth(0.60, 0.45, patch[..., 1] + 0.5 - share))
    path = smooth(1.1, 0.55, np.abs(s.x - 2.2 * np.sin(s.z * 0.055)) + (patch[..., 2] - 0.5) * 0.8)
    earth = ramp(hexes("#6a5138", "#9a7c58", "#b59a74") * 0.6, 0.5 + (litter[..., 1] - 0.5) * 1.1 * fade(s.foot, 0.08))
    colour = blend(colour, earth, path * 0.85)
    if scene.place == "winter_forest" and "snow" not in scene.forbidden:
        lie = g.at("soft", s.x, s.z, 12, 382)[..., 0]
        colour = cover(colour, smooth(0.18, 0.36, lie + 0.20), s, lambda some: lay_snow(g, some))
    return cover(colour, smooth(60, 140, s.z), s, lambda some: lay_woodland(scene, g, some))


def desert(_scene: Scene, g: Grain, s: Spots) -> Field:
    tones = hexes("#b5702f", "#d6954a", "#ebb56c", "#f6d49a") * 0.60
    soft = g.at("soft", s.x, s.z, 420, 390)
    wobble = g.at("soft", s.x, s.z, 11, 391)
    ripple = np.sin((s.z * 1.0 + s.x * 0.35) * 9.5 + (wobble[..., 0] - 0.5) * 22)
    grit = g.at("fine", s.x, s.z, 4, 392)
    t = (
        0.5
        + (soft[..., 0] - 0.5) * 0.6
        + ripple * 0.13 * fade(s.foot, 0.5)
        + (grit[..., 0] - 0.5) * 0.35 * fade(s.foot, 0.04)
    )
    return ramp(tones, t + (0.85 - s.up) * -0.3)


def canyon(_scene: Scene, g: Grain, s: Spots) -> Field:
    tones = hexes("#6e2f1e", "#a9502c", "#cf7a45", "#e8ab74", "#f3cf9f") * 0.58
    dust = g.at("soft", s.x, s.z, 60, 400)
    grit = g.at("fine", s.x, s.z, 6, 401)
    flat = ramp(
        hexes("#b5693a", "#d3915a", "#e6b683") * 0.58,
        0.5 + (dust[..., 0] - 0.5) * 0.9 + (grit[..., 0] - 0.5) * 0.5 * fade(s.foot, 0.07),
    )
    scrub = smooth(0.55, 0.70, dust[..., 1]) * 0.35 * smooth(0.9, 0.96, s.up)
    flat = blend(flat, hexes("#8a8a4a")[0] * 0.55, scrub)
    wall = smooth(0.93, 0.80, s.up + (dust[..., 2] - 0.5) * 0.1)
    return cover(flat, wall, s, lambda some: lay_rock(g, some, tones, strata=0.75, warp=7, size=160))


def shore(scene: Scene, g: Grain, s: Spots) -> Field:
    """Sand above the waterline, green above the sand, rock on the walls."""
    level = 0.0
    sand_tones = hexes("#c7a170", "#e0c08d", "#f0d9ad", "#f8e8c8") * 0.56
    soft = g.at("soft", s.x, s.z, 40, 410)
    grit = g.at("fine", s.x, s.z, 3.2, 411)
    shells = g.at("cells", s.x, s.z, 14, 412)
    t = 0.55 + (soft[..., 0] - 0.5) * 0.6 + (grit[..., 0] - 0.5) * 0.35 * fade(s.foot, 0.03)
    sand = ramp(sand_tones, t)
    shell = smooth(0.065, 0.03, shells[..., 0]) * (shells[..., 2] > 0.7) * fade(s.foot, 0.12)
    sand = blend(sand, hexes("#fff6ea")[0] * 0.6, as_f32(shell))
    wet = smooth(0.34, 0.02, s.y - level + (soft[..., 1] - 0.5) * 0.22)
    sand = sand * (1 - 0.52 * wet[..., None])

    def green(some: Spots) -> Field:
        wild = lay_wild(scene, g, some, snow_line=3000, tree_line=2500, wooded=0.9)
        if scene.place != "island":
            return wild
        return cover(wild, smooth(3, 8, some.y) * 0.6, some, lambda top: lay_woodland(scene, g, top))

    top = smooth(2.2, 3.6, s.y + (soft[..., 2] - 0.5) * 2.0)
    tones = hexes("#5b4f47", "#8b7a6b", "#b8a48c") * 0.58
    colour = cover(sand, top, s, green)
    steep = smooth(0.80, 0.64, s.up) * smooth(60, 120, s.z)
    return cover(colour, steep, s, lambda some: lay_rock(g, some, tones, strata=0.3, warp=8, size=90))


def lakeside(scene: Scene, g: Grain, s: Spots) -> Field:
    wild = alpine(scene, g, s)
    pebble = g.at("cells", s.x, s.z, 5.5, 420)
    stones = ramp(
        hexes("#4c4a45", "#7d776c", "#a89f90", "#c9c0ae") * 0.55,
        pebble[..., 2] * 0.8 + (0.5 - pebble[..., 0]) * 0.5 * fade(s.foot, 0.15),
    )
    near = smooth(0.75, 0.30, s.y) * smooth(0.93, 0.97, s.up + smooth(60, 20, s.z))
    colour = blend(wild, stones, near)
    wet = smooth(0.22, 0.0, s.y)
    return colour * (1 - 0.45 * wet[..., None])


def gorge(scene: Scene, g: Grain, s: Spots) -> Field:
    wild = lay_wild(scene, g, s, snow_line=3000, tree_line=2000, wooded=0.9)
    tones = hexes("#39403a", "#5f665c", "#8b8f80") * 0.55

    def mossy(some: Spots) -> Field:
        rock = lay_rock(g, some, tones, strata=0.35, warp=5, size=60)
        n = g.at("soft", some.x, some.y * 1.5 + some.z, 22, 430)
        return blend(rock, hexes("#4e7a30")[0] * 0.5, smooth(0.48, 0.66, n[..., 0]) * 0.8)

    colour = cover(wild, smooth(0.86, 0.70, s.up), s, mossy)
    if "water" not in scene.forbidden:
        colour = blend(colour, as_f32([0.62, 0.70, 0.74]), curtain(g, s))
    return colour * (1 - 0.45 * smooth(0.15, -0.1, s.y)[..., None])


def curtain(g: Grain, s: Spots) -> Field:
    """0-1: the falling water on the wall behind the pool."""
    wide = 2.3 + 1.1 * smooth(30, 0, s.y)
    fall = (0.0, -1.1)
    threads = g.drifting("soft", s.x * 3.0, s.y * 0.16, 14, 431, along=fall, cycle=1.6, elsewhere=True, turn=False)
    edge = np.abs(s.x - 0.6) + (threads[..., 0] - 0.5) * 1.6
    body = smooth(wide, wide * 0.55, edge) * smooth(28, 33, s.z) * smooth(62, 56, s.z) * smooth(-0.3, 0.4, s.y)
    return as_f32(body * (0.45 + 0.75 * smooth(0.30, 0.62, threads[..., 1])))


def lava_land(_scene: Scene, g: Grain, s: Spots) -> Field:
    ash = lay_rock(g, s, hexes("#1f1b1e", "#3a3336", "#5a4c49", "#6f5d55") * 0.6, size=120)
    moss = g.at("soft", s.x, s.z, 90, 440)
    return blend(
        ash,
        hexes("#5a6332")[0] * 0.45,
        smooth(0.56, 0.70, moss[..., 0]) * 0.5 * smooth(0.88, 0.95, s.up) * smooth(1500, 700, s.z),
    )


def lava_glow(g: Grain, s: Spots) -> Field:
    """Light that the lava gives by itself: streams down the cone and cracks in the plain, (n, 3)."""
    warp = g.at("soft", s.x, s.z, 900, 441)
    crack = g.at("cells", s.x + warp[..., 0] * 40, s.z * 0.9 + warp[..., 1] * 40, 620, 442)
    on_cone = smooth(120, 330, s.y)
    # Streams run down the cone: thin lines in the angle around its axis, which wander a little with the height.
    angle = np.arctan2(s.x, 2650 - s.z)
    wander = g.at("gentle", angle * 300, s.y * 0.9, 900, 443)
    line = g.at("gentle", angle * 900 + (wander[..., 0] - 0.5) * 260, s.y * 0.10, 2400, 444)[..., 1]
    width = 0.012 + 0.030 * smooth(900, 200, s.y)
    stream = (
        smooth(width, width * 0.25, np.abs(line - 0.5))
        * on_cone
        * smooth(0.36, 0.50, wander[..., 1] + 0.25 * smooth(500, 1000, s.y))
    )
    plain = (
        smooth(0.075, 0.0, crack[..., 1]) * smooth(0.50, 0.62, warp[..., 2]) * (1 - on_cone) * smooth(1500, 900, s.z)
    )
    stream = stream + plain * fade(s.foot, 6)
    heat = np.clip(stream, 0, 1)
    return as_f32(np.stack([heat * 3.4, heat**1.5 * 1.15, heat**3 * 0.30], axis=-1))


def ice(_scene: Scene, g: Grain, s: Spots) -> Field:
    snow = lay_snow(g, s)
    bare = g.at("soft", s.x, s.z, 34, 450)
    glaze = ramp(hexes("#5fa6d0", "#9fd0ea", "#d8eef8") * 0.42, bare[..., 1])
    snow = blend(snow, glaze, smooth(0.56, 0.68, bare[..., 0]) * 0.75 * smooth(60, 20, s.z))
    blue = lay_rock(g, s, hexes("#4d9ccb", "#8cc7e4", "#cfe8f4") * 0.46, strata=0.5, warp=6, size=90)
    colour = blend(blue, snow, smooth(0.62, 0.86, s.up))
    bare = smooth(0.66, 0.52, s.up) * smooth(1200, 1900, s.z)
    tones = hexes("#4a5058", "#737b85", "#9aa3ad") * 0.55
    return cover(colour, bare, s, lambda some: lay_rock(g, some, tones, size=300))


def mars(_scene: Scene, g: Grain, s: Spots) -> Field:
    tones = hexes("#5e2a1b", "#97482a", "#bf6c40", "#dc9562") * 0.58
    soft = g.at("soft", s.x, s.z, 50, 460)
    grit = g.at("fine", s.x, s.z, 5, 461)
    dust = ramp(
        hexes("#98502e", "#c0703f", "#dd9763") * 0.58,
        0.5 + (soft[..., 0] - 0.5) * 0.9 + (grit[..., 0] - 0.5) * 0.5 * fade(s.foot, 0.05),
    )
    wall = smooth(0.96, 0.86, s.up)
    return cover(dust, wall, s, lambda some: lay_rock(g, some, tones, strata=0.5, warp=6, size=120))


def lunar(_scene: Scene, g: Grain, s: Spots) -> Field:
    soft = g.at("soft", s.x, s.z, 120, 470)
    wide = g.at("soft", s.x, s.z, 2600, 471)
    grit = g.at("fine", s.x, s.z, 4, 472)
    t = 0.5 + (soft[..., 0] - 0.5) * 0.5 + (wide[..., 0] - 0.5) * 0.7 + (grit[..., 0] - 0.5) * 0.55 * fade(s.foot, 0.04)
    return ramp(hexes("#55555a", "#85858a", "#b4b3b2", "#d8d6d2") * 0.5, t)


def cloud_sea(scene: Scene, g: Grain, s: Spots) -> Field:
    """A sea of clouds, with peaks that stand out of it."""
    soft = g.at("soft", s.x, s.z, 2600, 480)
    shade_ = hexes("#94a9cf", "#d8e2f0", "#fbfcff") * 0.36
    heads = g.at("billow", s.x, s.z, 2100, 262)
    cloud = ramp(shade_, 0.35 + heads * 0.5 + (soft[..., 0] - 0.5) * 0.4)
    peak = high_alpine(scene, g, s)
    tops = cloud_tops(g, s.x, s.z)
    return blend(as_f32(cloud), peak, smooth(4, 26, s.y - tops))
