"""Threads that never keep a process alive, and yield to its event loop. Knows no job."""

import _thread
import asyncio
import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

DRAWING_NICENESS = 5

T = TypeVar("T")


def give_way() -> None:
    """Let this thread, and those it starts, yield to the event loops of worker and server when cores are short."""
    if sys.platform == "linux":  # where a priority is each thread's own
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), DRAWING_NICENESS)


def in_thread(work: Callable[[], T]) -> asyncio.Future[T]:
    """Run in a new thread that does not keep the process alive: a stuck engine must not outlive its worker."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # there is a result where there is no error

    def target() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # it belongs to whoever awaits
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    # Not threading.Thread: its start() waits until the thread runs, and the loop with it.
    _thread.start_new_thread(target, ())
    return future


def stop_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` when standard input closes, which it does however the parent dies."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, daemon=True).start()
