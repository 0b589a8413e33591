"""Nobody waits longer than they want to: while a model loads, while a device is busy, or when it hangs."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from brushwork.engines.base import DeviceLost, NullSink, RowCancelled
from brushwork.engines.diffusion.families.base import Family
from tests.engines.diffusion.shelf import TinyShelf, Watching, loop_of, plan_of

SINK = NullSink()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> TinyShelf:
    return TinyShelf(tmp_path_factory.mktemp("models"))


@dataclass
class SlowShelf(TinyShelf):
    """Its models take until `ready` to load."""

    ready: threading.Event = field(default_factory=threading.Event)
    loading: threading.Event = field(default_factory=threading.Event)

    def family(self, model: str) -> Family:
        self.loading.set()
        assert self.ready.wait(60)
        return super().family(model)


def test_nobody_waits_for_a_model_that_loads_for_a_row_that_is_not_wanted(shelf: TinyShelf) -> None:
    slow = SlowShelf(shelf.root)
    loop, sink = loop_of(slow), Watching()
    with ThreadPoolExecutor() as pool:
        unwanted = pool.submit(loop.draw, [plan_of("sdxl", 1)], sink)
        wanted = pool.submit(loop.draw, [plan_of("sdxl", 0)], SINK)
        assert slow.loading.wait(60)
        sink.cancelled.add(1)

        assert unwanted.result(timeout=30) == []
        assert not slow.ready.is_set()

        slow.ready.set()
        assert [one.plan.row.index for one in wanted.result(timeout=60)] == [0]
    assert loop.works == []
    loop.close()


def test_nobody_waits_for_an_errand_that_is_not_wanted_and_it_is_not_run(shelf: TinyShelf) -> None:
    loop, begun, over = loop_of(shelf), threading.Event(), threading.Event()
    run: list[int] = []

    def busy() -> bool:
        begun.set()
        return over.wait(60)

    def unwanted() -> None:
        raise RowCancelled

    with ThreadPoolExecutor() as pool:
        first = pool.submit(loop.done, busy)
        assert begun.wait(60)
        second = pool.submit(loop.done, lambda: run.append(1), unwanted)
        with pytest.raises(RowCancelled):
            second.result(timeout=30)
        over.set()
        assert first.result(timeout=30)
    loop.close()
    assert run == []


def test_a_device_that_hangs_is_given_up(shelf: TinyShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brushwork.engines.diffusion.loop.HUNG_SECONDS", 1.0)
    slow = SlowShelf(shelf.root)
    loop = loop_of(slow)

    with pytest.raises(DeviceLost, match="has not answered"):
        loop.draw([plan_of("sdxl", 0)], SINK)
    with pytest.raises(DeviceLost):
        loop.draw([plan_of("sdxl", 0)], SINK)
    slow.ready.set()
    loop.close()
