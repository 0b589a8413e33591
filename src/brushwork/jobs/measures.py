"""What processes count and time, summed over all of them and over their lives, for whoever reads `/metrics`.

Workers and senders have no port to be asked at, and die. So each adds up what it sees in memory, and adds that to rows
in the database every few seconds; a killed process takes a few seconds of counts with it, and nothing else. Labels have
few values: task types, versions, error codes. Never an account, a job or a word of a prompt.
"""

import asyncio
import json
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.session import Database
from brushwork.database.tables import measures
from brushwork.engines.base import FIGURES
from brushwork.jobs.figures import TOTAL, labels_of, metric_of

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 5.0
JOB_WAIT, JOB_RUN = "brushwork_job_wait_seconds", "brushwork_job_run_seconds"
JOBS_ENDED, JOBS_LOST = "brushwork_jobs_ended", "brushwork_jobs_lost"
ENGINE_STEP = "brushwork_engine_step_seconds"
ATTEMPTS, ATTEMPT_SECONDS = "brushwork_webhook_attempts", "brushwork_webhook_attempt_seconds"
WEBHOOK_DELAY = "brushwork_webhook_delay_seconds"

SUM = "sum"
BEYOND = "+Inf"

Labels = tuple[str, ...]
Amounts = dict[tuple[str, str, str], float]
"""(name, labels as JSON, bucket) → how much to add."""


@dataclass(frozen=True)
class Measure:
    """A metric. Without `buckets` it is a counter, with them a histogram of seconds."""

    meaning: str
    labels: Labels
    buckets: tuple[float, ...] = ()


MEASURES: Mapping[str, Measure] = {
    JOB_WAIT: Measure(
        "From the acceptance of a job until a worker began it, of jobs that workers ended.",
        ("task", "model"),
        (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0),
    ),
    JOB_RUN: Measure(
        "From the beginning of a job to its stored result, of jobs that were done.",
        ("task", "model"),
        (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 600.0),
    ),
    JOBS_ENDED: Measure("Jobs that workers ended: done, or the code of the error.", ("task", "outcome")),
    JOBS_LOST: Measure("Claims that workers lost to a cancel, a deadline or another worker.", ("task",)),
    ENGINE_STEP: Measure(
        "Between two denoising steps, or rendering passes, of one picture.",
        ("engine", "model"),
        (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    ),
    ATTEMPTS: Measure("Attempts to deliver a webhook: the class of the answer's status, or none.", ("outcome",)),
    ATTEMPT_SECONDS: Measure(
        "How long receivers took to answer a webhook, or not to.", (), (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
    ),
    WEBHOOK_DELAY: Measure(
        "From an event to the end of the first attempt to tell of it.", (), (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
    ),
    **{metric_of(name): Measure(said, labels_of(name)) for name, said in FIGURES.items() if name.endswith(TOTAL)},
}


@lru_cache(maxsize=1024)
def as_json(labels: Labels) -> str:
    return json.dumps(labels)


class Measures:
    """What this process has counted and not yet added to the database. May be told things from any thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.amounts: Amounts = defaultdict(float)

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """Add to a counter; `labels` are values in the order of `MEASURES`."""
        with self.lock:
            self.amounts[name, as_json(labels), ""] += by

    def observe(self, name: str, *labels: str, seconds: float) -> None:
        """Put one duration into a histogram."""
        edges, key = MEASURES[name].buckets, as_json(labels)
        place = bisect_left(edges, seconds)
        bucket = f"{edges[place]:g}" if place < len(edges) else BEYOND
        with self.lock:
            self.amounts[name, key, bucket] += 1
            self.amounts[name, key, SUM] += max(0.0, seconds)

    async def flush(self, database: Database) -> None:
        """Add everything to the database. What cannot be written now is kept for the next time."""
        with self.lock:
            taken, self.amounts = self.amounts, defaultdict(float)
        if not taken:
            return
        try:
            async with database.write() as tx:
                await add(tx, taken)
        except BaseException:
            with self.lock:
                for key, amount in taken.items():
                    self.amounts[key] += amount
            raise

    async def keep(self, database: Database) -> None:
        """Flush every few seconds, until cancelled. Survives everything."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.flush(database)
            except Exception as error:
                log.warning("measures.delayed", error=type(error).__name__)


async def add(tx: AsyncConnection, amounts: Mapping[tuple[str, str, str], float]) -> None:
    # In order: two processes that add to the same rows must lock them in the same order.
    rows = [
        {"name": name, "labels": labels, "bucket": bucket, "value": amount}
        for (name, labels, bucket), amount in sorted(amounts.items())
    ]
    await tx.execute(ADD[tx.dialect.name], rows)


def adding(insert: "sqlite.Insert | postgresql.Insert") -> sa.Executable:
    more = {"value": measures.c.value + insert.excluded.value}
    return insert.on_conflict_do_update(index_elements=["name", "labels", "bucket"], set_=more)


ADD: Mapping[str, sa.Executable] = {
    "sqlite": adding(sqlite.insert(measures)),
    "postgresql": adding(postgresql.insert(measures)),
}


async def totals(tx: AsyncConnection) -> Mapping[str, Mapping[Labels, Mapping[str, float]]]:
    """Metric → label values → bucket → how much, over all processes there ever were."""
    found: dict[str, dict[Labels, dict[str, float]]] = {name: {} for name in MEASURES}
    for row in await tx.execute(sa.select(measures)):
        if row.name in found:  # an older version may have counted other things
            found[row.name].setdefault(tuple(json.loads(row.labels)), {})[row.bucket] = row.value
    return found


def cumulative(buckets: Mapping[str, float], edges: tuple[float, ...]) -> list[tuple[str, float]]:
    """The buckets of a histogram as Prometheus wants them: each with all that is below it."""
    total, heaped = 0.0, []
    for edge in [*(f"{edge:g}" for edge in edges), BEYOND]:
        total += buckets.get(edge, 0.0)
        heaped.append((edge, total))
    return heaped
