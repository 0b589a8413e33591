"""Plates: what stands still in a view, painted once, with room for what moves before and behind it.

A plate keeps colours apart from how much of the sky, and of the water, is seen past them. `glow` is light whose
amount changes with the clock: lava, the net of waves on a sea floor, a fall's threads, windows and neon.
Knows no path: the camera is given, wherever in the world it stands.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.land.cast import Seen, cast
from brushwork.engines.diorama.land.grounds import curtain
from brushwork.engines.diorama.land.landscape import (
    NEAR,
    fog_by_column,
    lay_land,
    smooth_edges,
    window_above,
)
from brushwork.engines.diorama.land.materials import spots_of
from brushwork.engines.diorama.land.terrain import Land, land_for
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, hash01
from brushwork.engines.diorama.plants.scatter import Traces, paint_things, place_things, split, stand_of
from brushwork.engines.diorama.plants.wardrobe import Wardrobe
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light, hexes, light_for
from brushwork.engines.diorama.town.city import paint_city, paint_lamps, street_trees
from brushwork.engines.diorama.town.facades import night_of
from brushwork.engines.diorama.worlds import underwater
from brushwork.engines.diorama.worlds.painted import forbids, haze_share
from brushwork.engines.diorama.worlds.places import PLACES
from brushwork.engines.diorama.worlds.studio import paint_studio


@dataclass(frozen=True)
class Plate:
    """What stands still before one camera. (H, W) and more; distances are kept as 1 / metres, 0 for the sky."""

    camera: Camera
    far: Field
    """(H, W, 4): light of what stands before the sky, and how much of the sky is seen past it."""
    inverse: Field
    """(H, W) of everything."""
    bend: Field
    """(H, W): pixels by which a breeze moves what is here to the side."""
    near: Field | None = None
    """(H, W, 4): the same for what stands before the water."""
    back: Field | None = None
    """(H, W) distance without `near`."""
    bed: Field | None = None
    """(H, W) height of the ground, under water too."""
    mask: Field | None = None
    """(H, W) 0-1: open water, or a wet street."""
    glow: Field | None = None
    """(H, W, 3): light that comes and goes."""
    cell: Field | None = None
    """(H, W) 0-1: a random number for each window or sign."""


@dataclass(frozen=True)
class Setting:
    """What all plates of a clip share."""

    scene: Scene
    light: Light
    land: Land | None
    level: float | None
    """Of the water, metres."""

    @property
    def mirrors(self) -> bool:
        """Whether the picture must reach higher than it shows, because water mirrors it."""
        wet = self.scene.place == "cyberpunk" or (
            self.scene.place == "city_street" and self.scene.weather in ("rain", "storm")
        )
        return self.level is not None or wet


def setting_of(scene: Scene) -> Setting:
    kind = PLACES[scene.place].kind
    light = light_for(scene)
    if kind in ("land", "sky"):
        land = land_for(scene)
        return Setting(scene, light, land, land.water)
    if kind == "city":
        return Setting(scene, light, None, 0.0 if scene.place == "skyline" else None)
    if kind == "underwater":
        floor = partial(underwater.seabed, Grain(scene.grain_seed))
        sea = underwater.sea_light(light_for(replace(scene, weather="clear")), scene)
        return Setting(scene, sea, Land(floor, None, 90.0, (4.0, 60.0), floor), None)
    if kind == "studio":
        light = light_for(replace(scene, time="afternoon", weather="clear"))
    return Setting(scene, replace(light, fog_distance=1e9), None, None)


def plate_of(setting: Setting, camera: Camera, *, detail: float) -> Plate:
    """The plate of a camera whose window is the one wanted; rows for the mirror are added above."""
    scene = setting.scene
    camera = replace(camera, view=window_above(camera.view, camera, setting.mirrors))
    return _PLATES[PLACES[scene.place].kind](setting, camera, detail * scene.detail * (0.35 + 0.65 * scene.stop))


# ---------------------------------------------------------------- land


def _land_plate(setting: Setting, camera: Camera, detail: float) -> Plate:
    scene, light, land = setting.scene, setting.light, setting.land
    assert land is not None
    grain = Grain(scene.grain_seed)
    shape = (camera.view.height, camera.view.width)
    seen = cast(camera, land, detail=detail)
    picture = np.zeros((*shape, 3), np.float32)
    bed, mask, shadow = lay_land(picture, seen, scene, camera, light, grain, land)
    open_sky = as_f32(~seen.hit)[..., None]
    smooth_edges(open_sky, seen, camera)
    glow = _land_glow(picture, seen, setting, camera, grain)
    depth = seen.z
    before = depth.copy()
    things = place_things(scene, camera, grain, land, amount=detail, smallest=3.0 / max(detail, 1.0))
    wardrobe, fog = Wardrobe(scene, light), fog_by_column(light, camera)
    traces = Traces(np.ones((*shape, 1), np.float32), np.zeros(shape, np.float32))
    far, close = (things, None) if setting.level is None else split(things, NEAR)
    share = haze_share(light, far.z)
    paint_things(picture, depth, shadow, far, wardrobe, camera=camera, fog=fog, share=share, traces=traces)
    if glow is not None:
        glow *= traces.through
    plate = Plate(
        camera, np.concatenate([picture, open_sky * traces.through], 2), _inverse(depth), traces.bend, glow=glow
    )
    if close is None:
        return replace(plate, bend=_softened(plate.bend))
    mask *= depth >= before * 0.98
    back = _inverse(depth)
    front = np.zeros((*shape, 3), np.float32)
    traces = Traces(np.ones((*shape, 1), np.float32), traces.bend)
    share = haze_share(light, close.z)
    paint_things(front, depth, shadow, close, wardrobe, camera=camera, fog=fog, share=share, traces=traces)
    near = np.concatenate([front, traces.through], 2)
    return replace(
        plate, near=near, inverse=_inverse(depth), back=back, bed=bed, mask=mask, bend=_softened(traces.bend)
    )


def _land_glow(picture: Field, seen: Seen, setting: Setting, camera: Camera, grain: Grain) -> Field | None:
    """Takes the light that comes and goes out of a painted land; what is left stays in `picture`."""
    scene = setting.scene
    if scene.place == "volcano" and "lava" not in scene.forbidden:
        assert setting.land is not None
        cold = np.zeros_like(picture)
        without = replace(scene, forbidden=scene.forbidden | {"lava"})
        lay_land(cold, seen, without, camera, setting.light, grain, setting.land)
        glow = as_f32(np.maximum(picture - cold, 0))
        glow[glow.max(axis=2) < 1e-3] = 0
        picture -= glow
        return glow
    if scene.place == "waterfall" and "water" not in scene.forbidden:
        r, c = np.nonzero((seen.z + camera.z > 27) & (seen.z + camera.z < 63))
        threads = threads_at(grain, camera, r, c, seen.z[r, c])
        falls = threads > 0.01
        r, c, threads = r[falls], c[falls], threads[falls]
        glow = np.zeros_like(picture)
        glow[r, c] = picture[r, c] / (_DARK_ROCK + threads)[:, None]
        picture[r, c] *= (_DARK_ROCK / (_DARK_ROCK + threads))[:, None]
        return glow
    return None


_DARK_ROCK = 0.30
"""What the wall behind a fall sends back of the light, next to the water's 1."""


def threads_at(grain: Grain, camera: Camera, r: Field, c: Field, z: Field) -> Field:
    """How much falling water is seen at some pixels."""
    x, along = camera.columns()[c] * z + np.float32(camera.x), z + np.float32(camera.z)
    y = np.float32(camera.eye) + camera.rows()[r] * z
    zero = np.zeros_like(x)
    spots = spots_of(lambda _x, _z: zero, x, along, camera.footprint(z), zero)
    return curtain(grain, replace(spots, y=as_f32(y)))


# ---------------------------------------------------------------- other worlds


def _city_plate(setting: Setting, camera: Camera, _detail: float) -> Plate:
    scene, light, level = setting.scene, setting.light, setting.level
    grain = Grain(scene.grain_seed)
    shape = (camera.view.height, camera.view.width)
    picture = np.zeros((*shape, 3), np.float32)
    fog = fog_by_column(light, camera)
    if scene.place == "cyberpunk":
        fog = as_f32(fog * 0.55 + hexes("#6a2f8a")[0] * 0.28)
    depth, mask = paint_city(picture, scene, camera, light, grain, fog, level=level)
    night = night_of(scene)
    if level is None and "lamps" not in scene.forbidden:
        paint_lamps(picture, depth, camera, light, night)
    traces = Traces(as_f32(~np.isfinite(depth))[..., None], np.zeros(shape, np.float32))
    cell = _window_cells(depth, camera, scene)
    if scene.place == "city_street" and not forbids(scene, "trees"):
        things = stand_of("broadleaf", street_trees(scene))
        things = replace(things, x=things.x - np.float32(camera.x), z=things.z - np.float32(camera.z))
        things, _ = split(things, 0.8)
        lit = np.full(depth.shape, 0.55, np.float32)
        share = haze_share(light, things.z)
        wardrobe = Wardrobe(scene, light)
        paint_things(picture, depth, lit, things, wardrobe, camera=camera, fog=fog, share=share, traces=traces)
    bright = np.maximum(picture - 0.42, 0) if night.windows > 0.2 else None
    far = np.concatenate([picture, traces.through], 2)
    bed = np.full(shape, -3.0 if level is not None else -0.02, np.float32)
    inverse = _inverse(depth)
    return Plate(camera, far, inverse, _softened(traces.bend), back=inverse, bed=bed, mask=mask, glow=bright, cell=cell)


def _window_cells(depth: Field, camera: Camera, scene: Scene) -> Field:
    """A random number for each place of about a window's size."""
    z = np.where(np.isfinite(depth), depth, 0)
    x = camera.columns()[None, :] * z + np.float32(camera.x)
    y = np.float32(camera.eye) + camera.rows()[:, None] * z
    size = 6.5 if scene.place != "skyline" else 9.0
    a = np.floor(x / size).astype(np.int64) * 71 + np.floor((z + camera.z) / size).astype(np.int64)
    return hash01(a, np.floor(y / (size * 0.5)).astype(np.int64), scene.seed % 9973)


def _space_plate(_setting: Setting, camera: Camera, _detail: float) -> Plate:
    shape = (camera.view.height, camera.view.width)
    empty = np.concatenate([np.zeros((*shape, 3), np.float32), np.ones((*shape, 1), np.float32)], 2)
    zero = np.zeros(shape, np.float32)
    return Plate(camera, empty, zero, zero)


def _studio_plate(setting: Setting, camera: Camera, _detail: float) -> Plate:
    _, depth = paint_studio(setting.scene, camera, Grain(setting.scene.seed))
    shape = depth.shape
    empty = np.concatenate([np.zeros((*shape, 3), np.float32), np.ones((*shape, 1), np.float32)], 2)
    return Plate(camera, empty, _inverse(depth), np.zeros(shape, np.float32))


def _underwater_plate(setting: Setting, camera: Camera, detail: float) -> Plate:
    scene, light, land = setting.scene, setting.light, setting.land
    assert land is not None
    grain = Grain(scene.grain_seed)
    shape = (camera.view.height, camera.view.width)
    seen = cast(camera, land, detail=detail)
    behind = underwater.backdrop(scene, camera)
    r, c = np.nonzero(seen.hit)
    z = seen.z[r, c]
    x, along = camera.columns()[c] * z + np.float32(camera.x), z + np.float32(camera.z)
    spots = spots_of(land.height, x, along, camera.footprint(z), land.height(x, along))
    surface = light, grain, spots.x, spots.z, spots.y, spots.gx, spots.gz, spots.foot
    dark, lit = (underwater.floor_colour(*surface, net=np.full_like(z, net)) for net in (0.0, 1.0))
    share = haze_share(light, z)
    picture, glow = np.zeros((*shape, 3), np.float32), np.zeros((*shape, 3), np.float32)
    picture[r, c] = blend(dark, behind[r, c], share)
    glow[r, c] = (lit - dark) * (1 - share)[:, None]
    open_sky = as_f32(~seen.hit)[..., None]
    for layer in (picture, glow, open_sky):
        smooth_edges(layer, seen, camera)
    depth = seen.z
    things = place_things(scene, camera, grain, land, amount=detail, smallest=3.0)
    fog = as_f32(behind[behind.shape[0] // 2])
    traces = Traces(np.ones((*shape, 1), np.float32), np.zeros(shape, np.float32))
    ones, share = np.ones(shape, np.float32), haze_share(light, things.z)
    wardrobe = Wardrobe(scene, light)
    paint_things(picture, depth, ones, things, wardrobe, camera=camera, fog=fog, share=share, traces=traces)
    far = np.concatenate([picture, open_sky * traces.through], 2)
    return Plate(camera, far, _inverse(depth), _softened(traces.bend), glow=as_f32(glow * traces.through))


_PLATES: dict[str, Callable[[Setting, Camera, float], Plate]] = {
    "land": _land_plate,
    "sky": _land_plate,
    "city": _city_plate,
    "space": _space_plate,
    "studio": _studio_plate,
    "underwater": _underwater_plate,
}


def _inverse(depth: Field) -> Field:
    return as_f32(1 / depth)  # 1 / inf is 0


def _softened(bend: Field) -> Field:
    """The bend of things reaches over their edges, so that what moves takes its border along; none is too far."""
    unit = min(bend.shape) / 480
    most = np.float32(5.0 * unit)
    size = max(3, round(5 * unit)) | 1
    wide = cv2.dilate(most * np.tanh(bend / most), np.ones((size, size), np.uint8))
    return as_f32(cv2.GaussianBlur(wide, (0, 0), 2.2 * unit))
