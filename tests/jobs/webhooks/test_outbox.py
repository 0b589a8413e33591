"""Who is told of what is written with the change itself, on both databases."""

import time
from dataclasses import replace

import pytest
import sqlalchemy as sa

from brushwork.accounts.credits import grant
from brushwork.database.session import Database
from brushwork.database.tables import accounts, deliveries, notifications
from brushwork.errors import InsufficientCredits
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, advance, end, start
from brushwork.jobs.progress import Report
from brushwork.jobs.webhooks.endpoints import change_endpoint
from tests.jobs.conftest import Doodle, MakeAccount
from tests.jobs.webhooks.receiver import add, delivery, end_job, finished_job, rows

CALLBACK = "https://example.com/done"


async def told(database: Database) -> list[tuple[str, str]]:
    return sorted((row.event, row.url) for row in await rows(database, deliveries))


async def test_a_callback_is_told_of_the_end_of_its_job(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    job_id = await finished_job(jobs, await make_account(), callback=CALLBACK)

    row = await delivery(database)
    assert (row.job_id, row.event, row.url, row.host) == (job_id, "job.completed", CALLBACK, "example.com")
    assert (row.status, row.attempts, row.endpoint_id) == ("pending", 0, None)
    assert row.id.startswith("msg_")


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_whatever_ends_a_job_without_a_result_is_a_failure(
    database: Database, jobs: Jobs, make_account: MakeAccount, status: str
) -> None:
    await finished_job(jobs, await make_account(), callback=CALLBACK, status=status)

    assert await told(database) == [("job.failed", CALLBACK)]


async def test_an_end_that_is_rolled_back_is_told_to_nobody(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    job = await jobs.submit(await make_account(), Doodle(callback=CALLBACK))

    async def end_in_vain() -> None:
        async with database.write() as tx:
            assert await end(tx, [Ending(job.id, job.account_id, "done")], rules=jobs.rules, now=time.time())
            raise RuntimeError("the power goes out")

    with pytest.raises(RuntimeError):
        await end_in_vain()

    assert await told(database) == []


async def test_a_job_that_ends_twice_is_told_of_once(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account()
    job = await jobs.submit(account, Doodle(callback=CALLBACK))

    for _ in range(2):
        await end_job(jobs, job)

    assert await told(database) == [("job.completed", CALLBACK)]


async def test_endpoints_hear_what_they_asked_for_of_their_own_account(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    anna, berta = await make_account(), await make_account(name="berta")
    await add(database, anna.id, "https://all.test/")
    await add(database, anna.id, "https://failures.test/", events=["job.failed"])
    switched_off = await add(database, anna.id, "https://off.test/")
    await add(database, berta.id, "https://berta.test/")
    async with database.write() as tx:
        await change_endpoint(tx, anna.id, switched_off.id, enabled=False, now=time.time())

    await finished_job(jobs, anna)

    assert await told(database) == [("job.completed", "https://all.test/")]


async def test_an_address_that_is_callback_and_endpoint_is_told_once(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    await add(database, account.id, CALLBACK)

    await finished_job(jobs, account, callback=CALLBACK)

    assert await told(database) == [("job.completed", CALLBACK)]


async def test_a_beginning_is_told_once_and_only_to_those_who_asked(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account()
    await add(database, account.id, "https://all.test/")
    await add(database, account.id, "https://ends.test/", events=["job.completed", "job.failed"])
    await jobs.submit(account, Doodle(callback=CALLBACK))
    async with database.write() as tx:
        claimed = await start(tx, "worker", pools=["default"], limit=1, rules=jobs.rules)
    begun = Report("processing", is_new_stage=True, progress=0, is_new_progress=True, previews=())

    for report in (begun, replace(begun, progress=50, is_new_stage=False), begun):
        async with database.write() as tx:
            await advance(tx, {claimed[0]: report})

    assert await told(database) == [("job.processing", "https://all.test/")]


async def test_ids_differ_between_receivers_and_jobs(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account()
    await add(database, account.id, "https://all.test/")

    for _ in range(3):
        await finished_job(jobs, account, callback=CALLBACK)

    assert len({row.id for row in await rows(database, deliveries)}) == 6


# ── low balance ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def set_threshold(database: Database, account_id: int, points: int) -> None:
    async with database.write() as tx:
        await tx.execute(sa.update(accounts).where(accounts.c.id == account_id).values(alert_threshold=points))


async def alerts(database: Database) -> int:
    low = [row for row in await rows(database, deliveries) if row.event == "balance.low"]
    written = [row for row in await rows(database, notifications) if row.type == "balance.low"]
    assert len(low) == len(written)
    return len(low)


async def test_a_low_balance_is_told_once_until_it_has_risen_again(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account = await make_account(points=100)
    await add(database, account.id, "https://all.test/", events=["balance.low"])
    await set_threshold(database, account.id, 50)

    counts = []
    for _ in range(7):  # 90, 80, 70, 60, 50, 40, 30 points are left
        await finished_job(jobs, account)
        counts.append(await alerts(database))
    async with database.write() as tx:
        await grant(tx, account.id, 25, now=time.time())  # 55
    for _ in range(2):
        await finished_job(jobs, account)
        counts.append(await alerts(database))

    assert counts == [0, 0, 0, 0, 0, 1, 1, 2, 2]
    first = min(await rows(database, deliveries), key=lambda row: row.created_at)
    assert first.data == {"account_id": account.id, "available": 40, "alert_threshold": 50}


async def test_points_that_come_back_count(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account(points=100)
    await add(database, account.id, "https://all.test/", events=["balance.low"])
    await set_threshold(database, account.id, 50)
    job = await jobs.submit(account, Doodle(cost=80))
    assert await alerts(database) == 1

    await jobs.cancel(account.id, job.id)
    await jobs.submit(account, Doodle(cost=80))

    assert await alerts(database) == 2


async def test_a_hold_that_is_refused_alerts_nobody(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account(points=100)
    await set_threshold(database, account.id, 50)

    with pytest.raises(InsufficientCredits):
        await jobs.submit(account, Doodle(cost=101))

    assert await alerts(database) == 0


async def test_without_a_threshold_nobody_is_told(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    await jobs.submit(await make_account(points=100), Doodle(cost=100))

    assert await alerts(database) == 0
