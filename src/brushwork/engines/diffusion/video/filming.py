"""Clips, one at a time: pieces of the work go to the thread that owns the device, between the steps of pictures.

Frames are scaled, blended and written here, in the thread of the job, as soon as they are decoded; none is kept.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from PIL import Image

from brushwork.engines.base import Frame, RowCancelled, Sink
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.video.plan import FilmPlan
from brushwork.engines.diffusion.video.planning import clip_of, finished
from brushwork.engines.diffusion.video.shooting import IndexedParts, Shooting
from brushwork.engines.diffusion.video.texts import Texts
from brushwork.errors import EngineFailed

SLICE_SECONDS = 15.0
"""Of steps, before pictures that wait have as long for theirs: weights are not brought back for every step."""
PATIENT_SECONDS = 0.25
"""How often whoever waits asks whether the clip is still wanted."""

T = TypeVar("T")


@dataclass(frozen=True)
class Shot:
    """What became of a plan."""

    plan: FilmPlan
    first: Image.Image
    """The first frame that was written."""
    seconds: float


class Studio:
    """All clips of one device. Safe to use from several threads; a second clip waits until the first is through."""

    def __init__(self, loop: Loop, parts_of: Callable[[str], IndexedParts]) -> None:
        self.loop = loop
        self.parts_of = parts_of
        self.one = threading.Lock()
        self.texts: dict[str, Texts] = {}

    def film(self, plan: FilmPlan, sink: Sink) -> Shot | None:
        """Draw the clip and write its frames; blocks. None when nobody wants it any more."""
        try:
            self.wait(plan, sink)
        except RowCancelled:
            return None
        try:
            return self.shot(plan, sink)
        except RowCancelled:
            return None
        finally:
            self.one.release()

    def wait(self, plan: FilmPlan, sink: Sink) -> None:
        """For one's turn."""
        while not self.one.acquire(timeout=PATIENT_SECONDS):
            sink.step(plan.row, 0, 1)

    def shot(self, plan: FilmPlan, sink: Sink) -> Shot:
        begun = time.monotonic()
        shooting = self.loop.done(lambda: self.begun(plan), lambda: sink.step(plan.row, 0, 1))
        tell = partial(self.tell, shooting, sink)
        try:
            self.do(shooting, sink, shooting.read)
            self.do(shooting, sink, shooting.look)
            while shooting.step < plan.steps:
                self.give_way(self.do(shooting, sink, lambda: shooting.take_steps(SLICE_SECONDS, tell)), tell)
            first = self.write(plan, self.frames(shooting, sink), sink)
        finally:
            shooting.is_unwanted = True  # a piece that nobody waits for any more stops at its next block
            self.loop.hand_over((Future(), shooting.drop))
        return Shot(plan, first, time.monotonic() - begun)

    def begun(self, plan: FilmPlan) -> Shooting:
        parts = self.parts_of(plan.model)
        return Shooting(plan, parts, self.texts.setdefault(plan.model, Texts(parts)))

    def do(self, shooting: Shooting, sink: Sink, act: Callable[[], object]) -> float:
        """A piece of the work, in the device's thread. Seconds that it took."""
        begun = time.monotonic()
        self.done(shooting, sink, act)
        return time.monotonic() - begun

    def done(self, shooting: Shooting, sink: Sink, act: Callable[[], T]) -> T:
        plan = shooting.plan
        pixels = plan.width * plan.height * plan.timing.drawn

        def measured() -> T:
            with self.loop.shelf.drawing(plan.model, pixels):
                return act()

        self.tell(shooting, sink)
        return self.loop.done(measured, lambda: self.tell(shooting, sink))

    def tell(self, shooting: Shooting, sink: Sink) -> None:
        """Progress; raises RowCancelled when nobody wants the clip any more."""
        sink.step(shooting.plan.row, min(shooting.done, shooting.total), shooting.total)

    def give_way(self, seconds: float, ask: Callable[[], None]) -> None:
        """Let pictures have as long as the clip had, while there are any."""
        until = time.monotonic() + seconds
        while self.loop.works and time.monotonic() < until:
            time.sleep(min(PATIENT_SECONDS, seconds))
            ask()

    def frames(self, shooting: Shooting, sink: Sink) -> Iterator[Frame]:
        """All that is drawn, one latent after the other."""
        while shooting.decoded < shooting.length:
            yield from self.developed(shooting, sink)
        self.tell(shooting, sink)

    def developed(self, shooting: Shooting, sink: Sink) -> list[Frame]:
        return self.done(shooting, sink, shooting.develop)

    def write(self, plan: FilmPlan, drawn: Iterator[Frame], sink: Sink) -> Image.Image:
        """Frames as the clip wants them; the first of them."""
        first: Image.Image | None = None
        clip = clip_of(plan.row)
        for frame in plan.timing.frames(drawn):
            ready = finished(frame, plan)
            if first is None:
                first = Image.fromarray(ready)
                sink.preview(plan.row, first)
            clip.write(ready)
        if first is None:
            raise EngineFailed("The model gave no frames; nothing was charged.")
        return first
