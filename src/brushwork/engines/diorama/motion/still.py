"""A clip from any picture: a slow push or drift through it, by how near each pixel is. Knows no Scene.

Nearness is given (the depth tool's, or `as_it_seems` where there is none). Edges of what is near are softened, so the
background stretches a little beside them instead of tearing; the way is short enough for that not to be seen. The first
frame at time 0 is the picture itself.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from brushwork.engines.diorama.land.weather import paint_rain, paint_snowfall
from brushwork.engines.diorama.motion.clip import FPS, Frame, OnFrame
from brushwork.engines.diorama.motion.clock import Moment
from brushwork.engines.diorama.motion.path import Motion, Stand, camera_on, moment_at
from brushwork.engines.diorama.noise import Field, Grain, as_f32
from brushwork.engines.diorama.scene import Scene
from brushwork.engines.diorama.sky.light import light_for, to_display, to_light

Air = Literal["snow", "rain"]
_REACH = {"low": 0.08, "high": 0.18}
"""How much the nearest grows; it moves aside by a third of this, in halves of the picture's shorter side."""
_PANNED = {"low": 0.14, "high": 0.26}
"""How much closer the window comes before it moves where it was asked to: there must be picture left on that side."""
_LESS = 0.7
"""Of the usual way in is gone then: any less, and what is near would bring its border into the picture."""
_NEARLY = 0.95
"""Of the way to the picture's edge."""
_DENSEST: Mapping[Air, float] = {"snow": 0.3, "rain": 0.8}
"""Of what a Scene would have: in front of any picture less says enough."""
_FLOOR = 0.25
"""What is farthest still comes this much nearer, against what is nearest: the whole picture is on its way."""


def as_it_seems(height: int, width: int) -> Field:
    """Nearness of a picture nobody has measured: far above, near below."""
    rows = np.linspace(0, 1, height, dtype=np.float32)
    rise = np.clip((rows - 0.35) / 0.65, 0, 1)
    return np.repeat((rise * rise)[:, None], width, 1)


def still_frames(
    picture: NDArray[np.uint8],
    near: Field | None = None,
    *,
    seconds: float = 5.0,
    fps: int = FPS,
    motion: Motion = "low",
    loop: bool = False,
    start: float = 0.0,
    aside: float = 1.0,
    air: Air | None = None,
    on_frame: OnFrame | None = None,
) -> Iterator[Frame]:
    """(H, W, 3) frames of a picture of that size. `near`: (H, W) 0-1, as 1 / distance; `aside` -1..1: which way to
    drift; `air`: what begins to fall in it. `loop` and `start` are as for a Scene's `frames`.
    """
    count = max(1, round(seconds * fps))
    period = count / fps if loop else None
    drift = drift_of(picture, near, motion=motion, period=period, aside=aside, air=air)
    for number in range(count):
        if on_frame:
            on_frame(number, count)
        yield drift.at(start + number / fps)


@dataclass(frozen=True)
class Drift:
    """A picture that one moves through."""

    picture: NDArray[np.uint8]
    soft: Field
    """(H, W) nearness, softened."""
    reach: float
    aside: float
    period: float | None
    air: Air | None
    glow: Field | None
    """(H, W) 0-1: how much of each pixel is light that comes and goes."""
    pan: tuple[float, float] = (0.0, 0.0)
    """To the right and down, -1..1: where the window moves over the picture. What is near moves against it."""
    room: float = 0.0
    """How much closer the window comes for that."""

    def at(self, t: float) -> Frame:
        """The frame `t` seconds after the picture itself; before it, the way is the same."""
        t = _on_clock(round(abs(t), 6), self.period)
        if t == 0:
            return self.picture.copy()
        lit = self.picture if self.glow is None else _lit(self.picture, self.glow, t, self.period)
        frame = _frame(lit, self, t)
        return _falling(frame, self.air, t, self.period) if self.air else frame


def drift_of(
    picture: NDArray[np.uint8],
    near: Field | None = None,
    *,
    motion: Motion = "low",
    period: float | None = None,
    reach: float = 1.0,
    aside: float = 1.0,
    air: Air | None = None,
    glows: bool = False,
    pan: tuple[float, float] = (0.0, 0.0),
) -> Drift:
    """`near` and `aside` as for `still_frames`; `reach` is a share of the usual way; `glows`: its lights flicker;
    `pan`: to the right and down, -1..1.
    """
    height, width = picture.shape[:2]
    given = as_it_seems(height, width) if near is None else as_f32(near)
    if given.shape != (height, width):
        given = as_f32(cv2.resize(given, (width, height), interpolation=cv2.INTER_LINEAR))
    way = _REACH[motion] * reach
    soft = _with_ramps(_FLOOR + (1 - _FLOOR) * np.clip(given, 0, 1), max(way, 0.01))
    room = _PANNED[motion] * max(map(abs, pan))
    return Drift(picture, soft, way, aside, period, air, lights_of(picture) if glows else None, pan, room)


def lights_of(picture: NDArray[np.uint8]) -> Field:
    """(H, W) 0-1: what shines in a picture, and a little around it."""
    bright = as_f32(picture.max(axis=2)) / np.float32(255)
    shining = np.clip((bright - np.float32(max(0.55, float(np.quantile(bright, 0.85))))) / np.float32(0.3), 0, 1)
    around = cv2.GaussianBlur(shining, (0, 0), 0.02 * min(bright.shape))
    return as_f32(np.clip(0.5 * shining + around, 0, 1))


def _lit(picture: NDArray[np.uint8], glow: Field, t: float, period: float | None) -> NDArray[np.uint8]:
    """The picture with its lights as bright as they are by then."""
    moment = Moment(t, period)
    pulse = 0.06 * moment.swing(2.6) + 0.035 * moment.swing(1.1, 0.3)
    more = np.float32(pulse) * glow[..., None]
    lit = picture * (1 + more) + np.float32(18) * more
    return np.clip(lit + np.float32(0.5), 0, 255).astype(np.uint8)


def _with_ramps(near: Field, reach: float) -> Field:
    """Nearness whose edges reach over what is near, and fall off so gently that nothing folds over on the way."""
    width = 0.42 * reach * min(near.shape)
    size = max(3, round(3 * width)) | 1
    wide = cv2.dilate(near, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    return as_f32(cv2.GaussianBlur(wide, (0, 0), max(0.62 * width, 1.0)))


def _frame(picture: NDArray[np.uint8], drift: Drift, t: float) -> Frame:
    """`picture` is the drift's, as its lights are by then."""
    soft, (right, down) = drift.soft, drift.pan
    go, side = _way(t, drift.period)
    forward = np.float32(drift.reach * go * (_LESS if drift.room else 1))
    across = np.float32(drift.reach * side * (right or 0.33 * drift.aside))
    rising = np.float32(drift.reach * side * down)
    height, width = soft.shape
    half = np.float32(min(height, width) / 2)
    u = ((np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2)) / half)[None, :]
    v = ((np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2)) / half)[:, None]
    if drift.room:
        closer, gone = _panned(t, drift.period)
        room, share = np.float32(drift.room * closer), np.float32(_NEARLY * gone)
        u = u * (1 - room) + room * share * np.float32(right) * u[0, -1]
        v = v * (1 - room) + room * share * np.float32(down) * v[-1, 0]
    x, y = np.broadcast_to(u, soft.shape), np.broadcast_to(v, soft.shape)
    for _ in range(6):
        columns, rows = (as_f32(a * half + np.float32((n - 1) / 2)) for a, n in ((x, width), (y, height)))
        here = cv2.remap(soft, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        ahead = 1 - forward * here
        nearer = here - np.float32(_FLOOR)
        x, y = u * ahead + across * nearer, v * ahead + rising * nearer
    columns, rows = (as_f32(a * half + np.float32((n - 1) / 2)) for a, n in ((x, width), (y, height)))
    out = cv2.remap(picture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(out, np.uint8)


def _on_clock(t: float, period: float | None) -> float:
    return t if period is None else round(t % period, 6) % period


def _falling(frame: Frame, air: Air, t: float, period: float | None) -> Frame:
    """The frame with snow or rain that has begun by then, and in a loop ends again."""
    height, width = frame.shape[:2]
    common = math.gcd(width, height)
    scene = Scene(seed=height * 31 + width, weather=air, aspect=(width // common, height // common))
    moment = moment_at(scene, t, period)
    left = t if period is None else min(t, period - t)
    amount = _DENSEST[air] * min(left / 1.5, 1.0) ** 2
    camera, light = camera_on(scene, Stand(), width, height), light_for(scene)
    picture = to_light(as_f32(frame) / 255)
    if air == "snow":
        paint_snowfall(picture, scene, camera, light, amount=amount, moment=moment)
    else:
        paint_rain(picture, scene, camera, light, Grain(scene.seed, moment), amount=amount)
    return np.asarray(to_display(picture) * 255 + 0.5, np.float32).astype(np.uint8)


def _way(t: float, period: float | None) -> tuple[float, float]:
    """How far in, and how far aside; aside never before in, so that no border comes into the picture."""
    if period is None:
        go = 1.4 * (1 - math.exp(-(t - 0.45 * (1 - math.exp(-t / 0.45))) / 7))
        return go, 0.8 * go
    go = (1 - math.cos(2 * math.pi * t / period)) / 2
    return go, 0.8 * go * math.sin(2 * math.pi * t / period)


def _panned(t: float, period: float | None) -> tuple[float, float]:
    """How close the window has come, and how far it has moved then: 0-1, each from rest."""
    if period is not None:
        both = (1 - math.cos(2 * math.pi * t / period)) / 2
        return both, both
    soft = t - 0.45 * (1 - math.exp(-t / 0.45))
    closer = 1 - math.exp(-soft / 1.2)
    return closer, 1 - math.exp(-(soft - 1.2 * closer) / 3.5)
