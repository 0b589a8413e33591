"""Claiming, keeping and giving back."""

import asyncio
import time
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from brushwork.accounts.credits import check_ledger
from brushwork.accounts.directory import account_by_id
from brushwork.database.session import Database
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.tables import ledger
from brushwork.jobs import queue
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.queue import ClaimedJob
from brushwork.jobs.reaper import reap, take_back
from brushwork.jobs.rules import JobRules
from tests.jobs.conftest import Doodle, MakeAccount

RULES = JobRules()


async def claim(database: Database, *, worker: str = "w", limit: int = 1, rules: JobRules = RULES) -> list[ClaimedJob]:
    async with database.write() as tx:
        return await start(tx, worker, pools=["default"], limit=limit, rules=rules)


async def finish(database: Database, claimed: Sequence[ClaimedJob]) -> set[str]:
    endings = [Ending(job.id, job.account_id, "done", token=job.token, output={}) for job in claimed]
    async with database.write() as tx:
        return await end(tx, endings, rules=RULES, now=time.time())


async def let_leases_run_out(database: Database) -> None:
    async with database.write() as tx:
        await tx.execute(jobs_table.update().values(lease_until=1.0))


async def captures(database: Database) -> list[str]:
    async with database.read() as tx:
        assert await check_ledger(tx) == []
        query = sa.select(ledger.c.job_id).where(ledger.c.kind == "capture")
        return sorted((await tx.execute(query)).scalars())


async def test_turbo_comes_before_fast_and_fast_before_draft_each_in_order(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    wanted = {
        lane: [(await jobs.submit(account, Doodle(lane=lane, fixed_seed=number))).id for number in range(2)]
        for lane in ("draft", "fast", "turbo")
    }

    order = [(await claim(database))[0].id for _ in range(6)]

    assert order == wanted["turbo"] + wanted["fast"] + wanted["draft"]
    assert await claim(database) == []


async def test_a_batch_is_of_one_shape_and_in_order(jobs: Jobs, database: Database, make_account: MakeAccount) -> None:
    account = await make_account()
    ids = [(await jobs.submit(account, Doodle(shape=shape))).id for shape in ("a", "b", "a", "a", "a")]

    first, second, third = [[job.id for job in await claim(database, limit=3)] for _ in range(3)]

    assert first == [ids[0], ids[2], ids[3]]
    assert second == [ids[1]]
    assert third == [ids[4]]


async def test_a_job_that_lost_a_worker_is_tried_alone(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    first = await jobs.submit(account, Doodle())
    await claim(database)
    others = [(await jobs.submit(account, Doodle())).id for _ in range(3)]
    await let_leases_run_out(database)
    await reap(database, RULES)

    assert [job.id for job in await claim(database, limit=8)] == [first.id]
    assert [job.id for job in await claim(database, limit=8)] == others


async def test_two_workers_never_get_the_same_job(jobs: Jobs, database: Database, make_account: MakeAccount) -> None:
    account = await make_account()
    ids = {(await jobs.submit(account, Doodle())).id for _ in range(40)}

    batches = await asyncio.gather(*(claim(database, worker=f"w{n}", limit=5) for n in range(12)))

    claimed = [job.id for batch in batches for job in batch]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) <= ids
    rest = await claim(database, limit=40)
    assert set(claimed) | {job.id for job in rest} == ids


async def test_a_heartbeat_renews_what_is_ours_and_names_nothing_else(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    for _ in range(2):
        await jobs.submit(account, Doodle())
    (kept,), (lost,) = await claim(database), await claim(database)
    await let_leases_run_out(database)

    async with database.write() as tx:
        mine = await queue.heartbeat(tx, {kept.id: kept.token, lost.id: "stale"}, lease=30)
    await reap(database, RULES)

    assert mine == {kept.id}
    async with database.read() as tx:
        held = {kept.id: kept.token, lost.id: lost.token}
        assert await queue.still_ours(tx, held) == {kept.id}


async def test_a_zombie_with_a_stale_token_changes_nothing(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    job = await jobs.submit(account, Doodle())
    zombie = await claim(database, worker="zombie")
    await let_leases_run_out(database)
    assert await reap(database, RULES) == 1
    successor = await claim(database, worker="successor")

    assert await finish(database, zombie) == set()
    assert (await jobs.get(account.id, job.id)).client_status == "staged"
    assert await finish(database, successor) == {job.id}
    assert await finish(database, zombie) == set()
    assert await finish(database, successor) == set()
    assert await captures(database) == [job.id]
    assert (await jobs.get(account.id, job.id)).attempts == 2


async def test_a_job_that_kills_every_worker_ends_failed_and_unpaid(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(100)
    job = await jobs.submit(account, Doodle())

    for _ in range(RULES.max_attempts):
        assert (await jobs.get(account.id, job.id)).client_status == "pending"
        assert [claimed.id for claimed in await claim(database)] == [job.id]
        await let_leases_run_out(database)
        await reap(database, RULES)

    after = await jobs.get(account.id, job.id)
    assert (after.status, after.attempts) == ("failed", 3)
    assert after.error is not None
    assert (after.error["code"], after.error["detail"]["code"]) == (500, "engine_failed")
    assert await claim(database) == []
    assert await captures(database) == []
    async with database.read() as tx:
        paid = await account_by_id(tx, account.id)
    assert (paid.balance, paid.frozen, paid.inflight) == (100, 0, 0)


async def test_a_dead_workers_jobs_are_taken_back_at_once_and_only_its(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    for _ in range(2):
        await jobs.submit(account, Doodle())
    (dead,), (alive,) = await claim(database, worker="dead"), await claim(database, worker="alive")

    assert await take_back(database, RULES, "dead") == 1
    assert await take_back(database, RULES, "dead") == 0

    assert (await jobs.get(account.id, dead.id)).status == "queued"
    assert (await jobs.get(account.id, alive.id)).status == "running"


async def test_giving_back_costs_an_attempt_only_when_the_job_may_be_to_blame(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    job = await jobs.submit(account, Doodle())
    for is_attempt, attempts in ((False, 0), (True, 1)):
        (claimed,) = await claim(database)

        async with database.write() as tx:
            (given,) = await queue.give_back(tx, {claimed.id: claimed.token}, is_attempt=is_attempt)

        assert (given.id, given.attempts) == (job.id, attempts)


async def test_batches_that_finish_over_the_same_accounts_in_opposite_order_do_not_deadlock(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    accounts = [await make_account(10_000, name=name, max_inflight=6) for name in ("anna", "bert", "carl")]
    for number in range(60):
        await jobs.submit(accounts[number % 3], Doodle())
        await jobs.submit(accounts[2 - number % 3], Doodle())

    async def work(worker: str, *, is_reversed: bool) -> None:
        while batch := await claim(database, worker=worker, limit=4):
            assert len(await finish(database, batch[::-1] if is_reversed else batch)) == len(batch)

    workers = [work(f"w{number}", is_reversed=bool(number % 2)) for number in range(4)]
    await asyncio.wait_for(asyncio.gather(*workers), 60)

    while batch := await claim(database, limit=8):  # what was promoted while the last worker went home
        await finish(database, batch)
    assert len(await captures(database)) == 120


@pytest.mark.parametrize("limit", [1, 3])
async def test_an_account_never_has_more_in_the_queue_than_its_limit_and_never_starves(
    jobs: Jobs, database: Database, make_account: MakeAccount, limit: int
) -> None:
    account = await make_account(max_inflight=limit)
    seen: list[tuple[int, int]] = []
    done = asyncio.Event()

    async def watch() -> None:
        counted = sa.func.sum(sa.case((jobs_table.c.status.in_(["queued", "running"]), 1), else_=0))
        while not done.is_set():
            async with database.read() as tx:  # one statement, so one moment
                row = (await tx.execute(sa.select(counted, sa.select(account_inflight).scalar_subquery()))).one()
            seen.append((row[0] or 0, row[1]))
            await asyncio.sleep(0)

    account_inflight = sa.text(f"inflight FROM accounts WHERE id = {account.id}")
    watching = asyncio.create_task(watch())
    submitted = [await jobs.submit(account, Doodle()) for _ in range(12)]
    await jobs.cancel(account.id, submitted[0].id)
    await jobs.cancel(account.id, submitted[11].id)
    finished = []
    while batch := await claim(database, limit=2):
        finished += list(await finish(database, batch))
    done.set()
    await watching

    assert sorted(finished) == sorted(job.id for job in submitted[1:11])
    assert max(count for count, _ in seen) == limit
    assert all(count == inflight for count, inflight in seen)


async def test_a_flood_that_was_held_back_does_not_overtake_those_who_came_meanwhile(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    flooder, other = await make_account(max_inflight=1, name="flooder"), await make_account(name="other")
    flood = [await jobs.submit(flooder, Doodle()) for _ in range(3)]
    wanted = await jobs.submit(other, Doodle())

    order = []
    while batch := await claim(database):
        await finish(database, batch)
        order.append(batch[0].id)

    assert order == [flood[0].id, wanted.id, flood[1].id, flood[2].id]
