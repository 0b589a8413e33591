"""What a single key may spend and ask for, whatever its account has."""

import asyncio
import time

import pytest
import sqlalchemy as sa

from brushwork.accounts.account import Account
from brushwork.accounts.credits import check_ledger
from brushwork.accounts.keys import create_key
from brushwork.accounts.limits import refuse, take
from brushwork.database.session import Database
from brushwork.database.tables import api_keys, ledger
from brushwork.errors import BudgetExceeded, TooManyRequests
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.rules import JobRules
from tests.jobs.conftest import Doodle, MakeAccount


async def new_key(
    database: Database, account: Account, *, budget: int | None = None, per_minute: int | None = None
) -> int:
    async with database.write() as tx:
        made = await create_key(tx, account.id, name="k", now=time.time(), budget=budget, per_minute=per_minute)
    return made[0]


async def spending(database: Database, key_id: int) -> tuple[int, int]:
    """(spent, frozen)"""
    async with database.read() as tx:
        assert await check_ledger(tx) == []
        row = (await tx.execute(sa.select(api_keys.c.spent, api_keys.c.frozen).where(api_keys.c.id == key_id))).one()
    return row.spent, row.frozen


async def finish_one(database: Database) -> None:
    async with database.write() as tx:
        (job,) = await start(tx, "w", pools=["default"], limit=1, rules=JobRules())
        await end(tx, [Ending(job.id, job.account_id, "done", token=job.token)], rules=JobRules(), now=time.time())


async def test_a_key_spends_up_to_its_budget_and_no_more(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(1000)
    key = await new_key(database, account, budget=25)
    done, cancelled = [await jobs.submit(account, Doodle(), key_id=key) for _ in range(2)]
    assert await spending(database, key) == (0, 20)

    with pytest.raises(BudgetExceeded) as refusal:
        await jobs.submit(account, Doodle(), key_id=key)

    assert refusal.value.detail == {"needed": 10, "available": 5}
    await finish_one(database)
    await jobs.cancel(account.id, cancelled.id)
    assert await spending(database, key) == (10, 0)
    assert (await jobs.get(account.id, done.id)).status == "done"
    assert (await jobs.submit(account, Doodle(), key_id=key)).status == "queued"
    assert (await jobs.submit(account, Doodle(cost=500))).status == "queued"  # without the key


async def test_parallel_requests_cannot_overspend_a_budget(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(10_000)
    key = await new_key(database, account, budget=50)

    answers = await asyncio.gather(
        *(jobs.submit(account, Doodle(), key_id=key) for _ in range(40)), return_exceptions=True
    )

    assert sum(isinstance(answer, Job) for answer in answers) == 5
    assert sum(isinstance(answer, BudgetExceeded) for answer in answers) == 35
    assert await spending(database, key) == (0, 50)


async def test_the_books_know_which_key_asked_and_a_budget_may_come_later(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    key = await new_key(database, account)
    await jobs.submit(account, Doodle(), key_id=key)
    await finish_one(database)

    async with database.read() as tx:
        rows = await tx.execute(sa.select(ledger.c.kind, ledger.c.api_key_id).order_by(ledger.c.id))
        assert [tuple(row) for row in rows] == [("grant", None), ("hold", key), ("capture", key)]
    assert await spending(database, key) == (10, 0)
    async with database.write() as tx:
        await tx.execute(api_keys.update().values(budget=15))
    with pytest.raises(BudgetExceeded):
        await jobs.submit(account, Doodle(), key_id=key)


async def test_a_key_may_use_a_minute_at_once_and_then_one_job_whenever_its_time_has_come(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    key = await new_key(database, account, per_minute=3)
    for _ in range(3):
        await jobs.submit(account, Doodle(), key_id=key)

    with pytest.raises(TooManyRequests) as refusal:
        await jobs.submit(account, Doodle(), key_id=key)

    assert 19 <= refusal.value.retry_after <= 20
    now = time.time()
    async with database.read() as tx:
        await refuse(tx, key, 1, now=now + 20)  # by then one has come
        with pytest.raises(TooManyRequests):
            await refuse(tx, key, 1, now=now + 10)
    async with database.write() as tx:
        await tx.execute(api_keys.update().values(tokens_at=now - 20))
    await jobs.submit(account, Doodle(), key_id=key)
    with pytest.raises(TooManyRequests):
        await jobs.submit(account, Doodle(), key_id=key)


async def test_a_request_that_is_sent_again_uses_up_nothing(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    key = await new_key(database, account, per_minute=1, budget=10)

    answers = [await jobs.submit(account, Doodle(), key_id=key, idempotency_key="once") for _ in range(5)]

    assert len({job.id for job in answers}) == 1
    assert await spending(database, key) == (0, 10)


async def test_a_request_that_waited_does_not_turn_back_the_clock_of_its_key(
    database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(1000)
    key = await new_key(database, account, per_minute=60)
    async with database.write() as tx:
        for moment in (1000.0, *[940.0] * 59):
            await take(tx, key, 1, now=moment)

    async with database.write() as tx:
        with pytest.raises(TooManyRequests):
            await take(tx, key, 1, now=1000.5)
