"""Walls of houses: windows, ledges, shops, neon signs, from coordinates on the wall (metres along it, metres up).
Knows no camera.
"""

from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, fade, hash01, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light, hexes


@dataclass(frozen=True)
class House:
    """A box: x from `left` to `right`, z from `front` to `back`."""

    left: float
    right: float
    front: float
    back: float
    height: float
    key: int
    style: int
    """0 brick, 1 glass, 2 concrete bands, 3 plaster."""


_WALLS = (
    ("#8a4b3a", "#a8694f", "#b58a6a", "#7a5a4a"),
    ("#5f7f96", "#7897a8", "#4a6478", "#8aa5ac"),
    ("#a39c92", "#b8b0a2", "#8f8b86", "#c5bba8"),
    ("#e0cda8", "#d8b890", "#e6d8c4", "#cfa98a", "#b9c4b8", "#d99a7a"),
)


_DARK = ("#2a2c40", "#332b45", "#243244", "#3a2c3a")


_NEON = ("#ff3ea5", "#22e0ff", "#b46bff", "#ffb03a", "#4dffb8", "#ff5a4a")


@dataclass(frozen=True)
class Night:
    """What glows by itself in a city, 0..1 each."""

    windows: float
    neon: float


def night_of(scene: Scene) -> Night:
    windows = {"night": 1.0, "midnight": 0.8, "dusk": 0.85, "sunset": 0.35, "dawn": 0.3, "golden_hour": 0.12}.get(
        scene.time, 0.0
    )
    if scene.weather in ("storm", "rain", "fog"):
        windows = max(windows, 0.3)
    neon = 0.0
    if scene.place == "cyberpunk" and "neon" not in scene.forbidden:
        neon = 1.0 if windows > 0.5 else 0.6
        windows = max(windows, 0.55)
    return Night(windows, neon)


def paint_wall(
    house: House,
    scene: Scene,
    light: Light,
    grain: Grain,
    along: Field,
    y: Field,
    is_front: Field,
    foot: Field,
    night: Night,
) -> Field:
    """Light of a wall at (along, y): (n, 3)."""
    key = house.key * 13 + scene.seed % 9973
    rng = np.random.default_rng([scene.seed, 9100, house.key])
    tones = hexes(*(_DARK if scene.place == "cyberpunk" else _WALLS[house.style])) * 0.60
    base = tones[int(rng.integers(len(tones)))] * float(rng.uniform(0.85, 1.15))
    bay, floor = float(rng.uniform(2.4, 3.4)), float(rng.uniform(3.1, 3.6))
    if scene.place == "skyline":  # seen from afar: fewer and larger windows
        bay, floor = bay * 2.0, floor * 1.7
    wide, tall = {0: (0.50, 0.62), 1: (0.90, 0.82), 2: (0.98, 0.50), 3: (0.46, 0.66)}[house.style]
    a, b = along / bay, y / floor
    ia, ib = np.floor(a), np.floor(b)
    fa, fb = a - ia, b - ib
    crisp = fade(foot, bay * 0.9)
    soft = np.clip(foot / bay, 0.015, 0.5)
    inside = np.clip((wide / 2 - np.abs(fa - 0.5)) / soft + 0.5, 0, 1) * np.clip(
        (tall / 2 - np.abs(fb - 0.52)) / soft + 0.5, 0, 1
    )
    window = inside * crisp + wide * tall * (1 - crisp)
    window = window * (y < house.height - 1.6) * (y > 4.2)
    dirt = grain.at("soft", along, y, 40, 920 + house.key % 7)
    brick = grain.at("fine", along * 0.7, y * 2.2, 5, 927)[..., 0]
    wall = base * (0.86 + 0.34 * (dirt[..., 0] - 0.25) + (0.22 * (brick - 0.5) * fade(foot, 0.12)))[..., None]
    ledge = smooth(0.10, 0.02, np.abs(fb - 0.02)) * crisp * (ib % 3 == 0)
    crown = smooth(house.height - 1.3, house.height - 1.0, y)
    wall = wall * (1 + 0.35 * np.maximum(ledge, crown))[..., None]
    pier = smooth(0.09, 0.05, np.minimum(fa, 1 - fa)) * crisp * (house.style in (0, 2))
    wall = wall * (1 + 0.16 * pier)[..., None]
    under = smooth(0.30, 0.0, (0.52 + tall / 2) - fb) * (np.abs(fa - 0.5) < wide / 2) * crisp  # the lintel's shadow
    sill = (
        smooth(0.05, 0.0, np.abs(fb - (0.52 - tall / 2) + 0.02))
        * (np.abs(fa - 0.5) < wide / 2 + 0.05)
        * crisp
        * (house.style in (0, 3))
    )
    wall = wall * (1 + 0.4 * sill)[..., None]
    open_sky = smooth(-8, 42, y) * 0.65 + 0.35
    colour = wall * _wall_light(house, light, is_front, y, open_sky)
    glass = _mirrored_sky(light, fb, y / (house.height + 1)) * open_sky[:, None] + 0.01
    glass = glass * (0.75 + 0.5 * hash01(ia, ib, key))[:, None]
    pane = smooth(0.035, 0.02, np.abs(fa - 0.5)) * crisp * 0.5
    glass = glass * ((1 - pane) * (1 - 0.5 * under))[:, None]
    colour = blend(colour, as_f32(glass), as_f32(window * 0.95))
    if night.windows > 0:
        colour = colour + _lamps_inside(scene, window, crisp, ia, ib, fb, key, night)
    if scene.place != "skyline":
        colour = _shops(colour, light, along, y, foot, key, night)
    if night.neon > 0:
        colour = colour + _neon(house, along, y, foot, key, night.neon)
    return as_f32(colour)


def _mirrored_sky(light: Light, fb: Field, up: Field) -> Field:
    """What glass shows of the sky above the street; at a low sun whole rows of it burn: (n, 3)."""
    sky = blend(light.horizon, light.zenith, as_f32(np.clip(fb * 0.3 + 0.2 + 0.5 * up, 0, 1)))
    return as_f32(sky * np.float32(0.34))


def _wall_light(house: House, light: Light, is_front: Field, y: Field, open_sky: Field) -> Field:
    """Irradiance of a wall by its own facing, darker down in the street: (n, 3)."""
    nx = -1.0 if house.left > 0 else 1.0
    facing = np.where(is_front, -light.sun[2], nx * light.sun[0])
    lit = np.clip(facing, 0, 1)[:, None] * light.sun_colour * (0.35 + 0.65 * smooth(4, 26, y))[:, None]
    return as_f32(lit + light.ambient * (0.85 * open_sky)[:, None] + light.bounce * 0.35)


def _lamps_inside(
    scene: Scene, window: Field, crisp: Field, ia: Field, ib: Field, fb: Field, key: int, night: Night
) -> Field:
    """Light of lit windows: some on, some off, each its own warmth; (n, 3)."""
    share = 0.20 + 0.34 * night.windows
    on = (hash01(ia, ib, key) < share) * crisp + share * (1 - crisp)
    tints = (
        ("#ffb870", "#72dcff", "#ff82cc", "#cbb4ff")
        if scene.place == "cyberpunk"
        else ("#ffdf9a", "#ffc46a", "#fff1d0", "#bfe0ff")
    )
    warm = hexes(*tints)[(hash01(ia, ib, key + 5) * 4).astype(np.int32) % 4]
    inner_light = (0.5 + 0.7 * hash01(ia, ib, key + 9)) * (0.72 + 0.4 * (1 - fb))
    return as_f32(warm * (window * on * inner_light * night.windows * 0.62)[:, None])


def _shops(
    colour: Field,
    light: Light,
    along: Field,
    y: Field,
    foot: Field,
    key: int,
    night: Night,
) -> Field:
    """The ground floor: shop windows, awnings, a fascia with a sign."""
    unit = along / 5.2
    i = np.floor(unit)
    f = unit - i
    one = hash01(i, i * 0, key + 21)
    glow = hexes("#ffd890", "#fff0cc", "#ffc890")[(one * 3).astype(np.int32) % 3]
    pane = (np.abs(f - 0.5) < 0.42) & (y > 0.5) & (y < 3.0)
    door = (np.abs(f - 0.80) < 0.09) & (y < 2.6)
    inside = 0.10 + 0.25 * hash01(np.floor(unit * 9), np.floor(y * 4), key + 3)
    # By day a shop window is dark glass with a shimmer of what stands in it; by night it is the street's light.
    stuff = hash01(np.floor(unit * 14), np.floor(y * 3), key + 3)
    display = smooth(1.5, 0.6, y) * (stuff > 0.45) * fade(foot, 0.3)
    wares = hexes("#c94f4f", "#e0b04a", "#4f86b5", "#7fae6a", "#d8d0c0")[
        (hash01(np.floor(unit * 14), np.floor(y * 3), key + 8) * 5).astype(np.int32) % 5
    ]
    lamps = max(night.windows, 0.10)
    shop = glow * (0.62 * lamps * (0.55 + inside))[:, None] + wares * (0.16 + 0.3 * lamps) * display[:, None]
    mirror = light.middle * (0.05 + 0.16 * smooth(0.8, 3.0, y))[:, None]
    mullion = smooth(0.012, 0.006, np.abs(f * 3 - np.round(f * 3)) / 3) * fade(foot, 0.15)
    shop = (shop + mirror) * (1 - 0.7 * mullion)[:, None]
    colour = np.where((pane | door)[:, None], shop, colour)
    tints = hexes("#b5352f", "#2f6b4f", "#2f4f86", "#d9a23a", "#6a3a5a", "#e8dcc8") * 0.55
    tint = tints[(hash01(i, i * 0, key + 31) * 6).astype(np.int32) % 6]
    awning = (y > 3.0) & (y < 3.75) & (one > 0.35)
    stripes = 0.75 + 0.45 * (np.floor(unit * 12) % 2 == 0) * fade(foot, 0.4)
    cloth = tint * (stripes * 0.95)[:, None] * (light.ambient + light.sun_colour * 0.3 + 0.4 * night.windows * 0.3)
    colour = np.where(awning[:, None], cloth, colour)
    fascia = (y >= 3.75) & (y < 4.4)
    return as_f32(np.where(fascia[:, None], colour * 0.62 + glow * 0.05, colour))


def _neon(house: House, along: Field, y: Field, foot: Field, key: int, power: float) -> Field:
    """Signs: upright boards with glyphs, lines along edges and roofs, (n, 3) of their own light."""
    tints = hexes(*_NEON)
    unit = along / 6.5
    i = np.floor(unit)
    f = unit - i
    own = hash01(i, i * 0, key + 41)
    tint = tints[(own * 6).astype(np.int32) % 6]
    low = 5.0 + 14 * hash01(i, i * 0, key + 43)
    tall = 5.0 + 13 * hash01(i, i * 0, key + 44)
    board = (np.abs(f - 0.42) < 0.15) & (y > low) & (y < low + tall) & (own > 0.25)
    gu, gv = np.floor(f * 44), np.floor(y / 0.26)
    glyph = (
        (hash01(gu + i * 97, gv, key + 45) > 0.46) & (np.floor(y / 1.56) * 1.56 + 1.3 > y) & (np.abs(f - 0.42) < 0.115)
    )
    crisp = fade(foot, 0.5)
    inside = np.where(glyph, 1.0, 0.12) * crisp + 0.5 * (1 - crisp)
    edge = (np.abs(np.abs(f - 0.42) - 0.14) < 0.012) | (np.abs(y - low) < 0.12) | (np.abs(y - low - tall) < 0.12)
    light = tint * (board * np.maximum(inside, edge) * 1.9)[:, None]
    line = np.exp(-(((y - house.height + 0.8) / 0.28) ** 2)) + 0.9 * np.exp(-(((y - 4.6) / 0.16) ** 2)) * (own > 0.3)
    light = light + tints[house.key % 6] * (line * 1.3)[:, None]
    halo = (
        np.exp(-(((f - 0.42) / 0.30) ** 2))
        * smooth(low - 4, low, y)
        * smooth(low + tall + 4, low + tall, y)
        * (own > 0.25)
    )
    shop = np.exp(-(((y - 2.0) / 2.6) ** 2)) * 0.16
    return as_f32((light + tint * (halo * 0.14 + shop)[:, None]) * power)
