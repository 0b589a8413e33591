"""The lie of the land of one scene: its place's landform at the best of a few sites, and the level of its water.
Metres.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.land.landforms import (
    Height,
    form_arctic,
    form_beach,
    form_canyon,
    form_cloud_sea,
    form_dunes,
    form_hills,
    form_island,
    form_lake,
    form_mars,
    form_moon,
    form_mountains,
    form_plain,
    form_river,
    form_sea,
    form_volcano,
    form_waterfall,
    form_woods,
)
from brushwork.engines.diorama.noise import Field, Grain, as_f32
from brushwork.engines.diorama.scene import Scene


@dataclass(frozen=True)
class Land:
    """The terrain of one scene."""

    height: Height
    """(x, z) → metres, without water; arrays of one shape."""
    water: float | None
    """Level of the water, or None."""
    far: float
    """Where the world ends, metres."""
    big: tuple[float, float]
    """Distances between which the large forms stand and the caster must look closely."""
    coarse: Height
    """The same land without fine bumps, for shadows and for standing on."""


@dataclass(frozen=True)
class _Form:
    make: Callable[[Grain, np.random.Generator, float], Height]
    tall: float
    water: float | None = None
    far: float = 14000
    big: tuple[float, float] = (600, 6500)


_FORMS: dict[str, _Form] = {
    "mountains": _Form(form_mountains, 2050),
    "snow_peaks": _Form(form_mountains, 2600),
    "hills": _Form(form_hills, 150, big=(60, 2500)),
    "meadow": _Form(form_hills, 42, big=(60, 3000)),
    "flower_field": _Form(form_plain, 420),
    "lavender_field": _Form(form_plain, 520),
    "wheat_field": _Form(form_plain, 300),
    "forest": _Form(form_woods, 500, far=5000, big=(100, 2500)),
    "autumn_forest": _Form(form_woods, 500, far=5000, big=(100, 2500)),
    "winter_forest": _Form(form_woods, 600, far=5000, big=(100, 2500)),
    "jungle": _Form(form_woods, 600, far=4000, big=(100, 2500)),
    "desert": _Form(form_dunes, 34, big=(60, 3000), far=7000),
    "canyon": _Form(form_canyon, 52, big=(60, 2500), far=11000),
    "lake": _Form(form_lake, 1900, water=0.0, big=(300, 6500)),
    "river": _Form(form_river, 70, water=-0.35, big=(80, 3500)),
    "waterfall": _Form(form_waterfall, 25, water=-0.25, far=4000, big=(25, 1200)),
    "sea": _Form(form_sea, 420, water=0.0, far=40000, big=(2000, 5000)),
    "beach": _Form(form_beach, 260, water=0.0, far=40000, big=(300, 2500)),
    "island": _Form(form_island, 78, water=0.0, far=40000, big=(100, 1400)),
    "volcano": _Form(form_volcano, 1250, far=10000, big=(500, 5000)),
    "arctic": _Form(form_arctic, 900, water=0.0, far=12000, big=(7, 1500)),
    "mars": _Form(form_mars, 60, big=(80, 3000), far=11000),
    "moon": _Form(form_moon, 900, big=(300, 5500), far=9000),
    "village": _Form(form_hills, 60, big=(60, 3000)),
    "castle_grounds": _Form(form_hills, 60, big=(60, 3000)),
    "sky": _Form(form_cloud_sea, 1250, far=40000, big=(1200, 12000)),
}


def _skyline_score(height: Height, *, eye: float, far: float) -> float:
    """How good the skyline looks through the natural window: high and low parts, the highest off the middle."""
    ratio = as_f32(np.linspace(-0.6, 0.6, 48))
    z = as_f32(np.geomspace(30, far, 110))
    zz = np.repeat(z[:, None], ratio.size, 1)
    line = ((height(ratio[None, :] * zz, zz) - eye) / zz).max(axis=0)
    top = float(line.max())
    where = abs(float(ratio[int(line.argmax())])) / 0.6
    blocked = max(0.0, top - 0.42) * 6  # a wall that fills the picture is no skyline
    return float(line.std()) * 2.2 + min(top, 0.34) * 1.5 - blocked - 0.10 * abs(where - 0.35)


def land_for(scene: Scene) -> Land:
    """The land of a scene, at the best of five sites its seed offers."""
    form = _FORMS.get(scene.place, _FORMS["hills"])
    tall = form.tall * (1 + 0.5 * scene.weird)
    best: Height | None = None
    score = -1e9
    sites = 5 if scene.place not in ("sea", "sky", "moon") else 1
    for site in range(sites):
        rng = np.random.default_rng([scene.seed, 31, site])
        own = int(np.random.default_rng([scene.seed, 32, site]).integers(2**31))
        grain = Grain(
            scene.grain_seed if scene.place == "sky" else own
        )  # the sea of clouds is also looked up as a material
        height = form.make(grain, rng, tall)
        found = _skyline_score(height, eye=scene.eye, far=min(form.far, 9000)) if sites > 1 else 0.0
        if found > score:
            best, score = height, found
    assert best is not None
    height = best
    zero = float(height(as_f32([[0.0]]), as_f32([[1.0]]))[0, 0]) if form.water is None and scene.place != "sky" else 0.0

    def level(x: Field, z: Field) -> Field:
        return as_f32(height(x, z) - np.float32(zero))

    return Land(level, form.water, form.far, form.big, level)
