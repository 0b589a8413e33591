"""Water: what it mirrors, how it ripples, where it foams and glitters.

The mirror picture is looked up in the picture itself: for each water pixel the mirrored ray is followed on the image
plane, with the depths already painted. So a reflection shows everything above the water, trees and clouds included.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, fade, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light, hexes


@dataclass(frozen=True)
class WaterLook:
    """How a place's water looks."""

    waves: float
    """Steepness of the waves."""
    size: float
    """Metres per noise texture of the main waves."""
    deep: str
    shallow: str
    clear: float
    """Metres of water that hide the ground."""
    foam: float = 0.0
    pace: float = 0.6
    """How fast its waves run, against those of the open sea."""


LOOKS: dict[str, WaterLook] = {
    "lake": WaterLook(0.018, 60, "#0e3a4d", "#3f7f7a", 1.3),
    "river": WaterLook(0.026, 26, "#12403f", "#4d8272", 1.1, 0.15),
    "waterfall": WaterLook(0.036, 20, "#0f4a4c", "#4aa093", 1.4, 0.3),
    "sea": WaterLook(0.15, 120, "#0a3f66", "#2b8a9a", 4.0, 0.35),
    "beach": WaterLook(0.085, 70, "#0b5f83", "#4cc5bf", 1.6, 1.0),
    "island": WaterLook(0.075, 90, "#0a5f88", "#43c9c0", 2.6, 0.8),
    "arctic": WaterLook(0.022, 70, "#0c3148", "#2f7f93", 2.0),
    "skyline": WaterLook(0.026, 60, "#0c2f45", "#2a5f70", 4.0),
}
_PLAIN = WaterLook(0.05, 60, "#0e3a4d", "#3f7f7a", 2.0)


def waves(g: Grain, look: WaterLook, x: Field, z: Field, foot: Field, strength: float) -> tuple[Field, Field]:
    """Slopes of the water's surface (sx, sz), three sizes of waves, each gone where a pixel is too wide for it."""
    if not g.moment.is_still:
        return _moving_waves(g, look, x, z, foot, strength)
    sx = np.zeros_like(x)
    sz = np.zeros_like(x)
    for k, (size, gain) in enumerate(((look.size * 4, 0.8), (look.size, 1.0), (look.size * 0.22, 0.8))):
        e = np.float32(size / 1024 * 2.0)
        a, b = x * 0.55, z * 1.25  # crests lie across the view
        here = g.at("fine", a, b, size, 500 + k, turn=False)
        right = g.at("fine", a + e, b, size, 500 + k, turn=False)
        ahead = g.at("fine", a, b + e, size, 500 + k, turn=False)
        keep = 0.06 + 0.94 * fade(foot * np.sqrt(1 + z * 0.12), size * 0.06)
        sx += (right[..., 0] - here[..., 0]) * gain * keep
        sz += (ahead[..., 0] - here[..., 0]) * gain * keep
    # Far off only bands of rougher and smoother water are left: long strokes across the view.
    far = 1 - fade(foot * np.sqrt(1 + z * 0.12), look.size * 0.05)
    bands = g.at("fine", x / z * 150, np.log(z) * 420, 1024, 505, turn=False)
    sz += (bands[..., 0] - 0.5) * far * 0.09
    sx += (bands[..., 1] - 0.5) * far * 0.05
    return as_f32(sx * strength * 6), as_f32(sz * strength * 6)


_PACE = (1.7, 1.0, 0.62)
"""Metres a second that the three sizes of waves run towards the viewer, on water whose texture is 30 metres wide."""


def _moving_waves(g: Grain, look: WaterLook, x: Field, z: Field, foot: Field, strength: float) -> tuple[Field, Field]:
    """`waves` at any other time. The slopes come out of one texture, as `waves` would find them."""
    sx = np.zeros_like(x)
    sz = np.zeros_like(x)
    wide = foot * np.sqrt(1 + z * 0.12)
    speed = look.pace * (look.size / 30) ** 0.5
    a, b = x * 0.55, z * 1.25
    for k, (size, gain) in enumerate(((look.size * 4, 0.8), (look.size, 1.0), (look.size * 0.22, 0.8))):
        side = (0.14, -0.20, 0.26)[k] * g.moment.wind
        pace = _PACE[k] * speed
        share = steady(foot, z, size)
        slopes = g.drifting(
            "slopes", a, b, size, 500 + k, along=(side * pace, -pace), cycle=3.4 - 0.5 * k, elsewhere=True, share=share,
            turn=False,
        )  # fmt: skip
        keep = (0.06 + 0.94 * fade(wide, size * 0.06)) * np.float32(gain)
        sx += slopes[..., 0] * keep
        sz += slopes[..., 1] * keep
    far = 1 - fade(wide, look.size * 0.05)
    bands = g.drifting("fine", x / z * 150, np.log(z) * 420, 1024, 505, along=(2.0, -5.0), cycle=2.5, turn=False)
    sz += (bands[..., 0] - 0.5) * far * 0.09
    sx += (bands[..., 1] - 0.5) * far * 0.05
    return as_f32(sx * strength * 6), as_f32(sz * strength * 6)


def steady(foot: Field, z: Field, size: float) -> Field:
    """How much of their speed waves have that come out of a texture `size` metres wide: where a row of pixels sees
    more than a wave of them, they would only flicker. There they fade into each other instead.
    """
    return as_f32(1 / (1 + foot * z * np.float32(2.2 / (0.03 * size))))


def paint_water(
    picture: Field,
    depth: Field,
    mask: Field,
    bed: Field,
    *,
    scene: Scene,
    camera: Camera,
    light: Light,
    grain: Grain,
    level: float,
) -> None:
    """Paint the water over `picture` (H, W, 3, light) in place, where mask (H, W) > 0. `bed` is the land's height
    there.
    """
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return
    mirrored = Mirrored.of(picture, depth, camera)  # before anything of it is painted over
    last = int(rows.max()) + 1
    for top in range(int(rows.min()), last, _ROWS_AT_ONCE):
        _water_band(
            picture, depth, mask, bed, slice(top, min(top + _ROWS_AT_ONCE, last)), mirrored,
            scene=scene, camera=camera, light=light, grain=grain, level=level,
        )  # fmt: skip


def _water_band(
    picture: Field, depth: Field, mask: Field, bed: Field, band: slice, mirrored: "Mirrored",
    *, scene: Scene, camera: Camera, light: Light, grain: Grain, level: float,
) -> None:  # fmt: skip
    """Some rows of it."""
    look = LOOKS.get(scene.place, _PLAIN)
    ratio, slope = camera.columns()[None, :], camera.rows()[band, None]
    z = np.where(np.isfinite(depth[band]), depth[band], 4e4)
    z = np.minimum(z, np.float32(4e4))
    x = ratio * z + np.float32(camera.x)
    deep_z = z + np.float32(camera.z)
    foot = camera.footprint(z)
    strength = look.waves * {"windy": 1.5, "storm": 2.4, "rain": 1.3, "fog": 0.5}.get(scene.weather, 1.0)
    sx, sz = waves(grain, look, x, deep_z, foot, strength)
    above = max(camera.eye - level, 0.2)
    mirror = reflection(mirrored, ratio, slope, z, sx, sz, above, camera=camera)
    length = np.sqrt(1 + ratio * ratio + slope * slope)
    cosine = np.clip((-slope + sz * 0.9) / length, 0.015, 1)
    fresnel = np.clip(0.025 + 0.975 * (1 - cosine) ** 5.0, 0, 0.96)
    deep, shallow = hexes(look.deep, look.shallow)
    day = light.ambient * 0.75 + light.sun_colour * max(float(light.sun[1]), 0.12) * 0.5
    under = np.maximum(np.float32(level) - bed[band], 0)
    through = np.exp(-under / look.clear)
    body = blend(deep * day * 0.62, shallow * day * 0.85, as_f32(through * 0.9))
    see = np.exp(-under / (look.clear * 0.35)) * 0.75
    body = blend(body, picture[band] * 0.72, as_f32(see))
    colour = blend(body, mirror, as_f32(fresnel))
    colour += glitter(light, grain, look, ratio, slope, x, deep_z, sx, sz, length)
    if look.foam > 0:
        foam = foam_cover(scene, grain, look, x, deep_z, under, foot, sz)
        white = (light.ambient * 0.9 + light.sun_colour * max(float(light.sun[1]), 0.2) * 0.45) * 0.62
        colour = blend(colour, as_f32(white), foam)
    m = mask[band]
    np.copyto(picture[band], blend(picture[band], as_f32(colour), m))


def paint_wet(
    picture: Field,
    depth: Field,
    mask: Field,
    bed: Field,
    *,
    scene: Scene,
    camera: Camera,
    light: Light,
    grain: Grain,
    is_street: bool,
) -> None:
    """A city's water: the bay before a skyline, or the wet street, which mirrors without a body of its own."""
    if not is_street:
        paint_water(picture, depth, mask, bed, scene=scene, camera=camera, light=light, grain=grain, level=0.0)
        return
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    ratio, slope = camera.columns()[None, :], camera.rows()[top:bottom, None]
    z = np.minimum(depth[top:bottom], np.float32(400))
    x, along = ratio * z + np.float32(camera.x), z + np.float32(camera.z)
    sx, sz = waves(grain, _STREET, x, along, camera.footprint(z), _STREET.waves)
    above = max(camera.eye, 0.2)
    mirror = reflection(Mirrored.of(picture, depth, camera), ratio, slope, z, sx, sz, above, camera=camera)
    cosine = np.clip(-slope / np.sqrt(1 + ratio * ratio + slope * slope), 0.02, 1)
    shine = 0.10 + 0.75 * (1 - cosine) ** 3
    np.copyto(picture[top:bottom], blend(picture[top:bottom], mirror, as_f32(mask[top:bottom] * shine)))


_ROWS_AT_ONCE = 192
"""Of a large picture, so that little is kept besides it."""
_STREET = WaterLook(0.010, 30, "#101018", "#202028", 1.0, pace=0.2)


@dataclass(frozen=True)
class Mirrored:
    """What may be seen in water."""

    drawn: Field
    """The picture, each thing drawn out downwards as ripples too small for a pixel do."""
    nearness: Field
    """1 / depth."""

    @classmethod
    def of(cls, picture: Field, depth: Field, camera: Camera) -> "Mirrored":
        drawn = cv2.blur(picture, (1, max(round(0.014 * camera.scale), 1)))
        return cls(as_f32(drawn), depth_inverse(depth))


def reflection(
    mirrored: Mirrored,
    ratio: Field,
    slope: Field,
    z: Field,
    sx: Field,
    sz: Field,
    above: float,
    *,
    camera: Camera,
) -> Field:
    """What the water mirrors: (rows, W, 3). Follows each mirrored ray to the depth that stands where it meets the
    picture.
    """
    up = -slope * 1.0
    near = np.clip(above / np.maximum(-slope, 1e-4), 0.1, 4e4)
    tilt = np.clip(2 * sz, -0.35, 0.35)
    side = np.clip(1.3 * sx, -0.2, 0.2)
    inverse = np.zeros_like(z)  # 1 / distance of what is mirrored, first taken as infinitely far
    column = camera.column_of(ratio + side * (1.0 + 0 * slope))
    for _ in range(2):
        seen = camera.row_of(np.maximum(up + tilt - 2 * above * inverse, -slope * 0.0 + 0.001))
        there = cv2.remap(
            mirrored.nearness, as_f32(column), as_f32(seen), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE
        )
        inverse = np.where(there < 1 / near, there, 0)
    target = up + tilt - 2 * above * inverse
    row = camera.row_of(np.maximum(target, 0.002))
    mirror = cv2.remap(mirrored.drawn, as_f32(column), as_f32(row), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return as_f32(mirror)


def depth_inverse(depth: Field) -> Field:
    with np.errstate(divide="ignore"):
        return as_f32(1 / depth)


def glitter(
    light: Light,
    g: Grain,
    look: WaterLook,
    ratio: Field,
    slope: Field,
    x: Field,
    z: Field,
    sx: Field,
    sz: Field,
    length: Field,
) -> Field:
    """The path of light under a low sun or moon: broad sheen and hard sparks."""
    if light.sun[2] <= 0.1 or light.sun_disc <= 0:
        return np.zeros((*z.shape, 3), np.float32)
    hx = ratio / length * -1 + light.sun[0]
    hy = -slope / length + light.sun[1]
    hz = -1 / length + light.sun[2]
    # The wave that would mirror the sun to us has slopes -hx/hy, -hz/hy; how far are this pixel's waves from it?
    need_x, need_z = -hx / np.maximum(hy, 0.05), -hz / np.maximum(hy, 0.05)
    share = steady(as_f32(z / 700), z, look.size * 0.35)
    spark = g.drifting(
        "fine", x * 0.6, z * 1.1, look.size * 0.35, 510, along=(0.25, -0.5), cycle=1.6, elsewhere=True, share=share,
        turn=False,
    )  # fmt: skip
    rough = look.waves * 1.5 + 0.035
    miss = ((need_x + sx) / rough) ** 2 * 0.45 + ((need_z + sz) / (rough * 2.2)) ** 2
    sheen = np.exp(-miss * 0.55)
    hard = smooth(0.66, 0.86, spark[..., 0] + 0.22 * sheen) * np.exp(-miss * 0.25)
    amount = sheen * 0.22 + hard * 1.5
    tint = light.sun_colour * 0.55 + light.glow * 0.25
    return as_f32(amount[..., None] * tint)


def foam_cover(
    scene: Scene, g: Grain, look: WaterLook, x: Field, z: Field, under: Field, foot: Field, sz: Field
) -> Field:
    """0-1: surf lines along the shore, lace behind them, white caps on rough water."""
    soft = g.drifting("soft", x, z, 30, 520, along=(0.10, -0.22))
    lace = g.drifting("cells", x + soft[..., 0] * 2, z + soft[..., 1] * 2, 22, 521, along=(0.05, -0.40), cycle=3)
    net = smooth(0.34, 0.05, lace[..., 1]) * fade(foot, 0.5) + 0.35 * (1 - fade(foot, 0.5))
    wobble = (soft[..., 0] - 0.5) * 0.5
    line = np.zeros_like(x)
    for at, width, gain in ((0.03, 0.05, 1.0), (0.30, 0.06, 0.85), (0.75, 0.09, 0.6)):
        swash = np.float32((0.02 + 0.10 * at) * g.moment.swing(4.5, 0.25 + at))  # each line runs up and back
        d = under - at - swash - wobble * (0.12 + at * 0.6)
        front = smooth(-width, 0, d) * smooth(width * 4.5, 0, d)
        line = np.maximum(line, front * gain * (0.30 + 0.70 * net) * smooth(0.25, 0.5, soft[..., 2] + 0.15))
    near_edge = smooth(0.06 + 0.022 * g.moment.swing(4.5, 0.25), 0.0, under) * 0.9
    surf = np.maximum(line, near_edge) * (under < 3)
    caps = np.zeros_like(x)
    if scene.weather in ("storm", "windy") or scene.place == "sea":
        hard = {"storm": 0.10, "windy": 0.05}.get(scene.weather, 0.0)
        caps = smooth(0.74 - hard, 0.86 - hard, soft[..., 3] + sz * 0.9) * net * 0.8
    if scene.place == "waterfall":  # where the fall strikes the pool
        away = np.hypot(x - 0.6, (z - 33) * 0.8) + (soft[..., 0] - 0.5) * 5
        surf = np.maximum(surf, smooth(10, 2, away) * (0.35 + 0.65 * net) * 2.6)
    return as_f32(np.clip((surf + caps) * look.foam * 1.0, 0, 0.95))
