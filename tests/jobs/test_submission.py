"""Accepting jobs: all of it or nothing."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from brushwork.accounts.credits import check_ledger
from brushwork.accounts.directory import account_by_id
from brushwork.database.session import Database
from brushwork.database.tables import events, ledger
from brushwork.database.tables import jobs as jobs_table
from brushwork.errors import Conflict, InsufficientCredits, PlanRequired, TooManyRequests
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.reaper import reap
from brushwork.jobs.rules import JobRules
from tests.jobs.conftest import Doodle, MakeAccount


async def count(database: Database, table: sa.Table, *conditions: Any) -> int:
    async with database.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(table).where(*conditions))).scalar_one())


async def test_a_job_is_accepted_with_its_credits_held(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(1000)

    job = await jobs.submit(account, Doodle(cost=80, fixed_seed=7, callback="https://example.com/done"))

    assert (job.client_status, job.seed, job.cost, job.usage_type) == ("pending", 7, 80, "point")
    assert job.callback == "https://example.com/done"
    assert job.input["cost"] == 80
    async with database.read() as tx:
        after = await account_by_id(tx, account.id)
        assert (after.balance, after.frozen, after.inflight) == (1000, 80, 1)
        assert await check_ledger(tx) == []
    found = await jobs.get(account.id, job.id)
    assert found.queue_position == 0
    assert [event async for event in first_events(jobs, account.id, job.id)] == [{"status": "pending"}]


async def first_events(jobs: Jobs, account_id: int, job_id: str) -> Any:
    async for event in jobs.events(account_id, job_id):
        yield event.data
        return


async def test_a_job_without_a_seed_is_given_one_for_good(jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account()

    submitted = await jobs.submit(account, Doodle())

    assert 0 <= submitted.seed < 2**32
    assert (await jobs.get(account.id, submitted.id)).seed == submitted.seed


async def test_what_cannot_be_paid_leaves_nothing_behind(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(79)

    with pytest.raises(InsufficientCredits) as refusal:
        await jobs.submit(account, Doodle(cost=80))

    assert refusal.value.detail == {"needed": 80, "available": 79}
    assert await count(database, jobs_table) == await count(database, events) == 0
    assert await count(database, ledger, ledger.c.kind != "grant") == 0
    async with database.read() as tx:
        assert await account_by_id(tx, account.id) == account


async def test_a_failure_after_the_hold_leaves_nothing_behind(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(1000)
    refused = "CREATE TRIGGER no_events BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    if not database.is_sqlite:
        refused = "ALTER TABLE events ADD CONSTRAINT no_events CHECK (kind <> 'status')"
    async with database.write() as tx:
        await tx.execute(sa.text(refused))

    with pytest.raises(sa.exc.DBAPIError):
        await jobs.submit(account, Doodle())

    assert await count(database, jobs_table) == await count(database, events) == 0
    async with database.read() as tx:
        assert await account_by_id(tx, account.id) == account
        assert await check_ledger(tx) == []


async def test_a_thousand_parallel_submits_on_a_balance_for_ten_accept_exactly_ten(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(10 * 80)

    answers = await asyncio.gather(
        *(jobs.submit(account, Doodle(cost=80)) for _ in range(1000)), return_exceptions=True
    )

    accepted = [answer for answer in answers if isinstance(answer, Job)]
    assert len(accepted) == 10
    assert all(isinstance(answer, Job | InsufficientCredits) for answer in answers)
    assert await count(database, jobs_table) == 10
    async with database.read() as tx:
        assert (await account_by_id(tx, account.id)).available == 0
        assert await check_ledger(tx) == []


async def test_a_pro_task_is_refused_to_a_free_account(jobs: Jobs, make_account: MakeAccount) -> None:
    free, pro = await make_account(), await make_account(name="petra", plan="pro")

    with pytest.raises(PlanRequired):
        await jobs.submit(free, Doodle(least_plan="pro"))
    assert (await jobs.submit(pro, Doodle(least_plan="pro"))).status == "queued"


async def test_the_same_idempotency_key_a_hundred_times_is_one_job_and_one_hold(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()

    answers = await asyncio.gather(
        *(jobs.submit(account, Doodle(fixed_seed=1), idempotency_key="once") for _ in range(100))
    )

    assert len({job.id for job in answers}) == 1
    assert await count(database, jobs_table) == 1
    assert await count(database, ledger, ledger.c.kind == "hold") == 1
    with pytest.raises(Conflict):
        await jobs.submit(account, Doodle(cost=11), idempotency_key="once")


async def test_an_idempotency_key_belongs_to_its_account(jobs: Jobs, make_account: MakeAccount) -> None:
    anna, bert = await make_account(), await make_account(name="bert")

    first = await jobs.submit(anna, Doodle(), idempotency_key="once")
    second = await jobs.submit(bert, Doodle(), idempotency_key="once")

    assert first.id != second.id


async def test_jobs_beyond_the_accounts_limit_are_held_and_beyond_the_servers_refused(
    database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(max_inflight=2)
    jobs = Jobs(database, JobRules(max_waiting=4))

    accepted = [await jobs.submit(account, Doodle()) for _ in range(4)]

    assert [job.status for job in accepted] == ["queued", "queued", "held", "held"]
    assert {job.client_status for job in accepted} == {"pending"}
    with pytest.raises(TooManyRequests) as refusal:
        await jobs.submit(account, Doodle())
    assert refusal.value.retry_after > 0
    positions = [(await jobs.get(account.id, job.id)).queue_position for job in accepted]
    assert positions == [0, 1, 2, 3]


async def test_a_repeated_request_is_answered_as_the_first_one_was_whatever_became_of_the_job(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    first = await jobs.submit(account, Doodle(), idempotency_key="once")
    await jobs.cancel(account.id, first.id)

    assert await jobs.submit(account, Doodle(), idempotency_key="once") == first


async def test_an_idempotency_key_is_free_again_after_a_day(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    first = await jobs.submit(account, Doodle(), idempotency_key="once")
    async with database.write() as tx:
        await tx.execute(jobs_table.update().values(created_at=jobs_table.c.created_at - 86_401))

    second = await jobs.submit(account, Doodle(cost=11), idempotency_key="once")

    assert second.id != first.id
    assert (await jobs.submit(account, Doodle(cost=11), idempotency_key="once")).id == second.id
    assert await count(database, jobs_table) == 2


async def test_a_job_may_have_a_deadline_of_its_own_but_no_later_one(jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account()

    sooner = await jobs.submit(account, Doodle(), deadline_seconds=0.01)
    later = await jobs.submit(account, Doodle(), deadline_seconds=1e9)
    await asyncio.sleep(0.05)
    await reap(jobs.database, jobs.rules)

    ended = await jobs.get(account.id, sooner.id)
    assert ended.error is not None
    assert ended.error["code"] == 504
    async with jobs.database.read() as tx:
        assert (await account_by_id(tx, account.id)).frozen == 10
        times = (await tx.execute(jobs_table.select().where(jobs_table.c.id == later.id))).one()
    assert times.deadline_at - times.created_at == pytest.approx(jobs.rules.deadline_seconds)
