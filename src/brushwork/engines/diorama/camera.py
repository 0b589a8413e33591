"""The camera: from pixels to directions and from places to pixels. Knows nothing of what stands in the world.

The picture is shot with a shifted lens: pitch moves the horizon instead of turning the camera, so verticals stay
vertical and one picture column is one vertical plane of the world.
"""

import math
from dataclasses import dataclass

import numpy as np

from brushwork.engines.diorama.noise import Field, as_f32
from brushwork.engines.diorama.scene import Scene, View


@dataclass(frozen=True)
class Camera:
    """The eye at (x, eye, z) and a window on the image plane."""

    eye: float
    """Height of the eye above the world's zero, metres."""
    focal: float
    tilt: float
    """Tangent of the pitch: the slope at the middle of the natural picture."""
    view: View
    x: float = 0.0
    """Where in the world the eye stands, metres: 0 in a still picture, along a path in a clip. Distances that the
    painter knows are counted from the eye; places in the world are `x + ratio * distance` and `z + distance`."""
    z: float = 0.0

    @property
    def scale(self) -> float:
        """Pixels per unit of the image plane (horizontally)."""
        return self.view.width / (self.view.right - self.view.left)

    @property
    def row_scale(self) -> float:
        return self.view.height / (self.view.bottom - self.view.top)

    def columns(self) -> Field:
        """x / z of every column's centre: (W,)."""
        v = self.view
        u = v.left + (np.arange(v.width, dtype=np.float64) + 0.5) * ((v.right - v.left) / v.width)
        return as_f32(u / self.focal)

    def rows(self) -> Field:
        """(y - eye) / z of every row's centre, falling: (H,)."""
        v = self.view
        down = v.top + (np.arange(v.height, dtype=np.float64) + 0.5) * ((v.bottom - v.top) / v.height)
        return as_f32(self.tilt - down / self.focal)

    def row_of(self, slope: Field) -> Field:
        """Inverse of `rows`: the (fractional) row whose centre has this slope."""
        v = self.view
        down = (np.float32(self.tilt) - slope) * np.float32(self.focal)
        return as_f32((down - np.float32(v.top)) * np.float32(self.row_scale) - np.float32(0.5))

    def column_of(self, ratio: Field) -> Field:
        """Inverse of `columns`."""
        return as_f32(
            (ratio * np.float32(self.focal) - np.float32(self.view.left)) * np.float32(self.scale) - np.float32(0.5)
        )

    def footprint(self, z: Field) -> Field:
        """Width of a pixel in metres at distance z."""
        return z * np.float32(1 / (self.focal * self.scale))

    def project(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        """A place x metres to the right of the eye and z before it → (px, py, pixels per metre)."""
        z = max(z, 1e-3)
        v = self.view
        px = (x / z * self.focal - v.left) * self.scale
        py = ((self.tilt - (y - self.eye) / z) * self.focal - v.top) * self.row_scale
        return px, py, self.focal * self.scale / z


def camera_for(scene: Scene, view: View, *, ground: float = 0.0) -> Camera:
    return Camera(scene.eye + ground, scene.focal, math.tan(math.radians(scene.pitch)), view)
