"""Sending, on both databases: what is due is posted and signed, tried again when it must, and never lost."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from standardwebhooks import Webhook

from brushwork.database.session import Database
from brushwork.database.tables import attempts, deliveries, endpoints, notifications
from brushwork.database.tables import jobs as jobs_table
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import advance, start
from brushwork.jobs.progress import Report
from brushwork.jobs.webhooks import line
from brushwork.jobs.webhooks.endpoints import rotate_secret
from brushwork.jobs.webhooks.log import send_test
from brushwork.jobs.webhooks.sample import SAMPLE_ID
from brushwork.jobs.webhooks.schedule import DAY, HOUR, PAUSES
from brushwork.jobs.webhooks.sender import LEASE_SECONDS
from brushwork.jobs.webhooks.sending import Answer, SendRules
from tests.jobs.conftest import Doodle, MakeAccount
from tests.jobs.webhooks.receiver import (
    Clock,
    Receiver,
    add,
    delivery,
    end_job,
    finished_job,
    receiving,
    rows,
    send_due,
    sender_for,
)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_the_end_of_a_job_is_posted_and_signed(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account = await make_account()
    async with database.write() as tx:
        secret = await rotate_secret(tx, account.id, keep_seconds=0, now=time.time())
    job_id = await finished_job(jobs, account, callback=receiver.url("/done"))

    await send_due(sender_for(database))

    (received,) = receiver.received
    assert received.path == "/done"
    assert Webhook(secret).verify(received.body, received.headers)["job_id"] == job_id
    assert received.json["data"]["status"] == received.json["status"] == "completed"
    row = await delivery(database)
    assert (row.id, row.status, row.attempts, row.owner) == (received.id, "delivered", 1, None)
    (attempt,) = await rows(database, attempts)
    assert (attempt.status, attempt.problem) == (200, "")


async def test_a_receiver_that_is_down_for_a_day_loses_nothing(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account, clock = await make_account(), Clock()
    began = clock.now
    sender = sender_for(database, clock)
    receiver.status = "503 Service Unavailable"
    job_ids = {await finished_job(jobs, account, callback=receiver.url(), now=clock.now) for _ in range(5)}

    async def live_until(end: float) -> None:
        while clock.now < end:
            await send_due(sender)
            waiting = [row.next_at for row in await rows(database, deliveries) if row.status == "pending"]
            clock.now = min([*waiting, end])

    await live_until(began + DAY)
    receiver.status = "200 OK"
    refused = list(receiver.received)
    await live_until(began + 4 * DAY)

    taken = receiver.received[len(refused) :]
    assert {one.json["job_id"] for one in taken} == job_ids
    assert {one.id for one in taken} == {one.id for one in refused}
    assert len(taken) == 5  # once each, when the receiver was back
    assert {row.status for row in await rows(database, deliveries)} == {"delivered"}


async def test_the_pauses_are_those_of_the_schedule_and_there_is_an_end(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    clock = Clock()
    await finished_job(jobs, await make_account(), callback=receiver.url(), now=clock.now)
    receiver.status = "500 Oh"
    sender = sender_for(database, clock)

    pauses = []
    while (row := await delivery(database)).status == "pending":
        pauses.append(row.next_at - clock.now)
        clock.now = row.next_at
        await send_due(sender)

    assert len(pauses) == len(PAUSES) == len(await rows(database, attempts)) == len(receiver.received)
    assert all(0.8 * planned <= pause <= 1.2 * planned for pause, planned in zip(pauses, PAUSES, strict=True))
    assert row.status == "failed"
    assert {one.id for one in receiver.received} == {row.id}


async def test_retry_after_is_heeded(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    clock = Clock()
    await finished_job(jobs, await make_account(), callback=receiver.url(), now=clock.now)
    receiver.status, receiver.headers = "429 Slow down", "Retry-After: 7200\r\n"

    await send_due(sender_for(database, clock))

    assert (await delivery(database)).next_at == clock.now + 2 * HOUR


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent", "304 Same", "400 Bad"])
async def test_only_a_2xx_is_a_yes_and_no_redirect_is_followed(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver, status: str
) -> None:
    await finished_job(jobs, await make_account(), callback=receiver.url())
    receiver.status, receiver.headers = status, f"Location: {receiver.url('/elsewhere')}\r\n"

    await send_due(sender_for(database))

    assert [one.path for one in receiver.received] == ["/hook"]
    assert (await delivery(database)).status == "pending"
    (attempt,) = await rows(database, attempts)
    assert attempt.status == int(status[:3])
    assert "thanks" not in attempt.problem  # what it answers is nobody's business


async def test_410_switches_an_endpoint_off_and_tells_the_account(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account, clock = await make_account(), Clock()
    await add(database, account.id, receiver.url(), now=clock.now)
    receiver.status = "410 Gone"
    for _ in range(3):
        await finished_job(jobs, account, now=clock.now)

    await send_due(sender_for(database, clock, slots=1))
    await finished_job(jobs, account, now=clock.now)

    (endpoint,) = await rows(database, endpoints)
    assert endpoint.disabled_at == clock.now
    assert "410" in endpoint.disabled_because
    assert len(receiver.received) == 1
    assert [row.status for row in await rows(database, deliveries)] == ["failed"] * 3
    (notification,) = await rows(database, notifications)
    assert (notification.type, notification.account_id) == ("webhook.disabled", account.id)


async def test_five_failing_days_switch_an_endpoint_off_and_a_success_begins_anew(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account, clock = await make_account(), Clock()
    await add(database, account.id, receiver.url(), now=clock.now)
    sender = sender_for(database, clock)

    async def a_day_with(status: str) -> bool:
        receiver.status = status
        await finished_job(jobs, account, now=clock.now)
        await send_due(sender)
        clock.now += DAY
        return (await rows(database, endpoints))[0].disabled_at is None

    assert all([await a_day_with("500 Oh") for _ in range(4)])
    assert await a_day_with("200 OK")
    assert all([await a_day_with("500 Oh") for _ in range(5)])
    assert not await a_day_with("500 Oh")
    assert len(await rows(database, notifications)) == 1


async def test_another_sender_takes_up_what_a_dead_one_had_under_the_same_id(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    clock = Clock()
    await finished_job(jobs, await make_account(), callback=receiver.url(), now=clock.now)
    async with database.write() as tx:  # a sender claims it, and is killed
        (lost,) = await line.claim(tx, "dead", limit=9, per_host=9, busy=(), lease=LEASE_SECONDS, now=clock.now)
    other = sender_for(database, clock)

    await send_due(other)
    assert receiver.received == []
    clock.now += LEASE_SECONDS + 1
    await send_due(other)

    assert [one.id for one in receiver.received] == [lost.id]


async def test_a_sender_that_lost_its_claim_writes_nothing(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    clock = Clock()
    await finished_job(jobs, await make_account(), callback=receiver.url(), now=clock.now)
    async with database.write() as tx:
        (lost,) = await line.claim(tx, "slow", limit=9, per_host=9, busy=(), lease=LEASE_SECONDS, now=clock.now)
    clock.now += LEASE_SECONDS + 1
    await send_due(sender_for(database, clock))

    async with database.write() as tx:
        assert not await line.settle(tx, lost, "slow", Answer(1.0, 500), now=clock.now)

    assert (await delivery(database)).status == "delivered"
    assert len(await rows(database, attempts)) == 1


async def test_a_slow_receiver_is_told_by_nobody_else_while_its_sender_lives(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    clock, answered = Clock(), asyncio.Event()
    await finished_job(jobs, await make_account(), callback=receiver.url(), now=clock.now)

    async def answer_late(writer: asyncio.StreamWriter) -> None:
        await answered.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    receiver.behave = answer_late
    sender, other = sender_for(database, clock), sender_for(database, clock)
    await sender.look()
    for _ in range(3):
        clock.now += LEASE_SECONDS * 0.6
        await sender.renew()
        await other.look()
        await sender.look()
    assert (len(sender.sending), len(other.sending)) == (1, 0)

    clock.now += LEASE_SECONDS + 1  # it could not renew: the database was away, say
    await sender.look()
    assert len(sender.sending) == 1
    answered.set()
    await asyncio.wait(list(sender.sending))
    await send_due(other)

    assert len(receiver.received) == 1
    row = await delivery(database)
    assert (row.status, row.attempts, row.owner) == ("delivered", 1, None)


async def test_running_senders_renew_their_leases_by_themselves(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    await finished_job(jobs, await make_account(), callback=receiver.url())

    async def answer_late(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(2)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    receiver.behave = answer_late
    stop = asyncio.Event()
    running = [asyncio.create_task(sender_for(database, lease=0.6).run(stop)) for _ in range(2)]
    began = time.monotonic()
    while (await delivery(database)).status == "pending":
        await asyncio.sleep(0.05)
        assert time.monotonic() - began < 10
    stop.set()
    await asyncio.gather(*running)

    assert len(receiver.received) == 1
    assert (await delivery(database)).attempts == 1


def test_a_lease_is_longer_than_an_attempt_even_if_it_is_not_renewed() -> None:
    assert 2 * SendRules().seconds <= LEASE_SECONDS


async def test_many_senders_send_each_delivery_once(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account = await make_account(10_000)
    for _ in range(30):
        await finished_job(jobs, account, callback=receiver.url())
    senders = [sender_for(database, slots=4) for _ in range(3)]

    await asyncio.gather(*(send_due(sender) for sender in senders))
    while any(row.status == "pending" for row in await rows(database, deliveries)):
        await asyncio.gather(*(send_due(sender) for sender in senders))

    assert len(receiver.received) == len({one.id for one in receiver.received}) == 30


async def test_a_slow_host_keeps_only_itself_waiting(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account = await make_account(10_000)

    async def sleep(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)

    async with receiving(behave=sleep) as slow:
        for _ in range(20):
            await finished_job(jobs, account, callback=slow.url())
        for _ in range(5):
            await finished_job(jobs, account, callback=receiver.url(host="localhost"))
        sender = sender_for(database, slots=8, per_host=3)
        began = time.monotonic()
        while len(receiver.received) < 5:
            await sender.look()
            await asyncio.sleep(0.01)
            assert time.monotonic() - began < 3

        assert len(slow.received) == 3
        for task in list(sender.sending):
            task.cancel()


async def test_a_job_that_was_removed_is_not_told_of(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    job_id = await finished_job(jobs, await make_account(), callback=receiver.url())
    async with database.write() as tx:
        await tx.execute(jobs_table.delete().where(jobs_table.c.id == job_id))

    await send_due(sender_for(database))

    assert receiver.received == []
    assert (await delivery(database)).status == "failed"


async def test_a_beginning_looks_like_one_and_is_not_told_again_after_the_end(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account, clock = await make_account(), Clock()
    await add(database, account.id, receiver.url(), events=["job.processing"])
    job = await jobs.submit(account, Doodle())
    async with database.write() as tx:
        (claimed,) = await start(tx, "worker", pools=["default"], limit=1, rules=jobs.rules)
    async with database.write() as tx:
        await advance(
            tx, {claimed: Report("processing", is_new_stage=True, progress=0, is_new_progress=True, previews=())}
        )
    await end_job(jobs, job)
    receiver.status = "500 Oh"

    clock.now = time.time()
    sender = sender_for(database, clock)
    await send_due(sender)
    clock.now += 100
    await send_due(sender)

    assert [one.json["status"] for one in receiver.received] == ["processing"]
    assert (await delivery(database)).status == "failed"


async def test_a_test_event_is_a_completed_job_of_nobody(
    database: Database, make_account: MakeAccount, receiver: Receiver
) -> None:
    endpoint = await add(database, (await make_account()).id, receiver.url(), events=["job.failed"])
    async with database.write() as tx:
        await send_test(tx, endpoint, now=time.time())

    await send_due(sender_for(database))

    (received,) = receiver.received
    assert (received.json["job_id"], received.json["status"]) == (SAMPLE_ID, "completed")
    assert received.headers["x-brushwork-event"] == "test"


async def test_a_running_sender_is_woken_by_the_end_of_a_job(
    database: Database, jobs: Jobs, make_account: MakeAccount, receiver: Receiver
) -> None:
    account, stop = await make_account(10_000), asyncio.Event()
    running = asyncio.create_task(sender_for(database).run(stop))
    await asyncio.sleep(0.3)

    waited = []
    for number in range(10):
        await finished_job(jobs, account, callback=receiver.url())
        began = time.monotonic()
        while len(receiver.received) <= number:
            await asyncio.sleep(0.005)
            assert time.monotonic() - began < 5
        waited.append(time.monotonic() - began)

    stop.set()
    await running
    assert max(waited) < 2
    assert {row.owner for row in await rows(database, deliveries)} == {None}


async def test_the_backlog_counts_what_waits(database: Database, jobs: Jobs, make_account: MakeAccount) -> None:
    account, now = await make_account(), time.time()
    for age in (0, 60):
        await finished_job(jobs, account, callback="https://example.com/", now=now - age)
    async with database.read() as tx:
        found = await line.backlog(tx, now=now)
        later = await line.backlog(tx, now=now - 1)
    async with database.write() as tx:
        await tx.execute(deliveries.update().values(status="delivered"))
        empty = await line.backlog(tx, now=now)

    assert [(seen.pending, seen.due) for seen in (found, later, empty)] == [(2, 2), (2, 1), (0, 0)]
    assert [seen.oldest_seconds for seen in (found, later, empty)] == pytest.approx([60, 59, 0])
