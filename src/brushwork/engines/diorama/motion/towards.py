"""A clip that ends on a given picture: one clip goes out while another comes in, which arrives at its still picture."""

from collections.abc import Iterator
from itertools import islice

import numpy as np

from brushwork.engines.diorama.motion.clip import FPS, WORKERS, Frame, OnFrame, opened, shot
from brushwork.engines.diorama.motion.path import Motion, path_of
from brushwork.engines.diorama.scene import Scene


def frames_towards(
    scene: Scene,
    end: Scene,
    *,
    width: int,
    height: int,
    seconds: float = 5.0,
    fps: int = FPS,
    motion: Motion = "low",
    start: float = 0.0,
    exp: float = 0.0,
    end_exp: float = 0.0,
    on_frame: OnFrame | None = None,
) -> Iterator[Frame]:
    """Frames of `scene` from `start` on that become those of `end`; the last one is the still picture of `end`. The
    clock of `end` runs towards 0, its camera comes back to where the still picture was taken.
    """
    count = max(2, round(seconds * fps))
    first, last = dissolve_span(count)
    tell = on_frame or (lambda _number, _count: None)
    leaving = [start + number / fps for number in range(last)]
    arriving = [(number - count + 1) / fps for number in range(first, count)]
    path, end_path = path_of(scene, motion), path_of(end, motion)
    out = opened(scene, width, height, path=path, exp=exp, start=start, end=start + last / fps)
    into = opened(end, width, height, path=end_path, exp=end_exp, end=(count - first) / fps)
    yield from dissolved(shot(out, leaving, workers=WORKERS), shot(into, arriving, workers=WORKERS), count, tell)


def dissolve_span(count: int) -> tuple[int, int]:
    """The first frame in which the second clip is seen, and the first in which the first is not."""
    return max(1, round(0.30 * count)), max(2, round(0.80 * count))


def dissolved(leaving: Iterator[Frame], arriving: Iterator[Frame], count: int, tell: OnFrame) -> Iterator[Frame]:
    """`leaving` and `arriving` as one clip of `count` frames, over the middle of which they cross."""
    first, last = dissolve_span(count)
    for number in range(count):
        tell(number, count)
        if number < first:
            yield next(leaving)
        elif number >= last:
            yield next(arriving)
        else:
            share = (number - first + 1) / (last - first + 1)
            share = share * share * (3 - 2 * share)
            (one,), (two,) = islice(leaving, 1), islice(arriving, 1)
            yield np.asarray(one * np.float32(1 - share) + two * np.float32(share) + 0.5, np.float32).astype(np.uint8)
