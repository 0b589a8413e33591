"""Turns: a flood pushes back the one who floods."""

import time
from collections import defaultdict

import pytest

from brushwork.accounts.account import Account
from brushwork.database.session import Database
from brushwork.database.tables import accounts
from brushwork.database.tables import jobs as jobs_table
from brushwork.jobs.fairness import AHEAD
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.positions import COUNTED, place
from brushwork.jobs.queue import ClaimedJob
from brushwork.jobs.rules import JobRules
from tests.jobs.conftest import Doodle, MakeAccount

RULES = JobRules(max_waiting=1_000_000)


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database, RULES)


async def claim(database: Database, *, limit: int = 1) -> list[ClaimedJob]:
    async with database.write() as tx:
        return await start(tx, "w", pools=["default"], limit=limit, rules=RULES)


async def finish(database: Database, claimed: list[ClaimedJob]) -> None:
    async with database.write() as tx:
        endings = [Ending(job.id, job.account_id, "done", token=job.token, output={}) for job in claimed]
        await end(tx, endings, rules=RULES, now=time.time())


async def served(database: Database, count: int) -> list[int]:
    """The accounts of the next jobs, as one worker gets to them one by one."""
    order = []
    for _ in range(count):
        claimed = await claim(database)
        if not claimed:
            break
        order += [job.account_id for job in claimed]
        await finish(database, claimed)
    return order


async def flood(database: Database, account: Account, count: int, *, like: str) -> None:
    """So many more copies of a job, each at its account's next turn: what as many requests would have written."""
    async with database.write() as tx:
        row = (await tx.execute(jobs_table.select().where(jobs_table.c.id == like))).one()._mapping
        first = (await place(tx, account.id, pool="default", priority=row["priority"])).turn
        rows = [
            {**row, "id": f"flood-{number}", "turn": first + number * row["cost"], "seq": row["seq"] + number * 1e-6}
            for number in range(count)
        ]
        await tx.execute(jobs_table.insert(), rows)
        await tx.execute(accounts.update().where(accounts.c.id == account.id).values(inflight=count + 1))


async def test_accounts_take_turns_however_many_jobs_each_has(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    for _ in range(6):
        await jobs.submit(anna, Doodle())
    for _ in range(3):
        await jobs.submit(bert, Doodle())

    order = await served(database, 9)

    assert order[:6].count(bert.id) == 3
    assert order[6:] == [anna.id] * 3


async def test_an_account_with_twice_the_share_gets_twice_as_much(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    async with database.write() as tx:
        await tx.execute(accounts.update().where(accounts.c.id == bert.id).values(share=2))
    for _ in range(12):
        await jobs.submit(anna, Doodle())
        await jobs.submit(bert, Doodle())

    order = await served(database, 12)

    assert order.count(bert.id) == 8


async def test_what_costs_more_takes_more_of_a_turn(jobs: Jobs, database: Database, make_account: MakeAccount) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    for _ in range(8):
        await jobs.submit(anna, Doodle(cost=30))
        await jobs.submit(bert, Doodle(cost=10))

    order = await served(database, 8)

    assert order.count(bert.id) == 6


async def test_nobody_saves_up_turns_by_being_quiet_nor_pays_for_what_was_drawn_when_nobody_waited(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(points=10_000), await make_account(name="bert")
    for _ in range(20):
        await jobs.submit(anna, Doodle())
        await served(database, 1)
    for _ in range(4):
        await jobs.submit(anna, Doodle())
        await jobs.submit(bert, Doodle())

    order = await served(database, 4)

    assert order.count(anna.id) == order.count(bert.id) == 2


async def test_one_who_always_has_a_job_in_line_gets_no_more_than_one_who_floods(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    for _ in range(10):
        await jobs.submit(anna, Doodle())
    count: dict[int, int] = defaultdict(int)

    for _ in range(10):
        await jobs.submit(bert, Doodle())
        claimed = await claim(database)
        count[claimed[0].account_id] += 1
        await finish(database, claimed)

    assert abs(count[anna.id] - count[bert.id]) <= 2


async def test_a_flood_of_drafts_does_not_push_back_its_owners_turbo_jobs(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    for _ in range(20):
        await jobs.submit(anna, Doodle(lane="draft"))
    for _ in range(3):
        await jobs.submit(bert, Doodle(lane="turbo"))
    await jobs.submit(anna, Doodle(lane="turbo"))

    order = await served(database, 4)

    assert anna.id in order[:2]


async def test_cancelled_jobs_cost_no_turn(jobs: Jobs, database: Database, make_account: MakeAccount) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    for job in [await jobs.submit(anna, Doodle()) for _ in range(20)]:
        await jobs.cancel(anna.id, job.id)
    for _ in range(3):
        await jobs.submit(bert, Doodle())
    await jobs.submit(anna, Doodle())

    assert anna.id in (await served(database, 4))[:2]


async def test_held_jobs_join_at_the_turn_their_account_has_then(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(max_inflight=2), await make_account(name="bert")
    for _ in range(8):
        await jobs.submit(anna, Doodle())
    for _ in range(4):
        await jobs.submit(bert, Doodle())

    order = await served(database, 12)

    assert order[:8].count(bert.id) == 4
    assert len(order) == 12


async def test_company_is_claimed_early_but_not_without_limit(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna = await make_account(points=100_000)
    for _ in range(12):
        await jobs.submit(anna, Doodle(cost=int(AHEAD / 4)))

    together = await claim(database, limit=16)

    assert len(together) == 5  # the head, and four that are up to AHEAD behind it


async def test_what_is_said_of_the_line_is_how_it_is_claimed(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(max_inflight=3), await make_account(name="bert")
    ids = [(await jobs.submit(anna, Doodle())).id for _ in range(5)]
    ids += [(await jobs.submit(bert, Doodle(lane=lane))).id for lane in ("fast", "draft", "turbo", "fast")]
    said = [(await jobs.get(anna.id if number < 5 else bert.id, job)).queue_position for number, job in enumerate(ids)]
    listed = {job.id: job.queue_position for owner in (anna, bert) for job in (await jobs.list(owner.id)).jobs} | {
        job.id: job.queue_position for owner in (anna, bert) for job in await jobs.active(owner.id)
    }

    claimed = []
    while batch := await claim(database):
        claimed += [job.id for job in batch]  # nothing ends, so nothing is let in

    in_line = [job for job in ids if job in claimed]
    assert [said[ids.index(job)] for job in in_line] == [claimed.index(job) for job in in_line]
    assert [listed[job] for job in ids] == said
    assert said[3] is not None
    assert said[4] == said[3] + 1  # held: after the account's own


@pytest.mark.parametrize("company", [1, 8])
async def test_a_flood_of_ten_thousand_jobs_at_most_doubles_what_others_wait(
    jobs: Jobs, database: Database, make_account: MakeAccount, company: int
) -> None:
    """One worker; time is counted in claims. Bert asks for four jobs at once, now and then."""
    anna, bert = await make_account(points=10_000_000), await make_account(points=100_000, name="bert")

    alone = await waits(jobs, database, bert, company=company)
    first = await jobs.submit(anna, Doodle(shape="flood"))
    await flood(database, anna, 10_000, like=first.id)
    flooded = await waits(jobs, database, bert, company=company)

    assert p95(flooded) <= 2 * p95(alone)


async def waits(jobs: Jobs, database: Database, bert: Account, *, company: int, rounds: int = 60) -> list[int]:
    """How many claims each of Bert's jobs took, from the moment it was asked for to the end of its own."""
    asked: dict[str, int] = {}
    waited: list[int] = []
    for now in range(rounds):
        claimed = await claim(database, limit=company)
        waited += [now + 1 - asked.pop(job.id) for job in claimed if job.id in asked]
        for _ in range(4 if now % 12 == 0 else 0):  # while others are drawn
            asked[(await jobs.submit(bert, Doodle(shape=bert.name))).id] = now
        await finish(database, claimed)
    assert not asked
    return waited


def p95(values: list[int]) -> float:
    return sorted(values)[int(len(values) * 0.95)]


async def test_the_account_that_floods_is_told_where_it_stands_as_far_as_that_is_counted(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna = await make_account(points=10_000_000)
    first = await jobs.submit(anna, Doodle())
    await flood(database, anna, 3_000, like=first.id)

    async with database.read() as tx:
        there = await place(tx, anna.id, pool="default", priority=20)

    assert there.turn == 10 * 3_001
    assert there.ahead == COUNTED
