"""Waiting for slow things without forgetting to ask."""

import threading

import pytest

from brushwork.engines.base import RowCancelled
from brushwork.engines.turns import asked_meanwhile, turn


class Impatient:
    """Has enough after so many questions."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def __call__(self) -> None:
        self.patience -= 1
        if self.patience < 0:
            raise RowCancelled


def test_whoever_waits_for_a_lock_may_go_away() -> None:
    lock = threading.Lock()
    with lock, pytest.raises(RowCancelled), turn(lock, Impatient(1)):
        pass

    with turn(lock, Impatient(0)):
        assert lock.locked()
    assert not lock.locked()


def test_what_takes_long_is_stopped_when_nobody_wants_it() -> None:
    stopped = threading.Event()

    with pytest.raises(RowCancelled):
        asked_meanwhile(lambda: stopped.wait(60), Impatient(1), stop=stopped.set)

    assert stopped.is_set()


def test_what_is_done_in_time_comes_back_with_its_value_or_its_error() -> None:
    def fail() -> None:
        raise TimeoutError("its own")

    assert asked_meanwhile(lambda: 5, Impatient(0), stop=lambda: None) == 5
    with pytest.raises(TimeoutError, match="its own"):
        asked_meanwhile(fail, Impatient(0), stop=lambda: None)
