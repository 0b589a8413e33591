"""Clouds: heaped banks with lit rims, high streaks, closed ceilings. Painted over the sky, in directions, so they
never end at a frame.

Heaped clouds stand on *shelves*, flat invisible floors one behind the other; a shelf's clouds share a size. A cloud
is a density: a soft mass that is cut flat below, with cauliflower noise on top. Its light is the fall of that density
towards the sun.
"""

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.land.terrain import Land
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, smooth
from brushwork.engines.diorama.sky.heavens import sun_closeness
from brushwork.engines.diorama.sky.light import Light

# elevation of the floor (slope), size of the clouds (slope units), how much haze lies before them, how present they are
_SHELVES = ((0.015, 0.13, 0.62, 1.0), (0.07, 0.22, 0.40, 0.95), (0.17, 0.36, 0.20, 0.85), (0.34, 0.58, 0.06, 0.75))


def paint_clouds(
    sky: Field, light: Light, grain: Grain, ratio: Field, slope: Field, *, amount: float, octaves: float
) -> None:
    """Paint over `sky` (H, W, 3) in place. `amount` scales the cover, 0 leaves the sky clear."""
    cover = float(np.clip(light.cloud_cover * amount, 0, 1))
    if cover <= 0.01:
        return
    near = np.maximum(sun_closeness(light, ratio, slope), 0)
    if cover > 0.88:
        _ceiling(sky, light, grain, ratio, slope, near)
        return
    _streaks(sky, light, grain, ratio, slope, near, cover)
    for index in range(len(_SHELVES)):
        _shelf(sky, light, grain, ratio, slope, near, index, cover, octaves)


def paint_plume(sky: Field, camera: Camera, light: Light, grain: Grain, land: Land) -> None:
    """Smoke from a volcano's crater: it rises, widens and bends with the wind, red from below."""
    xs = as_f32(np.linspace(-700, 700, 141))[None, :]
    heights = land.coarse(xs, np.full_like(xs, 2600))
    broad = np.convolve(heights[0], np.ones(9) / 9, mode="same")
    at = int(np.argmax(broad[8:-8])) + 8
    foot, base = float(xs[0, at]) / 2600, (float(heights[0, at]) - camera.eye) / 2600 - 0.03
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    rise = np.maximum(slope - base, 0)
    centre = foot + rise**1.6 * 0.55
    width = 0.045 + 0.42 * rise
    x, y = (ratio - centre) / width, rise / 0.11
    widths, up = (ratio - centre) / (0.10 + 0.3 * rise), np.log(rise + 0.06) * 2.6
    heads = grain.drifting("billow", widths, up, 5.5, 65, along=(0.05, 0.34), cycle=5)
    curls = grain.drifting("billow", ratio * 6, slope * 6 - y * 0.2, 3.2, 66, along=(0.10, 0.30), cycle=3)
    here = 1.0 - np.abs(x) + (heads - 0.55) * 1.0 + (curls - 0.55) * 0.5
    alpha = smooth(0.0, 0.45, here) * smooth(0.0, 0.02, slope - base) * np.exp(-rise * 1.1)
    lit = np.clip(0.45 + (heads - 0.5) * 0.9 - x * np.sign(light.sun[0]) * -0.35, 0, 1)
    ember = np.exp(-rise * 9) * (0.35 + heads)
    colour = blend(light.cloud_dark * 0.45, light.cloud_lit * 0.55 + light.cloud_dark * 0.2, as_f32(lit))
    colour = colour + ember[..., None] * as_f32([1.5, 0.42, 0.10])
    np.copyto(sky, blend(sky, as_f32(colour), as_f32(alpha * 0.94)))


def _streaks(sky: Field, light: Light, grain: Grain, ratio: Field, slope: Field, near: Field, cover: float) -> None:
    """Cirrus: long thin feathers high above."""
    q = 1 / (np.maximum(slope, 0) + 0.16)
    x, z = ratio * q, q
    wind = grain.moment.wind
    bend = grain.drifting("soft", x, z, 14, 21, along=(0.05 * wind, 0.0))
    feathers = x * 0.55 + (bend[..., 0] - 0.5) * 2.0, z * 2.1 + (bend[..., 1] - 0.5) * 2.0
    wisp = grain.drifting("soft", *feathers, 9.0, 22, along=(0.04 * wind, 0.0))
    patch = smooth(0.46, 0.75, bend[..., 2] + 0.16 * (cover - 0.4))
    alpha = smooth(0.44, 0.88, wisp[..., 0] * 0.7 + wisp[..., 1] * 0.3) * patch * 0.62 * smooth(0.02, 0.16, slope)
    colour = light.cloud_lit * 0.82 + light.glow * (light.glow_strength * near**8 * 0.55)[..., None]
    np.copyto(sky, blend(sky, as_f32(colour), as_f32(alpha)))


def _shelf(
    sky: Field,
    light: Light,
    grain: Grain,
    ratio: Field,
    slope: Field,
    near: Field,
    index: int,
    cover: float,
    octaves: float,
) -> None:
    floor, size, haze, presence = _SHELVES[index]
    rows = np.flatnonzero((slope[:, 0] > floor - size * 0.35) & (slope[:, 0] < floor + size * 1.3))
    if rows.size == 0:
        return
    band = slice(int(rows[0]), int(rows[-1]) + 1)
    r, s, n = ratio[band], slope[band], near[band]
    sun = light.sun
    if sun[2] > 0.2:  # in front: light comes from where the sun stands in the picture
        tx, ty = sun[0] / sun[2] - r, sun[1] / sun[2] + 0.12 - s
    else:
        tx, ty = np.full_like(r, sun[0]), np.full_like(r, max(sun[1], 0.3))
    norm = np.sqrt(tx * tx + ty * ty) + 0.05
    tx, ty = tx / norm, np.maximum(ty / norm, -0.2) + 0.35

    wind = grain.moment.wind * 0.050  # the whole cloud drifts, its heads swell a little against it

    def density(x: Field, y: Field) -> Field:
        mass = grain.drifting("soft", x, y * 0.9, 8.5, 30 + index, along=(wind, 0.0), turn=False)
        swollen = x + (mass[..., 1] - 0.5) * 0.5
        heads = grain.drifting("billow", swollen, y * 1.25, 6.5, 40 + index, along=(wind * 1.15, 0.022))
        curls = grain.drifting("billow", x, y, 1.5, 50 + index, along=(wind * 1.2, 0.016))
        body = (mass[..., 0] - (0.70 - 0.46 * cover * presence)) * 3.6
        rise = np.where(y > 0, y * 2.3, -y * 5.0)
        return as_f32(body + (heads - 0.5) * 0.85 + (curls - 0.55) * (0.30 * octaves) - rise)

    x, y = r / size, (s - floor) / size
    here = density(x, y)
    alpha = smooth(0.0, 0.34, here)
    if not (alpha > 0).any():
        return
    step = np.float32(0.075)
    there = density(x + tx * step, y + ty * step)
    lit = np.clip(0.46 + (here - there) * 1.6 + y * 0.30 - 0.10 * smooth(0.5, 1.6, here), 0, 1)
    lit = lit * lit * (3 - 2 * lit)
    rim = (1 - smooth(0.05, 0.6, here)) * n**6 * light.glow_strength
    colour = blend(light.cloud_dark, light.cloud_lit, lit)
    colour = colour + (rim * 1.1 + 0.30 * light.glow_strength * n**5 * lit)[..., None] * light.glow
    far = sky[band] * 0.35 + light.horizon * 0.65
    colour = colour + (far - colour) * np.float32(haze)
    np.copyto(sky[band], blend(sky[band], as_f32(colour), as_f32(alpha * (0.97 - 0.25 * haze))))


def _ceiling(sky: Field, light: Light, grain: Grain, ratio: Field, slope: Field, near: Field) -> None:
    """A closed sky: heavy folds in perspective, brighter where the sun would be and towards the horizon."""
    q = 1 / (np.maximum(slope, 0) + 0.10)
    x, z = ratio * q, q
    wind = grain.moment.wind * 0.09
    bend = grain.drifting("soft", x, z, 22, 61, along=(wind, -0.03))
    mass = x + bend[..., 0] * 2.5, z * 1.3 + bend[..., 1] * 2.5
    folds = grain.drifting("billow", *mass, 13, 62, along=(wind * 1.3, -0.05))
    fine = grain.drifting("billow", x + bend[..., 2], z * 1.3, 4.2, 63, along=(wind * 1.5, -0.05))
    tone = 0.5 + (folds - 0.55) * 1.0 + (fine - 0.55) * 0.30 + (bend[..., 3] - 0.5) * 1.1
    tone = np.clip(tone * smooth(-0.02, 0.25, slope) + 0.62 * (1 - smooth(-0.02, 0.25, slope)), 0, 1)
    lit = light.cloud_lit * 0.55 + light.horizon * 0.35
    colour = blend(light.cloud_dark * 0.92, lit, as_f32(tone))
    colour = colour + (0.5 * light.glow_strength * near**6)[..., None] * light.glow
    alpha = 0.40 + 0.55 * smooth(0.0, 0.16, slope)
    np.copyto(sky, blend(sky, as_f32(colour), as_f32(alpha)))
