"""A worker whose engine lets rows join: more jobs while others are drawn. And one whose device is lost."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from obstore.store import MemoryStore

from brushwork.database.session import Database
from brushwork.engines.base import Capability, DeviceLost, Row, RowResult, Sink
from brushwork.engines.noop import NoopEngine
from brushwork.files.links import Links
from brushwork.files.store import Files
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.rules import JobRules
from brushwork.jobs.worker import Worker
from tests.jobs.conftest import Doodle, MakeAccount, statuses
from tests.jobs.test_worker import TASKS, Sketch, ended, until

RULES = JobRules(lease_seconds=5)


class GatedEngine(NoopEngine):
    """Rows join; each call waits until it is let through, and is counted while it waits."""

    def __init__(self, *, batch: int, joins: bool = True) -> None:
        super().__init__()
        self.largest, self.joins = batch, joins
        self.gate = threading.Event()
        self.inside: list[int] = []

    def capabilities(self) -> Mapping[str, tuple[Capability, ...]]:
        return {
            name: tuple(replace(one, batch_max=self.largest, joins=self.joins) for one in many)
            for name, many in super().capabilities().items()
        }

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        self.inside.append(len(rows))
        self.gate.wait(20)
        return super().run(rows, sink)


class LostEngine(GatedEngine):
    """Its device is gone with the first picture."""

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        self.inside.append(len(rows))
        raise DeviceLost("CUDA error: unspecified launch failure")


def worker_of(database: Database, engine: NoopEngine) -> Worker:
    files = Files(database, MemoryStore(), Links("http://127.0.0.1", b"secret", 3600))
    return Worker(database=database, files=files, engine=engine, rules=RULES, tasks=TASKS)


async def inside(engine: GatedEngine, count: int) -> None:
    async def check() -> bool:
        return len(engine.inside) >= count

    await until(check)


async def test_jobs_join_while_others_are_drawn_until_the_batch_is_full_and_one_waits(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    engine, stop = GatedEngine(batch=8), asyncio.Event()
    first = await jobs.submit(account, Sketch())
    running = asyncio.create_task(worker_of(database, engine).run(stop))
    await inside(engine, 1)

    later = [await jobs.submit(account, Sketch()) for _ in range(4)]
    await inside(engine, 3)
    await asyncio.sleep(0.3)

    assert engine.inside == [4, 4, 4]  # a batch of 8 rows, and those that are ready when the first leave
    engine.gate.set()
    assert {job.status for job in await ended(jobs, account, first, *later)} == {"done"}
    stop.set()
    await running


async def test_small_jobs_join_until_their_rows_fill_the_batch(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    engine, stop = GatedEngine(batch=6), asyncio.Event()
    submitted = [await jobs.submit(account, Sketch(pictures=1)) for _ in range(8)]
    running = asyncio.create_task(worker_of(database, engine).run(stop))

    await inside(engine, 6)
    await asyncio.sleep(0.3)

    assert engine.inside == [1] * 6
    engine.gate.set()
    await ended(jobs, account, *submitted)
    stop.set()
    await running


async def test_an_engine_that_lets_nobody_join_gets_the_next_jobs_when_the_last_are_drawn(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    engine, stop = GatedEngine(batch=8, joins=False), asyncio.Event()
    first = await jobs.submit(account, Sketch())
    running = asyncio.create_task(worker_of(database, engine).run(stop))
    await inside(engine, 1)

    second = await jobs.submit(account, Sketch())
    await asyncio.sleep(0.5)

    assert engine.inside == [4]
    engine.gate.set()
    await ended(jobs, account, first, second)
    stop.set()
    await running


async def test_the_head_of_the_line_joins_whatever_its_key_and_jobs_of_known_keys_come_along(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    engine, stop = GatedEngine(batch=12), asyncio.Event()
    first = await jobs.submit(account, Sketch())
    running = asyncio.create_task(worker_of(database, engine).run(stop))
    await inside(engine, 1)

    others = [await jobs.submit(account, task) for task in (Doodle(shape="wide"), Sketch(), Doodle(shape="high"))]

    assert {job.status for job in await ended(jobs, account, others[0], others[2])} == {"done"}
    await inside(engine, 2)
    engine.gate.set()
    await ended(jobs, account, first, others[1])
    stop.set()
    await running


async def test_a_lost_device_ends_the_worker_and_its_jobs_go_back_at_the_cost_of_an_attempt(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    engine = LostEngine(batch=4)
    job = await jobs.submit(account, Sketch())

    with pytest.raises(DeviceLost):
        await asyncio.wait_for(worker_of(database, engine).run(asyncio.Event()), 10)

    assert (await statuses(database), engine.inside) == ({job.id: "queued"}, [4])
    assert (await jobs.get(account.id, job.id)).attempts == 1

    sound, stop = NoopEngine(), asyncio.Event()
    running = asyncio.create_task(worker_of(database, sound).run(stop))
    (done,) = await ended(jobs, account, job)
    stop.set()
    await running
    assert (done.status, done.attempts) == ("done", 2)


async def test_nothing_joins_a_job_that_has_cost_a_worker(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    suspect = await jobs.submit(account, Sketch())
    with pytest.raises(DeviceLost):
        await asyncio.wait_for(worker_of(database, LostEngine(batch=8)).run(asyncio.Event()), 10)

    engine, stop = GatedEngine(batch=8), asyncio.Event()
    running = asyncio.create_task(worker_of(database, engine).run(stop))
    await inside(engine, 1)
    later = await jobs.submit(account, Sketch())
    await asyncio.sleep(0.5)

    assert engine.inside == [4]
    engine.gate.set()
    await ended(jobs, account, suspect, later)
    stop.set()
    await running
