"""The story of a picture, top to bottom: light, sky, land, plants, water, weather. Everything but the subjects.

One world: what is painted depends on the scene and on places in it, never on the window or its size. A wider or moved window sees
the same world further on, a larger picture sees it in more detail.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from brushwork.engines.diorama import underwater
from brushwork.engines.diorama.camera import Camera, camera_for
from brushwork.engines.diorama.cast import Seen, cast
from brushwork.engines.diorama.city import night_of, paint_city, paint_lamps
from brushwork.engines.diorama.clouds import paint_clouds, paint_plume
from brushwork.engines.diorama.ground import shade, spots_of, sun_shadow
from brushwork.engines.diorama.light import Light, hexes, light_for, to_display
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, smooth
from brushwork.engines.diorama.places import PLACES
from brushwork.engines.diorama.scatter import Wardrobe, paint_things, place_things, split
from brushwork.engines.diorama.scene import Scene, View
from brushwork.engines.diorama.sky import paint_sky, sun_closeness
from brushwork.engines.diorama.space import paint_earth, paint_space
from brushwork.engines.diorama.studio import paint_studio
from brushwork.engines.diorama.terrain import Land, land_for
from brushwork.engines.diorama.tile import paint_tile
from brushwork.engines.diorama.water import paint_water, paint_wet
from brushwork.engines.diorama.weather import paint_lightning, paint_rain, paint_snowfall

OnPass = Callable[[str], None]

_NEAR = 40.0
"""What stands nearer than this is painted over the water; what is farther is mirrored in it. Metres."""


@dataclass
class World:
    """A painted world and the means to put something into it."""

    color: Field
    """(H, W, 3) display colours, about 0..1."""
    depth: Field
    """(H, W) metres along the view axis, inf for the sky."""
    water: Field
    """(H, W) 0..1, open water."""
    light: Light
    camera: Camera
    ground_height: Callable[[float, float], float]

    def project(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """A place in the world → (px, py, pixels per metre)."""
        return self.camera.project(x, y, z)

    def ground(self, x: float, z: float) -> float:
        """Height of the surface to stand or float on, metres."""
        return self.ground_height(x, z)

    def haze(self, rgb: Field, depth: float) -> Field:
        """Display colours as they look from `depth` metres away."""
        share = np.float32(haze_share(self.light, as_f32(depth)))
        return as_f32(rgb + (to_display(self.light.fog_colour) - rgb) * share)


def haze_share(light: Light, depth: Field) -> Field:
    """0-1: how much of a thing's colour the air has replaced."""
    d = depth / np.float32(light.fog_distance)
    return as_f32(1 - np.exp(-(d**1.15)))


def forbids(scene: Scene, *names: str) -> bool:
    return any(name in scene.forbidden for name in names)


def emphasis(scene: Scene, name: str) -> float:
    """Factor of something the place brings; 0 when it is forbidden."""
    if name in scene.forbidden:
        return 0.0
    return float(dict(scene.emphasis).get(name, 1.0))


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


def turn_hues(color: Field, scene: Scene) -> Field:
    """Strange palettes: all hues turned around the grey axis, the further the weirder."""
    rng = np.random.default_rng([scene.seed, 5001])
    angle = float(rng.uniform(0.6, 2.2) * (1 if rng.random() < 0.5 else -1)) * scene.weird
    c, s = np.cos(angle), np.sin(angle)
    k = (1 - c) / 3
    d = s / np.sqrt(3)
    turn = as_f32([[c + k, k - d, k + d], [k + d, c + k, k - d], [k - d, k + d, c + k]])
    return as_f32(np.clip(color @ turn.T, 0, 1.2))


def leave_unfinished(color: Field, scene: Scene, camera: Camera) -> Field:
    """An underpainting: forms dissolve into broad dabs, and the primed canvas shows where the brush has not been."""
    left = 1 - scene.stop
    size = int(left**1.3 * 0.045 * camera.scale) * 2 + 1
    flat = np.round(np.clip(color, 0, 1) * 255).astype(np.uint8)
    dabs = as_f32(cv2.medianBlur(flat, min(max(size, 3), 255))) / 255
    u, v = np.meshgrid(camera.columns() * np.float32(camera.focal), camera.rows() * np.float32(camera.focal))
    weave = Grain(scene.seed).at("fine", u, v, 2.2, 5002)
    worn = Grain(scene.seed).at("soft", u * 0.5, v, 1.4, 5003)
    bare = smooth(0.62, 0.80, worn[..., 0] + 0.22 * (weave[..., 0] - 0.5) + 0.42 * left - 0.30) * smooth(
        0.35, 0.9, left
    )
    canvas = as_f32([0.93, 0.89, 0.82]) * (0.96 + 0.08 * weave[..., 1:2])
    out = color + (dabs - color) * np.float32(min(1.0, left * 1.6))
    return blend(out, as_f32(canvas), as_f32(bare * 0.9))


# ---------------------------------------------------------------- landscapes


def _above(view: View, camera: Camera, place_has_water: bool) -> View:
    """The window, made taller when its water mirrors more sky than it shows."""
    if not place_has_water:
        return view
    horizon = camera.tilt * camera.focal
    top = min(view.top, 2 * horizon - view.bottom - 0.12)
    extra = int(np.ceil((view.top - top) * camera.row_scale))
    extra = min(max(extra, 0), view.height)
    return replace(view, top=view.top - extra / camera.row_scale, height=view.height + extra)


def _paint_land(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    place = PLACES[scene.place]
    land = land_for(scene)
    level = land.water
    base = 0.0
    camera = camera_for(scene, view, ground=base)
    tall = _above(view, camera, level is not None)
    extra = tall.height - view.height
    camera = replace(camera, view=tall)
    light = light_for(scene)
    grain = Grain(scene.seed)

    tell("sky")
    picture = _sky(scene, camera, light, grain, detail)
    if scene.place == "volcano" and not forbids(scene, "smoke"):
        paint_plume(picture, camera, light, grain, land)
    if scene.place == "moon" and not forbids(scene, "planets", "earth"):
        paint_earth(picture, scene, camera, grain)
    tell("land")
    seen = cast(camera, land, detail=detail)
    bed, mask, shadow = _land(picture, seen, scene, camera, light, grain, land)
    depth = seen.z
    tell("plants")
    things = place_things(scene, camera, grain, land, amount=detail, smallest=3.0)
    fog = fog_by_column(light, camera)
    wardrobe = Wardrobe(scene, light)
    before = depth.copy()
    far_first = split(things, _NEAR) if level is not None else (things,)
    for part in far_first:
        if part is not far_first[0] and level is not None:
            tell("water")
            mask *= depth >= before * 0.98  # what stands before the water hides it
            paint_water(picture, depth, mask, bed, scene=scene, camera=camera, light=light, grain=grain, level=level)
            _water_haze(picture, depth, mask, camera, light)
        share = haze_share(light, part.z)
        paint_things(picture, depth, shadow, part, wardrobe, camera=camera, fog=fog, share=share)
    tell("weather")
    _weather(picture, depth, scene, camera, light, grain)
    color = to_display(picture[extra:])

    def ground(x: float, z: float) -> float:
        high = float(land.coarse(as_f32([[x]]), as_f32([[max(z, 0.3)]]))[0, 0])
        return high if level is None else max(high, level)

    return World(color, depth[extra:], mask[extra:], light, replace(camera, view=view), ground)


def _sky(scene: Scene, camera: Camera, light: Light, grain: Grain, detail: float) -> Field:
    show = frozenset(name for name in ("sun", "moon", "stars") if name not in scene.forbidden)
    picture = paint_sky(camera, light, grain, scene_kind="land", show=show, weather=scene.weather)
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    paint_clouds(picture, light, grain, ratio, slope, amount=emphasis(scene, "clouds"), octaves=min(detail, 1.5))
    return picture


def fog_by_column(light: Light, camera: Camera) -> Field:
    """Colour of the haze at the horizon for every column, warmer towards a low sun: (W, 3)."""
    near = np.maximum(sun_closeness(light, camera.columns(), as_f32(0.03)), 0)
    low = max(0.0, 1 - max(float(light.sun[1]), 0) * 2.2)
    amount = light.glow_strength * low * (0.10 * near**4 + 0.34 * near**14)
    return as_f32(light.fog_colour + amount[:, None] * light.glow)


def _land(
    picture: Field, seen: Seen, scene: Scene, camera: Camera, light: Light, grain: Grain, land: Land
) -> tuple[Field, Field]:
    """Paint the land over the sky; → (height of the land under the water (H, W), water mask (H, W))."""
    H, W = seen.z.shape
    ratio = camera.columns()
    r, c = np.nonzero(seen.hit)
    z = seen.z[r, c]
    x = ratio[c] * z
    spots = spots_of(land, x, z, camera.footprint(z))
    shadow = _shadows(seen, camera, light, land)
    colour = shade(scene, light, grain, spots, shadow[r, c])
    fog = fog_by_column(light, camera)[c]
    share = haze_share(light, z)
    low = np.exp(-np.maximum(spots.y, 0) / 60) * (1 - np.exp(-z / 1600)) * light.mist
    share = 1 - (1 - share) * (1 - 0.75 * low)
    picture[r, c] = blend(colour, fog, as_f32(share))
    _smooth_edges(picture, seen, camera)
    bed = np.full((H, W), 99, np.float32)
    bed[r, c] = spots.y
    mask = np.zeros((H, W), np.float32)
    if land.water is not None:
        mask = as_f32((bed < land.water).astype(np.float32))
        mask[seen.z > land.far * 0.98] = 1.0 if land.far > 20000 else 0.0
        mask[~seen.hit] = 0
    return bed, mask, shadow


def _shadows(seen: Seen, camera: Camera, light: Light, land: Land) -> Field:
    """(H, W) sun shadow, walked at a quarter of the picture's size."""
    H, W = seen.z.shape
    step = max(1, round(camera.scale / 128))
    z = seen.z[::step, ::step]
    z = np.where(np.isfinite(z), z, 1.0).astype(np.float32)
    x = camera.columns()[::step][None, :] * z
    small = sun_shadow(land, light, x, land.coarse(x, z), z)
    if step == 1:
        return small
    cols, rows = np.meshgrid(np.arange(W, dtype=np.float32) / step, np.arange(H, dtype=np.float32) / step)
    return as_f32(cv2.remap(small, cols, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _smooth_edges(picture: Field, seen: Seen, camera: Camera) -> None:
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


def _weather(picture: Field, depth: Field, scene: Scene, camera: Camera, light: Light, grain: Grain) -> None:
    if scene.weather == "storm" and not forbids(scene, "lightning"):
        paint_lightning(picture, depth, scene, camera)
    if scene.weather in ("rain", "storm") and not forbids(scene, "rain"):
        paint_rain(picture, scene, camera, light, grain, amount=1.0 if scene.weather == "rain" else 0.7)
    if scene.weather == "snow" and not forbids(scene, "snow"):
        paint_snowfall(picture, scene, camera, light, amount=emphasis(scene, "snow"))


def _water_haze(picture: Field, depth: Field, mask: Field, camera: Camera, light: Light) -> None:
    r, c = np.nonzero(mask > 0)
    share = haze_share(light, np.minimum(depth[r, c], 3e4)) * 0.75
    picture[r, c] = blend(picture[r, c], fog_by_column(light, camera)[c], as_f32(share))


# ---------------------------------------------------------------- cities


def _paint_city(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    level = 0.0 if scene.place == "skyline" else None
    mirrors = level is not None or scene.place == "cyberpunk" or scene.weather in ("rain", "storm")
    tall = _above(view, camera, mirrors)
    extra = tall.height - view.height
    camera = replace(camera, view=tall)
    light = light_for(scene)
    grain = Grain(scene.seed)
    tell("sky")
    picture = _sky(scene, camera, light, grain, detail)
    tell("land")
    fog = fog_by_column(light, camera)
    if scene.place == "cyberpunk":
        fog = fog * 0.55 + hexes("#6a2f8a", "#c04a9a")[int(light.is_night) * 0] * 0.28
    depth, mask = paint_city(picture, scene, camera, light, grain, as_f32(fog), level=level)
    night = night_of(scene)
    if level is None and "lamps" not in scene.forbidden:
        paint_lamps(picture, depth, scene, camera, light, night)
    tell("water")
    if mirrors:
        bed = np.full(depth.shape, -3.0 if level is not None else -0.02, np.float32)
        paint_wet(
            picture, depth, mask, bed, scene=scene, camera=camera, light=light, grain=grain, is_street=level is None
        )
        if level is not None:
            _water_haze(picture, depth, mask, camera, light)
    if night.windows > 0.4:
        _bloom(picture, camera, 0.16 if scene.place != "cyberpunk" else 0.30)
    tell("weather")
    _weather(picture, depth, scene, camera, light, grain)
    if scene.place == "cyberpunk" and scene.weather not in ("rain", "storm", "snow") and not forbids(scene, "rain"):
        paint_rain(picture, scene, camera, light, grain, amount=0.5)
    water = mask[extra:] if level is not None else mask[extra:] * 0.5
    return World(
        to_display(picture[extra:]), depth[extra:], water, light, replace(camera, view=view), lambda _x, _z: 0.0
    )


def _bloom(picture: Field, camera: Camera, amount: float) -> None:
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


def _paint_space(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    tell("sky")
    picture = paint_space(scene, camera, Grain(scene.seed), detail)
    light = replace(light_for(scene), fog_distance=1e9)
    far = np.full(picture.shape[:2], np.inf, np.float32)
    return World(to_display(picture), far, np.zeros_like(far), light, camera, lambda _x, _z: camera.eye)


def _paint_studio(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    tell("backdrop")
    picture, depth = paint_studio(scene, camera, Grain(scene.seed))
    light = replace(light_for(replace(scene, time="afternoon", weather="clear")), fog_distance=1e9)
    return World(to_display(picture), depth, np.zeros_like(depth), light, camera, lambda _x, _z: 0.0)


def _paint_underwater(scene: Scene, view: View, detail: float, tell: OnPass) -> World:
    camera = camera_for(scene, view)
    grain = Grain(scene.seed)
    light = underwater.sea_light(light_for(replace(scene, weather="clear")), scene)
    tell("water")
    picture = underwater.backdrop(scene, camera, grain)
    behind = picture.copy()
    underwater.surface(picture, camera, grain, scene)
    tell("land")
    floor = partial(underwater.seabed, grain)
    land = Land(floor, None, 90.0, (4.0, 60.0), floor)
    seen = cast(camera, land, detail=detail)
    r, c = np.nonzero(seen.hit)
    z = seen.z[r, c]
    spots = spots_of(land, camera.columns()[c] * z, z, camera.footprint(z))
    colour = underwater.floor_colour(scene, light, grain, spots.x, z, spots.y, spots.gx, spots.gz, spots.foot)
    picture[r, c] = blend(colour, behind[r, c], haze_share(light, z))
    _smooth_edges(picture, seen, camera)
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
    return _paint_land(scene, view, detail, tell)


_PAINTERS: dict[str, Callable[[Scene, View, float, OnPass], World]] = {
    "land": _paint_land,
    "city": _paint_city,
    "space": _paint_space,
    "studio": _paint_studio,
    "underwater": _paint_underwater,
    "sky": _paint_sky,
}
