"""What is past its time goes: files first, then rows. Housekeeping is done by one process at a time."""

import asyncio
import time

import obstore
import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore

from brushwork.accounts.audits import note_failure
from brushwork.accounts.credits import check_ledger, grant
from brushwork.accounts.directory import account_by_id
from brushwork.database.session import Database
from brushwork.database.tables import accounts, audits, batches, deliveries, events, ledger, notifications, packs, ticks
from brushwork.database.tables import files as files_table
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.tables import workers as workers_table
from brushwork.files.links import Links
from brushwork.files.store import Files
from brushwork.files.stored import StoredFile
from brushwork.jobs import housekeeping
from brushwork.jobs.audits import REMOVED_AT_ONCE, Kind, audit, forget_refusals
from brushwork.jobs.housekeeping import DUTIES, Housekeeping
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.retention import remove_expired
from brushwork.jobs.webhooks.endpoints import add_endpoint
from brushwork.jobs.workers import WorkerInfo, forget_dead, say_alive, say_goodbye
from tests.jobs.conftest import Doodle, MakeAccount
from tests.jobs.test_queue import RULES, claim, finish

DAY = 86400.0


@pytest.fixture
def files(database: Database) -> Files:
    return Files(database, MemoryStore(), Links("http://127.0.0.1", b"secret", 3600))


async def finished_job_with_files(jobs: Jobs, files: Files, account_id: int, name: str) -> str:
    """A done job with one published file, and one that its first worker wrote and never published."""
    account = await account_of(jobs.database, account_id)
    job = await jobs.submit(account, Doodle())
    await finish(jobs.database, await claim(jobs.database))
    published = StoredFile(f"{name}-id", f"jobs/{job.id}/token/0.png", "image", "image/png", 4)
    for path in (published.path, f"jobs/{job.id}/older-token/0.png"):
        await files.put(path, b"data", "image/png")
    async with jobs.database.write() as tx:
        await files.publish(
            tx,
            account_id=account_id,
            job_id=job.id,
            files=[published],
            now=time.time(),
            expires_at=time.time() + 30 * DAY,
        )
    return job.id


async def account_of(database: Database, account_id: int):  # type: ignore[no-untyped-def]  # an Account
    async with database.read() as tx:
        return await account_by_id(tx, account_id)


def stored(files: Files) -> set[str]:
    return {str(file["path"]) for batch in obstore.list(files.store) for file in batch}


async def rows(database: Database, table: sa.Table) -> int:
    async with database.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


async def test_expired_jobs_go_with_all_their_files_and_the_ledger_stays(
    jobs: Jobs, database: Database, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account()
    await finished_job_with_files(jobs, files, account.id, "old")
    open_job = await jobs.submit(account, Doodle())
    written = await rows(database, ledger)

    assert await remove_expired(database, files, now=time.time() + 29 * DAY) == 0
    assert len(stored(files)) == 2
    assert await remove_expired(database, files, now=time.time() + 31 * DAY) > 0
    assert await remove_expired(database, files, now=time.time() + 31 * DAY) == 0

    assert stored(files) == set()
    assert await rows(database, files_table) == 0
    assert (await jobs.list(account.id)).jobs == (await jobs.active(account.id))
    assert await rows(database, jobs_table) == 1
    async with database.read() as tx:
        assert set((await tx.execute(sa.select(events.c.job_id))).scalars()) == {open_job.id}
        assert await check_ledger(tx) == []
    assert await rows(database, ledger) == written


class BrokenFiles(Files):
    """A store that cannot delete."""

    async def delete(self, paths: object) -> None:
        raise OSError("the store is away")


async def test_rows_stay_as_long_as_their_files_cannot_be_removed(
    jobs: Jobs, database: Database, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account()
    job_id = await finished_job_with_files(jobs, files, account.id, "old")
    broken = BrokenFiles(database, files.store, files.links)

    with pytest.raises(OSError, match="the store is away"):
        await remove_expired(database, broken, now=time.time() + 31 * DAY)

    assert (await jobs.get(account.id, job_id)).client_status == "completed"
    assert await rows(database, files_table) == 1
    assert await remove_expired(database, files, now=time.time() + 31 * DAY) > 0


async def test_many_expired_jobs_are_removed_in_batches(
    jobs: Jobs, database: Database, files: Files, make_account: MakeAccount
) -> None:
    account = await make_account(10_000)
    for _ in range(130):
        job = await jobs.submit(account, Doodle())
        await jobs.cancel(account.id, job.id)

    assert await remove_expired(database, files, now=time.time() + 31 * DAY) == 130
    assert await rows(database, jobs_table) == await rows(database, events) == 0


async def test_each_duty_is_done_once_when_it_is_due(database: Database, files: Files) -> None:
    houses = [Housekeeping(database, files, RULES) for _ in range(3)]

    done = await asyncio.gather(*(house.tick() for house in houses))

    assert sorted(name for names in done for name in names) == sorted(DUTIES)
    assert await houses[0].tick() == []
    async with database.write() as tx:
        await tx.execute(ticks.update().values(next_run=0.0))
    assert sorted(await houses[1].tick()) == sorted(DUTIES)


async def test_a_duty_whose_process_died_is_taken_over_when_its_lease_runs_out(
    database: Database, files: Files
) -> None:
    dead, alive = Housekeeping(database, files, RULES), Housekeeping(database, files, RULES)
    await dead.tick()
    async with database.write() as tx:
        await tx.execute(ticks.update().values(next_run=0.0))
    assert await dead.take("retention")

    assert "retention" not in await alive.tick()
    async with database.write() as tx:
        await tx.execute(ticks.update().values(lease_until=1.0))
    assert "retention" in await alive.tick()


async def test_housekeeping_expires_packs(database: Database, files: Files, make_account: MakeAccount) -> None:
    account = await make_account(100)
    async with database.write() as tx:
        await grant(tx, account.id, 50, expires_at=time.time() - 1, now=time.time() - DAY)

    await Housekeeping(database, files, RULES).tick()

    assert (await account_of(database, account.id)).balance == 100


async def test_a_pack_that_ends_tells_of_a_low_balance_once(
    database: Database, files: Files, make_account: MakeAccount
) -> None:
    low, rich = await make_account(100), await make_account(1000, name="rich")
    async with database.write() as tx:
        for account in (low, rich):
            await grant(tx, account.id, 50, expires_at=time.time() - 2, now=time.time() - DAY)
            await grant(tx, account.id, 60, expires_at=time.time() - 1, now=time.time() - DAY)
            await add_endpoint(tx, account.id, "https://a.test/", events=["balance.low"], description="", now=0.0)
        await tx.execute(accounts.update().values(alert_threshold=101))

    for _ in range(2):
        await Housekeeping(database, files, RULES).tick()
        async with database.write() as tx:
            await tx.execute(ticks.update().values(next_run=0.0))
            await tx.execute(packs.update().where(packs.c.amount == 100).values(expires_at=1.0))  # the last, later on

    async with database.read() as tx:
        told = (await tx.execute(sa.select(deliveries.c.account_id, deliveries.c.event, deliveries.c.data))).all()
        noted = (await tx.execute(sa.select(notifications.c.account_id, notifications.c.type))).all()
        assert await check_ledger(tx) == []
    data = {"account_id": low.id, "available": 100, "alert_threshold": 101}
    assert [tuple(row) for row in told] == [(low.id, "balance.low", data)]
    assert [tuple(row) for row in noted] == [(low.id, "balance.low")]
    assert (await account_of(database, low.id)).balance == 0


async def test_workers_come_and_go_and_are_forgotten(database: Database) -> None:
    here, gone, dead = (WorkerInfo(name, "cpu:0", "noop", ["default"]) for name in ("here", "gone", "dead"))
    async with database.write() as tx:
        for worker in (here, gone, dead, here):
            await say_alive(tx, worker)
        await say_goodbye(tx, gone.id)
        await tx.execute(workers_table.update().where(workers_table.c.id == dead.id).values(last_seen=1.0))

        assert await forget_dead(tx) == 1

    assert await rows(database, workers_table) == 1


async def test_a_batch_is_removed_once_its_key_and_its_jobs_are_over(
    database: Database, files: Files, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    now = time.time()
    row = {"account_id": account.id, "input": {"sha256": "", "count": 1}, "cap": 10, "cost": 10}
    async with database.write() as tx:
        await tx.execute(batches.insert(), [{**row, "id": name, "created_at": now} for name in ("empty", "full")])
    job = await jobs.submit(account, Doodle())
    async with database.write() as tx:
        await tx.execute(jobs_table.update().where(jobs_table.c.id == job.id).values(batch_id="full"))

    assert await remove_expired(database, files, now=now + DAY - 60) == 0
    assert await remove_expired(database, files, now=now + DAY + 60) == 1
    async with database.read() as tx:
        assert (await tx.execute(sa.select(batches.c.id))).scalars().all() == ["full"]


async def test_old_refusals_go_and_what_operators_did_receipts_and_appeals_stay(database: Database) -> None:
    now = 200 * DAY
    facts = {"category": "violence"}
    old: list[tuple[str, Kind, dict[str, str]]] = [
        ("refused", "moderation", facts),
        ("appealed", "moderation", facts),
        ("appeal", "appeal", {"of": "appealed", "note": "Gore is a village."}),
        ("odd appeal", "appeal", {"note": "of nothing"}),
        ("receipt", "erase", {"id": "x"}),
        ("change", "operator", {"action": "account.open"}),
    ]
    async with database.write() as tx:
        for name, kind, data in old:
            await tx.execute(audit(1, kind, data, now=now - 90 * DAY - 1, audit_id=name))
        await tx.execute(audit(1, "moderation", facts, now=now - 90 * DAY + 1, audit_id="recent"))
        await note_failure(tx, 1, "redeem", {"problem": "record not found"}, key_id=1, now=now - 91 * DAY)

        assert await forget_refusals(tx, now=now) == 2
        assert await forget_refusals(tx, now=now) == 0

        left = set((await tx.execute(sa.select(audits.c.id))).scalars())
    assert left == {"recent"} | {name for name, _, _ in old} - {"refused"}


async def test_housekeeping_removes_what_a_flood_of_refusals_left(
    database: Database, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "RECORD_PORTIONS", 2)
    flood = [
        {"id": f"{number}", "account_id": 1, "kind": "moderation", "data": {}, "created_at": 1.0}
        for number in range(2 * REMOVED_AT_ONCE + 1)
    ]
    async with database.write() as tx:
        await tx.execute(audits.insert(), flood)
    house = Housekeeping(database, files, RULES)

    await DUTIES["record"][1](house)

    assert await rows(database, audits) == 1
    await DUTIES["record"][1](house)
    assert await rows(database, audits) == 0
