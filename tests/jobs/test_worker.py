"""A whole worker in this process: drawing, storing, progress, cancelling, stopping."""

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, ClassVar

import obstore
import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from PIL import Image

from brushwork.accounts.account import Account
from brushwork.accounts.credits import check_ledger
from brushwork.database.session import Database
from brushwork.database.tables import files as files_table
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.tables import workers as workers_table
from brushwork.engines.base import Op, Row
from brushwork.engines.noop import NoopEngine
from brushwork.errors import InvalidField
from brushwork.files.links import Links
from brushwork.files.store import Files
from brushwork.jobs import delivery
from brushwork.jobs import worker as worker_module
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.rules import JobRules
from brushwork.jobs.worker import Worker
from brushwork.tasks.base import Kind, Outcome, Run, Task, draw, outcome_of
from tests.jobs.conftest import Doodle, MakeAccount

RULES = JobRules(lease_seconds=1.5)


class Sketch(Task):
    """Pictures from the no-op engine, or trouble."""

    name: ClassVar[str] = "sketch"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {}

    pictures: int = 4
    trouble: str = ""
    previews: bool = False

    def price(self) -> int:
        return 10

    def run(self, job: Run) -> Outcome:
        if self.trouble == "refused":
            raise InvalidField("text", "cannot be drawn.")
        if self.trouble == "broken":
            raise RuntimeError("secret path /srv/models")
        rows = [Row(index=index, seed=job.seed, text="", width=8, height=8) for index in range(self.pictures)]
        if self.previews:
            job.sink.preview(rows[0], Image.new("RGBA", (640, 320)))
        return outcome_of(draw(rows, job))


TASKS: Mapping[str, type[Task]] = {"sketch": Sketch, "doodle": Doodle}

Work = Callable[..., contextlib.AbstractAsyncContextManager[Worker]]


@pytest.fixture
def files(database: Database) -> Files:
    return Files(database, MemoryStore(), Links("http://127.0.0.1", b"secret", 3600))


@pytest.fixture
def work(database: Database, files: Files) -> Work:
    @contextlib.asynccontextmanager
    async def working(*, seconds: float = 0.0, **options: Any) -> AsyncIterator[Worker]:
        given = {"engine": NoopEngine(seconds=seconds), "files": files, "rules": RULES, "tasks": TASKS, **options}
        worker = Worker(database=database, **given)
        stop = asyncio.Event()
        running = asyncio.create_task(worker.run(stop))
        try:
            yield worker
        finally:
            stop.set()
            await asyncio.wait_for(running, 20)

    return working


async def until(check: Callable[[], Awaitable[Any]], *, seconds: float = 20) -> Any:
    """What `check` says once it is true."""
    deadline = time.monotonic() + seconds
    while not (result := await check()):
        assert time.monotonic() < deadline, "it took too long"
        await asyncio.sleep(0.02)
    return result


async def ended(jobs: Jobs, account: Account, *submitted: Job) -> list[Job]:
    async def check() -> list[Job] | None:
        found = [await jobs.get(account.id, job.id) for job in submitted]
        return found if all(job.is_finished for job in found) else None

    result: list[Job] = await until(check)
    return result


async def test_a_grid_and_its_singles_are_stored_and_published(
    jobs: Jobs, database: Database, files: Files, make_account: MakeAccount, work: Work
) -> None:
    account = await make_account()
    job = await jobs.submit(account, Sketch())

    async with work():
        (done,) = await ended(jobs, account, job)

    assert (done.client_status, done.progress, done.attempts) == ("completed", 100, 1)
    assert [file.role for file in done.files] == ["grid", "image", "image", "image", "image"]
    assert [(file.width, file.height) for file in done.files] == [(16, 16)] + [(8, 8)] * 4
    assert done.detail is not None
    assert (done.detail["engine"], done.detail["degraded"]) == ("noop", ["engine:noop"])
    async with database.read() as tx:
        rows = {row.id: row for row in await tx.execute(sa.select(files_table))}
    assert [rows[file.id].path.rsplit("/")[-1] for file in done.files] == [
        "grid.png", "0.png", "1.png", "2.png", "3.png"
    ]  # fmt: skip
    single = rows[done.files[1].id]
    data = bytes(await (await obstore.get_async(files.store, single.path)).bytes_async())
    assert len(data) == single.size
    assert Image.open(io.BytesIO(data)).size == (8, 8)
    assert (single.account_id, single.job_id, single.expires_at) == (account.id, job.id, done.expires_at)


async def test_a_single_picture_needs_no_grid(jobs: Jobs, make_account: MakeAccount, work: Work) -> None:
    account = await make_account()
    async with work():
        (done,) = await ended(jobs, account, await jobs.submit(account, Sketch(pictures=1)))

    assert [file.role for file in done.files] == ["image"]


async def test_a_text_job_has_its_own_output(jobs: Jobs, make_account: MakeAccount, work: Work) -> None:
    account = await make_account()
    async with work():
        (done,) = await ended(jobs, account, await jobs.submit(account, Doodle(fixed_seed=5)))

    assert (done.files, done.output) == ((), {"seed": "5"})


async def test_many_jobs_of_many_accounts_all_end_and_are_paid_once(
    jobs: Jobs, database: Database, make_account: MakeAccount, work: Work
) -> None:
    accounts = [await make_account(name=f"account {number}", max_inflight=3) for number in range(4)]
    async with work(batch=5), work(batch=3):
        submitted = [(account, await jobs.submit(account, Doodle())) for account in accounts for _ in range(15)]
        for account, job in submitted:
            (done,) = await ended(jobs, account, job)
            assert (done.client_status, done.attempts) == ("completed", 1)

    async with database.read() as tx:
        assert await check_ledger(tx) == []


async def test_progress_is_real_and_never_falls_and_previews_go_with_the_job(
    jobs: Jobs, make_account: MakeAccount, work: Work
) -> None:
    account = await make_account()
    job = await jobs.submit(account, Sketch(previews=True))

    async with work(seconds=2.5):
        seen = [event async for event in jobs.events(account.id, job.id)]

    assert [event.data["status"] for event in seen if event.kind == "status"] == [
        "pending", "staged", "processing", "completed"
    ]  # fmt: skip
    told = [event.data["progress"] for event in seen if "progress" in event.data]
    assert told == sorted(told)
    assert told[-1] == 100
    assert len({progress for progress in told if 0 < progress < 100}) >= 2
    (preview,) = [event.data for event in seen if event.kind == "preview"]
    assert preview["index"] == 0
    assert preview["image"].startswith("data:image/webp;base64,")
    assert [event.kind async for event in jobs.events(account.id, job.id) if event.kind == "preview"] == []


async def test_an_error_of_the_task_is_the_clients_to_read_and_any_other_is_not(
    jobs: Jobs, make_account: MakeAccount, work: Work
) -> None:
    account = await make_account(20)
    refused = await jobs.submit(account, Sketch(trouble="refused"))
    broken = await jobs.submit(account, Sketch(trouble="broken"))

    async with work():
        told, hidden = await ended(jobs, account, refused, broken)

    assert told.error == {
        "code": 400,
        "message": "text: cannot be drawn.",
        "raw_message": "text: cannot be drawn.",
        "detail": {"code": "invalid_field", "field": "text"},
    }
    assert hidden.error is not None
    assert (hidden.error["code"], "secret" in str(hidden.error)) == (500, False)
    assert (await jobs.submit(account, Sketch())).status == "queued"  # the money is back


async def test_cancelling_reaches_the_engine_and_spares_the_neighbour(
    jobs: Jobs, database: Database, make_account: MakeAccount, work: Work
) -> None:
    account = await make_account()
    doomed, neighbour = [await jobs.submit(account, Sketch()) for _ in range(2)]
    async with work(seconds=3, batch=2) as worker:
        await until(lambda: processing(jobs, account, doomed))

        cancelled = await jobs.cancel(account.id, doomed.id)

        assert (cancelled.status, cancelled.client_status) == ("cancelled", "failed")
        started = time.monotonic()
        await until(lambda: let_go(worker, doomed))
        assert time.monotonic() - started < 1.5
        (done,) = await ended(jobs, account, neighbour)
    assert done.client_status == "completed"
    assert (await jobs.get(account.id, doomed.id)).files == ()
    async with database.read() as tx:
        assert (await tx.execute(sa.select(jobs_table.c.owner))).scalars().all() == [None, None]


async def processing(jobs: Jobs, account: Account, job: Job) -> bool:
    return (await jobs.get(account.id, job.id)).client_status == "processing"


async def let_go(worker: Worker, job: Job) -> bool:
    return job.id not in worker.at_work


async def test_a_running_job_is_stopped_at_its_deadline(
    database: Database, make_account: MakeAccount, work: Work
) -> None:
    account = await make_account()
    rules = JobRules(lease_seconds=1.5, deadline_seconds=0.7)
    jobs = Jobs(database, rules)
    async with work(seconds=4, rules=rules):
        (late,) = await ended(jobs, account, await jobs.submit(account, Sketch()))

    assert late.error is not None
    assert (late.error["code"], late.cost) == (504, 10)


async def test_a_lease_is_kept_for_as_long_as_the_job_takes(jobs: Jobs, make_account: MakeAccount, work: Work) -> None:
    account = await make_account()
    async with work(seconds=4), work(seconds=4):
        (done,) = await ended(jobs, account, await jobs.submit(account, Sketch()))

    assert (done.client_status, done.attempts) == ("completed", 1)


async def test_a_worker_that_lost_its_job_stops_and_leaves_no_files(
    jobs: Jobs, database: Database, files: Files, make_account: MakeAccount, work: Work
) -> None:
    account = await make_account()
    job = await jobs.submit(account, Sketch())
    async with work(seconds=1.2) as first:
        await until(lambda: processing(jobs, account, job))
        async with database.write() as tx:  # as another machine's reaper would, while this worker is cut off
            await tx.execute(jobs_table.update().values(status="queued", token=None, owner=None, lease_until=None))
        await until(lambda: let_go(first, job))
        (done,) = await ended(jobs, account, job)

    assert (done.client_status, done.attempts) == ("completed", 2)
    stored = {str(file["path"]) for batch in obstore.list(files.store) for file in batch}
    async with database.read() as tx:
        assert stored == set((await tx.execute(sa.select(files_table.c.path))).scalars())


async def test_a_stopping_worker_gives_back_what_it_cannot_finish_without_costing_an_attempt(
    jobs: Jobs, database: Database, make_account: MakeAccount, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "GRACE_SECONDS", 0.3)
    account = await make_account()
    job = await jobs.submit(account, Sketch())

    async with work(seconds=6):
        await until(lambda: processing(jobs, account, job))

    after = await jobs.get(account.id, job.id)
    assert (after.status, after.attempts) == ("queued", 0)
    async with database.read() as tx:
        assert (await tx.execute(sa.select(workers_table.c.id))).all() == []


async def test_a_stopping_worker_waits_for_whoever_writes_to_its_job(
    jobs: Jobs, database: Database, make_account: MakeAccount, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "GRACE_SECONDS", 0.1)
    account = await make_account()
    job = await jobs.submit(account, Sketch())
    locked = asyncio.Event()

    async def write_to_it() -> None:
        async with database.write() as tx:
            await tx.execute(jobs_table.update().where(jobs_table.c.id == job.id).values(progress=50))
            locked.set()
            await asyncio.sleep(0.6)

    async with work(seconds=6):
        await until(lambda: processing(jobs, account, job))
        writing = asyncio.create_task(write_to_it())
        await locked.wait()
    await writing

    assert (await jobs.get(account.id, job.id)).status == "queued"


class FlakyFiles(Files):
    """A store that is away for the first few puts."""

    failures = 6

    async def put(self, path: str, data: bytes, content_type: str) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the store is away")
        await super().put(path, data, content_type)


async def test_a_store_that_is_away_delays_a_result_and_loses_nothing(
    jobs: Jobs, database: Database, files: Files, make_account: MakeAccount, work: Work
) -> None:
    account = await make_account()
    flaky = FlakyFiles(database, files.store, files.links)
    async with work(files=flaky):
        (done,) = await ended(jobs, account, await jobs.submit(account, Sketch()))

    assert (done.client_status, flaky.failures) == ("completed", 0)


class SwitchedFiles(Files):
    """A store that is away for as long as is said."""

    is_away = True

    async def put(self, path: str, data: bytes, content_type: str) -> None:
        if self.is_away:
            raise OSError("No space left on device")
        await super().put(path, data, content_type)


async def test_a_job_that_was_lost_and_claimed_again_by_the_same_worker_is_kept(
    jobs: Jobs, make_account: MakeAccount, work: Work, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "RETRY_SECONDS", (0.05,))
    account = await make_account()
    switched = SwitchedFiles(files.database, files.store, files.links)
    engine = NoopEngine()

    async with work(files=switched, engine=engine) as worker:
        job = await jobs.submit(account, Sketch())
        first = await until(lambda: token_at_work(worker, job))
        await until(lambda: drawn(worker))
        engine.seconds = 4.0  # longer than two leases
        async with files.database.write() as tx:
            await tx.execute(jobs_table.update().values(status="queued", owner=None, token=None, lease_until=None))
        worker.wake.set()
        await until(lambda: other_token_at_work(worker, job, first))
        switched.is_away = False
        (done,) = await ended(jobs, account, job)

    async with files.database.read() as tx:
        attempts = (await tx.execute(sa.select(jobs_table.c.attempts))).scalar_one()
        visible = (await tx.execute(sa.select(sa.func.count()).select_from(files_table))).scalar_one()
        assert await check_ledger(tx) == []
    assert (done.status, attempts, visible) == ("done", 2, 5)


async def token_at_work(worker: Worker, job: Job) -> str:
    return worker.tokens().get(job.id, "")


async def other_token_at_work(worker: Worker, job: Job, first: str) -> bool:
    return worker.tokens().get(job.id, first) != first


async def drawn(worker: Worker) -> bool:
    return not worker.drawing


async def test_jobs_of_a_batch_are_drawn_side_by_side(jobs: Jobs, make_account: MakeAccount, work: Work) -> None:
    account = await make_account()
    barrier = threading.Barrier(3)

    class Meeting(Doodle):
        """Ends only when three of it run at once."""

        def run(self, job: Run) -> Outcome:
            barrier.wait(10)
            return super().run(job)

    submitted = [await jobs.submit(account, Doodle()) for _ in range(3)]
    async with work(batch=3, tasks={"doodle": Meeting}):
        done = await ended(jobs, account, *submitted)

    assert {job.client_status for job in done} == {"completed"}
