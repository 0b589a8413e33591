"""What moves in front of a plate and behind it: sky, water, weather, light that comes and goes; then colours."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.land.landscape import (
    SHAFTS,
    light_shafts,
    moonlit,
    paint_weather,
    sky_and_clouds,
    water_haze,
)
from brushwork.engines.diorama.land.water import paint_water, paint_wet
from brushwork.engines.diorama.land.weather import paint_rain
from brushwork.engines.diorama.motion.clock import Moment
from brushwork.engines.diorama.motion.plates import Plate, Setting, threads_at
from brushwork.engines.diorama.noise import Field, Grain, as_f32, smooth
from brushwork.engines.diorama.sky.clouds import paint_plume
from brushwork.engines.diorama.sky.light import to_display
from brushwork.engines.diorama.sky.space import paint_earth, paint_space
from brushwork.engines.diorama.town.facades import night_of
from brushwork.engines.diorama.worlds import underwater
from brushwork.engines.diorama.worlds.painted import World, forbids
from brushwork.engines.diorama.worlds.places import PLACES
from brushwork.engines.diorama.worlds.studio import paint_studio
from brushwork.engines.diorama.worlds.world import bloom

_SEEN = 0.002
"""Less sky than this in a row is none."""


def painted(setting: Setting, plate: Plate, moment: Moment, view_rows: int) -> World:
    """The world at a moment, without subjects: the plate's last `view_rows` rows; those above were for the mirror."""
    scene, light = setting.scene, setting.light
    camera = plate.camera
    grain = Grain(scene.seed if scene.place in ("space", "studio") else scene.grain_seed, moment)
    picture = _behind(setting, plate, grain)
    picture *= plate.far[..., 3:]
    picture += plate.far[..., :3]
    depth = _metres(plate.inverse)
    if plate.glow is not None:
        _add_glow(picture, setting, plate, depth, grain)
    if plate.mask is not None:
        _add_water(picture, setting, plate, grain)
    if plate.near is not None:
        picture *= plate.near[..., 3:]
        picture += plate.near[..., :3]
    _PASSES.get(PLACES[scene.place].kind, _weather)(picture, depth, setting, camera, grain)
    extra = picture.shape[0] - view_rows
    v = camera.view
    shown = replace(v, top=v.top + extra / camera.row_scale, height=view_rows)
    ground = _ground_of(setting, camera)
    water = np.zeros_like(depth) if plate.mask is None else plate.mask
    if plate.mask is not None and setting.level is None:
        water = water * 0.5
    return World(
        to_display(picture[extra:]),
        depth[extra:],
        water[extra:],
        light,
        replace(camera, view=shown, x=0.0, z=0.0),
        ground,
    )


def _metres(inverse: Field) -> Field:
    with np.errstate(divide="ignore"):
        return as_f32(1 / inverse)


def _ground_of(setting: Setting, camera: Camera) -> Callable[[float, float], float]:
    land, level = setting.land, setting.level
    if land is None:
        return lambda _x, _z: camera.eye if setting.scene.place == "space" else 0.0

    def ground(x: float, z: float) -> float:
        far = as_f32([[max(z + camera.z, 0.3)]])
        high = float(land.coarse(as_f32([[x + camera.x]]), far)[0, 0])
        return high if level is None else max(high, level)

    return ground


# ---------------------------------------------------------------- behind the plate


def _behind(setting: Setting, plate: Plate, grain: Grain) -> Field:
    """What is seen past the plate: (H, W, 3). Only the rows that show any of it are painted."""
    scene, light, camera = setting.scene, setting.light, plate.camera
    rows = np.flatnonzero(plate.far[..., 3].max(axis=1) > _SEEN)
    whole = np.zeros((*plate.far.shape[:2], 3), np.float32)
    if rows.size == 0:
        return whole
    first, last = int(rows[0]), int(rows[-1]) + 1
    v = camera.view
    top = v.top + first / camera.row_scale
    part = replace(v, top=top, bottom=top + (last - first) / camera.row_scale, height=last - first)
    cut = replace(camera, view=part)
    kind = PLACES[scene.place].kind
    if kind == "space":
        whole[first:last] = paint_space(scene, cut, grain)
    elif kind == "studio":
        whole[first:last] = paint_studio(scene, cut, grain)[0]
    elif kind == "underwater":
        sea = underwater.backdrop(scene, cut)
        underwater.surface(sea, cut, grain, scene)
        whole[first:last] = sea
    else:
        sky = sky_and_clouds(scene, cut, light, grain, scene.detail)
        if scene.place == "volcano" and not forbids(scene, "smoke") and setting.land is not None:
            paint_plume(sky, cut, light, grain, setting.land)
        if scene.place == "moon" and not forbids(scene, "planets", "earth"):
            paint_earth(sky, scene, cut, grain)
        whole[first:last] = sky
    return whole


# ---------------------------------------------------------------- light that comes and goes


def _add_glow(picture: Field, setting: Setting, plate: Plate, depth: Field, grain: Grain) -> None:
    assert plate.glow is not None
    scene, camera = setting.scene, plate.camera
    r, c = np.nonzero(plate.glow.max(axis=2) > 2e-3)
    if r.size == 0:
        return
    if plate.cell is not None:
        amount = _flicker(grain.moment, plate.cell[r, c], quick=scene.place == "cyberpunk")
    elif scene.place == "waterfall":
        amount = threads_at(grain, camera, r, c, np.minimum(depth[r, c], np.float32(100)))
    else:
        z = np.minimum(depth[r, c], np.float32(2e4))
        x, along = camera.columns()[c] * z + np.float32(camera.x), z + np.float32(camera.z)
        y = np.float32(camera.eye) + camera.rows()[r] * z
        if scene.place == "volcano":
            amount = _lava(grain, x, y, along)
        else:
            amount = underwater.caustics(grain, x + y * 0.3, along)
    picture[r, c] += plate.glow[r, c] * amount[:, None]


def _lava(grain: Grain, x: Field, y: Field, z: Field) -> Field:
    """Factor of lava's light: brighter and darker parts that flow downhill, and a slow pulse."""
    if grain.moment.is_still:
        return np.ones_like(x)
    angle = np.arctan2(x, 2650 - z) * 900
    flow = grain.drifting("soft", angle, y, 420, 445, along=(0.0, -30.0), cycle=2.5, turn=False)[..., 0]
    near = grain.drifting("soft", x, z, 60, 446, along=(0.0, -1.2), cycle=2.5)[..., 0]
    share = smooth(120, 330, y)
    flow = flow * share + near * (1 - share)
    begun = min(abs(grain.moment.t), 1.0)
    if grain.moment.period is not None:
        begun = min(begun, grain.moment.period - grain.moment.t, 1.0)
    return as_f32(np.clip(1 + begun * (1.9 * (flow - 0.5) + 0.12 * grain.moment.swing(1.7, 0.2)), 0.25, 2.2))


def _flicker(moment: Moment, cell: Field, *, quick: bool) -> Field:
    """Change of a window's or a sign's light: most are steady, some breathe, a few buzz, some go out for a while."""
    phase = cell * 7919 % 1
    slow = np.sin(2 * np.pi * (moment.turns(2.2) + phase)) - np.sin(2 * np.pi * phase)
    fast = np.sin(2 * np.pi * (moment.turns(0.41) + phase)) - np.sin(2 * np.pi * phase)
    rounds = moment.turns(5.0)
    out = _out(rounds + phase) - _out(phase)
    breathes, buzzes = (cell < (0.45 if quick else 0.10)), (cell > (0.93 if quick else 0.985))
    goes = (cell > 0.45) & (cell < (0.60 if quick else 0.54))
    return as_f32(0.28 * slow * breathes + 0.35 * fast * buzzes - 0.85 * out * goes)


def _out(rounds: Field) -> Field:
    """1 during a third of each round, with soft steps."""
    part = rounds - np.floor(rounds)
    return as_f32(smooth(0.60, 0.62, part) * smooth(0.97, 0.95, part))


# ---------------------------------------------------------------- water, weather


def _add_water(picture: Field, setting: Setting, plate: Plate, grain: Grain) -> None:
    scene, light, camera = setting.scene, setting.light, plate.camera
    if plate.mask is None or plate.bed is None or plate.back is None or not plate.mask.any():
        return
    depth = _metres(plate.back)
    if setting.level is not None:  # a level surface: its distance is known exactly, whatever way the plate came
        level = (camera.eye - setting.level) / np.maximum(-camera.rows(), 1e-6)
        flat = (plate.mask > 0.5) & (level < 3.9e4)[:, None]
        depth = as_f32(np.where(flat, level[:, None], depth))
    bed, mask = plate.bed, plate.mask
    if PLACES[scene.place].kind == "city":
        street = setting.level is None
        paint_wet(picture, depth, mask, bed, scene=scene, camera=camera, light=light, grain=grain, is_street=street)
    else:
        level_ = setting.level or 0.0
        paint_water(picture, depth, mask, bed, scene=scene, camera=camera, light=light, grain=grain, level=level_)
    if setting.level is not None:
        water_haze(picture, depth, mask, camera, light)


def _weather(picture: Field, depth: Field, setting: Setting, camera: Camera, grain: Grain) -> None:
    scene, light = setting.scene, setting.light
    if scene.place in SHAFTS:
        picture += light_shafts(camera.rows(), camera, light, grain, depth)
    if light.is_night:
        moonlit(picture, depth)
    paint_weather(picture, depth, scene, camera, light, grain)


def _city_weather(picture: Field, depth: Field, setting: Setting, camera: Camera, grain: Grain) -> None:
    scene, light = setting.scene, setting.light
    if night_of(scene).windows > 0.4:
        bloom(picture, camera, 0.16 if scene.place != "cyberpunk" else 0.30)
    paint_weather(picture, depth, scene, camera, light, grain)
    dry = scene.weather not in ("rain", "storm", "snow")
    if scene.place == "cyberpunk" and dry and not forbids(scene, "rain"):
        paint_rain(picture, scene, camera, light, grain, amount=0.5)


def _under_water(picture: Field, depth: Field, setting: Setting, camera: Camera, grain: Grain) -> None:  # noqa: ARG001
    picture += (underwater.shafts(setting.scene, camera, grain) * 0.30)[..., None] * setting.light.sun_colour
    if "bubbles" not in setting.scene.forbidden:
        underwater.bubbles(picture, setting.scene, camera, grain.moment)


def _nothing(_p: Field, _d: Field, _s: Setting, _c: Camera, _g: Grain) -> None:
    """No weather in there."""


_PASSES: dict[str, Callable[[Field, Field, Setting, Camera, Grain], None]] = {
    "city": _city_weather,
    "underwater": _under_water,
    "space": _nothing,
    "studio": _nothing,
}


# ---------------------------------------------------------------- the breeze


def breeze(camera: Camera, moment: Moment, *, strength: float, under_water: bool) -> Field:
    """How far, in parts of `Plate.bend`, things lean to the right by now: (H, W), gusts that run across the land."""
    v = camera.view
    small = max(v.height // 8, 2), max(v.width // 8, 2)
    rows, columns = cv2.resize(camera.rows(), (1, small[0])), cv2.resize(camera.columns()[None, :], (small[1], 1))
    down = np.log(np.maximum(-rows, 0.02)) * 0.7
    way = as_f32(columns * 2.2 + down)
    one, two, three = (4.5, 2.6, 6.0) if under_water else (2.2, 0.95, 4.2)
    total = np.zeros(small, np.float32)
    for seconds, gain, fineness in ((one, 0.55, 0.5), (two, 0.22, 1.7)):
        angle = 2 * np.pi * (fineness * way)
        total += gain * (np.sin(angle + 2 * np.pi * moment.turns(seconds)) - np.sin(angle))
    gust = 0.75 + 0.25 * np.sin(2 * np.pi * (moment.turns(three) - 0.35 * way))
    whole = cv2.resize(as_f32(total * gust * strength), (v.width, v.height), interpolation=cv2.INTER_LINEAR)
    return as_f32(whole)
