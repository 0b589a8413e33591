"""The one thread that owns the device: `prepare → step → finish`, or `drop`, for the rows of all jobs at once.

Jobs call `Loop.draw` from threads of their own and wait. Rows join between two steps and leave after any; a row that
nobody wants is gone before the next step. Nothing a row leaves behind is seen by the next: what families cache is
forgotten whenever a row ends, however it ends.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from traceback import format_exception
from typing import Any, TypeVar

import structlog
import torch

from brushwork.engines.base import DeviceLost, RowCancelled, Sink
from brushwork.engines.diffusion.batching import Turns, key_of
from brushwork.engines.diffusion.families.base import Conditioning, Family
from brushwork.engines.diffusion.figures import StepTimes
from brushwork.engines.diffusion.guidance import wish_of
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.pace import Pace
from brushwork.engines.diffusion.passes import Passes
from brushwork.engines.diffusion.pixels import digest, tensor_of
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.prepare import Preparing
from brushwork.engines.diffusion.state import PATIENT_SECONDS, Drawn, Ticket, Work, pixels_of
from brushwork.engines.diffusion.stepping import advance
from brushwork.engines.diffusion.trouble import Shelf, is_lost, is_memory, spoken
from brushwork.errors import BrushworkError

log = structlog.get_logger(__name__)

TRACE = 4000
"""Letters of a traceback in the log."""
ASK_SECONDS = 0.25
"""How often rows that are not being stepped are asked whether anybody still wants them."""
HUNG_SECONDS = 1800.0
"""For one turn: no weights take so long to read, and no step, not even on a CPU. The device hangs, then."""
CLOSING_SECONDS = 5.0
"""For ending a thread whose device is lost; it may hang."""


T = TypeVar("T")
Errand = tuple[Future[Any], Callable[[], Any]]
"""Something else to be done in the loop's thread."""


class Loop:
    """Draws plans. All methods but `draw` and `close` run in the loop's own thread."""

    def __init__(self, shelf: Shelf, options: DiffusionOptions) -> None:
        self.shelf = shelf
        self.turns = Turns(options.batch)
        self.passes = Passes(2 * options.batch, bucket=bucket_of(options) if options.deterministic else 0)
        self.preparing = Preparing(shelf, one_by_one=options.deterministic)
        self.inbox: queue.SimpleQueue[list[Work] | Errand | None] = queue.SimpleQueue()
        self.works: list[Work] = []
        self.pace = Pace(shelf.device)
        self.times = StepTimes()
        self.starting = threading.Lock()
        self.thread: threading.Thread | None = None
        self.lost: DeviceLost | None = None
        self.busy_since: float | None = None
        """When the turn began that goes on now."""

    # ── from other threads ──

    def draw(self, plans: Sequence[Plan], sink: Sink) -> list[Drawn]:
        """Draw all of them; blocks. Cancelled ones are left out. Raises what went wrong with any of them."""
        ticket = Ticket(sink, len(plans))
        works = [self.asked(plan, ticket) for plan in plans]
        self.hand_over(works)
        try:
            return ticket.collect(works, self.look)
        finally:
            ticket.is_over = True

    def look(self) -> None:
        """Raises DeviceLost when there is nothing to wait for any more."""
        begun = self.busy_since
        if begun is not None and time.monotonic() - begun > HUNG_SECONDS:
            self.lost = self.lost or DeviceLost(f"The device has not answered for {HUNG_SECONDS / 60:.0f} minutes.")
        if self.lost is not None:
            raise DeviceLost(str(self.lost))

    def encode(self, model: str, texts: Sequence[str]) -> list[Conditioning]:
        """Texts as the model's encoder understands them; blocks."""
        return self.done(lambda: self.shelf.family(model).encode(texts))

    def done(self, act: Callable[[], T], ask: Callable[[], None] = lambda: None) -> T:
        """Something else that needs the device, done between two steps; blocks. Raises what it raises.

        `ask` is called from time to time while it waits for its turn or is done, and raises RowCancelled when nobody
        wants the result any more.
        """
        errand: Errand = Future(), act
        self.hand_over(errand)
        while True:
            try:
                result: T = errand[0].result(timeout=PATIENT_SECONDS)
            except FutureTimeout:
                if errand[0].done():  # it was the errand that timed out
                    raise
                self.look()
                try:
                    ask()
                except RowCancelled:
                    errand[0].cancel()
                    raise
                continue
            return result

    def hand_over(self, work: list[Work] | Errand) -> None:
        with self.starting:
            if self.lost is not None:
                raise DeviceLost(str(self.lost))
            if self.thread is None:
                self.thread = threading.Thread(target=self.run, name="device", daemon=True)
                self.thread.start()
            self.inbox.put(work)

    def asked(self, plan: Plan, ticket: Ticket) -> Work:
        """What can be made ready without the device, in the caller's thread."""
        facts = self.shelf.facts(plan.model)
        key = key_of(plan, facts)
        pixels = tensor_of(plan.init) if plan.init is not None else None
        pictures = (plan.init, *(one.image for one in plan.seen), plan.control.image if plan.control else None)
        return Work(plan, ticket, key, time.monotonic(), pixels, tuple(map(digest, pictures)))

    def close(self) -> None:
        """End the thread, once what it draws is drawn."""
        with self.starting:
            thread, self.thread = self.thread, None
            if thread is not None:
                self.inbox.put(None)
        if thread is not None:
            thread.join(CLOSING_SECONDS if self.lost is not None else None)

    # ── the thread ──

    def run(self) -> None:
        is_open = True
        with torch.inference_mode():
            while is_open or self.works:
                try:
                    self.busy_since = None
                    is_open = self.take_in() and is_open
                    self.ask_the_waiting()
                    if self.works:
                        self.busy_since = time.monotonic()
                        self.turn(self.turns.next(self.works, self.busy_since))
                except DeviceLost as lost:
                    self.give_up(lost)
                    return
                except Exception as error:  # a mistake of ours: nobody may wait for ever
                    log.exception("loop.failed")
                    for ticket in {work.ticket for work in self.works}:
                        self.fail(ticket, error)

    def take_in(self) -> bool:
        """New rows; waits for them when there is nothing else to do. False when the loop is to end."""
        while True:
            try:
                arrived = self.inbox.get(block=not self.works)
            except queue.Empty:
                return True
            if arrived is None:
                return False
            if isinstance(arrived, tuple):
                self.busy_since = time.monotonic()
                self.do(arrived)
                self.busy_since = None
            else:
                self.works += arrived

    def do(self, errand: Errand) -> None:
        """Once more when memory was short. An errand's own errors are its caller's."""
        future, act = errand
        if not future.set_running_or_notify_cancel():
            return
        for chance in (2, 1):
            try:
                future.set_result(act())
                return
            except RowCancelled as cancelled:
                future.set_exception(cancelled)
                return
            except Exception as error:
                if is_memory(error) and chance > 1:
                    log.warning("memory.short", errand=True)
                else:
                    future.set_exception(DeviceLost(str(error)) if is_lost(error) else spoken(error))
                    if is_lost(error):
                        raise DeviceLost(str(error)) from None
                    return
            self.relieve()

    def ask_the_waiting(self) -> None:
        now = time.monotonic()
        self.keep_wanted([work for work in self.works if now - work.asked_at > ASK_SECONDS])

    def turn(self, works: Sequence[Work]) -> None:
        """One step of each of these rows, with all that comes before and after."""
        pixels = sum(work.plan.width * work.plan.height for work in works)
        with self.shelf.drawing(works[0].plan.model, pixels):
            self.draw_on(works)

    def draw_on(self, works: Sequence[Work]) -> None:
        ready = [work for work in works if work.brush is not None]
        if new := [work for work in works if work.brush is None]:
            ready += self.prepare(new)
        stepping = [work for work in ready if not work.is_stepped]
        if stepping:
            self.step(stepping)
        self.finish([work for work in ready if work in self.works and work.is_stepped])

    # ── prepare ──

    def prepare(self, works: Sequence[Work]) -> list[Work]:
        """Bring new rows to where their first step begins. Returns those that are there."""
        wanted = self.keep_wanted(works)
        for work in wanted:
            work.begun = time.monotonic()
        self.guarded(
            [work for work in wanted if not work.is_still], self.preparing.prepare, lambda work: not work.brush
        )
        for work in wanted:
            if work.is_still and work.init_pixels is not None:
                work.ticket.finished(pixels_of(work, (work.init_pixels + 1) / 2, ()))
                self.leave(work)
        return self.keep_wanted([work for work in wanted if work in self.works])

    # ── step ──

    def step(self, works: Sequence[Work]) -> None:
        before = {work: work.step for work in works}
        begun = time.monotonic()
        self.guarded(works, self.step_together, lambda work: work.step == before[work])
        self.pace.beat()
        self.times.add(works[0].plan.model, steps=len(works), seconds=time.monotonic() - begun)
        self.keep_wanted([work for work in works if work in self.works])

    def step_together(self, works: Sequence[Work]) -> None:
        """One forward pass for all, then each row's own solver. Rows change only once the pass is through."""
        guesses = [work.brush.forecast.guess(work.step) if work.brush else None for work in works]
        computed = [work for work, guess in zip(works, guesses, strict=True) if guess is None]
        wishes = [wish_of(work, self.shelf.facts(work.plan.model)) for work in computed]
        granted = iter(self.passes.grant(wishes, self.relieve))
        for work, guess in zip(works, guesses, strict=True):
            error = attempt(partial(advance, next(granted) if guess is None else guess, guess is None), [work])
            if error is not None:  # half a step cannot be tried again
                self.forget([work], error)
                self.fail(work.ticket, error)

    # ── finish, drop, fail ──

    def finish(self, works: Sequence[Work]) -> None:
        """Decode what is done; the rest happens in the threads that wait for it."""
        self.guarded(works, self.decode, lambda work: work in self.works)

    def decode(self, works: Sequence[Work]) -> None:
        for work, picture in zip(works, self.preparing.decoded(works), strict=True):
            assert work.brush is not None
            sigmas = tuple(work.brush.solver.sigmas[work.start : work.plan.end + 1])
            work.ticket.finished(pixels_of(work, picture, sigmas))
            self.leave(work)

    def keep_wanted(self, works: Iterable[Work]) -> list[Work]:
        """Those rows that are still wanted; the others are dropped."""
        kept = []
        now = time.monotonic()
        for work in works:
            try:
                is_wanted = not work.ticket.is_over and work.is_wanted(now)
            except Exception as error:  # a sink that cannot be told anything
                log.exception("sink.failed")
                self.fail(work.ticket, error)
                continue
            if is_wanted:
                kept.append(work)
            else:
                self.drop(work)
        return [work for work in kept if work in self.works]

    def drop(self, work: Work) -> None:
        if work in self.works:
            self.leave(work)
            work.ticket.dropped()

    def fail(self, ticket: Ticket, error: Exception) -> None:
        """One job is over; the others go on."""
        for work in [work for work in self.works if work.ticket is ticket]:
            self.leave(work)
        ticket.failed(spoken(error))

    def leave(self, work: Work) -> None:
        """Let go of all that the row holds. Whatever its model still has in its caches belongs to nobody now."""
        self.works.remove(work)
        work.has_left = True
        if work.brush is not None:
            work.brush.family.reset()
        work.brush = work.latents = work.init_pixels = None

    def guarded(
        self, works: Sequence[Work], act: Callable[[Sequence[Work]], None], is_undone: Callable[[Work], bool]
    ) -> None:
        """Do it for all rows together; when that fails, for each alone, so that only the guilty fail."""
        if not works:
            return
        error = attempt(act, works)
        if error is None:
            return
        self.forget(works, error)
        if isinstance(error, BrushworkError) and len({work.ticket for work in works}) == 1:
            self.fail(works[0].ticket, error)  # it says what is wrong, and that will not change
            return
        for work in list(works):
            if work not in self.works or not is_undone(work):
                continue
            if (own := attempt(act, [work])) is not None:
                self.forget([work], own)
                self.fail(work.ticket, own)

    def forget(self, works: Sequence[Work], error: Exception) -> None:
        """After a failure: no half-filled cache, and memory for the next try."""
        if is_lost(error):
            raise DeviceLost(str(error)) from None
        log.warning("rows.failed", rows=len(works), error=type(error).__name__, reason=str(error)[:200])
        for family in self.families(works):
            family.reset()
        if is_memory(error):
            self.relieve()

    def families(self, works: Iterable[Work]) -> list[Family]:
        return list({id(work.brush.family): work.brush.family for work in works if work.brush is not None}.values())

    def relieve(self) -> None:
        self.preparing.forget()
        self.shelf.relieve()

    def give_up(self, lost: DeviceLost) -> None:
        """The device is gone: tell everybody, and take no more."""
        log.error("device.lost", reason=str(lost)[:200])
        with self.starting:
            self.lost = lost
            arrived: list[Work] = []
            while not self.inbox.empty():
                late = self.inbox.get()
                if isinstance(late, tuple):
                    late[0].set_exception(lost)
                elif late is not None:
                    arrived += late
        for ticket in {work.ticket for work in (*self.works, *arrived)}:
            ticket.failed(lost)
        self.works.clear()


def attempt(act: Callable[[Sequence[Work]], None], works: Sequence[Work]) -> Exception | None:
    """What went wrong, without the frames it went wrong in: they hold on to memory."""
    try:
        act(works)
    except DeviceLost:
        raise
    except Exception as error:
        if not (isinstance(error, BrushworkError) or is_memory(error)):
            log.warning("rows.stumbled", rows=len(works), trace="".join(format_exception(error))[-TRACE:])
        return error.with_traceback(None)
    return None


def bucket_of(options: DiffusionOptions) -> int:
    """The one size of all batches of this machine, when bytes must not depend on the company."""
    return max(size for size in (1, 4, 8) if size <= max(1, options.batch))
