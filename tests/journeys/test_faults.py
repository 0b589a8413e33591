"""Processes and databases die at random: no job is lost, none is done or charged twice, and the ledger is exact."""

import asyncio
import contextlib
import io
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from brushwork.accounts.credits import check_ledger, grant
from brushwork.accounts.directory import account_by_id, create_account
from brushwork.database.session import Database
from brushwork.database.tables import accounts as accounts_table
from brushwork.database.tables import events, ledger
from brushwork.database.tables import files as files_table
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.tables import workers as workers_table
from brushwork.files.pictures import Pictures
from brushwork.jobs import supervisor as supervisor_module
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.sources import Sources
from brushwork.jobs.supervisor import Supervisor
from tests.conftest import NewDatabase
from tests.jobs.following import darker
from tests.journeys.processes import TASKS, Errand, Setup, SlowRetouch, worker_command

pytestmark = pytest.mark.slow

COST = 3
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0


async def new_accounts(database: Database, count: int) -> list[int]:
    async with database.write() as tx:
        made = []
        for number in range(count):
            account = await create_account(tx, f"account {number}", plan="free", max_inflight=40, now=time.time())
            await grant(tx, account.id, 100_000, now=time.time())
            made.append(account.id)
        return made


async def spawn(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.journeys.processes", *arguments, cwd=ROOT, stdin=asyncio.subprocess.PIPE
    )


@contextlib.asynccontextmanager
async def supervised(database: Database, setup: Setup, setup_file: str, count: int) -> AsyncIterator[Supervisor]:
    devices = [f"cpu:{number}" for number in range(count)]
    supervisor = Supervisor(database=database, command=worker_command(setup_file), devices=devices, rules=setup.rules)
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    try:
        yield supervisor
    finally:
        stop.set()
        await asyncio.wait_for(running, 30)


async def how_many(database: Database, *conditions: sa.ColumnElement[bool]) -> int:
    async with database.read() as tx:
        query = sa.select(sa.func.count()).select_from(jobs_table).where(*conditions)
        return int((await tx.execute(query)).scalar_one())


async def until(check: Any, *, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(sa.exc.DBAPIError):  # the database may be what is being killed
            if await check():
                return
        assert time.monotonic() < deadline, "it took too long"
        await asyncio.sleep(0.1)


async def assert_each_done_and_paid_once(database: Database, count: int) -> None:
    async with database.read() as tx:
        assert await check_ledger(tx) == []
        statuses = (
            await tx.execute(sa.select(jobs_table.c.status, sa.func.count()).group_by(jobs_table.c.status))
        ).all()
        assert [tuple(row) for row in statuses] == [("done", count)]
        kinds = sa.select(ledger.c.kind, sa.func.count(), sa.func.sum(ledger.c.amount)).group_by(ledger.c.kind)
        per_kind = {row[0]: (row[1], int(row[2])) for row in await tx.execute(kinds)}
        assert per_kind["capture"] == per_kind["hold"] == (count, count * COST)
        assert "release" not in per_kind
        busy = await tx.execute(sa.select(accounts_table.c.frozen, accounts_table.c.inflight))
        assert {tuple(row) for row in busy} == {(0, 0)}
        published = (await tx.execute(sa.select(files_table.c.job_id))).scalars().all()
        assert len(published) == len(set(published)) == count
        endings = (await tx.execute(sa.select(events.c.job_id, events.c.data).where(events.c.kind == "status"))).all()
        completed = [row.job_id for row in endings if row.data["status"] == "completed"]
        assert len(completed) == len(set(completed)) == count


async def kill_a_busy_child(database: Database, supervisor: Supervisor, dice: random.Random) -> None:
    """Kill -9 a worker that has jobs at work, at some moment of that work."""
    busy: list[int] = []

    async def is_busy() -> bool:
        owners = sa.select(jobs_table.c.owner).distinct().where(jobs_table.c.status == "running")
        async with database.read() as tx:
            names = (await tx.execute(owners)).scalars().all()
        busy[:] = [supervisor.children[name].process.pid for name in names if name in supervisor.children]
        return bool(busy)

    await until(is_busy)
    await asyncio.sleep(dice.uniform(0.0, 0.3))
    with contextlib.suppress(ProcessLookupError):
        os.kill(dice.choice(busy), signal.SIGKILL)


async def test_killing_workers_and_the_api_at_random_loses_and_doubles_nothing(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "BACKOFF", (0.1,))
    count, dice = 500, random.Random(4)
    setup = Setup(database_url, str(tmp_path / "files"), seconds=0.2)
    setup_file = setup.write(tmp_path / "setup.json")
    account_ids = await new_accounts(database, 3)
    submission = ["submit", setup_file, str(count), *map(str, account_ids)]
    # Two workers whose parent takes their jobs back, and one without a parent, for the leases.
    async with supervised(database, setup, setup_file, 2) as supervisor:
        orphan, submitter = await spawn("worker", setup_file), await spawn(*submission)
        try:
            for round_number in range(6):
                if round_number < 3:
                    await until(lambda: more_submitted(database, dice))
                    with contextlib.suppress(ProcessLookupError):
                        submitter.kill()
                    await submitter.wait()
                    submitter = await spawn(*submission)
                await kill_a_busy_child(database, supervisor, dice)
                if round_number == 3:
                    orphan.kill()
            assert await submitter.wait() == 0
            await until(lambda: all_ended(database, count))
        finally:
            for process in (orphan, submitter):
                if process.returncode is None:
                    process.kill()
                await process.wait()

    await assert_each_done_and_paid_once(database, count)
    assert await how_many(database, jobs_table.c.attempts > 1) > 3, "too little was hit to mean anything"


async def more_submitted(database: Database, dice: random.Random) -> bool:
    """True at some moment while jobs are being submitted."""
    return await how_many(database) > 0 and dice.random() < 0.3


async def all_ended(database: Database, count: int) -> bool:
    return await how_many(database, jobs_table.c.ended_at.is_not(None)) == count


async def test_a_database_that_restarts_in_the_middle_loses_and_doubles_nothing(
    new_postgres: NewDatabase, postgres: Any, tmp_path: Path
) -> None:
    count = 60
    url = new_postgres()
    database = Database(url)
    setup = Setup(url, str(tmp_path / "files"), seconds=0.4)
    setup_file = setup.write(tmp_path / "setup.json")
    (account_id,) = await new_accounts(database, 1)
    async with database.read() as tx:
        account = await account_by_id(tx, account_id)
    jobs = Jobs(database, setup.rules)
    for number in range(count):
        await jobs.submit(account, Errand(number=number))
    async with supervised(database, setup, setup_file, 2):
        await until(lambda: some_done(database, 8))
        for _ in range(2):
            await asyncio.to_thread(postgres.stop)
            await asyncio.sleep(1.0)
            await asyncio.to_thread(postgres.ensure_postgres_running)
            await asyncio.sleep(1.0)
        await until(lambda: all_ended(database, count))

    await assert_each_done_and_paid_once(database, count)
    await database.close()


async def some_done(database: Database, count: int) -> bool:
    return await how_many(database, jobs_table.c.status == "done") >= count


async def test_a_child_that_ignores_a_cancel_is_killed_and_its_other_job_done_by_the_next(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "OBEY_SECONDS", 1.0)
    setup = Setup(database_url, str(tmp_path / "files"), seconds=0.1, batch=2)
    setup_file = setup.write(tmp_path / "setup.json")
    (account_id,) = await new_accounts(database, 1)
    async with database.read() as tx:
        account = await account_by_id(tx, account_id)
    jobs = Jobs(database, setup.rules)
    stubborn = await jobs.submit(account, Errand(ignores_everything_for=600))
    async with supervised(database, setup, setup_file, 1) as supervisor:
        await until(lambda: some_claimed(database))
        first = set(supervisor.children)
        behind = await jobs.submit(account, Errand())

        await jobs.cancel(account.id, stubborn.id)
        await until(lambda: some_done(database, 1))

        assert not first & set(supervisor.children)
    assert (await jobs.get(account.id, behind.id)).client_status == "completed"
    assert (await jobs.get(account.id, stubborn.id)).status == "cancelled"


async def some_claimed(database: Database) -> bool:
    return await how_many(database, jobs_table.c.owner.is_not(None)) > 0


async def test_a_worker_whose_parent_is_killed_stops_by_itself(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    setup = Setup(database_url, str(tmp_path / "files"), seconds=20, lease_seconds=60)
    setup_file = setup.write(tmp_path / "setup.json")
    (account_id,) = await new_accounts(database, 1)
    async with database.read() as tx:
        account = await account_by_id(tx, account_id)
    jobs = Jobs(database, setup.rules)
    job = await jobs.submit(account, Errand())
    parent = await spawn("supervise", setup_file)
    await until(lambda: some_claimed(database))

    parent.kill()
    await parent.wait()

    await until(lambda: nobody_works(database), seconds=20)  # far less than the lease
    after = await jobs.get(account.id, job.id)
    assert (after.status, after.attempts) == ("queued", 0)


async def test_a_follow_up_whose_worker_is_killed_is_done_again_to_the_same_bytes(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    setup = Setup(database_url, str(tmp_path / "files"), seconds=0.05, lease_seconds=1.5)
    setup_file = setup.write(tmp_path / "setup.json")
    (account_id,) = await new_accounts(database, 1)
    async with database.read() as tx:
        account = await account_by_id(tx, account_id)
    files = setup.files(database)
    jobs = Jobs(database, setup.rules, sources=Sources(database, files, Pictures(files), TASKS))
    parent = await jobs.submit(account, Errand())
    first = await spawn("worker", setup_file)
    second = None
    try:
        await until(lambda: some_done(database, 1))
        child = await jobs.submit(account, SlowRetouch(job_id=parent.id))
        await files.delete_folder(f"jobs/{parent.id}")
        await until(lambda: has(setup.scratch, "worker-*/job-*/large"))

        first.kill()
        await first.wait()
        second = await spawn("worker", setup_file)
        await until(lambda: some_done(database, 2))
        assert len(list(setup.scratch.glob("worker-*"))) == 1, "what the killed worker left is swept"
    finally:
        for process in (first, second):
            if process is not None and process.returncode is None:
                process.kill()
                await process.wait()

    done = await jobs.get(account.id, child.id)
    assert (done.attempts, done.given) == (2, child.given)
    expected = darker(Image.open(io.BytesIO(await files.read(child.given[0].path))))
    async with database.read() as tx:
        path = (
            await tx.execute(sa.select(files_table.c.path).where(files_table.c.id == done.files[0].id))
        ).scalar_one()
        assert await check_ledger(tx) == []
    assert Image.open(io.BytesIO(await files.read(path))).tobytes() == expected.tobytes()


async def has(folder: Path, pattern: str) -> bool:
    return any(folder.glob(pattern))


async def nobody_works(database: Database) -> bool:
    async with database.read() as tx:
        return (await tx.execute(sa.select(workers_table.c.id))).first() is None
