"""How a clip goes from picture to picture: a way through a Scene or through a flat picture, and what it turns into.

A course gives the frames at any times, counted from the still picture at time 0, so that a clip can go on from another
one, arrive at a picture (its times end at 0), or become another while it moves. Knows no rows and no words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from brushwork.engines.diorama.motion.clip import WORKERS, Frame, opened, shot
from brushwork.engines.diorama.motion.path import Motion, Path, Stand, path_of
from brushwork.engines.diorama.motion.still import Drift
from brushwork.engines.diorama.motion.towards import dissolve_span, dissolved
from brushwork.engines.diorama.scene import Scene


class Course(Protocol):
    """A way through a picture."""

    def frames(self, times: Sequence[float]) -> Iterator[Frame]:
        """The frames at these times, in order."""


@dataclass(frozen=True)
class Take:
    """One of several ways through the same picture."""

    aside: float = 1.0
    """Share of the usual way to the side; negative goes the other way."""
    ahead: float = 1.0
    """Share of the usual way forward."""


Turn = tuple[float, float, float]
"""(seconds, aside, ahead): from this moment on the way becomes another."""
TURNING = 3.0
"""Seconds until it is."""


def take_at(take: Take, turns: Sequence[Turn], t: float) -> Take:
    """The way at a moment, after the turns it has made: it begins each as it was, at the same pace."""
    for moment, aside, ahead in turns:
        share = min(max((t - moment) / TURNING, 0.0), 1.0)
        share = share * share * (3 - 2 * share)
        take = Take(take.aside + (aside - take.aside) * share, take.ahead + (ahead - take.ahead) * share)
    return take


TAKES = (Take(1.0, 1.0), Take(-1.0, 1.0), Take(0.35, 1.3), Take(-0.5, 0.6))
"""The clips of one job."""
FADE = 24
"""Frames over which a clip that goes on gets its own looks."""
STANDING = Take(0.0, 0.0)
"""Only the world moves."""


@dataclass(frozen=True)
class ThroughScene:
    """The Scene's clock runs, its camera moves."""

    scene: Scene
    width: int
    height: int
    path: Path
    period: float | None = None
    exp: float = 0.0
    detail: float = 1.0
    workers: int = WORKERS

    def frames(self, times: Sequence[float]) -> Iterator[Frame]:
        first, last = min(map(abs, times)), max(map(abs, times))
        shoot = opened(
            self.scene, self.width, self.height, path=self.path, period=self.period, exp=self.exp, detail=self.detail,
            start=first, end=last + 1e-3,
        )  # fmt: skip
        return shot(shoot, list(times), workers=self.workers)


@dataclass(frozen=True)
class ThroughPicture:
    """A slow push or drift through a picture of which nothing is known but its pixels."""

    drift: Drift
    take: Take = TAKES[0]
    turns: Sequence[Turn] = ()

    def frames(self, times: Sequence[float]) -> Iterator[Frame]:
        for t in times:
            here = take_at(self.take, self.turns, abs(t))
            aside, reach = float(np.clip(here.aside, -1, 1)), self.drift.reach * here.ahead
            yield replace(self.drift, aside=aside, reach=reach).at(t)


def way_of(
    scene: Scene,
    motion: Motion,
    take: Take,
    *,
    turns: Sequence[Turn] = (),
    period: float | None = None,
    side: float = 0.0,
) -> Path:
    """The camera's path for one take. `side` says which way it goes, -1 left and 1 right; 0 leaves it to the seed."""
    usual = path_of(scene, motion, period=period)
    sign = -1.0 if side and usual(1.0).x * take.aside * side < 0 else 1.0

    def at(t: float) -> Stand:
        stand, here = usual(t), take_at(take, turns, t)
        aside = here.aside * sign
        return Stand(
            stand.x * aside,
            stand.z * here.ahead,
            stand.up * here.ahead,
            stand.pan * aside,
            stand.lift * here.ahead,
            1 + (stand.zoom - 1) * here.ahead,
        )

    return at


def towards(leaving: Course, arriving: Course, *, count: int, fps: int, start: float = 0.0) -> Iterator[Frame]:
    """`count` frames from `start` on, of which the last is the still picture of `arriving`."""
    first, last = dissolve_span(count)
    gone = leaving.frames([start + number / fps for number in range(last)])
    come = arriving.frames([(number - count + 1) / fps for number in range(first, count)])
    return dissolved(gone, come, count, lambda _number, _count: None)


def turning(before: Course, after: Course, *, count: int, fps: int, start: float = 0.0) -> Iterator[Frame]:
    """`count` frames from `start` on, over which one course becomes the other; both are at the same time."""
    first, last = dissolve_span(count)
    times = [start + number / fps for number in range(count)]
    return dissolved(before.frames(times[:last]), after.frames(times[first:]), count, lambda _number, _count: None)


def joining(last: Frame, frames: Iterator[Frame]) -> Iterator[Frame]:
    """Frames that go on after `last` without a jump. The first of `frames` shows the moment of `last` once more: what
    compression and time have made of that one is kept for a moment, and fades.
    """
    left = last.astype(np.int16) - next(frames)
    for number, frame in enumerate(frames):
        share = max(0.0, 1 - (number + 1) / (FADE + 1))
        yield np.clip(frame + left * np.float32(share) + np.float32(0.5), 0, 255).astype(np.uint8) if share else frame
