"""The story of a picture, top to bottom: light, sky, land, plants, water, weather. Everything but the subjects.

One world: what is painted depends on the scene and on places in it, never on the window or its size. A wider or moved
window sees the same world further on, a larger picture sees it in more detail.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera, camera_for
from brushwork.engines.diorama.land.cast import cast
from brushwork.engines.diorama.land.landscape import (
    fog_by_column,
    paint_land,
    paint_weather,
    sky_and_clouds,
    smooth_edges,
    water_haze,
    window_above,
)
from brushwork.engines.diorama.land.materials import spots_of
from brushwork.engines.diorama.land.terrain import Land
from brushwork.engines.diorama.land.water import paint_wet
from brushwork.engines.diorama.land.weather import paint_rain
from brushwork.engines.diorama.looks.finish import leave_unfinished, turn_hues
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend
from brushwork.engines.diorama.plants.scatter import paint_things, place_things, stand_of
from brushwork.engines.diorama.plants.wardrobe import Wardrobe
from brushwork.engines.diorama.scene import Scene, View
from brushwork.engines.diorama.sky.light import Light, hexes, light_for, to_display
from brushwork.engines.diorama.sky.space import paint_space
from brushwork.engines.diorama.town.city import paint_city, paint_lamps, street_trees
from brushwork.engines.diorama.town.facades import night_of
from brushwork.engines.diorama.worlds import underwater
from brushwork.engines.diorama.worlds.painted import OnPass, World, forbids, haze_share
from brushwork.engines.diorama.worlds.places import PLACES, Place
from brushwork.engines.diorama.worlds.studio import paint_studio
from brushwork.engines.diorama.worlds.tile import paint_tile

__all__ = ["PLACES", "Light", "Place", "World", "paint_world"]


def paint_world(scene: Scene, view: View, *, detail: float = 1.0, on_pass: OnPass | None = None) -> World:
    """Paint everything a picture shows except its subjects."""
    tell = on_pass or (lambda _name: None)
    fine = detail * scene.detail * (0.35 + 0.65 * scene.stop)
    world = (
        _paint_tile(scene, view, tell) if scene.tile else _PAINTERS[PLACES[scene.place].kind](scene, view, fine, tell)
    )
    if scene.weird > 0:
        world.color = turn_hues(world.color, scene)
    if scene.stop < 1:
        world.color = leave_unfinished(world.color, scene, world.camera)
    return world


# ---------------------------------------------------------------- cities


def _paint_city(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    level = 0.0 if scene.place == "skyline" else None
    mirrors = level is not None or scene.place == "cyberpunk" or scene.weather in ("rain", "storm")
    tall = window_above(view, camera, mirrors)
    extra = tall.height - view.height
    camera = replace(camera, view=tall)
    light = light_for(scene)
    grain = Grain(scene.grain_seed)
    tell("sky")
    picture = sky_and_clouds(scene, camera, light, grain, detail)
    tell("land")
    fog = fog_by_column(light, camera)
    if scene.place == "cyberpunk":
        fog = fog * 0.55 + hexes("#6a2f8a", "#c04a9a")[int(light.is_night) * 0] * 0.28
    depth, mask = paint_city(picture, scene, camera, light, grain, as_f32(fog), level=level)
    night = night_of(scene)
    if level is None and "lamps" not in scene.forbidden:
        paint_lamps(picture, depth, camera, light, night)
    if scene.place == "city_street" and not forbids(scene, "trees"):
        things = stand_of("broadleaf", street_trees(scene))
        lit = np.full(depth.shape, 0.55, np.float32)
        share = haze_share(light, things.z)
        paint_things(picture, depth, lit, things, Wardrobe(scene, light), camera=camera, fog=as_f32(fog), share=share)
    tell("water")
    if mirrors:
        bed = np.full(depth.shape, -3.0 if level is not None else -0.02, np.float32)
        paint_wet(
            picture, depth, mask, bed, scene=scene, camera=camera, light=light, grain=grain, is_street=level is None
        )
        if level is not None:
            water_haze(picture, depth, mask, camera, light)
    if night.windows > 0.4:
        bloom(picture, camera, 0.16 if scene.place != "cyberpunk" else 0.30)
    tell("weather")
    paint_weather(picture, depth, scene, camera, light, grain)
    if scene.place == "cyberpunk" and scene.weather not in ("rain", "storm", "snow") and not forbids(scene, "rain"):
        paint_rain(picture, scene, camera, light, grain, amount=0.5)
    water = mask[extra:] if level is not None else mask[extra:] * 0.5
    return World(
        to_display(picture[extra:]), depth[extra:], water, light, replace(camera, view=view), lambda _x, _z: 0.0
    )


def bloom(picture: Field, camera: Camera, amount: float) -> None:
    """Light that spills from what is bright."""
    bright = np.maximum(picture - 0.9, 0)
    size = (max(picture.shape[1] // 4, 1), max(picture.shape[0] // 4, 1))
    small = cv2.resize(bright, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(0.012 * camera.scale / 4, 0.5)) + cv2.GaussianBlur(
        small, (0, 0), max(0.05 * camera.scale / 4, 0.6)
    )
    picture += cv2.resize(soft, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR) * np.float32(
        amount * 2
    )


# ---------------------------------------------------------------- other worlds


def _paint_space(scene: Scene, view: View, _detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    tell("sky")
    picture = paint_space(scene, camera, Grain(scene.seed))
    light = replace(light_for(scene), fog_distance=1e9)
    far = np.full(picture.shape[:2], np.inf, np.float32)
    return World(to_display(picture), far, np.zeros_like(far), light, camera, lambda _x, _z: camera.eye)


def _paint_studio(scene: Scene, view: View, _detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    tell("backdrop")
    picture, depth = paint_studio(scene, camera, Grain(scene.seed))
    light = replace(light_for(replace(scene, time="afternoon", weather="clear")), fog_distance=1e9)
    return World(to_display(picture), depth, np.zeros_like(depth), light, camera, lambda _x, _z: 0.0)


def _paint_underwater(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    grain = Grain(scene.grain_seed)
    light = underwater.sea_light(light_for(replace(scene, weather="clear")), scene)
    tell("water")
    picture = underwater.backdrop(scene, camera)
    behind = picture.copy()
    underwater.surface(picture, camera, grain, scene)
    tell("land")
    floor = partial(underwater.seabed, grain)
    land = Land(floor, None, 90.0, (4.0, 60.0), floor)
    seen = cast(camera, land, detail=detail)
    r, c = np.nonzero(seen.hit)
    z = seen.z[r, c]
    spots = spots_of(
        land.height, camera.columns()[c] * z, z, camera.footprint(z), land.height(camera.columns()[c] * z, z)
    )
    colour = underwater.floor_colour(light, grain, spots.x, z, spots.y, spots.gx, spots.gz, spots.foot)
    picture[r, c] = blend(colour, behind[r, c], haze_share(light, z))
    smooth_edges(picture, seen, camera)
    depth = seen.z
    tell("plants")
    things = place_things(scene, camera, grain, land, amount=detail, smallest=3.0)
    fog = as_f32(behind[behind.shape[0] // 2])
    paint_things(
        picture,
        depth,
        np.ones_like(depth),
        things,
        Wardrobe(scene, light),
        camera=camera,
        fog=fog,
        share=haze_share(light, things.z),
    )
    picture += (underwater.shafts(scene, camera, grain) * 0.30)[..., None] * light.sun_colour
    if "bubbles" not in scene.forbidden:
        underwater.bubbles(picture, scene, camera)

    def ground(x: float, z: float) -> float:
        return float(floor(as_f32([[x]]), as_f32([[max(z, 0.3)]]))[0, 0])

    return World(to_display(picture), depth, np.zeros_like(depth), light, camera, ground)


def _paint_tile(scene: Scene, view: View, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    light = replace(light_for(replace(scene, weather="clear")), fog_distance=1e9)
    tell("pattern")
    picture = paint_tile(scene, camera, light)
    flat = np.full(picture.shape[:2], 40.0, np.float32)
    return World(to_display(picture), flat, np.zeros_like(flat), light, camera, lambda _x, _z: 0.0)


def _paint_sky(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    """High up: clouds all around, a far land below."""
    return paint_land(scene, view, detail, tell)


_PAINTERS: dict[str, Callable[[Scene, View, float, OnPass], World]] = {
    "land": paint_land,
    "city": _paint_city,
    "space": _paint_space,
    "studio": _paint_studio,
    "underwater": _paint_underwater,
    "sky": _paint_sky,
}
