"""What is removed is removed whole, whoever wants to keep it at that moment; families stay together."""

import asyncio
import time

import obstore
import pytest
import sqlalchemy as sa
from obstore.store import LocalStore, MemoryStore

from brushwork.accounts.account import Account
from brushwork.database.session import Database
from brushwork.database.tables import files as files_table
from brushwork.database.tables import follows
from brushwork.database.tables import jobs as jobs_table
from brushwork.errors import FileNotFound, FollowUpRefused, JobNotFound
from brushwork.files.links import Links
from brushwork.files.store import Files, open_store
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.keeping import keep
from brushwork.jobs.lineage import WHOLE, descendants, edge_row, tie
from brushwork.jobs.removal import condemn, forget
from brushwork.jobs.retention import condemn_expired, remove_expired, remove_strays
from tests.jobs.conftest import MakeAccount
from tests.jobs.test_queue import RULES
from tests.jobs.test_retention import DAY, finished_job_with_files, stored

LATER = 31 * DAY


class SlowFiles(Files):
    """A store that removes nothing before it may."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, MemoryStore(), Links("http://127.0.0.1", b"secret", 3600))
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def delete_folder(self, prefix: str) -> None:
        self.asked.set()
        await self.may.wait()
        await super().delete_folder(prefix)


@pytest.fixture
def files(database: Database) -> SlowFiles:
    return SlowFiles(database)


async def pin(database: Database, account: Account, job_id: str) -> Job:
    return await keep(database, RULES, account.id, job_id, pinned=True, ttl_days=None, now=time.time())


async def test_whoever_pins_a_job_that_is_being_removed_is_told_that_it_is_gone(
    jobs: Jobs, database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account()
    job_id = await finished_job_with_files(jobs, files, account.id, "old")
    removing = asyncio.create_task(remove_expired(database, files, now=time.time() + LATER))
    await files.asked.wait()

    with pytest.raises(JobNotFound):
        await pin(database, account, job_id)
    with pytest.raises(JobNotFound):
        await keep(database, RULES, account.id, job_id, pinned=None, ttl_days=2, now=time.time())
    files.may.set()

    assert await removing == 1
    assert stored(files) == set()
    with pytest.raises(JobNotFound):
        await jobs.get(account.id, job_id)


async def test_a_job_that_is_pinned_before_its_removal_begins_stays_whole(
    jobs: Jobs, database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account()
    job_id = await finished_job_with_files(jobs, files, account.id, "old")
    files.may.set()
    async with database.write() as tx:
        pinning = jobs_table.update().where(jobs_table.c.id == job_id).values(pinned=True)
        await tx.execute(pinning)
        removing = asyncio.create_task(remove_expired(database, files, now=time.time() + LATER))
        await asyncio.sleep(0.2)  # it has looked, and found the job past its time and not pinned yet

    assert await removing == 0
    assert (await jobs.get(account.id, job_id)).pinned
    assert len(stored(files)) == 2


async def test_pinning_and_removing_at_once_never_leaves_half_a_job(
    jobs: Jobs, database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account(10_000)
    names = [await finished_job_with_files(jobs, files, account.id, f"old-{number}") for number in range(12)]
    files.may.set()

    async def pin_late(number: int) -> Job:
        await asyncio.sleep(number * 0.003)
        return await pin(database, account, names[number])

    removing = [remove_expired(database, files, now=time.time() + LATER) for _ in range(2)]
    done = await asyncio.gather(*(pin_late(number) for number in range(12)), *removing, return_exceptions=True)

    for job_id, told in zip(names, done[:12], strict=True):
        kept = [path for path in stored(files) if job_id in path]
        if isinstance(told, Job):
            assert (await jobs.get(account.id, job_id)).pinned
            assert len(kept) == 2
        else:
            assert isinstance(told, JobNotFound)
            assert kept == []
    assert await remove_expired(database, files, now=time.time() + LATER) == 0


async def test_what_a_crash_left_condemned_goes_with_the_next_run(
    jobs: Jobs, database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account()
    job_id = await finished_job_with_files(jobs, files, account.id, "old")
    async with database.write() as tx:
        assert await condemn_expired(tx, time.time() + LATER) == [job_id]
    files.may.set()

    with pytest.raises(JobNotFound):
        await pin(database, account, job_id)
    assert await remove_expired(database, files, now=time.time()) == 1

    assert stored(files) == set()
    async with database.read() as tx:
        assert (await tx.execute(sa.select(files_table))).all() == []


async def row_of(database: Database, account: Account, job_id: str, parents: list[str]) -> None:
    """A job that came of others."""
    async with database.write() as tx:
        one = (await tx.execute(sa.select(jobs_table).limit(1))).one()._mapping
        await tx.execute(jobs_table.insert(), {**one, "id": job_id, "account_id": account.id, "expires_at": 1e12})
        for parent in parents:
            await tx.execute(follows.insert(), edge_row(job_id, parent, 0, "follow-up"))


async def test_what_came_of_a_removed_job_is_tied_to_what_that_came_of(
    jobs: Jobs, database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account()
    root = await finished_job_with_files(jobs, files, account.id, "root")
    for name, parents in {"a": [root], "b": ["a"], "c": ["b", "a"], "d": ["c"]}.items():
        await row_of(database, account, name, parents)

    async with database.write() as tx:
        await condemn(tx, ["a", "b"])
        await forget(tx, ["a", "b"])

    async with database.read() as tx:
        assert await descendants(tx, account.id, root) == ["c", "d"]
        edges = (
            await tx.execute(sa.select(follows.c.job_id, follows.c.parent_id, follows.c.number, follows.c.kind))
        ).all()
        family = await jobs.family(account.id, "c")
    assert {tuple(edge) for edge in edges} == {("c", root, WHOLE, "descent"), ("d", "c", 0, "follow-up")}
    assert {node.job_id for node in family.nodes} == {root, "c", "d"}


async def test_nothing_new_comes_of_a_condemned_job(
    jobs: Jobs, database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account()
    root = await finished_job_with_files(jobs, files, account.id, "root")
    new = {"id": "new", "replay_of": root}
    async with database.write() as tx:
        await tie(tx, new)
        await tx.execute(follows.delete())
        await condemn(tx, [root])

    with pytest.raises(FollowUpRefused):
        async with database.write() as tx:
            await tie(tx, new)
    with pytest.raises(FollowUpRefused):
        async with database.write() as tx:
            await tie(tx, {"id": "new", "sources": [{"parent": None, "origin": "unknown"}]})


async def test_an_erasing_waits_until_what_is_being_made_of_the_job_is_there_to_be_seen(
    jobs: Jobs, database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account()
    root = await finished_job_with_files(jobs, files, account.id, "root")
    order: list[str] = []

    async def condemning() -> None:
        async with database.write() as tx:
            await condemn(tx, [root])
            order.append("condemned")

    async with database.write() as tx:
        await tie(tx, {"id": "new", "replay_of": root})
        waiting = asyncio.create_task(condemning())
        await asyncio.sleep(0.2)
        order.append("accepted")
    await waiting

    assert order == ["accepted", "condemned"]


def test_a_folder_goes_with_its_last_file(tmp_path) -> None:  # type: ignore[no-untyped-def]  # a Path
    store = open_store(tmp_path.as_uri())
    assert isinstance(store, LocalStore)
    obstore.put(store, "jobs/one/token/0.png", b"data")
    obstore.put(store, "jobs/two/0.png", b"data")

    obstore.delete(store, "jobs/one/token/0.png")

    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["two"]


async def test_uploads_that_no_row_knows_are_swept_after_a_day(
    database: Database, files: SlowFiles, make_account: MakeAccount
) -> None:
    account = await make_account()
    kept = await files.keep(account.id, b"data", size=(1, 1), now=time.time(), ends=time.time() + LATER)
    await files.put("uploads/stray.png", b"data", "image/png")

    assert await remove_strays(database, files, now=time.time() + DAY - 60) == 0
    assert await remove_strays(database, files, now=time.time() + DAY + 60) == 1
    assert stored(files) == {kept.path}


async def test_an_upload_whose_row_is_erased_while_it_is_stored_leaves_nothing(
    database: Database, files: SlowFiles, make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await make_account()
    put = files.put

    async def erase_and_put(path: str, data: bytes, content_type: str) -> None:
        async with database.write() as tx:
            await tx.execute(files_table.delete())
        await put(path, data, content_type)

    monkeypatch.setattr(files, "put", erase_and_put)

    with pytest.raises(FileNotFound):
        await files.keep(account.id, b"data", size=(1, 1), now=time.time(), ends=time.time() + LATER)
    assert stored(files) == set()
