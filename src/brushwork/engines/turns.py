"""Waiting for one's turn, or for something slow, and asking meanwhile whether anybody still wants it."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from brushwork.engines.base import Ask

ASK_SECONDS = 0.25

T = TypeVar("T")


@contextmanager
def turn(lock: threading.Lock, ask: Ask) -> Iterator[None]:
    """Holds the lock. Raises what `ask` raises while others hold it."""
    while not lock.acquire(timeout=ASK_SECONDS):
        ask()
    try:
        yield
    finally:
        lock.release()


def asked_meanwhile(act: Callable[[], T], ask: Ask, *, stop: Callable[[], None]) -> T:
    """What `act` returns, done in a thread of its own. When `ask` raises, `stop` is called, and `act` must end soon."""
    with ThreadPoolExecutor(1) as thread:
        doing = thread.submit(act)
        try:
            while not doing.done():
                try:
                    doing.result(timeout=ASK_SECONDS)
                except TimeoutError:
                    ask()
            return doing.result()
        except BaseException:
            stop()
            raise
