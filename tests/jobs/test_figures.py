"""What an engine tells of itself: totals add up over workers and their lives, the rest is what living workers have."""

import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
import sqlalchemy as sa

from brushwork.api.gauges import engine_figures, measured
from brushwork.database.session import Database
from brushwork.database.tables import workers
from brushwork.engines.base import FIGURES, Figure, Measured
from brushwork.engines.noop import NoopEngine
from brushwork.jobs.figures import LABELS, Growth, kept, labels_of, metric_of
from brushwork.jobs.measures import MEASURES
from brushwork.jobs.queue import NOW
from tests.jobs.test_worker import Work, files, until, work

__all__ = ["files", "work"]


class Loading(NoopEngine):
    """Draws nothing, and says that it has weights in memory."""

    def __init__(self, *, loads: int = 1, weights: float = 5e9) -> None:
        super().__init__()
        self.loads, self.weights = loads, weights

    def figures(self) -> Sequence[Figure]:
        return [
            Figure("models_resident", 1),
            Figure("model_bytes", self.weights, {"place": "device"}),
            Figure("model_bytes", 1e9, {"place": "host"}),
            Figure("model_loads_total", self.loads),
            Figure("model_steps_total", 20 * self.loads, {"model": "tiny"}),
            Figure("of_the_next_version", 1),
        ]


async def told(database: Database) -> dict[tuple[str, ...], float]:
    """(metric, label values) → value, as `/metrics` has it."""
    async with database.read() as tx:
        now = float((await tx.execute(sa.select(NOW))).scalar_one())
        families = [*await engine_figures(tx, now), *await measured(tx, now)]
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("brushwork_engine_model")
    }


async def test_memory_is_that_of_all_living_workers_and_totals_outlive_them(database: Database, work: Work) -> None:
    async with AsyncExitStack() as both:
        first = await both.enter_async_context(work(engine=Loading(loads=3)))
        await both.enter_async_context(work(engine=Loading(loads=4, weights=2e9)))
        assert isinstance(first.engine, Measured)

        async def both_have_told() -> bool:
            return (await told(database)).get(("brushwork_engine_models_resident", "noop")) == 2

        await until(both_have_told)
        during = await told(database)
        assert during["brushwork_engine_model_bytes", "noop", "device"] == 7e9
        assert during["brushwork_engine_model_bytes", "noop", "host"] == 2e9

    after = await told(database)
    assert after["brushwork_engine_model_loads_total", "noop"] == 7
    assert after["brushwork_engine_model_steps_total", "noop", "tiny"] == 140
    assert ("brushwork_engine_models_resident", "noop") not in after


async def test_a_silent_worker_has_nothing_in_memory(database: Database) -> None:
    row = {"host": "h", "pid": 1, "device": "cuda:0", "engine": "diffusers", "pools": [], "started_at": 0.0}
    figures = kept(Loading().figures())
    async with database.write() as tx:
        await tx.execute(workers.insert().values(id="alive", last_seen=NOW, figures=figures, **row))
        await tx.execute(workers.insert().values(id="gone", last_seen=NOW - 61, figures=figures, **row))
        await tx.execute(workers.insert().values(id="older", last_seen=NOW, figures=None, **row))

    assert (await told(database))["brushwork_engine_models_resident", "diffusers"] == 1


async def test_an_engine_that_hangs_holds_up_no_heartbeat(database: Database, work: Work) -> None:
    hangs = threading.Event()

    class Hanging(NoopEngine):
        def figures(self) -> Sequence[Figure]:
            hangs.wait(10)
            return []

    async with work(engine=Hanging()) as worker:

        async def is_seen() -> float | None:
            async with database.read() as tx:
                seen = sa.select(workers.c.last_seen).where(workers.c.id == worker.info.id)
                found: float | None = (await tx.execute(seen)).scalar_one_or_none()
            return found

        first = await until(is_seen)

        async def is_seen_again() -> bool:
            return bool(await is_seen() != first)

        await until(is_seen_again)
        hangs.set()


async def test_an_engine_that_cannot_tell_stops_nothing(database: Database, work: Work) -> None:
    class Broken(NoopEngine):
        def figures(self) -> Sequence[Figure]:
            raise RuntimeError("the driver is away")

    async with work(engine=Broken()) as worker:

        async def is_there() -> bool:
            async with database.read() as tx:
                return worker.info.id in (await tx.execute(sa.select(workers.c.id))).scalars().all()

        await until(is_there)


def test_totals_are_told_once_and_again_from_zero_when_they_begin_anew() -> None:
    counted: list[tuple[object, ...]] = []
    growth = Growth()

    for value in (0, 3, 3, 5, 2):
        growth.tell([Figure("model_loads_total", value)], "e", lambda *what, by: counted.append((*what, by)))

    assert counted == [("brushwork_engine_model_loads", "e", by) for by in (0, 3, 2, 2)]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_metric_with_its_labels(name: str) -> None:
    assert ("by " in FIGURES[name]) == (name in LABELS)
    if name.endswith("_total"):
        assert MEASURES[metric_of(name)].labels == labels_of(name)
