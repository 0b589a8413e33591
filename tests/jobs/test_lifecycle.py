"""How jobs end: done, cancelled, too late."""

import asyncio
import time
from functools import partial

import pytest
from obstore.store import MemoryStore

from brushwork.accounts.account import Account
from brushwork.accounts.credits import check_ledger
from brushwork.accounts.directory import account_by_id
from brushwork.database.session import Database
from brushwork.database.tables import accounts
from brushwork.errors import InvalidField, JobNotFound
from brushwork.files.links import Links
from brushwork.files.store import Files
from brushwork.jobs.erasure import Asked, erase_job
from brushwork.jobs.events import Event
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import admit_held
from brushwork.jobs.reaper import reap
from brushwork.jobs.receipts import Receipt
from brushwork.jobs.rules import JobRules
from tests.jobs.conftest import Doodle, MakeAccount
from tests.jobs.test_queue import RULES, claim, finish


async def money(database: Database, account: Account) -> tuple[int, int, int]:
    """(balance, frozen, inflight), once the books have been checked."""
    async with database.read() as tx:
        assert await check_ledger(tx) == []
        after = await account_by_id(tx, account.id)
    return after.balance, after.frozen, after.inflight


def ended_as_cancelled(job: Job) -> bool:
    assert job.error is not None
    return (job.status, job.client_status, job.error["code"]) == ("cancelled", "failed", 499)


async def test_a_finished_job_is_paid_and_can_be_followed_up_for_a_while(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(100)
    job = await jobs.submit(account, Doodle(cost=30))

    await finish(database, await claim(database))

    after = await jobs.get(account.id, job.id)
    assert (after.client_status, after.progress, after.error) == ("completed", 100, None)
    assert after.ended_at is not None
    assert after.followup_until == after.ended_at + RULES.followup_seconds
    assert after.expires_at == after.ended_at + RULES.result_seconds
    assert await money(database, account) == (70, 0, 0)


async def test_cancelling_a_queued_job_returns_the_held_credits(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(100)
    job = await jobs.submit(account, Doodle(cost=30))

    cancelled = await jobs.cancel(account.id, job.id)

    assert ended_as_cancelled(cancelled)
    assert await claim(database) == []
    assert await money(database, account) == (100, 0, 0)
    assert await jobs.cancel(account.id, job.id) == cancelled


async def test_cancelling_a_running_job_ends_it_at_once_and_its_worker_too_late(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(100)
    job = await jobs.submit(account, Doodle())
    neighbour = await jobs.submit(account, Doodle())
    claimed = await claim(database, limit=2)

    cancelled = await jobs.cancel(account.id, job.id)

    assert ended_as_cancelled(cancelled)
    assert await finish(database, claimed) == {neighbour.id}
    assert ended_as_cancelled(await jobs.get(account.id, job.id))
    assert (await jobs.get(account.id, neighbour.id)).client_status == "completed"
    assert await money(database, account) == (90, 0, 0)


async def test_a_finished_job_cannot_be_cancelled_any_more(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(100)
    job = await jobs.submit(account, Doodle())
    await finish(database, await claim(database))

    assert (await jobs.cancel(account.id, job.id)).client_status == "completed"
    assert await money(database, account) == (90, 0, 0)


async def test_a_cancel_and_a_completion_that_race_settle_the_job_once(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(10_000)
    for _ in range(20):
        job = await jobs.submit(account, Doodle())
        claimed = await claim(database)

        finished, cancelled = await asyncio.gather(finish(database, claimed), jobs.cancel(account.id, job.id))

        assert (finished == {job.id}) == (cancelled.status == "done")
    await money(database, account)


async def test_cancelling_a_held_job_frees_no_place(jobs: Jobs, database: Database, make_account: MakeAccount) -> None:
    account = await make_account(100, max_inflight=1)
    await jobs.submit(account, Doodle())
    held, last = await jobs.submit(account, Doodle()), await jobs.submit(account, Doodle())

    await jobs.cancel(account.id, held.id)

    assert (await jobs.get(account.id, last.id)).status == "held"
    assert await money(database, account) == (100, 20, 1)


async def test_cancelling_a_queued_job_lets_the_next_one_in(jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account(100, max_inflight=1)
    first, second = await jobs.submit(account, Doodle()), await jobs.submit(account, Doodle())

    await jobs.cancel(account.id, first.id)

    assert (await jobs.get(account.id, second.id)).status == "queued"


async def test_held_jobs_are_let_in_when_the_limit_is_raised(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(100, max_inflight=1)
    submitted = [await jobs.submit(account, Doodle()) for _ in range(4)]
    async with database.write() as tx:
        await tx.execute(accounts.update().values(max_inflight=3))
        await admit_held(tx, now=1.0)

    statuses = [(await jobs.get(account.id, job.id)).status for job in submitted]

    assert statuses == ["queued", "queued", "queued", "held"]


@pytest.mark.parametrize("state", ["held", "queued", "running"])
async def test_a_job_past_its_deadline_fails_unpaid_wherever_it_is(
    database: Database, make_account: MakeAccount, state: str
) -> None:
    account = await make_account(100, max_inflight=1)
    jobs = Jobs(database, JobRules(deadline_seconds=0.05))
    job = await jobs.submit(account, Doodle())
    claimed = await claim(database) if state == "running" else []
    if state == "held":
        job = await jobs.submit(account, Doodle())
    await asyncio.sleep(0.1)

    assert await claim(database) == []
    assert await reap(database, jobs.rules) >= 1

    after = await jobs.get(account.id, job.id)
    assert after.error is not None
    assert (after.status, after.error["code"]) == ("failed", 504)
    assert await finish(database, claimed) == set()
    assert await money(database, account) == (100, 0, 0)


async def test_another_accounts_job_is_not_there(jobs: Jobs, make_account: MakeAccount) -> None:
    anna, bert = await make_account(), await make_account(name="bert")
    job = await jobs.submit(anna, Doodle())

    for job_id in (job.id, "no-such-job"):
        with pytest.raises(JobNotFound):
            await jobs.get(bert.id, job_id)
        with pytest.raises(JobNotFound):
            await jobs.cancel(bert.id, job_id)
        with pytest.raises(JobNotFound):
            await anext(jobs.events(bert.id, job_id))
    assert (await jobs.list(bert.id)).jobs == ()
    assert await jobs.active(bert.id) == ()
    assert (await jobs.get(anna.id, job.id)).status == "queued"


async def test_events_are_replayed_then_followed_and_end_with_the_job(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    job = await jobs.submit(account, Doodle())
    seen: list[Event] = []

    async def watch() -> None:
        seen.extend([event async for event in jobs.events(account.id, job.id)])

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.1)
    claimed = await claim(database)
    await asyncio.sleep(0.1)
    await finish(database, claimed)
    await asyncio.wait_for(watching, 5)

    assert [event.data["status"] for event in seen] == ["pending", "staged", "completed"]
    again = [event async for event in jobs.events(account.id, job.id, after=seen[0].id)]
    assert again == seen[1:]
    assert [event async for event in jobs.events(account.id, job.id, after=seen[-1].id)] == []
    assert jobs.listeners.listening is None


async def test_a_follower_is_told_within_moments(jobs: Jobs, database: Database, make_account: MakeAccount) -> None:
    account = await make_account()
    job = await jobs.submit(account, Doodle())
    following = jobs.events(account.id, job.id)
    assert (await anext(following)).data == {"status": "pending"}
    news = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.3)

    await claim(database)

    assert (await asyncio.wait_for(news, 0.5)).data == {"status": "staged"}  # half of the fallback's second
    await following.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_jobs_are_listed_newest_first_page_by_page(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    submitted = [await jobs.submit(account, Doodle()) for _ in range(7)]
    newest_first = [job.id for job in reversed(submitted)]

    pages: list[list[str]] = []
    cursor = None
    while not pages or cursor:
        page = await jobs.list(account.id, cursor=cursor, limit=3)
        pages.append([job.id for job in page.jobs])
        cursor = page.next_cursor

    assert pages == [newest_first[:3], newest_first[3:6], newest_first[6:]]
    await claim(database)
    await jobs.cancel(account.id, submitted[1].id)
    for status, expected in (("staged", 1), ("failed", 1), ("pending", 5), ("processing", 0), ("completed", 0)):
        assert len((await jobs.list(account.id, status=status)).jobs) == expected  # type: ignore[arg-type]
    assert len(await jobs.active(account.id)) == 6
    early = await jobs.list(account.id, created_before=submitted[2].created_at)
    late = await jobs.list(account.id, created_after=submitted[2].created_at)
    assert (len(early.jobs), len(late.jobs)) == (2, 5)
    assert (await jobs.list(account.id, task="upscale")).jobs == ()


@pytest.mark.parametrize("cursor", ["", "!", "bm90IGpzb24", "W10", "WzEsIDIsIDNd", "W251bGwsICJhIl0", "é"])
async def test_a_cursor_that_is_not_ours_is_refused(jobs: Jobs, cursor: str) -> None:
    with pytest.raises(InvalidField, match="cursor"):
        await jobs.list(1, cursor=cursor)


async def test_a_job_is_a_value(jobs: Jobs, make_account: MakeAccount) -> None:
    account = await make_account()
    job = await jobs.submit(account, Doodle())

    assert await jobs.get(account.id, job.id) == job


async def test_a_job_that_is_erased_while_a_cancel_waits_is_unknown(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account(10_000)
    files = Files(database, MemoryStore(), Links("http://127.0.0.1", b"secret", 3600))
    for _ in range(5):
        job = await jobs.submit(account, Doodle())
        erase = partial(erase_job, database, files, RULES, job.id)
        alone, together = (Asked(account.id, None, with_descendants=one, now=time.time()) for one in (False, True))

        done = await asyncio.gather(
            erase(together),
            *(jobs.cancel(account.id, job.id) for _ in range(4)),
            erase(alone),
            *(jobs.cancel(account.id, job.id) for _ in range(4)),
            return_exceptions=True,
        )

        assert {type(one) for one in done} <= {Receipt, Job, JobNotFound}
    assert await money(database, account) == (10_000, 0, 0)
