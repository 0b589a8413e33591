"""What falls and flashes between the viewer and the land: rain, snow, lightning. In units of the image plane, over
the finished picture.
"""

import cv2
import numpy as np

from brushwork.engines.diorama.camera import Camera
from brushwork.engines.diorama.motion.clock import STILL, Moment
from brushwork.engines.diorama.noise import Field, Grain, as_f32, blend, hash01, smooth
from brushwork.engines.diorama.scene import Scene, View
from brushwork.engines.diorama.sky.heavens import splat
from brushwork.engines.diorama.sky.light import Light


def paint_rain(picture: Field, scene: Scene, camera: Camera, light: Light, grain: Grain, *, amount: float) -> None:
    """Three sheets of slanting streaks, the nearer the longer."""
    u, v = np.meshgrid(camera.columns() * np.float32(camera.focal), camera.rows() * np.float32(camera.focal))
    lean = 0.22 if scene.weather == "storm" else 0.08
    total = np.zeros_like(u)
    for k, (scale, cut, gain) in enumerate(((2.6, 0.70, 0.5), (4.4, 0.73, 0.7), (8.5, 0.77, 0.9))):
        fall = (0.0, -0.045 * (2.2, 3.2, 4.6)[k])
        streak = grain.drifting(
            "fine", (u + lean * v), v * 0.045, scale, 1001 + k, along=fall, cycle=0.9, elsewhere=True, turn=False
        )[..., k]
        total += smooth(cut, cut + 0.14, streak) * gain
    tint = light.ambient * 0.5 + light.horizon * 0.35 + 0.05
    np.copyto(picture, blend(picture, as_f32(picture * 0.6 + tint), as_f32(np.clip(total * 0.42 * amount, 0, 0.8))))


def paint_snowfall(
    picture: Field, scene: Scene, camera: Camera, light: Light, *, amount: float, moment: Moment = STILL
) -> None:
    """Flakes at fixed directions: many small sharp ones, a few large soft ones."""
    v = camera.view
    tint = light.ambient * 0.9 + light.horizon * 0.4 + 0.12
    for k, (cell, radius, power, share) in enumerate(
        ((0.022, 0.0016, 0.75, 0.55), (0.05, 0.0032, 0.8, 0.55), (0.13, 0.0068, 0.55, 0.5), (0.34, 0.014, 0.30, 0.5))
    ):
        beside, above = (0, 0) if moment.is_still else _reach(v, cell)
        i = np.arange(int(np.floor(v.left / cell)) - 1 - beside, int(np.ceil(v.right / cell)) + 1 + beside)
        j = np.arange(int(np.floor(v.top / cell)) - 1 - above, int(np.ceil(v.bottom / cell)) + 1)
        gi, gj = (a.ravel() for a in np.meshgrid(i, j))
        key = scene.seed % 99991 + 1100 + 10 * k
        keep = hash01(gi, gj, key) < share * min(amount, 1.8)
        gi, gj = gi[keep], gj[keep]
        across, down = (gi + hash01(gi, gj, key + 1)) * cell, (gj + hash01(gi, gj, key + 2)) * cell
        if not moment.is_still:
            across, down = _fallen(across, down, hash01(gi, gj, key + 4), moment, layer=k)
        px = as_f32((across - v.left) * camera.scale)
        py = as_f32((down - v.top) * camera.row_scale)
        power_each = power * (0.5 + 0.5 * hash01(gi, gj, key + 3))
        splat(picture, px, py, as_f32(tint * power_each[:, None]), max(radius * camera.scale, 0.5))


_TALL = 4.0
"""Flakes that fall out of this height, in units, come in again above."""
_TOP = -2.0


def _reach(view: View, cell: float) -> tuple[int, int]:
    """How many more cells beside and above the window flakes may come from."""
    return int(np.ceil(0.12 / cell)), int(np.ceil(max(view.top - _TOP, 0) / cell))


def _fallen(across: Field, down: Field, draw: Field, moment: Moment, *, layer: int) -> tuple[Field, Field]:
    """Where flakes are by now: the nearer layers fall faster, each flake sways in its own way."""
    rounds = moment.turns((20.0, 10.0, 5.0, 2.5)[layer])
    down = (down - _TOP + _TALL * rounds) % _TALL + _TOP
    phase = draw * 2 * np.pi
    sway = np.sin(2 * np.pi * moment.turns(2.6) + phase) - np.sin(phase)
    sway = sway + 0.5 * (np.sin(2 * np.pi * moment.turns(1.3) - 3 * phase) + np.sin(3 * phase))
    return across + sway * (0.006, 0.010, 0.018, 0.030)[layer], down


def paint_lightning(
    picture: Field, depth: Field, scene: Scene, camera: Camera, *, power: float = 1.0, number: int = 0
) -> None:
    """One forked bolt from the clouds to the horizon, behind the land. Each `number` is another bolt."""
    if power < 0.01:
        return
    rng = np.random.default_rng([scene.seed, 1200, number] if number else [scene.seed, 1200])
    x = float(rng.uniform(-0.55, 0.55))
    horizon = camera.tilt * camera.focal
    points = [np.array([x, -1.05])]
    while points[-1][1] < horizon - 0.02:
        step = float(rng.uniform(0.03, 0.09))
        points.append(points[-1] + np.array([float(rng.normal(0, 0.045)), step]))
    forks = []
    for start in points[2:-3:3]:
        fork = [start]
        side = float(rng.choice([-1, 1]))
        for _ in range(int(rng.integers(3, 7))):
            fork.append(fork[-1] + np.array([side * float(rng.uniform(0.01, 0.07)), float(rng.uniform(0.02, 0.06))]))
        forks.append(fork)
    H, W = depth.shape
    v = camera.view

    def drawn(lines: list[list[Field]], width: float) -> Field:
        sheet = np.zeros((H, W), np.uint8)
        for line in lines:
            at = (np.array(line) - [v.left, v.top]) * [camera.scale, camera.row_scale]
            cv2.polylines(
                sheet,
                [np.round(at * 16).astype(np.int32)],
                False,
                255,
                max(1, round(width * camera.scale)),
                cv2.LINE_AA,
                4,
            )
        return as_f32(sheet / np.float32(255))

    core = drawn([points], 0.007) + 0.6 * drawn(forks, 0.003)
    glow = (
        cv2.GaussianBlur(core, (0, 0), 0.02 * camera.scale) * 2.2
        + cv2.GaussianBlur(core, (0, 0), 0.09 * camera.scale) * 3.5
    )
    core, glow = (core, glow) if power == 1 else (core * np.float32(power), glow * np.float32(power))
    sky = ~np.isfinite(depth)
    picture += ((core * 3.2)[..., None] + glow[..., None] * as_f32([0.55, 0.65, 1.1])) * sky[..., None]
    picture += (glow * 0.25 * ~sky)[..., None] * as_f32([0.4, 0.5, 0.9])
