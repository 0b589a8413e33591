"""What is said of the end of a job, and how much of it comes true."""

import random
import time

import pytest
import sqlalchemy as sa

from brushwork.database.session import Database
from brushwork.database.tables import jobs as jobs_table
from brushwork.database.tables import timings
from brushwork.jobs.forecast import KEPT, Outlook, calibration, forecast, forget_timings, remaining
from brushwork.jobs.job import Forecast
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.positions import COUNTED
from brushwork.jobs.rules import JobRules
from brushwork.jobs.workers import WorkerInfo, say_alive
from tests.jobs.conftest import Doodle, MakeAccount

RULES = JobRules()
TEN = tuple(float(seconds) for seconds in range(1, 11))


def test_nothing_is_said_without_samples_without_workers_or_of_a_line_that_was_not_counted() -> None:
    assert forecast(Outlook(), 0) is None
    assert forecast(Outlook(TEN[:2], TEN, workers=1), 0) is None
    assert forecast(Outlook(TEN, TEN, workers=0), 0) is None
    assert forecast(Outlook(TEN, TEN, workers=1), COUNTED) is None


def test_a_job_that_starts_at_once_takes_what_its_like_took() -> None:
    assert forecast(Outlook(TEN, TEN, workers=1), 0) == Forecast(6.0, 10.0)


def test_a_job_waits_for_those_before_it_and_the_less_the_more_are_drawn_side_by_side() -> None:
    one = forecast(Outlook(TEN, TEN, workers=1, running=1), 9)
    four = forecast(Outlook(TEN, TEN, workers=4, running=4), 9)

    assert one is not None
    assert four is not None
    assert one.p50 == pytest.approx(6 + 9.5 * 5.5)
    assert four.p50 == pytest.approx(6 + 9.5 * 5.5 / 4, abs=0.01)
    assert one.p90 > one.p50


def test_a_running_job_is_compared_with_those_that_took_longer() -> None:
    assert remaining(Outlook(TEN, TEN, workers=1), 8.0) == Forecast(2.0, 2.0)
    assert remaining(Outlook(TEN, TEN, workers=1), 11.0) is None


async def test_a_job_tells_when_it_should_be_done_from_the_moment_it_is_accepted(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    await had(database, "doodle square", [10.0] * 20)
    async with database.write() as tx:
        await say_alive(tx, WorkerInfo("w", "cpu:0", "noop", ["default"]))

    first = await jobs.submit(account, Doodle(), idempotency_key="first")
    second = await jobs.submit(account, Doodle())

    assert (first.eta, first.queue_position) == (Forecast(10.0, 10.0), 0)
    assert (second.eta, second.queue_position) == (Forecast(25.0, 30.0), 1)
    assert (await jobs.get(account.id, second.id)).eta == second.eta
    assert [job.eta for job in await jobs.active(account.id)] == [first.eta, second.eta]
    await run_one(database)
    assert (await jobs.get(account.id, first.id)).eta is None
    assert (await jobs.submit(account, Doodle(), idempotency_key="first")).eta == first.eta


async def test_what_a_job_took_is_remembered_with_what_was_expected(
    jobs: Jobs, database: Database, make_account: MakeAccount
) -> None:
    account = await make_account()
    await jobs.submit(account, Doodle(shape="round"))
    await run_one(database)

    async with database.read() as tx:
        row = (await tx.execute(timings.select())).one()
    assert row.timing == "doodle round"
    assert 0 <= row.seconds < 5
    assert 0 <= row.waited < 5
    assert row.forecast == {"ahead": 0}


async def test_only_the_last_timings_of_each_kind_are_kept(database: Database) -> None:
    await had(database, "a", [float(number) for number in range(KEPT + 30)])
    await had(database, "b", [1.0])

    async with database.write() as tx:
        assert await forget_timings(tx) == 30

    async with database.read() as tx:
        kept = (await tx.execute(sa.select(timings.c.seconds).where(timings.c.timing == "a"))).scalars().all()
        assert sorted(kept) == [float(number) for number in range(30, KEPT + 30)]
        assert (await tx.execute(sa.select(sa.func.count()).select_from(timings))).scalar_one() == KEPT + 1


async def test_the_forecasts_of_a_busy_line_come_true(jobs: Jobs, database: Database) -> None:
    """One worker, jobs of 5 to 15 s that come by chance, in a time of our own: nine of ten end within their p90."""
    chance = random.Random(3)
    past: list[float] = [chance.uniform(5, 15) for _ in range(50)]
    ends: list[float] = []
    rows = []
    now = 0.0
    for _ in range(400):
        now += chance.expovariate(1 / 12)
        open_ends = [moment for moment in ends if moment > now]
        outlook = Outlook(sorted(past[-50:]), past[-50:], workers=1, running=min(1, len(open_ends)))
        told = forecast(outlook, max(0, len(open_ends) - 1))
        assert told is not None
        took = chance.uniform(5, 15)
        began = max([now, *open_ends])
        ends.append(began + took)
        past.append(took)
        rows.append(
            {
                "timing": "t",
                "seconds": took,
                "waited": began - now,
                "forecast": {"ahead": 0, "p50": told.p50, "p90": told.p90},
                "created_at": now,
            }
        )
    async with database.write() as tx:
        await tx.execute(timings.insert(), rows)

    async with database.read() as tx:
        found = await calibration(tx)

    assert found is not None
    assert found.jobs == 400
    assert found.within_p90 >= 0.85
    assert found.p50_error <= 0.3


async def test_without_forecasts_there_is_nothing_to_judge(database: Database) -> None:
    await had(database, "a", [1.0])

    async with database.read() as tx:
        assert await calibration(tx) is None


async def had(database: Database, timing: str, seconds: list[float]) -> None:
    rows = [{"timing": timing, "seconds": one, "waited": 0.0, "created_at": 0.0} for one in seconds]
    async with database.write() as tx:
        await tx.execute(timings.insert(), rows)


async def run_one(database: Database) -> None:
    async with database.write() as tx:
        (job,) = await start(tx, "w", pools=["default"], limit=1, rules=RULES)
        await end(tx, [Ending(job.id, job.account_id, "done", token=job.token)], rules=RULES, now=time.time())
        assert (await tx.execute(sa.select(jobs_table.c.status).where(jobs_table.c.id == job.id))).scalar() == "done"
