"""When a job should be done: from how long its like took lately, and from the line before it. Promises nothing.

Jobs of one *timing* (task, model, size, lane) take about as long; the last ones of each are remembered. A job that
waits is expected to wait for as many ends of other jobs as there are jobs before it. What was expected is kept with the
job and compared with what came true: `calibration` says how good these forecasts are.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, pstdev

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import jobs, running, timings, workers
from brushwork.database.together import Writes
from brushwork.jobs.job import Forecast, Job
from brushwork.jobs.positions import COUNTED
from brushwork.jobs.queue import NOW

SAMPLES = 50
"""A forecast looks back so far."""
ENOUGH = 3
"""With fewer samples nothing is said."""
KEPT = 200
"""So many timings of a key are kept."""
ALIVE_SECONDS = 60.0
TRUSTED_SECONDS = 2.0
"""How long what was read here is used again: a forecast is not worth a query a request."""
REMEMBERED = 1000
ONE_IN_TEN = 1.2816
"""Standard deviations above the mean that one value in ten exceeds."""


@dataclass(frozen=True)
class Outlook:
    """What a forecast is made from."""

    seconds: Sequence[float] = ()
    """How long the last jobs of the same timing took, shortest first."""
    recent: Sequence[float] = ()
    """How long the last jobs took, whatever they were."""
    workers: int = 0
    running: int = 0

    @property
    def side_by_side(self) -> int:
        """Jobs that are drawn at a time: as many as there are workers, or more where a worker draws several."""
        return max(self.workers, self.running)


def forecast(outlook: Outlook, ahead: int) -> Forecast | None:
    """When a job with so many before it should have ended; None when that cannot be said."""
    if len(outlook.seconds) < ENOUGH or not outlook.workers or ahead >= COUNTED:
        return None
    p50, p90 = quantile(outlook.seconds, 0.5), quantile(outlook.seconds, 0.9)
    if ahead or outlook.running >= outlook.workers:
        ends = ahead + 1
        each = fmean(outlook.recent) / outlook.side_by_side
        spread = ONE_IN_TEN * math.sqrt(ends) * pstdev(outlook.recent) / outlook.side_by_side
        p50 += (ends - 0.5) * each  # the one that is drawn now is half done, as a rule
        p90 += ends * each + spread
    return Forecast(round(p50, 3), round(p90, 3))


def remaining(outlook: Outlook, elapsed: float) -> Forecast | None:
    """The same for a job that has been drawn for so long: what those took that took longer."""
    longer = [seconds - elapsed for seconds in outlook.seconds if seconds > elapsed]
    if len(outlook.seconds) < ENOUGH or not longer:
        return None
    return Forecast(round(quantile(longer, 0.5), 3), round(quantile(longer, 0.9), 3))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that so large a share of further values should not exceed."""
    rank = math.ceil(share * (len(ordered) + 1)) - 1
    return ordered[min(rank, len(ordered) - 1)]


class Forecasts:
    """Reads outlooks, and remembers each for a moment."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.known: dict[tuple[str, str], tuple[float, Outlook]] = {}

    async def outlook(self, pool: str, timing: str) -> Outlook:
        """How things stand for jobs of this timing, up to two seconds ago."""
        until, outlook = self.known.get((pool, timing), (0.0, None))
        if outlook is not None and time.monotonic() < until:
            return outlook
        async with self.database.read() as tx:
            outlook = await read_outlook(tx, pool, timing)
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[pool, timing] = (time.monotonic() + TRUSTED_SECONDS, outlook)
        return outlook

    async def eta(self, job: Job, *, now: float) -> Forecast | None:
        """When an open job should have ended, as things stand now."""
        if job.is_finished or job.timing is None:
            return None
        outlook = await self.outlook(job.pool, job.timing)
        if job.queue_position is not None:
            return forecast(outlook, job.queue_position)
        return None if job.started_at is None else remaining(outlook, max(0.0, now - job.started_at))


async def read_outlook(tx: AsyncConnection, pool: str, timing: str) -> Outlook:
    alike = (await tx.execute(ALIKE, {"timing": timing})).scalars().all()
    recent = (await tx.execute(RECENT)).scalars().all()
    busy = (await tx.execute(BUSY, {"pool": pool})).one()
    return Outlook(sorted(alike), recent or (0.0,), workers=busy.workers, running=busy.running)


RECENT = sa.select(timings.c.seconds).order_by(timings.c.id.desc()).limit(SAMPLES)
ALIKE = RECENT.where(timings.c.timing == sa.bindparam("timing"))
BUSY = sa.select(
    sa.select(sa.func.count()).where(workers.c.last_seen >= NOW - ALIVE_SECONDS).scalar_subquery().label("workers"),
    sa.select(sa.func.count()).where(running, jobs.c.pool == sa.bindparam("pool")).scalar_subquery().label("running"),
)


def remember(writes: Writes, rows: Sequence[sa.Row[tuple[object, ...]]], now: float) -> None:
    """Write down how long these completed jobs took, and what was expected of them."""
    writes.add(
        TOOK,
        *(
            {
                "took_timing": row.timing,
                "took_seconds": max(0.0, now - row.started_at),
                "took_waited": max(0.0, row.started_at - row.created_at),
                "took_forecast": row.forecast,
                "now": now,
            }
            for row in rows
            if row.timing is not None and row.started_at is not None
        ),
    )


TOOK = timings.insert().values(
    timing=sa.bindparam("took_timing", type_=sa.Text),
    seconds=sa.bindparam("took_seconds", type_=sa.Double),
    waited=sa.bindparam("took_waited", type_=sa.Double),
    forecast=sa.bindparam("took_forecast", type_=timings.c.forecast.type),
    created_at=sa.bindparam("now", type_=sa.Double),
)


async def forget_timings(tx: AsyncConnection) -> int:
    """Keep the last `KEPT` of each timing."""
    number = sa.func.row_number().over(partition_by=timings.c.timing, order_by=timings.c.id.desc()).label("number")
    numbered = sa.select(timings.c.id, number).subquery()
    old = sa.select(numbered.c.id).where(numbered.c.number > KEPT)
    return (await tx.execute(timings.delete().where(timings.c.id.in_(old)))).rowcount


@dataclass(frozen=True)
class Calibration:
    """How good the forecasts of the last jobs were that had one."""

    jobs: int
    within_p90: float
    """The share that ended in time; 0.9 is what is aimed at."""
    p50_error: float
    """Half of them were farther off their p50 than by this share of the time they really took."""


async def calibration(tx: AsyncConnection, *, last: int = 1000) -> Calibration | None:
    """What came of the last forecasts; None when there were none."""
    query = sa.select(timings.c.waited, timings.c.seconds, timings.c.forecast).order_by(timings.c.id.desc())
    rows = await tx.execute(query.where(timings.c.forecast.is_not(None)).limit(last))
    pairs = [(row.waited + row.seconds, row.forecast) for row in rows if "p90" in row.forecast]
    if not pairs:
        return None
    return Calibration(
        jobs=len(pairs),
        within_p90=fmean(took <= told["p90"] for took, told in pairs),
        p50_error=median(abs(took - told["p50"]) / max(took, 1e-3) for took, told in pairs),
    )
