"""Landscapes: sky, land, plants, water and weather, in this order."""

from dataclasses import replace

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera, camera_for
from brushwork.engines.diorama.land.cast import Seen, cast
from brushwork.engines.diorama.land.ground import shade, sun_shadow
from brushwork.engines.diorama.land.materials import spots_of
from brushwork.engines.diorama.land.terrain import Land, land_for
from brushwork.engines.diorama.land.water import paint_water
from brushwork.engines.diorama.land.weather import paint_lightning, paint_rain, paint_snowfall
from brushwork.engines.diorama.motion.clock import flash_at
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, smooth
from brushwork.engines.diorama.plants.scatter import paint_things, place_things, split
from brushwork.engines.diorama.plants.wardrobe import Wardrobe
from brushwork.engines.diorama.scene import Scene, View
from brushwork.engines.diorama.sky.clouds import paint_clouds, paint_plume
from brushwork.engines.diorama.sky.heavens import paint_sky, rainbow, sun_closeness
from brushwork.engines.diorama.sky.light import Light, light_for, to_display
from brushwork.engines.diorama.sky.space import paint_earth
from brushwork.engines.diorama.worlds.painted import OnPass, World, emphasis, forbids, haze_share

_AT_ONCE = 1 << 16
"""Spots of land that are painted together: few enough for the processor's cache, and for little memory."""
_ROWS_AT_ONCE = 512
"""Rows of sky or of beams that are painted together, for little memory."""
NEAR = 40.0
"""What stands nearer than this is painted over the water; what is farther is mirrored in it. Metres."""


def window_above(view: View, camera: Camera, place_has_water: bool) -> View:
    """The window, made taller when its water mirrors more sky than it shows."""
    if not place_has_water:
        return view
    horizon = camera.tilt * camera.focal
    top = min(view.top, 2 * horizon - view.bottom - 0.12)
    extra = int(np.ceil((view.top - top) * camera.row_scale))
    extra = min(max(extra, 0), view.height)
    return replace(view, top=view.top - extra / camera.row_scale, height=view.height + extra)


def paint_land(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    land = land_for(scene)
    level = land.water
    camera = camera_for(scene, view)
    tall = window_above(view, camera, level is not None)
    extra = tall.height - view.height
    camera = replace(camera, view=tall)
    light = light_for(scene)
    grain = Grain(scene.grain_seed)

    tell("sky")
    picture = sky_and_clouds(scene, camera, light, grain, detail)
    if scene.place == "volcano" and not forbids(scene, "smoke"):
        paint_plume(picture, camera, light, grain, land)
    if scene.place == "moon" and not forbids(scene, "planets", "earth"):
        paint_earth(picture, scene, camera, grain)
    tell("land")
    seen = cast(camera, land, detail=detail)
    bed, mask, shadow = lay_land(picture, seen, scene, camera, light, grain, land)
    depth = seen.z
    tell("plants")
    things = place_things(scene, camera, grain, land, amount=detail, smallest=3.0 / max(detail, 1.0))
    fog = fog_by_column(light, camera)
    wardrobe = Wardrobe(scene, light)
    before = depth.copy()
    far_first = split(things, NEAR) if level is not None else (things,)
    for part in far_first:
        if part is not far_first[0] and level is not None:
            tell("water")
            mask *= depth >= before * 0.98  # what stands before the water hides it
            paint_water(picture, depth, mask, bed, scene=scene, camera=camera, light=light, grain=grain, level=level)
            water_haze(picture, depth, mask, camera, light)
        share = haze_share(light, part.z)
        paint_things(picture, depth, shadow, part, wardrobe, camera=camera, fog=fog, share=share)
    tell("weather")
    if scene.place in SHAFTS:
        for first in range(0, depth.shape[0], _ROWS_AT_ONCE):
            some = slice(first, first + _ROWS_AT_ONCE)
            picture[some] += light_shafts(camera.rows()[some], camera, light, grain, depth[some])
    if light.is_night:
        moonlit(picture, depth)
    paint_weather(picture, depth, scene, camera, light, grain)
    color = to_display(picture[extra:])

    def ground(x: float, z: float) -> float:
        high = float(land.coarse(as_f32([[x]]), as_f32([[max(z, 0.3)]]))[0, 0])
        return high if level is None else max(high, level)

    return World(color, depth[extra:], mask[extra:], light, replace(camera, view=view), ground)


def sky_and_clouds(scene: Scene, camera: Camera, light: Light, grain: Grain, detail: float) -> Field:
    shown = int(np.count_nonzero(camera.rows() > -0.06))  # below the horizon there is only land or water
    whole = np.empty((camera.view.height, camera.view.width, 3), np.float32)
    whole[shown:] = light.fog_colour
    if shown == 0:
        return whole
    for first in range(0, shown, _ROWS_AT_ONCE):
        rows = min(_ROWS_AT_ONCE, shown - first)
        top = camera.view.top + first / camera.row_scale
        band = replace(camera, view=replace(camera.view, top=top, bottom=top + rows / camera.row_scale, height=rows))
        whole[first : first + rows] = _sky_band(scene, band, light, grain, detail)
    return whole


def _sky_band(scene: Scene, camera: Camera, light: Light, grain: Grain, detail: float) -> Field:
    show = frozenset(name for name in ("sun", "moon", "stars") if name not in scene.forbidden)
    picture = paint_sky(camera, light, grain, scene_kind="land", show=show, weather=scene.weather)
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    paint_clouds(picture, light, grain, ratio, slope, amount=emphasis(scene, "clouds"), octaves=min(detail, 1.5))
    if scene.weather == "rainbow":  # drops hang before the clouds
        picture += rainbow(light, ratio, slope) * 0.8
    return picture


SHAFTS = ("forest", "autumn_forest", "winter_forest", "jungle")


def light_shafts(rows: Field, camera: Camera, light: Light, grain: Grain, depth: Field) -> Field:
    """Beams between the trees, fanning out from the sun; they lie over what is far and fade over what is near."""
    if light.sun_disc <= 0 or light.sun[2] < 0.3 or light.is_night:
        return np.zeros((*depth.shape, 3), np.float32)
    ratio, slope = np.meshgrid(camera.columns(), rows)
    high = min(float(light.sun[1] / light.sun[2]) + 0.25, 0.75)  # beams come from above the crowns, whatever the hour
    dx, dy = ratio - light.sun[0] / light.sun[2], np.float32(high) - slope
    angle = np.arctan2(dx, np.maximum(dy, 0.02))
    beams = (
        grain.drifting("swell", angle, angle * 0 + 0.4, 3.1, 540, along=(0.004, 0.035), turn=False) * 0.6
        + grain.drifting("swell", angle, angle * 0 + 0.9, 0.9, 541, along=(0.003, 0.020), turn=False) * 0.4
    )
    away = np.hypot(dx, dy)
    power = (
        smooth(0.46, 0.72, beams) * np.exp(-away * 1.5) * smooth(0.0, 0.12, dy) * smooth(3, 26, np.minimum(depth, 60))
    )
    return as_f32(power[..., None] * (light.sun_colour * 0.16 + light.glow * 0.10))


def moonlit(picture: Field, depth: Field) -> None:
    """By night the eye sees dark things blue; what shines keeps its colour."""
    bright = picture @ as_f32([0.30, 0.55, 0.15])
    blue = bright[..., None] * as_f32([0.42, 0.95, 2.5])
    np.copyto(picture, blend(picture, as_f32(blue), as_f32(0.58 * smooth(0.55, 0.12, bright) * np.isfinite(depth))))


def fog_by_column(light: Light, camera: Camera) -> Field:
    """Colour of the haze at the horizon for every column, warmer towards a low sun: (W, 3)."""
    near = np.maximum(sun_closeness(light, camera.columns(), as_f32(0.03)), 0)
    low = max(0.0, 1 - max(float(light.sun[1]), 0) * 2.2)
    amount = light.glow_strength * low * (0.10 * near**4 + 0.34 * near**14)
    return as_f32(light.fog_colour + amount[:, None] * light.glow)


def lay_land(
    picture: Field, seen: Seen, scene: Scene, camera: Camera, light: Light, grain: Grain, land: Land
) -> tuple[Field, Field, Field]:
    """Paint the land over the sky; → (height of the land under the water, water mask, sun and shadow), (H, W) each."""
    H, W = seen.z.shape
    r, c = np.nonzero(seen.hit)
    bed = np.full((H, W), 99, np.float32)
    shadow = _shadows(seen, camera, light, land)
    for start in range(0, r.size, _AT_ONCE):
        part = (r[start : start + _AT_ONCE], c[start : start + _AT_ONCE])
        _paint_spots(picture, bed, part, seen.z[part], shadow[part], scene, camera, light, grain, land)
    smooth_edges(picture, seen, camera)
    mask = np.zeros((H, W), np.float32)
    if land.water is not None:
        mask = as_f32((bed < land.water).astype(np.float32))
        mask[seen.z > land.far * 0.98] = 1.0 if land.far > 20000 else 0.0
        mask[~seen.hit] = 0
    return bed, mask, shadow


def _paint_spots(
    picture: Field,
    bed: Field,
    part: tuple["np.ndarray[tuple[int], np.dtype[np.intp]]", "np.ndarray[tuple[int], np.dtype[np.intp]]"],
    z: Field,
    shadow: Field,
    scene: Scene,
    camera: Camera,
    light: Light,
    grain: Grain,
    land: Land,
) -> None:
    """The land at some pixels (rows, columns), `z` metres away; notes its height in `bed`."""
    r, c = part
    x, along = camera.columns()[c] * z + np.float32(camera.x), z + np.float32(camera.z)
    high = land.height(x, along)
    bed[r, c] = high
    if land.water is not None:  # ground under deep water is never seen
        shown = high > land.water - 3.0
        picture[r[~shown], c[~shown]] = light.fog_colour * 0.3
        r, c, x, z, high, shadow = r[shown], c[shown], x[shown], z[shown], high[shown], shadow[shown]
        along = along[shown]
    spots = spots_of(land.height, x, along, camera.footprint(z), high)
    colour = shade(scene, light, grain, spots, shadow)
    share = haze_share(light, z)
    low = np.exp(-np.maximum(spots.y, 0) / 60) * (1 - np.exp(-z / 1600)) * light.mist
    share = 1 - (1 - share) * (1 - 0.75 * low)
    picture[r, c] = blend(colour, fog_by_column(light, camera)[c], as_f32(share))


def _shadows(seen: Seen, camera: Camera, light: Light, land: Land) -> Field:
    """(H, W) sun shadow, walked at a quarter of the picture's size."""
    H, W = seen.z.shape
    step = max(2, round(camera.scale / 90))
    # The coarse grid is tied to the image plane, so that a moved window walks from the same spots.
    c0, r0 = -round(camera.view.left * camera.scale) % step, -round(camera.view.top * camera.row_scale) % step
    z = seen.z[r0::step, c0::step]
    z = np.where(np.isfinite(z), z, 1.0).astype(np.float32)
    x, along = camera.columns()[c0::step][None, :] * z + np.float32(camera.x), z + np.float32(camera.z)
    small = sun_shadow(land, light, x, land.coarse(x, along), along)
    if step == 1:
        return small
    cols, rows = np.meshgrid((np.arange(W, dtype=np.float32) - c0) / step, (np.arange(H, dtype=np.float32) - r0) / step)
    return as_f32(cv2.remap(small, cols, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def smooth_edges(picture: Field, seen: Seen, camera: Camera) -> None:
    """Blend each pixel that a nearer ridge cuts with what stands behind it: vertical anti-aliasing of silhouettes."""
    z = seen.z
    far, near = z[:-1], z[1:]
    cut = (far > near * 1.06) & seen.hit[1:]
    r, c = np.nonzero(cut)
    if r.size == 0:
        return
    edge = np.where(seen.hit[r, c], seen.edge[r, c], seen.top[c])
    part = np.clip(
        (r + 1) - camera.row_of(as_f32(edge)), 0, 1
    )  # 0: the ridge ends at the near pixel's middle, 1: at the far one's
    above, below = picture[r, c].copy(), picture[r + 1, c].copy()
    picture[r, c] = blend(above, below, as_f32(np.clip(part - 0.5, 0, 1)))
    picture[r + 1, c] = blend(above, below, as_f32(np.clip(part + 0.5, 0, 1)))


def paint_weather(picture: Field, depth: Field, scene: Scene, camera: Camera, light: Light, grain: Grain) -> None:
    if scene.weather == "storm" and not forbids(scene, "lightning"):
        flash = flash_at(grain.moment, 2.3)
        paint_lightning(picture, depth, scene, camera, power=flash.power, number=flash.number)
    if scene.weather in ("rain", "storm") and not forbids(scene, "rain"):
        paint_rain(picture, scene, camera, light, grain, amount=1.0 if scene.weather == "rain" else 0.7)
    if scene.weather == "snow" and not forbids(scene, "snow"):
        paint_snowfall(picture, scene, camera, light, amount=emphasis(scene, "snow"), moment=grain.moment)


def water_haze(picture: Field, depth: Field, mask: Field, camera: Camera, light: Light) -> None:
    r, c = np.nonzero(mask > 0)
    share = haze_share(light, np.minimum(depth[r, c], 3e4)) * 0.75
    picture[r, c] = blend(picture[r, c], fog_by_column(light, camera)[c], as_f32(share))
