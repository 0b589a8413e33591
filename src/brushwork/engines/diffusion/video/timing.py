"""From the frames that a model draws, at its own rate, to those that a clip wants, at another. Numbers only.

A model of 16 frames a second is not asked for more: things would move too slowly. Each wanted frame lies between two
drawn ones and is blended from them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

from brushwork.engines.base import Frame
from brushwork.engines.diffusion.video.facts import CLIP_STRIDE

CLOSE = 1e-6
"""Of a frame: nearer than this is that frame."""


@dataclass(frozen=True)
class Timing:
    """Which drawn frames make which wanted ones."""

    drawn: int
    """Frames that the model draws, 4n + 1, the head included."""
    fps: int
    """Of what it draws."""
    head: int
    """Drawn frames that show what there was before; 0 when the clip begins here."""
    wanted: int
    pace: float
    """Drawn frames from one wanted frame to the next."""
    start: float
    """Where among the drawn ones the first wanted frame lies."""

    @property
    def is_blended(self) -> bool:
        return any(abs(self.at(number) - round(self.at(number))) > CLOSE for number in range(self.wanted))

    def at(self, number: int) -> float:
        return min(self.start + number * self.pace, self.drawn - 1.0)

    def frames(self, drawn: Iterable[Frame]) -> Iterator[Frame]:
        """The wanted frames, as soon as those that they lie between are there; two are kept at most."""
        number, before = 0, None
        for index, now in enumerate(drawn):
            while number < self.wanted and self.at(number) <= index + CLOSE:
                yield blended(before, now, index - self.at(number))
                number += 1
            before = now


def timing_of(*, wanted: int, fps: int, own_fps: int, most: int, head: int, pinned: bool) -> Timing:
    """For `wanted` frames at `fps`. `head`: how many of the drawn frames show what there was before, the last of them
    being the one that the clip goes on from; 0 when the first wanted frame is the first drawn one. With `pinned`, the
    last wanted frame is the last drawn one."""
    ratio, first = own_fps / fps, max(0, head - 1)
    steps = wanted if head else wanted - 1
    """From the frame that is given to the last wanted one."""
    drawn = min(up_to_stride(first + steps * ratio + 1), most)
    room = drawn - 1 - first
    pace = room / max(1, steps) if pinned or steps * ratio > room + CLOSE else ratio
    return Timing(drawn, own_fps, head, wanted, pace, first + pace if head else 0.0)


def up_to_stride(frames: float) -> int:
    """The next number of frames that a decoder makes."""
    return CLIP_STRIDE * ceil((frames - 1 - CLOSE) / CLIP_STRIDE) + 1


def blended(before: Frame | None, now: Frame, back: float) -> Frame:
    """What lies so far back from `now` to `before`."""
    if before is None or back <= CLOSE:
        return now
    mixed = now.astype(np.float32) * (1 - back) + before.astype(np.float32) * back
    return np.rint(mixed).astype(np.uint8)


def head_places(count: int, *, fps: int, own_fps: int, head: int) -> list[float]:
    """Where in a clip of `count` frames the head's frames lie, at the model's rate, the last being its last; a clip
    that is shorter is begun with its first frame."""
    return [max(0.0, count - 1 - (head - 1 - number) * fps / own_fps) for number in range(head)]


def frames_at(places: list[float], frames: Iterable[Frame], *, first: int) -> list[Frame]:
    """The frames at these places, of which `frames` are the ones from `first` on."""
    there = dict(enumerate(frames, first))
    found = []
    for place in places:
        after = min(max(there), ceil(place - CLOSE))
        found.append(blended(there.get(max(first, floor(place))), there[after], after - place))
    return found
