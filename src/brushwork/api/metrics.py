"""GET /metrics, for Prometheus: requests as this process saw them, and what the database knows of everything else."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from brushwork.api.gauges import READS, LedgerTotals
from brushwork.database.session import Database

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


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
        self.ledger = LedgerTotals()

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request. Methods nobody offers share one label, so that strangers cannot grow the table."""
        method = method if method in METHODS else "other"
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route, method).observe(seconds)

    async def exposition(self, database: Database, *, now: float) -> bytes:
        """All metrics, in the text format; without a database, those of this process."""
        families = await self.from_database(database, now=now)
        is_there = GaugeMetricFamily("brushwork_database_up", "Whether the database answered.", int(bool(families)))
        fixed = CollectorRegistry()
        fixed.register(Fixed([is_there, *families]))
        return generate_latest(self.registry) + generate_latest(fixed)

    async def from_database(self, database: Database, *, now: float) -> Sequence[Metric]:
        """Empty when it does not answer."""
        try:
            async with database.read() as tx:
                return [family for read in (*READS, self.ledger.read) for family in await read(tx, now)]
        except (SQLAlchemyError, OSError):
            return []


class Fixed(Collector):
    """Metrics that were read a moment ago."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self.families = families

    def collect(self) -> Iterator[Metric]:
        yield from self.families
