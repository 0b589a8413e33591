"""GET /metrics, for Prometheus: requests as this process saw them; jobs, workers and points from the database."""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import accounts, jobs, workers

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
WORKER_SEEN_SECONDS = 60.0
"""A worker that was not seen for so long is not counted."""

STATUSES = ("held", "queued", "running", "done", "failed", "cancelled")


class Metrics:
    """Owns the counters of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "brushwork_http_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "brushwork_http_request_seconds",
            "Time until the answer was sent.",
            ["route", "method"],
            buckets=BUCKETS,
            registry=self.registry,
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request. Methods nobody offers share one label, so that strangers cannot grow the table."""
        method = method if method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS") else "other"
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route, method).observe(seconds)

    async def exposition(self, database: Database, *, now: float) -> bytes:
        """All metrics, in the text format."""
        async with database.read() as tx:
            families = [
                await jobs_by_status(tx),
                await queue_by_priority(tx),
                await workers_seen(tx, now=now),
                await points(tx),
            ]
        from_database = CollectorRegistry()
        from_database.register(Fixed(families))
        return generate_latest(self.registry) + generate_latest(from_database)


class Fixed(Collector):
    """Metrics that were read a moment ago."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self.families = families

    def collect(self) -> Iterator[Metric]:
        yield from self.families


async def jobs_by_status(tx: AsyncConnection) -> Metric:
    family = GaugeMetricFamily("brushwork_jobs", "Jobs kept, by status.", labels=["status"])
    counted = {
        row[0]: row[1] for row in await tx.execute(sa.select(jobs.c.status, sa.func.count()).group_by(jobs.c.status))
    }
    for status in STATUSES:
        family.add_metric([status], counted.get(status, 0))
    return family


async def queue_by_priority(tx: AsyncConnection) -> Metric:
    family = GaugeMetricFamily("brushwork_queue_depth", "Jobs ready to be claimed.", labels=["pool", "priority"])
    query = (
        sa.select(jobs.c.pool, jobs.c.priority, sa.func.count())
        .where(jobs.c.status == "queued")
        .group_by(jobs.c.pool, jobs.c.priority)
    )
    for pool, priority, count in await tx.execute(query):
        family.add_metric([pool, str(priority)], count)
    return family


async def workers_seen(tx: AsyncConnection, *, now: float) -> Metric:
    family = GaugeMetricFamily("brushwork_workers", "Workers seen in the last minute.", labels=["engine"])
    query = (
        sa.select(workers.c.engine, sa.func.count())
        .where(workers.c.last_seen >= now - WORKER_SEEN_SECONDS)
        .group_by(workers.c.engine)
    )
    for engine, count in await tx.execute(query):
        family.add_metric([engine], count)
    return family


async def points(tx: AsyncConnection) -> Metric:
    family = GaugeMetricFamily("brushwork_points", "Points of all accounts together.", labels=["state"])
    totals = (await tx.execute(sa.select(sa.func.sum(accounts.c.balance), sa.func.sum(accounts.c.frozen)))).one()
    balance, frozen = (int(total or 0) for total in totals)
    family.add_metric(["available"], balance - frozen)
    family.add_metric(["held"], frozen)
    return family
