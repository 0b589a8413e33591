"""Where a job stands: the same in the answer to a request, its quote, and whenever it is looked at."""

import time

from brushwork.accounts.account import Account
from brushwork.database.session import Database
from brushwork.database.tables import accounts
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.queue import ClaimedJob
from brushwork.jobs.rules import JobRules
from tests.jobs.conftest import Doodle, MakeAccount

RULES = JobRules()


async def claim(database: Database) -> list[ClaimedJob]:
    async with database.write() as tx:
        return await start(tx, "w", pools=["default"], limit=1, rules=RULES)


async def finish(database: Database, claimed: list[ClaimedJob]) -> None:
    async with database.write() as tx:
        endings = [Ending(job.id, job.account_id, "done", token=job.token, output={}) for job in claimed]
        await end(tx, endings, rules=RULES, now=time.time())


async def served(database: Database) -> list[str]:
    """The jobs in the order in which one worker gets to them, one by one."""
    order: list[str] = []
    while claimed := await claim(database):
        order += [job.id for job in claimed]
        await finish(database, claimed)
    return order


async def asked(jobs: Jobs, account: Account, task: Doodle) -> str:
    """Ask for a job; its quote, its answer and what is seen of it say the same of its place."""
    quoted = await jobs.quote(account, task)
    answer = await jobs.submit(account, task)
    seen = await positions(jobs, account)

    assert quoted.is_held == (answer.status == "held")
    assert (quoted.queue_position, seen[answer.id]) == (answer.queue_position, answer.queue_position)
    return answer.id


async def positions(jobs: Jobs, account: Account) -> dict[str, int | None]:
    """Of the account's waiting jobs: all ways of looking at them say the same."""
    waiting = [job for job in await jobs.active(account.id) if job.status in ("held", "queued")]
    at_once = {job.id: job.queue_position for job in waiting}
    paged = {job.id: job.queue_position for job in (await jobs.list(account.id)).jobs if job.id in at_once}
    alone = {job_id: (await jobs.get(account.id, job_id)).queue_position for job_id in at_once}
    assert at_once == paged == alone
    return at_once


async def test_a_held_turbo_job_waits_for_one_of_its_own_accounts_to_end(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna = await make_account(max_inflight=6)
    ids = [await asked(jobs, anna, Doodle()) for _ in range(8)]
    turbo = await asked(jobs, anna, Doodle(lane="turbo"))

    said = await positions(jobs, anna)

    # The first of the six ends and lets it in; it goes before the other five, and so before the two that were held.
    assert said == dict(zip(ids, (0, 1, 2, 3, 4, 5, 7, 8), strict=True)) | {turbo: 1}
    order = await served(database)
    assert said[turbo] == order.index(turbo)
    assert [said[job] for job in ids[6:]] == [order.index(job) for job in ids[6:]]


async def test_a_held_job_waits_until_its_account_comes_to_its_turn_though_its_lane_is_empty(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(max_inflight=2), await make_account(name="bert")
    for _ in range(3):
        await asked(jobs, bert, Doodle())
    mine = [await asked(jobs, anna, Doodle(lane="draft")) for _ in range(2)]
    held = [await asked(jobs, anna, Doodle(lane=lane)) for lane in ("turbo", "fast", "turbo")]

    said = await positions(jobs, anna)

    order = await served(database)
    assert [said[job] for job in [mine[0], *held]] == [3, 4, 6, 5]
    assert [order.index(job) for job in [mine[0], *held]] == [3, 4, 6, 5]


async def test_a_held_job_waits_for_no_turn_of_its_account_while_one_of_its_jobs_runs(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna, bert = await make_account(max_inflight=2), await make_account(name="bert")
    for _ in range(2):
        await jobs.submit(anna, Doodle())
    await claim(database)
    await jobs.submit(bert, Doodle(lane="turbo"))

    held = await asked(jobs, anna, Doodle(lane="turbo"))

    assert (await positions(jobs, anna))[held] == 1


async def test_an_account_whose_limit_was_lowered_waits_until_it_is_below_it(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    anna = await make_account()
    for _ in range(5):
        await jobs.submit(anna, Doodle())
    async with database.write() as tx:
        await tx.execute(accounts.update().where(accounts.c.id == anna.id).values(max_inflight=2))

    held = await asked(jobs, anna, Doodle(lane="turbo"))

    assert (await jobs.get(anna.id, held)).queue_position == 4
    assert (await served(database)).index(held) == 4


async def test_a_page_of_some_held_jobs_counts_those_that_it_leaves_out(jobs: Jobs, make_account: MakeAccount) -> None:
    anna = await make_account(max_inflight=1)
    ids = [await asked(jobs, anna, Doodle(lane=lane)) for lane in ("fast", "fast", "draft", "fast", "draft")]

    one_by_one: list[int | None] = []
    cursor = None
    for _ in ids:
        page = await jobs.list(anna.id, limit=1, cursor=cursor)
        one_by_one.append(page.jobs[0].queue_position)
        cursor = page.next_cursor

    assert one_by_one[::-1] == [0, 1, 3, 2, 4]
