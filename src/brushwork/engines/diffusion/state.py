"""A row on its way: what it was asked for, how far it is, and who waits for it."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from brushwork.engines.base import Row, RowCancelled, Sink
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Conditioning, Extras, Family
from brushwork.engines.diffusion.pixels import bytes_of, image_of
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.policies.forecast import Forecast
from brushwork.engines.diffusion.solver import Solver
from brushwork.errors import EngineFailed

READYING, DEVELOPING = 1, 1
"""What encoding and decoding count in progress, in steps."""
PATIENT_SECONDS = 2.0
"""Whoever waits for a row asks whether it is wanted when the loop has said nothing of it for so long."""


@dataclass(frozen=True)
class Drawn:
    """A finished picture."""

    plan: Plan
    image: Image
    """RGB, of the plan's size."""
    sigmas: tuple[float, ...]
    """Noise levels that were stepped through, and the last."""
    seconds: float
    """Since the row was first worked on."""


@dataclass(frozen=True)
class Brush:
    """All that a row holds on the device between two steps."""

    family: Family
    solver: Solver
    texts: tuple[tuple[Conditioning, float], ...]
    """With their weights."""
    negative: Conditioning | None
    """None when the guidance needs none."""
    noise: Tensor
    forecast: Forecast
    """Which steps are computed, and what the others are taken for."""
    init: Tensor | None = None
    mask: Tensor | None = None
    extras: Extras = NO_EXTRAS
    generator: torch.Generator | None = None


@dataclass(eq=False)
class Work:
    """A row: waiting while `brush` is None, then on its way."""

    plan: Plan
    ticket: Ticket
    key: tuple[Any, ...]
    arrived: float
    init_pixels: Tensor | None = None
    digests: tuple[str, ...] = ()
    """Of init, and of whatever is seen."""
    brush: Brush | None = None
    latents: Tensor | None = None
    step: int = 0
    begun: float = 0.0
    asked_at: float = 0.0
    """When it was last asked whether anybody still wants the row."""
    has_left: bool = False
    """The loop is done with it, one way or the other."""

    @property
    def start(self) -> int:
        return self.plan.start if self.plan.init is not None else 0

    @property
    def total(self) -> int:
        return READYING + max(0, self.plan.end - self.start) + DEVELOPING

    @property
    def done(self) -> int:
        return 0 if self.brush is None else READYING + self.step - self.start

    @property
    def is_stepped(self) -> bool:
        return self.brush is not None and self.step >= self.plan.end

    @property
    def is_still(self) -> bool:
        """Whether nothing is drawn: the picture is `init` as it is."""
        return self.plan.init is not None and self.start >= self.plan.end

    def is_wanted(self, now: float) -> bool:
        """Reports progress, and learns whether to go on."""
        self.asked_at = now
        try:
            self.ticket.sink.step(self.plan.row, self.done, self.total)
        except RowCancelled:
            return False
        return True


@dataclass(frozen=True)
class Pixels:
    """A decoded picture on its way from the device."""

    work: Work
    values: Tensor
    is_sound: Tensor
    sigmas: tuple[float, ...]
    copied: Any = None
    """A CUDA event: before it, the copy is not complete."""


def pixels_of(work: Work, picture: Tensor, sigmas: tuple[float, ...]) -> Pixels:
    """Send (3, H, W) in 0..1 towards the CPU, without waiting for it."""
    values, is_sound = bytes_of(picture), picture.isfinite().all()
    if not values.is_cuda:
        return Pixels(work, values.cpu(), is_sound.cpu(), sigmas)
    waiting = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    sound = torch.empty((), dtype=torch.bool, pin_memory=True)
    waiting.copy_(values, non_blocking=True)
    sound.copy_(is_sound, non_blocking=True)
    event = torch.cuda.Event()
    event.record()
    return Pixels(work, waiting, sound, sigmas, event)


@dataclass(eq=False)
class Ticket:
    """One call of `Loop.draw`, waiting in its own thread, where finished tensors become pictures."""

    sink: Sink
    count: int
    news: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)
    is_over: bool = False

    def previewed(self, row: Row, view: Tensor) -> None:
        self.news.put((row, view))

    def finished(self, pixels: Pixels) -> None:
        self.news.put(pixels)

    def dropped(self) -> None:
        self.news.put(None)

    def failed(self, error: BaseException) -> None:
        self.is_over = True
        self.news.put(error)

    def collect(self, works: Sequence[Work], look: Callable[[], None]) -> list[Drawn]:
        """Wait for all rows, and make pictures of them as they come. Raises what the loop says went wrong.

        While the loop is busy with one thing for long, such as reading a large model, nobody has to wait for that whose
        rows are not wanted any more. `look` is called from time to time, and raises when waiting has become pointless.
        """
        drawn: list[Drawn] = []
        left = self.count
        while left:
            try:
                news = self.news.get(timeout=PATIENT_SECONDS)
            except queue.Empty:
                look()
                if not self.is_awaited([work for work in works if not work.has_left], left):
                    return drawn
                continue
            if isinstance(news, BaseException):
                raise news
            if isinstance(news, tuple):
                self.sink.preview(news[0], image_of(bytes_of(news[1]).cpu()))
                continue
            left -= 1
            if news is not None and (one := self.developed(news)):
                drawn.append(one)
        return drawn

    def is_awaited(self, works: Sequence[Work], left: int) -> bool:
        """Whether one of these rows is still wanted, or the news of one that is not among them is on its way."""
        now = time.monotonic()
        wanted = [work for work in works if now - work.asked_at < PATIENT_SECONDS or work.is_wanted(now)]
        return len(works) < left or bool(wanted)

    def developed(self, pixels: Pixels) -> Drawn | None:
        """The picture, or None when nobody wants it any more."""
        if pixels.copied is not None:
            pixels.copied.synchronize()
        work = pixels.work
        row = work.plan.row
        if not pixels.is_sound:
            raise EngineFailed("The model's numbers left their range, so there is no picture; nothing was charged.")
        try:
            self.sink.step(row, work.total, work.total)
        except RowCancelled:
            return None
        return Drawn(work.plan, image_of(pixels.values), pixels.sigmas, time.monotonic() - work.begun)
