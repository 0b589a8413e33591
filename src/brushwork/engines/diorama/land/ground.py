"""How light falls on the land: sun, sky, shadow. Colours are linear light; arrays are flat (n,) lists of seen spots."""

from collections.abc import Callable

import numpy as np

from brushwork.engines.diorama.land.grounds import (
    alpine,
    canyon,
    cloud_sea,
    country,
    desert,
    flowers_ground,
    forest_floor,
    gorge,
    high_alpine,
    ice,
    lakeside,
    lava_glow,
    lava_land,
    lavender,
    lunar,
    mars,
    shore,
    wheat,
)
from brushwork.engines.diorama.land.materials import Spots
from brushwork.engines.diorama.land.terrain import Land
from brushwork.engines.diorama.noise import Field, Grain, as_f32
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light

MATERIALS: dict[str, Callable[[Scene, Grain, Spots], Field]] = {
    "mountains": alpine,
    "snow_peaks": high_alpine,
    "hills": country,
    "meadow": country,
    "flower_field": flowers_ground,
    "lavender_field": lavender,
    "wheat_field": wheat,
    "forest": forest_floor,
    "autumn_forest": forest_floor,
    "winter_forest": forest_floor,
    "jungle": forest_floor,
    "desert": desert,
    "canyon": canyon,
    "lake": lakeside,
    "river": lakeside,
    "waterfall": gorge,
    "sea": shore,
    "beach": shore,
    "island": shore,
    "volcano": lava_land,
    "arctic": ice,
    "mars": mars,
    "moon": lunar,
    "sky": cloud_sea,
}


def shade(scene: Scene, light: Light, g: Grain, s: Spots, shadow: Field) -> Field:
    """Light that leaves the spots towards the viewer, before any haze: (n, 3). `shadow` is 1 in the sun, 0 in shade."""
    albedo = MATERIALS.get(scene.place, country)(scene, g, s)
    facing = np.clip((light.sun[1] - s.gx * light.sun[0] - s.gz * light.sun[2]) * s.up, 0, None)
    if scene.place == "sky":
        facing = facing * 0.50 + 0.30 * max(float(light.sun[1]), 0.3)  # light wanders inside a cloud
    facing = facing * 0.82 + 0.18 * np.clip(light.sun[1] + 0.25, 0, 1) * (
        facing > 0
    )  # rough ground catches low light too
    sun = (facing * shadow)[..., None] * light.sun_colour
    open_sky = 0.35 + 0.65 * s.up
    lit = sun + open_sky[..., None] * light.ambient + (1 - s.up)[..., None] * light.bounce
    colour = albedo * lit
    if scene.place == "volcano" and "lava" not in scene.forbidden:
        colour = colour + lava_glow(g, s)
    return as_f32(colour)


def sun_shadow(land: Land, light: Light, x: Field, y: Field, z: Field, *, steps: int = 22) -> Field:
    """1 where the sun reaches, 0 behind higher land: a walk towards the sun in growing steps. Any shape."""
    if light.sun[1] > 0.93:
        return np.ones_like(x)
    open_ = np.ones_like(x)
    run = np.maximum(0.012 * z, 0.5)
    flat = max(float(np.hypot(light.sun[0], light.sun[2])), 0.05)
    dx, dz = np.float32(light.sun[0] / flat), np.float32(light.sun[2] / flat)
    rise = np.float32(light.sun[1] / flat)
    way = run.copy()
    for _ in range(steps):
        over = (y + rise * way) - land.coarse(x + dx * way, np.maximum(z + dz * way, 0.3))
        open_ = np.minimum(open_, np.clip(0.5 + over / (way * 0.07 + 0.3), 0, 1))
        way = way + np.maximum(run, way * 0.22)
    return as_f32(open_ * open_ * (3 - 2 * open_))
