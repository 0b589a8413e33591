"""Cities: a street seen along its axis, a skyline across water, the neon street of a rainy night. Metres, as on land.

Houses are boxes in rows. A box is seen by each picture column through one of its walls, at one distance; from front
to back each box fills the rows between what hides it and its roof. Walls are painted from wall coordinates: windows,
ledges, shops, signs.
"""

from dataclasses import replace

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, fade, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light, hexes
from brushwork.engines.diorama.town.facades import House, Night, night_of, paint_wall

STREET_HALF = 7.5
_WALK = 3.2


def houses_of(scene: Scene) -> list[House]:
    """Every house of the scene, near to far."""
    rng = np.random.default_rng([scene.seed, 9001])
    made = _skyline(rng) if scene.place == "skyline" else _street(rng, neon=scene.place == "cyberpunk")
    return sorted(made, key=lambda h: h.front)


def seen_from(houses: list[House], camera: Camera) -> list[House]:
    """The houses where they stand as seen from the camera's place; those behind it are left out."""
    if camera.x == camera.z == 0:
        return houses
    moved = [
        replace(
            house,
            left=house.left - camera.x,
            right=house.right - camera.x,
            front=house.front - camera.z,
            back=house.back - camera.z,
        )
        for house in houses
    ]
    return [house for house in moved if house.back > 0.5]


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
        for house in seen_from(houses_of(scene), camera):
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
    x, along = ratio[c] * z + np.float32(camera.x), z + np.float32(camera.z)
    colour = _pavement(scene, light, grain, x, along, camera.footprint(z), night)
    share = 1 - np.exp(-((z / light.fog_distance) ** 1.15))
    picture[r, c] = blend(colour, fog[c], as_f32(share))
    if scene.place == "cyberpunk" or scene.weather in ("rain", "storm"):
        puddle = grain.at("soft", x, along, 26, 911)[..., 0]
        mask[r, c] = as_f32(0.35 + 0.60 * smooth(0.42, 0.62, puddle))
    return depth, mask


def _house(
    picture: Field,
    depth: Field,
    free: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]",
    house: House,
    scene: Scene,
    camera: Camera,
    light: Light,
    grain: Grain,
    fog: Field,
    ratio: Field,
    slope: Field,
    night: Night,
) -> None:
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
    top_row = max(int(np.floor(camera.row_of(np.max(roof[np.isfinite(roof)], initial=-9)))), 0)
    bottom_row = min(int(np.ceil(camera.row_of(np.min(foot[np.isfinite(z)])))) + 1, int(slope.size))
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
    along = as_f32(np.where(is_front, ratio[c0:c1][c] * zz + np.float32(camera.x), zz + np.float32(camera.z)))
    colour = paint_wall(house, scene, light, grain, along, y, is_front, camera.footprint(zz), night)
    share = 1 - np.exp(-((zz / light.fog_distance) ** 1.15))
    share = np.clip(share * (1 - 0.35 * np.clip(y / 160, 0, 1)), 0, 1)
    picture[r + top_row, c + c0] = blend(colour, fog[c + c0], as_f32(share))
    depth[r + top_row, c + c0] = zz
    free[top_row:bottom_row, c0:c1][seen] = False


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
        (
            side * (STREET_HALF + 1.5),
            13.0 + 9.0 * k + float(rng.uniform(-1, 1)),
            float(rng.uniform(5.0, 7.5)),
            float(rng.random()),
        )
        for k in range(22)
        for side in (-1, 1)
        if rng.random() < 0.75
    ]
    return sorted(made, key=lambda tree: -tree[1])


def lamp_posts() -> list[tuple[float, float]]:
    """(x, z) of the street lamps."""
    return [(side * (STREET_HALF + 0.6), 9.0 + 18 * k) for k in range(12) for side in (-1, 1)]


def paint_lamps(picture: Field, depth: Field, camera: Camera, light: Light, night: Night) -> None:
    """Posts with arms, and by night their glow; far to near."""
    ratio, slope = camera.columns(), camera.rows()
    for x, z in reversed(lamp_posts()):
        x, z = x - camera.x, z - camera.z
        if z < 1:
            continue
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
