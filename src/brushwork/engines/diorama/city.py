"""Cities: a street seen along its axis, a skyline across water, the neon street of a rainy night. Metres, as on land.

Houses are boxes in rows. A box is seen by each picture column through one of its walls, at one distance; from front to back each box
fills the rows between what hides it and its roof. Walls are painted from wall coordinates: windows, ledges, shops, signs.
"""

from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.light import Light, hexes
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, fade, hash01, smooth
from brushwork.engines.diorama.scene import Scene


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
    ("#8a4b3a", "#a8694f", "#b58a6a", "#7a5a4a"), ("#5f7f96", "#7897a8", "#4a6478", "#8aa5ac"), ("#a39c92", "#b8b0a2", "#8f8b86", "#c5bba8"),
    ("#e0cda8", "#d8b890", "#e6d8c4", "#cfa98a", "#b9c4b8", "#d99a7a"),
)  # fmt: skip
_DARK = ("#2a2c40", "#332b45", "#243244", "#3a2c3a")
_NEON = ("#ff3ea5", "#22e0ff", "#b46bff", "#ffb03a", "#4dffb8", "#ff5a4a")
STREET_HALF = 7.5
_WALK = 3.2


def houses_of(scene: Scene) -> list[House]:
    """Every house of the scene, near to far."""
    rng = np.random.default_rng([scene.seed, 9001])
    made = _skyline(rng) if scene.place == "skyline" else _street(rng, neon=scene.place == "cyberpunk")
    return sorted(made, key=lambda h: h.front)


def _street(rng: np.random.Generator, *, neon: bool) -> list[House]:
    low, high = (22, 70) if neon else (13, 30)
    made: list[House] = []
    wall = STREET_HALF + _WALK
    for side in (-1, 1):
        z, key = -6.0, 10 if side < 0 else 1010
        while z < 420:
            wide = float(rng.uniform(11, 21))
            height = float(rng.uniform(low, high)) * (1 + 0.25 * (z > 120))
            inner = wall + float(rng.uniform(0, 0.6))
            x0, x1 = (inner, inner + 18) if side > 0 else (-inner - 18, -inner)
            style = int(rng.choice([1, 2, 2, 0])) if neon else int(rng.choice([0, 0, 3, 3, 2]))
            made.append(House(x0, x1, z, z + wide, height, key, style))
            key += 1
            z += wide + (9.0 if rng.random() < 0.22 and z > 10 else 0.0)
        for _ in range(7):  # towers behind the first row
            z, deep = float(rng.uniform(60, 420)), float(rng.uniform(20, 30))
            near = float(rng.uniform(30, 70))
            x0, x1 = (near, near + 28) if side > 0 else (-near - 28, -near)
            made.append(
                House(
                    x0,
                    x1,
                    z,
                    z + deep,
                    float(rng.uniform(55, 120 if not neon else 190)),
                    key,
                    int(rng.choice([1, 1, 2])),
                )
            )
            key += 1
    for k in range(7):  # the street's far end
        x = float(rng.uniform(-90, 90))
        z = float(rng.uniform(430, 700))
        made.append(House(x - 14, x + 14, z, z + 30, float(rng.uniform(60, 170)), 3000 + k, int(rng.choice([1, 2]))))
    return made


def _skyline(rng: np.random.Generator) -> list[House]:
    made: list[House] = []
    heart = float(rng.uniform(-120, 120))
    for row, (z0, count, spread, tall) in enumerate(
        ((520, 34, 560, 70), (640, 34, 700, 130), (820, 30, 800, 210), (1150, 30, 1300, 190))
    ):
        for k in range(count):
            x = -spread + 2 * spread * (k + float(rng.uniform(-0.3, 0.3))) / count
            boost = np.exp(-(((x - heart) / 230) ** 2)) * 1.1 + 0.35
            height = tall * boost * float(rng.uniform(0.35, 1.25)) + 14
            wide = float(rng.uniform(20, 40))
            z = z0 + float(rng.uniform(0, 60))
            made.append(
                House(
                    x - wide / 2, x + wide / 2, z, z + wide, height, row * 100 + k, int(rng.choice([0, 1, 1, 2, 2, 3]))
                )
            )
            if height > 150 and rng.random() < 0.75:  # setback crown and spire
                made.append(
                    House(x - wide * 0.3, x + wide * 0.3, z + 3, z + wide * 0.7, height * 1.16, row * 100 + k, 1)
                )
                made.append(House(x - 1.3, x + 1.3, z + 8, z + 11, height * 1.36, row * 100 + k, 2))
    return made


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


def paint_city(
    picture: Field, scene: Scene, camera: Camera, light: Light, grain: Grain, fog: Field, *, level: float | None
) -> tuple[Field, Field]:
    """Paint ground and houses over the sky; → (depth (H, W), water mask (H, W)). Haze included."""
    H, W = picture.shape[:2]
    ratio, slope = camera.columns(), camera.rows()
    depth = np.full((H, W), np.inf, np.float32)
    night = night_of(scene)
    free = np.ones((H, W), bool)
    if "buildings" not in scene.forbidden:
        for house in houses_of(scene):
            _house(picture, depth, free, house, scene, camera, light, grain, fog, ratio, slope, night)
    below = np.flatnonzero(slope < -1e-4)
    mask = np.zeros((H, W), np.float32)
    if below.size == 0:
        return depth, mask
    ground_z = np.broadcast_to((camera.eye / np.maximum(-slope, 1e-5))[:, None], (H, W))
    ground = (slope[:, None] < -1e-4) & (ground_z < depth) & (ground_z < 6000)
    r, c = np.nonzero(ground)
    z = as_f32(ground_z[r, c])
    depth[r, c] = z
    if level is not None:
        mask[r, c] = (z < 515).astype(np.float32)
        picture[r, c] = fog[c]
        return depth, mask
    x = ratio[c] * z
    colour = _pavement(scene, light, grain, x, z, camera.footprint(z), night)
    share = 1 - np.exp(-((z / light.fog_distance) ** 1.15))
    picture[r, c] = blend(colour, fog[c], as_f32(share))
    if scene.place == "cyberpunk" or scene.weather in ("rain", "storm"):
        puddle = grain.at("soft", x, z, 26, 911)[..., 0]
        mask[r, c] = as_f32(0.35 + 0.60 * smooth(0.42, 0.62, puddle))
    return depth, mask


def _house(
    picture: Field, depth: Field, free: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]", house: House, scene: Scene, camera: Camera,
    light: Light, grain: Grain, fog: Field, ratio: Field, slope: Field, night: Night,
) -> None:  # fmt: skip
    # Each column enters the box through its front wall or through the side that faces the axis.
    front = max(house.front, 0.4)
    at_front = ratio * front
    through_front = (at_front >= house.left) & (at_front <= house.right)
    inner = house.left if house.left > 0 else house.right
    with np.errstate(divide="ignore", invalid="ignore"):
        z_side = np.where(np.abs(ratio) > 1e-6, inner / ratio, np.inf)
    through_side = (z_side > front) & (z_side <= house.back) & (house.left * house.right > 0)
    entry = np.where(through_front, front, np.where(through_side, z_side, np.inf)).astype(np.float32)
    columns = np.flatnonzero(np.isfinite(entry))
    if columns.size == 0:
        return
    c0, c1 = int(columns[0]), int(columns[-1]) + 1
    z = entry[c0:c1]
    roof = (house.height - camera.eye) / z
    foot = -camera.eye / z
    top_row = int(max(np.floor(camera.row_of(as_f32(np.max(roof[np.isfinite(roof)], initial=-9)))), 0))
    bottom_row = int(min(np.ceil(camera.row_of(as_f32(np.min(foot[np.isfinite(z)])))) + 1, slope.size))
    if top_row >= bottom_row:
        return
    s = slope[top_row:bottom_row, None]
    seen = free[top_row:bottom_row, c0:c1] & (s < roof[None, :]) & (s >= foot[None, :]) & np.isfinite(z)[None, :]
    r, c = np.nonzero(seen)
    if r.size == 0:
        return
    zz = z[c]
    y = as_f32(camera.eye + s[r, 0] * zz)
    is_front = through_front[c0:c1][c]
    along = as_f32(np.where(is_front, ratio[c0:c1][c] * zz, zz))
    colour = _wall(house, scene, light, grain, along, y, is_front, camera.footprint(zz), zz, night)
    share = 1 - np.exp(-((zz / light.fog_distance) ** 1.15))
    share = np.clip(share * (1 - 0.35 * np.clip(y / 160, 0, 1)), 0, 1)
    picture[r + top_row, c + c0] = blend(colour, fog[c + c0], as_f32(share))
    depth[r + top_row, c + c0] = zz
    free[top_row:bottom_row, c0:c1][seen] = False


def _wall(
    house: House,
    scene: Scene,
    light: Light,
    grain: Grain,
    along: Field,
    y: Field,
    is_front: Field,
    foot: Field,
    z: Field,
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
    # Light: the wall's own facing, darker down in the street.
    nx = -1.0 if house.left > 0 else 1.0
    facing = np.where(is_front, -light.sun[2], nx * light.sun[0])
    open_sky = smooth(-8, 42, y) * 0.65 + 0.35
    lit = np.clip(facing, 0, 1)[:, None] * light.sun_colour * (0.35 + 0.65 * smooth(4, 26, y))[:, None]
    lit = lit + light.ambient * (0.85 * open_sky)[:, None] + light.bounce * 0.35
    colour = wall * lit
    # Glass mirrors the sky above the street; at a low sun whole rows of it burn.
    sky = blend(light.horizon, light.zenith, as_f32(np.clip(fb * 0.3 + 0.2 + 0.5 * y / (house.height + 1), 0, 1)))
    glass = sky * np.float32(0.34) * open_sky[:, None] + 0.01
    pick = hash01(ia, ib, key)
    glass = glass * (0.75 + 0.5 * pick)[:, None]
    pane = smooth(0.035, 0.02, np.abs(fa - 0.5)) * crisp * 0.5
    glass = glass * ((1 - pane) * (1 - 0.5 * under))[:, None]
    colour = blend(colour, as_f32(glass), as_f32(window * 0.95))
    if night.windows > 0:
        share = 0.20 + 0.34 * night.windows
        on = (pick < share) * crisp + share * (1 - crisp)
        warm = hexes("#ffdf9a", "#ffc46a", "#fff1d0", "#bfe0ff")[(hash01(ia, ib, key + 5) * 4).astype(np.int32) % 4]
        inner_light = (0.5 + 0.7 * hash01(ia, ib, key + 9)) * (0.72 + 0.4 * (1 - fb))
        colour = colour + warm * (window * on * inner_light * night.windows * 0.62)[:, None]
    if scene.place != "skyline":
        colour = _shops(colour, house, scene, light, along, y, foot, key, night, rng)
    if night.neon > 0:
        colour = colour + _neon(house, scene, grain, along, y, foot, key, night.neon)
    return as_f32(colour)


def _shops(
    colour: Field,
    house: House,
    scene: Scene,
    light: Light,
    along: Field,
    y: Field,
    foot: Field,
    key: int,
    night: Night,
    rng: np.random.Generator,
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
    wares = hexes("#c94f4f", "#e0b04a", "#4f86b5", "#7fae6a", "#d8d0c0")[(hash01(np.floor(unit * 14), np.floor(y * 3), key + 8) * 5).astype(np.int32) % 5]
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


def _neon(
    house: House, scene: Scene, grain: Grain, along: Field, y: Field, foot: Field, key: int, power: float
) -> Field:
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


def _pavement(scene: Scene, light: Light, grain: Grain, x: Field, z: Field, foot: Field, night: Night) -> Field:
    """Street and sidewalks at (x, z): (n, 3)."""
    grit = grain.at("fine", x, z, 5, 930)
    soft = grain.at("soft", x, z, 34, 931)
    rain = scene.place == "cyberpunk" or scene.weather in ("rain", "storm")
    asphalt = hexes("#55565c")[0] * 0.62 if not rain else hexes("#23252e")[0] * 0.62
    colour = asphalt * (0.8 + 0.5 * (soft[..., 0] - 0.3) + 0.5 * (grit[..., 0] - 0.5) * fade(foot, 0.06))[:, None]
    paint = hexes("#e8e4d8")[0] * 0.55
    lane = (np.abs(x) < 0.09) & (z / 6.0 - np.floor(z / 6.0) < 0.5)
    side = np.abs(np.abs(x) - STREET_HALF + 0.5) < 0.06
    zebra = (np.abs(z - 15.5) < 1.7) & ((x / 1.1 - np.floor(x / 1.1)) < 0.5) & (np.abs(x) < STREET_HALF - 0.3)
    worn = (0.55 + 0.45 * smooth(0.3, 0.6, soft[..., 1])) * fade(foot, 0.5)
    colour = blend(colour, paint, as_f32((lane | side | zebra) * worn))
    walk = np.abs(x) > STREET_HALF
    tile = (np.abs(x / 0.9 - np.round(x / 0.9)) < 0.02) | (np.abs(z / 0.9 - np.round(z / 0.9)) < 0.02)
    stone = (
        hexes("#9a948a")[0]
        * (0.55 if not rain else 0.33)
        * (0.85 + 0.4 * (soft[..., 2] - 0.35) - 0.18 * tile * fade(foot, 0.25))[:, None]
    )
    colour = np.where(walk[:, None], stone, colour)
    kerb = np.abs(np.abs(x) - STREET_HALF) < 0.13
    colour = np.where(kerb[:, None], stone * 1.25, colour)
    sun = light.sun_colour * max(float(light.sun[1]), 0) * 0.75
    colour = colour * (sun + light.ambient * 0.8)
    if night.windows > 0:  # pools of lamp light
        pool = np.exp(-(((np.abs(x) - STREET_HALF) / 3.2) ** 2)) * (0.35 + 0.65 * np.exp(-(((z % 18) - 9) ** 2) / 22))
        colour = colour + (hexes("#ffc98a")[0] * asphalt * 2.2) * (pool * night.windows)[:, None]
    return as_f32(colour)


def street_trees(scene: Scene) -> list[tuple[float, float, float, float]]:
    """(x, z, height, random number) of the trees along the sidewalks, far to near."""
    rng = np.random.default_rng([scene.seed, 9300])
    made = [
        (side * (STREET_HALF + 1.5), 13.0 + 9.0 * k + float(rng.uniform(-1, 1)), float(rng.uniform(5.0, 7.5)), float(rng.random()))
        for k in range(22)
        for side in (-1, 1)
        if rng.random() < 0.75
    ]
    return sorted(made, key=lambda tree: -tree[1])


def lamp_posts() -> list[tuple[float, float]]:
    """(x, z) of the street lamps."""
    return [(side * (STREET_HALF + 0.6), 9.0 + 18 * k) for k in range(12) for side in (-1, 1)]


def paint_lamps(picture: Field, depth: Field, scene: Scene, camera: Camera, light: Light, night: Night) -> None:
    """Posts with arms, and by night their glow; far to near."""
    ratio, slope = camera.columns(), camera.rows()
    for x, z in reversed(lamp_posts()):
        tall, half = 6.2, 0.07
        post = np.flatnonzero(np.abs(ratio * z - x) < max(half, float(camera.footprint(as_f32(z))) * 0.5))
        rows = np.flatnonzero((camera.eye + slope * z > 0) & (camera.eye + slope * z < tall))
        reach = 1.7 * (-1 if x > 0 else 1)
        arm_cols = np.flatnonzero((ratio * z - min(x, x + reach) > 0) & (ratio * z - max(x, x + reach) < 0))
        arm_rows = np.flatnonzero(
            np.abs(camera.eye + slope * z - tall) < max(0.06, float(camera.footprint(as_f32(z))) * 0.5)
        )
        dark = light.ambient * 0.07
        for rr, cc in ((rows, post), (arm_rows, arm_cols)):
            if rr.size and cc.size:
                box = np.ix_(rr, cc)
                open_ = depth[box] > z
                picture[box] = np.where(open_[..., None], dark, picture[box])
                depth[box] = np.where(open_, z, depth[box])
        if night.windows > 0.2:
            _glow(picture, depth, camera, x + reach, tall - 0.1, z, hexes("#ffd9a0")[0] * night.windows)


def _glow(picture: Field, depth: Field, camera: Camera, x: float, y: float, z: float, tint: Field) -> None:
    px, py, scale = camera.project(x, y, z)
    radius = 1.8 * scale
    H, W = depth.shape
    x0, x1, y0, y1 = (
        max(int(px - radius), 0),
        min(int(px + radius) + 1, W),
        max(int(py - radius), 0),
        min(int(py + radius) + 1, H),
    )
    if x0 >= x1 or y0 >= y1:
        return
    yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
    d = np.hypot(xx - px, yy - py) / scale
    halo = np.exp(-d * 2.6) * 0.55 * np.clip(1 - d / 1.8, 0, 1) + 2.2 * smooth(0.24, 0.14, d)
    picture[y0:y1, x0:x1] += (halo * (depth[y0:y1, x0:x1] >= z * 0.99))[..., None] * tint
