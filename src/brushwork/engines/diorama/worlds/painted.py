"""The painted world as a value: colours, depths, water, and how to put something into it. Knows no painter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.noise import Field, as_f32
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import Light, to_display

OnPass = Callable[[str], None]


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
    cover: Field | None = None
    """(H, W) 0..1, how much of each pixel subjects hide; kept by `paint_subjects` where somebody asks for it."""

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
