"""What is done to the whole finished picture because of `weird` and `stop`. Works on display colours."""

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, smooth
from brushwork.engines.diorama.scene import Scene


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
