"""A picture from outside, taken for a world: a guess of its horizon and light, so that subjects can stand in it."""

import cv2
import numpy as np

from brushwork.engines.base import Place, Row
from brushwork.engines.diorama.camera import camera_for
from brushwork.engines.diorama.follow.pixels import sized, to_lab
from brushwork.engines.diorama.noise import Field
from brushwork.engines.diorama.scene import Scene, natural_view
from brushwork.engines.diorama.sky.light import light_for
from brushwork.engines.diorama.worlds.painted import World

GROUND = "desert"
"""Of all places the one whose ground hides no feet."""


def as_world(picture: Field, row: Row, box: Place) -> tuple[World, Scene]:
    """The picture's colours on a level plain below its horizon, which lies above where something shall stand."""
    height, width = picture.shape[:2]
    time = light_of(picture)
    common = int(np.gcd(width, height))
    aspect = (width // common, height // common)
    scene = Scene(seed=row.seed % 2**31, place=GROUND, time=time, aspect=aspect, eye=1.6, focal=1.6)
    view = natural_view(scene, width, height)
    horizon = min(horizon_of(picture), (box.top + 0.45 * box.height) / height)
    level = view.top + horizon * (view.bottom - view.top)
    scene = Scene(**{**scene.__dict__, "pitch": float(np.degrees(np.arctan(level / scene.focal)))})
    camera = camera_for(scene, view)
    slope = camera.rows()
    far = np.where(slope < -1e-3, scene.eye / np.maximum(-slope, 1e-3), np.inf)
    depth = np.repeat(np.asarray(far, np.float32)[:, None], width, axis=1)
    world = World(
        color=picture.copy(),
        depth=depth,
        water=np.zeros_like(depth),
        light=light_for(scene),
        camera=camera,
        ground_height=lambda _x, _z: 0.0,
    )
    return world, scene


def horizon_of(picture: Field) -> float:
    """Share of the height at which what is above differs most from what is below."""
    small = sized(picture, 48, 96)
    lab = cv2.GaussianBlur(to_lab(small), (0, 0), 1.0).mean(1)
    best, most = 0.5, 0.0
    for row in range(26, 66):
        above, below = lab[max(row - 14, 0) : row].mean(0), lab[row : row + 14].mean(0)
        step = float(np.linalg.norm(above - below)) * (1 - 0.5 * abs(row / 96 - 0.48) / 0.25)
        if step > most:
            best, most = row / 96, step
    return best if most > 6 else 0.46


def light_of(picture: Field) -> str:
    """The time of day whose light is nearest."""
    mean = to_lab(sized(picture, 32, 32)).reshape(-1, 3).mean(0)
    if mean[0] < 30:
        return "night"
    if mean[2] > 24 and mean[0] < 68:
        return "golden_hour"
    return "afternoon" if mean[0] > 42 else "dusk"
