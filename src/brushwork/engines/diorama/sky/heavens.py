"""The sky behind everything: gradient, sun, moon, stars, milky way, aurora, rainbow. Clouds are their own chapter.

Directions are given as (ratio, slope) = (x / z, y / z), the natural coordinates of a shifted lens; arrays are (H, W),
colours are linear light (H, W, 3).
"""

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.motion.clock import Moment
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, hash01, smooth
from brushwork.engines.diorama.sky.light import Light, hex_light, hexes


def sun_closeness(light: Light, ratio: Field, slope: Field) -> Field:
    """Cosine of the angle between each direction and the sun."""
    length = np.sqrt(1 + ratio * ratio + slope * slope)
    return as_f32((ratio * light.sun[0] + slope * light.sun[1] + light.sun[2]) / length)


def gradient(light: Light, ratio: Field, slope: Field) -> Field:
    """The clear sky without any disc."""
    height = np.maximum(slope, 0) / np.sqrt(1 + ratio * ratio + slope * slope)
    low = smooth(0, 1, np.clip(height / 0.24, 0, 1) ** 0.75)
    high = smooth(0.04, 0.62, height)
    colour = blend(blend(light.horizon, light.middle, low), light.zenith, high)
    near = np.maximum(sun_closeness(light, ratio, slope), 0)
    n2 = near * near
    n4 = n2 * n2
    n16 = (n4 * n4) ** 2
    n64 = (n16 * n16) ** 2
    band = np.exp(-height * 7)
    amount = light.glow_strength * (0.05 * n4 + 0.20 * n16 + 0.42 * n64 + 0.5 * n64**4 + 0.26 * n4 * band)
    return as_f32(colour + amount[..., None] * light.glow)


def paint_sky(
    camera: Camera, light: Light, grain: Grain, *, scene_kind: str, show: frozenset[str], weather: str
) -> Field:
    """All of the sky except clouds: (H, W, 3). `show` names what may appear: "sun", "moon", "stars"."""
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    colour = gradient(light, ratio, slope)
    if light.stars > 0 and "stars" in show:
        colour += milky_way(grain, ratio, slope) * light.stars
        add_stars(colour, camera, grain, light.stars)
    if weather == "aurora":
        colour += aurora(grain, ratio, slope)
    if light.sun_disc > 0 and scene_kind != "space":
        if light.is_night and "moon" in show:
            paint_moon(colour, light, grain, ratio, slope, camera)
        elif not light.is_night and "sun" in show:
            paint_sun(colour, light, ratio, slope, camera)
    return colour


def paint_sun(colour: Field, light: Light, ratio: Field, slope: Field, camera: Camera) -> None:
    distance = disc_distance(light, ratio, slope)
    edge = 1.2 / (camera.focal * camera.scale)
    disc = smooth(light.sun_disc + edge, light.sun_disc - edge, distance)
    core = light.sun_colour / max(float(light.sun_colour.max()), 1e-3) * 1.6 + 2.2
    np.copyto(colour, blend(colour, core.astype(np.float32), disc))


def disc_distance(light: Light, ratio: Field, slope: Field) -> Field:
    """Angle between direction and sun, radians; large behind the viewer."""
    if light.sun[2] <= 0.05:
        return np.full(np.broadcast_shapes(ratio.shape, slope.shape), 9.0, np.float32)
    return as_f32(np.arccos(np.clip(sun_closeness(light, ratio, slope), -1, 1)))


def paint_moon(colour: Field, light: Light, grain: Grain, ratio: Field, slope: Field, camera: Camera) -> None:
    if light.sun[2] <= 0.05:
        return
    dx = (ratio - light.sun[0] / light.sun[2]) / light.sun_disc
    dy = (slope - light.sun[1] / light.sun[2]) / light.sun_disc
    radius = np.sqrt(dx * dx + dy * dy)
    halo = np.exp(-np.maximum(radius - 1, 0) * 0.55) * 0.20 + np.exp(-np.maximum(radius - 1, 0) * 0.16) * 0.10
    colour += halo[..., None] * as_f32([0.55, 0.75, 1.1])
    inside = radius < 1.1
    if not inside.any():
        return
    mx, my, mr = dx[inside], dy[inside], radius[inside]
    seas = grain.at("soft", mx, my, 5.5, 71)
    face = 1 - 0.42 * smooth(0.5, 0.66, seas[..., 0]) - 0.16 * smooth(0.45, 0.7, seas[..., 1])
    face *= 0.82 + 0.18 * np.sqrt(np.clip(1 - mr * mr, 0, 1))
    edge = 1.4 / (camera.focal * camera.scale * light.sun_disc)
    alpha = smooth(1 + edge, 1 - edge, mr)
    disc = face[:, None] * as_f32([2.1, 2.15, 2.1])
    colour[inside] = blend(colour[inside], as_f32(disc), alpha)


def add_stars(colour: Field, camera: Camera, grain: Grain, amount: float, *, density: float = 1.0) -> None:
    """Stars as tiny soft points, fixed to directions; below the horizon there are none."""
    v = camera.view
    for layer, (cell, share, power) in enumerate(((0.020, 0.5, 0.55), (0.055, 0.6, 1.3), (0.19, 0.35, 3.2))):
        i = np.arange(int(np.floor(v.left / cell)) - 1, int(np.ceil(v.right / cell)) + 1)
        j = np.arange(int(np.floor(v.top / cell)) - 1, int(np.ceil(v.bottom / cell)) + 1)
        gi, gj = (a.ravel() for a in np.meshgrid(i, j))
        key = grain.seed % 100003 + 17 * layer
        keep = hash01(gi, gj, key) < share * density
        gi, gj = gi[keep], gj[keep]
        u = (gi + hash01(gi, gj, key + 1)) * cell
        w = (gj + hash01(gi, gj, key + 2)) * cell
        magnitude = hash01(gi, gj, key + 3)
        brightness = power * amount * (0.12 + 0.88 * magnitude**4) * twinkle(grain.moment, magnitude, layer)
        hue = hash01(gi, gj, key + 4)
        tint = np.stack([0.82 + 0.35 * hue, np.full_like(hue, 0.95), 1.2 - 0.35 * hue], axis=-1)
        high = np.clip((camera.tilt - w / camera.focal) / 0.10, 0, 1) if density <= 1 else np.ones_like(hue)
        true_size = 0.0016 * camera.scale * (0.6 + 0.35 * layer)
        size = max(0.55, true_size)
        brightness = brightness * max((true_size / size) ** 2, 0.1)  # small pictures do not have more starlight
        splat(
            colour,
            as_f32((u - v.left) * camera.scale - 0.5),
            as_f32((w - v.top) * camera.row_scale - 0.5),
            as_f32(tint * (brightness * high)[:, None]),
            size,
        )


def twinkle(moment: Moment, draw: Field, layer: int) -> Field | float:
    """Factor of each star's light, from a random number of its own."""
    if moment.is_still:
        return 1.0
    quick = np.floor(draw * 97 % 3)  # three paces
    rounds = as_f32([moment.turns(seconds) for seconds in (0.7, 1.1, 1.7)])[quick.astype(np.int32)]
    phase = draw * 7919 % 1
    wave = np.sin(2 * np.pi * (rounds + phase)) - np.sin(2 * np.pi * phase)
    return as_f32(np.clip(1 + (0.30 + 0.12 * layer) * wave, 0.1, 2.5))


def splat(colour: Field, px: Field, py: Field, light: Field, radius: float) -> None:
    """Add soft round points (n, 3) at fractional pixels. Order does not matter for whole-sum: it is fixed."""
    h, w = colour.shape[:2]
    reach = int(np.ceil(radius * 2.2))
    x0, y0 = np.floor(px).astype(np.int64), np.floor(py).astype(np.int64)
    peak = 1.0 if radius >= 0.7 else (radius / 0.7) ** 2
    for oy in range(-reach, reach + 2):
        for ox in range(-reach, reach + 2):
            x, y = x0 + ox, y0 + oy
            inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
            if not inside.any():
                continue
            d2 = (x - px) ** 2 + (y - py) ** 2
            weight = peak * np.exp(-d2 / (max(radius, 0.62) ** 2))
            np.add.at(colour, (y[inside], x[inside]), (light * weight[:, None].astype(np.float32))[inside])


def milky_way(grain: Grain, ratio: Field, slope: Field) -> Field:
    """A faint band of dust and light across the sky."""
    rng = np.random.default_rng([grain.seed, 77])
    tilt = float(rng.uniform(0.5, 1.1) * (1 if rng.random() < 0.5 else -1))
    across = (slope - 0.32 - ratio * tilt) / np.sqrt(1 + tilt * tilt)
    cloud = grain.at("soft", ratio, slope, 1.6, 72)
    band = np.exp(-((across + (cloud[..., 0] - 0.5) * 0.25) ** 2) / 0.022)
    dust = smooth(0.38, 0.72, cloud[..., 1])
    strength = (
        band
        * (0.25 + 0.9 * cloud[..., 2])
        * (1 - 0.75 * dust * np.exp(-(across**2) / 0.006))
        * smooth(0.0, 0.25, slope)
    )
    tint = blend(as_f32([0.20, 0.20, 0.42]), as_f32([0.42, 0.27, 0.40]), cloud[..., 3])
    return as_f32(strength[..., None] * tint * 0.55)


def aurora(grain: Grain, ratio: Field, slope: Field) -> Field:
    """Curtains of light: sharp below, fading upwards, green turning violet."""
    total = np.zeros((*np.broadcast_shapes(ratio.shape, slope.shape), 3), np.float32)
    low, high = hex_light("#3dffa0") * 0.9, hex_light("#a052ff") * 0.55
    fold = grain.drifting("soft", ratio, slope * 0.6, 2.4, 81, along=(0.030, 0.012))
    for k, (base, gain) in enumerate(((0.14, 0.8), (0.24, 1.0), (0.37, 0.7))):
        x = ratio + (fold[..., k] - 0.5) * 0.55
        line = grain.drifting("soft", x, as_f32(np.full_like(x, k * 3.7)), 3.2, 82 + k, along=(0.018, 0.045))
        foot = base + (line[..., 0] - 0.5) * 0.30
        rays = grain.drifting("soft", x * 6.0, x * 0.0 + k * 1.3, 2.6, 86 + k, along=(0.16, 0.03))[..., 1]
        up = slope - foot
        length = 0.10 + 0.22 * line[..., 2]
        profile = smooth(-0.018, 0.012, up) * np.exp(-np.maximum(up, 0) / length)
        power = gain * profile * smooth(0.32, 0.75, line[..., 1]) * (0.35 + 1.1 * smooth(0.3, 0.75, rays))
        hue = np.clip(np.maximum(up, 0) / (length * 1.9), 0, 1)
        total += power[..., None] * blend(low, high, hue)
    return as_f32(total)


def rainbow(light: Light, ratio: Field, slope: Field) -> Field:
    """A bow around the point opposite the sun; brighter inside, a faint second bow outside."""
    length = np.sqrt(1 + ratio * ratio + slope * slope)
    anti = -(ratio * light.sun[0] + slope * light.sun[1] + light.sun[2]) / length
    angle = np.degrees(np.arccos(np.clip(anti, -1, 1)))
    stops = hexes("#5a3fd0", "#2f7be0", "#35c26a", "#f2e04a", "#f59a3a", "#e8423a") * 0.95
    total = np.zeros((*angle.shape, 3), np.float32)
    for radius, width, gain in ((33.5, 2.6, 1.0), (42.5, -4.0, 0.28)):
        t = (angle - radius) / width + 0.5
        envelope = smooth(0, 0.22, t) * smooth(1, 0.78, t)
        index = np.clip(t, 0, 0.999) * 5
        channel = [np.interp(index, np.arange(6), stops[:, c]) for c in range(3)]
        total += (envelope * gain)[..., None] * as_f32(np.stack(channel, axis=-1))
    inside = np.clip((33.5 - angle) / 20, 0, 1) * (angle < 33.5)
    return as_f32(total + inside[..., None] * 0.05 * light.horizon)
