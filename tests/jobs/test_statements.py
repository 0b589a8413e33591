"""How much of the database a job needs: on PostgreSQL each statement is a round trip, BEGIN and COMMIT come on top."""

import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.queue import ClaimedJob
from brushwork.jobs.rules import JobRules
from tests.jobs.conftest import Doodle, MakeAccount

RULES = JobRules()
Said = list[str]


@pytest.fixture
def said(database: Database) -> Iterator[Said]:
    """What the database is asked, but for BEGIN."""
    found: Said = []

    def hear(*args: object) -> None:
        if not str(args[2]).startswith("BEGIN"):
            found.append(str(args[2]))

    pools = {id(one.pool): one.sync_engine for one in (database.writing, database.reading)}  # SQLite has one for both
    for pool in pools.values():
        sa.event.listen(pool, "before_cursor_execute", hear)
    yield found
    for pool in pools.values():
        sa.event.remove(pool, "before_cursor_execute", hear)


async def claim(database: Database, *, limit: int) -> list[ClaimedJob]:
    async with database.write() as tx:
        return await start(tx, "w", pools=["default"], limit=limit, rules=RULES)


async def finish(database: Database, claimed: list[ClaimedJob]) -> None:
    async with database.write() as tx:
        endings = [Ending(job.id, job.account_id, "done", token=job.token, output={}) for job in claimed]
        assert len(await end(tx, endings, rules=RULES, now=time.time())) == len(claimed)


@pytest.fixture
def few(database: Database, said: Said) -> Callable[..., None]:
    """Assert that so many statements were made since the last time."""

    def check(*, sqlite: int, postgres: int) -> None:
        asked, said[:] = said[:], []
        assert len(asked) == (sqlite if database.is_sqlite else postgres), asked

    return check


async def test_a_job_needs_few_statements(
    jobs: Jobs, database: Database, make_account: MakeAccount, said: Said, few: Callable[..., None]
) -> None:
    account = await make_account()
    await jobs.submit(account, Doodle())  # the outlook of a forecast is remembered from now on
    said.clear()

    job = await jobs.submit(account, Doodle())
    few(sqlite=8, postgres=4)

    await jobs.get(account.id, job.id)
    few(sqlite=1, postgres=1)

    claimed = await claim(database, limit=1)
    few(sqlite=3, postgres=3)

    await finish(database, claimed)
    few(sqlite=10, postgres=4)


async def test_a_held_job_is_looked_at_with_one_statement(
    jobs: Jobs, make_account: MakeAccount, said: Said, few: Callable[..., None]
) -> None:
    account = await make_account(max_inflight=1)
    await jobs.submit(account, Doodle())
    held = await jobs.submit(account, Doodle())
    said.clear()

    seen = await jobs.get(account.id, held.id)

    assert (seen.status, seen.queue_position) == ("held", 1)
    few(sqlite=1, postgres=1)


async def test_sixteen_jobs_end_with_hardly_more_statements_than_one(
    jobs: Jobs, database: Database, make_account: MakeAccount, said: Said, few: Callable[..., None]
) -> None:
    account = await make_account()
    for _ in range(16):
        await jobs.submit(account, Doodle())
    claimed = await claim(database, limit=16)
    said.clear()

    await finish(database, claimed)

    few(sqlite=10, postgres=8)
