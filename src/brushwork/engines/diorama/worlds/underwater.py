"""Under water: a blue that deepens, shafts of light, a rippled sea floor with caustics, corals and kelp. Metres, as
on land.
"""

from dataclasses import replace

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.motion.clock import STILL, Moment
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, fade, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light, hexes

_WATERS = {
    "day": ("#bdf3f0", "#2fa9c9", "#0b4a86", "#052a5c"),
    "low": ("#ffd9b0", "#4a8fa8", "#1d3f7a", "#0c1f4a"),
    "night": ("#5fa0d8", "#1d4f8f", "#0c2a5e", "#061638"),
}


def sea_light(light: Light, scene: Scene) -> Light:
    """The scene's light as it is down here: from above, blue, with a short sight."""
    tone = _tone(scene)
    bright, mid, deep, _ = hexes(*_WATERS[tone])
    power = {"day": 1.0, "low": 0.85, "night": 0.6}[tone]
    return replace(
        light,
        sun=as_f32([0.15, 0.95, -0.27]),
        sun_colour=as_f32(bright * 0.42 + 0.35) * np.float32(power),
        ambient=as_f32(mid * 0.75 + 0.06),
        bounce=as_f32(deep * 0.5),
        fog_colour=as_f32(mid * 0.45 + deep * 0.55),
        fog_distance=22.0,
    )


def _tone(scene: Scene) -> str:
    if scene.time in ("night", "midnight", "dusk"):
        return "night"
    return "low" if scene.time in ("sunset", "golden_hour", "dawn") else "day"


def seabed(grain: Grain, x: Field, z: Field) -> Field:
    """Height of the sea floor, metres; flat where subjects stand."""
    hills = (grain.at("swell", x, z, 46, 821, cubic=True) - 0.5) * 3.2 * smooth(5, 16, z)
    reef = (
        smooth(0.48, 0.72, grain.at("ridge", x, z, 60, 822, cubic=True))
        * smooth(8, 15, z)
        * (1.2 + 2.6 * smooth(0.15, 0.6, np.abs(x) / z))
    )
    return as_f32(hills + reef)


def backdrop(scene: Scene, camera: Camera) -> Field:
    """Open water behind everything: (H, W, 3)."""
    bright, mid, deep, night = hexes(*_WATERS[_tone(scene)])
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    rng = np.random.default_rng([scene.seed, 8201])
    at = float(rng.uniform(-0.3, 0.3))
    colour = blend(blend(deep, mid, smooth(-0.05, 0.34, slope)), mid * 1.3, smooth(0.30, 0.75, slope))
    colour = blend(colour, night, smooth(-0.02, -0.35, slope) * 0.6)
    glow = np.exp(-((ratio - at) ** 2 * 7 + (slope - 0.72) ** 2 * 6))
    return as_f32(colour + glow[..., None] * bright * 0.8)


def shafts(scene: Scene, camera: Camera, grain: Grain) -> Field:
    """Slanting rays from the surface: (H, W) 0..1, to be added as light."""
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    rng = np.random.default_rng([scene.seed, 8201])
    at = float(rng.uniform(-0.3, 0.3))
    angle = (ratio - at) / (1.35 - slope)
    rays = (
        grain.drifting("soft", angle, angle * 0 + 0.2, 2.2, 823, along=(0.010, 0.050), turn=False)[..., 0] * 0.6
        + grain.drifting("soft", angle, angle * 0 + 0.7, 0.7, 824, along=(0.008, 0.022), turn=False)[..., 1] * 0.4
    )
    return as_f32(smooth(0.46, 0.78, rays) * smooth(-0.45, 0.62, slope) * np.exp(-(angle**2) * 2.5))


def floor_colour(
    light: Light,
    grain: Grain,
    x: Field,
    z: Field,
    y: Field,
    gx: Field,
    gz: Field,
    foot: Field,
    *,
    net: Field | None = None,
) -> Field:
    """Light that leaves the sea floor: (n, 3). `net`: how bright the waves' net is there, as `caustics` tells."""
    sand = hexes("#8fa58c", "#d9d2ac", "#f3ead0") * 0.55
    ripple = np.sin(z * 5.2 + x * 1.1 + (grain.at("soft", x, z, 18, 825)[..., 0] - 0.5) * 14)
    soft = grain.at("soft", x, z, 26, 826)
    grit = grain.at("fine", x, z, 4, 827)
    t = (
        0.5
        + ripple * 0.12 * fade(foot, 0.8)
        + (soft[..., 0] - 0.5) * 0.8
        + (grit[..., 0] - 0.5) * 0.35 * fade(foot, 0.05)
    )
    at = np.clip(t, 0, 0.999) * 2
    low = at.astype(np.int32)
    colour = blend(sand[low], sand[np.minimum(low + 1, 2)], as_f32(at - low))
    up = 1 / np.sqrt(1 + gx * gx + gz * gz)
    crust = hexes("#3a4a56", "#5f7a78", "#8a6a86", "#b07a6a") * 0.5
    patch = grain.at("cells", x, z, 30, 828)
    stone = crust[np.minimum((patch[..., 2] * 4).astype(np.int32), 3)] * (
        0.7 + 0.6 * grain.at("soft", x, z + y, 7, 829)[..., :1]
    )
    colour = blend(colour, as_f32(stone), smooth(0.90, 0.70, up + 0.35 * smooth(1.2, 0.2, y)))
    net = caustics(grain, x + y * 0.3, z) if net is None else net
    lit = (0.55 + 1.5 * net)[..., None] * light.sun_colour * up[..., None] + light.ambient
    return as_f32(colour * lit)


def caustics(grain: Grain, x: Field, z: Field) -> Field:
    """Bright net that waves throw on the floor, 0..1."""
    warp = grain.drifting("gentle", x, z, 40, 830, along=(1.3, -0.9), cycle=4)
    one = x + (warp[..., 0] - 0.5) * 5, z + (warp[..., 1] - 0.5) * 5
    two = x - (warp[..., 2] - 0.5) * 5, z + (warp[..., 3] - 0.5) * 5
    a = grain.drifting("cells", *one, 20, 831, along=(0.35, 0.25), cycle=4)[..., 1]
    b = grain.drifting("cells", *two, 27, 832, along=(-0.40, 0.20), cycle=4)[..., 1]
    return as_f32(np.clip((1 - smooth(0.0, 0.45, a)) * (0.35 + 0.65 * (1 - smooth(0.0, 0.6, b))) * 1.2, 0, 1))


def bubbles(picture: Field, scene: Scene, camera: Camera, moment: Moment = STILL) -> None:
    """Rising bubbles and drifting specks, at places of the image plane."""
    rng = np.random.default_rng([scene.seed, 8203])
    v = camera.view
    H, W = picture.shape[:2]
    for _ in range(46):
        u, w, r = float(rng.uniform(-1.5, 1.5)), float(rng.uniform(-1.2, 1.2)), float(rng.uniform(0.004, 0.018) ** 1.0)
        if not moment.is_still:  # the larger, the faster; those that leave above come in again below
            rounds = moment.turns(10.0 if r < 0.009 else 5.0)
            w = (w + 1.2 - 2.4 * rounds) % 2.4 - 1.2
            u += 0.018 * moment.swing(2.5 if r < 0.009 else 1.25, u * 3.1)
        px, py, pr = (u - v.left) * camera.scale, (w - v.top) * camera.row_scale, r * camera.scale
        x0, x1, y0, y1 = int(px - pr - 2), int(px + pr + 3), int(py - pr - 2), int(py + pr + 3)
        if x0 < 0 or y0 < 0 or x1 >= W or y1 >= H:
            continue
        yy, xx = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        d = np.hypot(xx - px, yy - py) / pr
        shine = smooth(1 + 1.5 / pr, 1.0, d) * (0.10 + 0.7 * smooth(0.62, 1.0, d)) + np.exp(
            -(((xx - px) / pr + 0.35) ** 2 + ((yy - py) / pr + 0.35) ** 2) / 0.03
        )
        picture[y0:y1, x0:x1] += (shine * 0.55)[..., None] * as_f32([0.55, 0.95, 1.0])


def surface(picture: Field, camera: Camera, grain: Grain, scene: Scene) -> None:
    """The underside of the waves, where the window reaches that high."""
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    q = 1 / np.maximum(slope, 0.05)
    net = caustics(grain, ratio * q * 9, q * 9)
    bright = hexes(_WATERS[_tone(scene)][0])[0]
    picture += (net * smooth(0.36, 0.72, slope) * 0.38)[..., None] * bright


def blur_far(picture: Field, depth: Field, camera: Camera) -> None:
    """Distance softens under water."""
    soft = cv2.GaussianBlur(picture, (0, 0), max(0.004 * camera.scale, 0.6))
    np.copyto(picture, blend(picture, as_f32(soft), smooth(14, 34, np.minimum(depth, 60)) * 0.9))
