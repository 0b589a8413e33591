"""Looking at deliveries, and sending them again, on both databases."""

import time

import pytest

from brushwork.database.session import Database
from brushwork.database.tables import attempts, deliveries, endpoints
from brushwork.errors import Conflict, InvalidField, NotFound
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.webhooks import log
from brushwork.jobs.webhooks.endpoints import remove_endpoint
from brushwork.jobs.webhooks.schedule import DAY
from tests.jobs.conftest import MakeAccount
from tests.jobs.webhooks.receiver import Clock, add, delivery, finished_job, receiving, rows, send_due, sender_for

CALLBACK = "https://example.com/done"


async def test_pages_follow_each_other_newest_first(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account, now = await make_account(), time.time()
    made = [await finished_job(jobs, account, callback=CALLBACK, now=now + number) for number in range(5)]

    found, cursor = [], None
    async with database.read() as tx:
        while True:
            page = await log.page(tx, account.id, cursor=cursor, limit=2)
            found += [one.job_id for one in page.deliveries]
            cursor = page.next_cursor
            if cursor is None:
                break

    assert found == made[::-1]


async def test_filters_narrow_a_page(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account()
    endpoint = await add(database, account.id, "https://all.test/")
    job_id = await finished_job(jobs, account, callback=CALLBACK)
    await finished_job(jobs, account, status="failed")

    async with database.read() as tx:
        counts = [
            len((await log.page(tx, account.id, **wanted)).deliveries)
            for wanted in (
                {},
                {"event": "job.failed"},
                {"endpoint_id": endpoint.id},
                {"job_id": job_id},
                {"status": "failed"},
            )
        ]

    assert counts == [3, 1, 2, 2, 0]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "W10", "WzEsIDJd", "é", "WyJhIiwgImIiXQ"])
async def test_a_cursor_of_somebody_elses_making_is_refused(database: Database, cursor: str) -> None:
    async with database.read() as tx:
        with pytest.raises(InvalidField):
            await log.page(tx, 1, cursor=cursor)


async def test_one_delivery_is_sent_again_under_its_id(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account, sender = await make_account(), sender_for(database)
    async with receiving() as receiver:
        await finished_job(jobs, account, callback=receiver.url())
        await send_due(sender)

        async with database.write() as tx:
            await log.replay(tx, account.id, (await delivery(database)).id, now=time.time())
        await send_due(sender)

    assert len({one.id for one in receiver.received}) == 1
    assert len(receiver.received) == len(await rows(database, attempts)) == 2


async def test_everything_that_failed_since_a_moment_is_sent_again(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account, other, clock = await make_account(), await make_account(name="berta"), Clock()
    async with receiving(status="500 Oh") as receiver:
        sender = sender_for(database, clock)
        for age in (10 * DAY, 3600, 60):
            await finished_job(jobs, account, callback=receiver.url(), now=clock.now - age)
        await finished_job(jobs, other, callback=receiver.url(), now=clock.now)
        async with database.write() as tx:
            await tx.execute(deliveries.update().values(status="failed", ended_at=clock.now))
        receiver.status = "200 OK"

        async with database.write() as tx:
            count = await log.replay_failed(tx, account.id, since=clock.now - DAY, now=clock.now)
        await send_due(sender)

    assert count == len(receiver.received) == 2


async def test_a_removed_endpoint_gets_nothing_again(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account, now = await make_account(), time.time()
    endpoint = await add(database, account.id, "https://all.test/")
    await finished_job(jobs, account)
    async with database.write() as tx:
        await remove_endpoint(tx, account.id, endpoint.id, now=now)
    failed = await delivery(database)
    assert failed.status == "failed"

    async with database.write() as tx:
        assert await log.replay_failed(tx, account.id, since=0, now=now) == 0
        with pytest.raises(Conflict):
            await log.replay(tx, account.id, failed.id, now=now)


async def test_another_accounts_delivery_is_unknown(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account, other = await make_account(), await make_account(name="berta")
    await finished_job(jobs, account, callback=CALLBACK)
    delivery_id = (await delivery(database)).id

    async with database.write() as tx:
        messages = set()
        for asked in (delivery_id, "msg_" + "0" * 24):
            with pytest.raises(NotFound) as refused:
                await log.replay(tx, other.id, asked, now=time.time())
            messages.add(refused.value.message)

    assert len(messages) == 1


async def test_what_ended_thirty_days_ago_is_forgotten_with_its_attempts(
    database: Database, jobs: Jobs, make_account: MakeAccount
) -> None:
    account, clock = await make_account(), Clock()
    async with receiving() as receiver:
        await finished_job(jobs, account, callback=receiver.url(), now=clock.now)
        await send_due(sender_for(database, clock))
    await finished_job(jobs, account, callback=CALLBACK, now=clock.now)  # still waits

    removed = []
    for age in (29, 31):
        async with database.write() as tx:
            removed.append(await log.forget_old(tx, now=clock.now + age * DAY))

    assert removed == [0, 1]
    assert [row.url for row in await rows(database, deliveries)] == [CALLBACK]
    assert await rows(database, attempts) == []


async def test_listeners_that_do_not_come_back_are_forgotten(database: Database, make_account: MakeAccount) -> None:
    account, now = await make_account(), time.time()
    await add(database, account.id, "listening:here", now=now)
    await add(database, account.id, "listening:lost", now=now - 601)
    await add(database, account.id, "https://all.test/", now=now - 601)

    async with database.write() as tx:
        await log.forget_lost(tx, now=now)

    assert {row.url for row in await rows(database, endpoints)} == {"listening:here", "https://all.test/"}
