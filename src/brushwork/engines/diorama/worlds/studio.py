"""The studio: a seamless backdrop with a soft floor, for portraits and things. Coordinates are units of the image
plane.
"""

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, smooth
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import hexes

# wall light, wall dark, floor
_SETS = (
    ("#f6d7c3", "#e2a88f", "#f0c4ab"),
    ("#cfe3f2", "#8fb3d6", "#b4d0e6"),
    ("#d8ecd2", "#97c3a0", "#bcdcb8"),
    ("#efe3f7", "#b59ad6", "#d4c0ea"),
    ("#fbeec2", "#ecc46a", "#f5d990"),
    ("#f7d3dc", "#e08fa6", "#efb0c0"),
    ("#e6e3de", "#a9a39b", "#cbc6bf"),
    ("#bfe6e2", "#62b0ad", "#92cdc8"),
    ("#3a4a6e", "#141c33", "#27334f"),
    ("#5a3350", "#21101f", "#40233a"),
)


def paint_studio(scene: Scene, camera: Camera, grain: Grain) -> tuple[Field, Field]:
    """→ (picture (H, W, 3) light, depth (H, W))."""
    rng = np.random.default_rng([scene.seed, 8001])
    dark = scene.time in ("night", "midnight") or scene.palette in ("dark", "black")
    bright, shade, floor = hexes(*_SETS[int(rng.integers(8, 10)) if dark else int(rng.integers(8))])
    ratio, slope = np.meshgrid(camera.columns(), camera.rows())
    # A cove: the floor at y = 0 bends up into the wall at z = 9.
    z_floor = np.where(slope < -1e-3, camera.eye / np.maximum(-slope, 1e-3), 99).astype(np.float32)
    z = np.minimum(z_floor, 9)
    y = camera.eye + slope * z
    u, v = ratio * camera.focal, slope * camera.focal
    side = float(rng.choice([-1, 1]))
    spot = np.exp(-((u - side * 0.22) ** 2 + (v - 0.28) ** 2) / 0.75)
    wall = blend(shade, bright * 1.25, as_f32(spot))
    pool = np.exp(-((ratio * z - side * 0.3) ** 2 / 6 + (z - 5.0) ** 2 / 9))
    ground = blend(floor * 0.72, bright * 1.15, as_f32(pool))
    colour = blend(ground, wall, smooth(5.2, 9.0, z_floor))
    soft = grain.at("soft", u, v, 9, 801)
    colour = colour * (0.96 + 0.08 * soft[..., 0])[..., None]
    for k in range(14):  # out-of-focus lights, far behind
        cu, cv, r = float(rng.uniform(-1.7, 1.7)), float(rng.uniform(-0.1, 1.25)), float(rng.uniform(0.05, 0.17))
        cu, cv = cu + 0.03 * grain.moment.swing(5 + k % 3, k * 0.37), cv + 0.02 * grain.moment.swing(4, k * 0.21)
        d = np.sqrt((u - cu) ** 2 + (v - cv) ** 2) / r
        disc = smooth(1.06, 0.94, d) * (0.55 + 0.45 * smooth(0.5, 1.0, d)) * smooth(5.2, 9, z_floor)
        colour = colour + (disc * float(rng.uniform(0.02, 0.09)) * (1 + 2 * dark))[..., None] * (
            bright + 0.15 * (k % 3 == 0)
        )
    vignette = 1 - 0.34 * smooth(0.75, 1.9, np.sqrt(u * u + v * v))
    depth = np.where(z_floor < 9, z, np.float32(np.inf))
    del y
    return as_f32(colour * vignette[..., None]), as_f32(depth)
