"""What the database says of the service this moment, as metrics. Equal on every machine; knows no process's own counts.

Every query reads a partial index, or a table with a row an account or a worker; what is kept of ended jobs is never
counted here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import accounts, endpoints, held, jobs, ledger, packs, queued, running, workers
from brushwork.engines.base import FIGURES
from brushwork.jobs.figures import labels_of, metric_of, present
from brushwork.jobs.forecast import calibration
from brushwork.jobs.measures import MEASURES, SUM, cumulative, totals
from brushwork.jobs.webhooks.line import backlog

WORKER_SEEN_SECONDS = 60.0
"""A worker that was not seen for so long is taken for dead."""

Read = Callable[[AsyncConnection, float], Awaitable[Sequence[Metric]]]
"""Metrics, from a transaction and the time."""


async def open_jobs(tx: AsyncConnection, _now: float) -> Sequence[Metric]:
    family = GaugeMetricFamily("brushwork_jobs", "Open jobs, by status.", labels=["status"])
    for status, condition in (("held", held), ("queued", queued), ("running", running)):
        query = sa.select(sa.func.count()).select_from(jobs).where(condition)
        family.add_metric([status], (await tx.execute(query)).scalar_one())
    return [family]


async def queue(tx: AsyncConnection, now: float) -> Sequence[Metric]:
    labels = ["pool", "priority"]
    depth = GaugeMetricFamily("brushwork_queue_depth", "Jobs ready to be claimed.", labels=labels)
    oldest = GaugeMetricFamily(
        "brushwork_queue_oldest_seconds", "Age of the job that was accepted first of those ready.", labels=labels
    )
    query = (
        sa.select(jobs.c.pool, jobs.c.priority, sa.func.count(), sa.func.min(jobs.c.created_at))
        .where(queued)
        .group_by(jobs.c.pool, jobs.c.priority)
        .order_by(jobs.c.pool, jobs.c.priority)
    )
    for pool, priority, count, first in await tx.execute(query):
        depth.add_metric([pool, str(priority)], count)
        oldest.add_metric([pool, str(priority)], max(0.0, now - first))
    return [depth, oldest]


async def worker_states(tx: AsyncConnection, now: float) -> Sequence[Metric]:
    family = GaugeMetricFamily(
        "brushwork_workers",
        "Workers: busy, idle, or silent for a minute and not yet forgotten.",
        labels=["engine", "state"],
    )
    works = sa.exists().where(running, jobs.c.owner == workers.c.id)
    state = sa.case((workers.c.last_seen < now - WORKER_SEEN_SECONDS, "silent"), (works, "busy"), else_="idle").label(
        "state"
    )
    query = sa.select(workers.c.engine, state, sa.func.count()).group_by(workers.c.engine, state)
    counted = {(engine, state): count for engine, state, count in await tx.execute(query)}
    for engine in sorted({engine for engine, _ in counted}):
        for name in ("busy", "idle", "silent"):
            family.add_metric([engine, name], counted.get((engine, name), 0))
    return [family]


async def points(tx: AsyncConnection, _now: float) -> Sequence[Metric]:
    family = GaugeMetricFamily("brushwork_points", "Points of all accounts together.", labels=["state"])
    sums = (await tx.execute(sa.select(sa.func.sum(accounts.c.balance), sa.func.sum(accounts.c.frozen)))).one()
    balance, frozen = (int(total or 0) for total in sums)
    family.add_metric(["available"], balance - frozen)
    family.add_metric(["held"], frozen)
    return [family]


async def books(tx: AsyncConnection, _now: float) -> Sequence[Metric]:
    """The part of `check_ledger` that costs little: accounts beside their packs."""
    of_packs = (
        sa.select(
            packs.c.account_id,
            sa.func.sum(packs.c.amount - packs.c.used - packs.c.expired).label("balance"),
            sa.func.sum(packs.c.frozen).label("frozen"),
        )
        .group_by(packs.c.account_id)
        .subquery()
    )
    wrong = sa.or_(
        accounts.c.balance != sa.func.coalesce(of_packs.c.balance, 0),
        accounts.c.frozen != sa.func.coalesce(of_packs.c.frozen, 0),
    )
    beside = accounts.outerjoin(of_packs, of_packs.c.account_id == accounts.c.id)
    count = (await tx.execute(sa.select(sa.func.count()).select_from(beside).where(wrong))).scalar_one()
    return [GaugeMetricFamily("brushwork_books_wrong", "Accounts whose balance is not what their packs hold.", count)]


async def webhooks(tx: AsyncConnection, now: float) -> Sequence[Metric]:
    waiting = await backlog(tx, now=now)
    states = GaugeMetricFamily(
        "brushwork_webhook_endpoints", "Endpoints of accounts: sound, failing or disabled.", labels=["state"]
    )
    state = sa.case(
        (endpoints.c.disabled_at.is_not(None), "disabled"),
        (endpoints.c.failing_since.is_not(None), "failing"),
        else_="sound",
    ).label("state")
    counted = {row[0]: row[1] for row in await tx.execute(sa.select(state, sa.func.count()).group_by(state))}
    for name in ("sound", "failing", "disabled"):
        states.add_metric([name], counted.get(name, 0))
    return [
        GaugeMetricFamily("brushwork_webhook_pending", "Webhooks not delivered yet.", waiting.pending),
        GaugeMetricFamily("brushwork_webhook_due", "Webhooks that could be sent this moment.", waiting.due),
        GaugeMetricFamily(
            "brushwork_webhook_oldest_seconds", "How long the first of those has been due.", waiting.oldest_seconds
        ),
        states,
    ]


async def forecasts(tx: AsyncConnection, _now: float) -> Sequence[Metric]:
    known = await calibration(tx)
    if known is None:
        return []
    return [
        GaugeMetricFamily("brushwork_forecast_jobs", "Jobs whose forecasts the next two are about.", known.jobs),
        GaugeMetricFamily(
            "brushwork_forecast_within_p90", "Share of jobs that ended by their p90; 0.9 is aimed at.", known.within_p90
        ),
        GaugeMetricFamily(
            "brushwork_forecast_p50_error",
            "Median distance from the p50, as a share of the time taken.",
            known.p50_error,
        ),
    ]


async def measured(tx: AsyncConnection, _now: float) -> Sequence[Metric]:
    """What workers and senders have counted."""
    families: list[Metric] = []
    for name, of_labels in (await totals(tx)).items():
        measure = MEASURES[name]
        if not measure.buckets:
            counter = CounterMetricFamily(name, measure.meaning, labels=measure.labels)
            for labels, buckets in sorted(of_labels.items()):
                counter.add_metric(labels, buckets.get("", 0.0))
            families.append(counter)
            continue
        histogram = HistogramMetricFamily(name, measure.meaning, labels=measure.labels)
        for labels, buckets in sorted(of_labels.items()):
            histogram.add_metric(labels, cumulative(buckets, measure.buckets), buckets.get(SUM, 0.0))
        families.append(histogram)
    return families


async def engine_figures(tx: AsyncConnection, now: float) -> Sequence[Metric]:
    """What the engines of living workers have in memory."""
    families: list[Metric] = []
    for name, values in (await present(tx, since=now - WORKER_SEEN_SECONDS)).items():
        family = GaugeMetricFamily(metric_of(name), FIGURES[name], labels=labels_of(name))
        for labels, value in sorted(values.items()):
            family.add_metric(labels, value)
        families.append(family)
    return families


READS: Sequence[Read] = (open_jobs, queue, worker_states, engine_figures, points, books, webhooks, forecasts, measured)

SETTLED_SECONDS = 300.0
"""No transaction lasts so long: ledger rows that are older are all there, whatever their ids."""
SLICE = 20_000
"""Ledger rows that are added up at a time."""
KINDS = ("grant", "hold", "capture", "release", "expire")


class LedgerTotals:
    """Sums over the whole ledger, that read it once: later only what has been added since."""

    def __init__(self) -> None:
        self.settled_id = 0
        self.settled: dict[str, tuple[int, int]] = {}

    async def read(self, tx: AsyncConnection, now: float) -> Sequence[Metric]:
        border = sa.select(sa.func.max(ledger.c.id)).where(ledger.c.created_at < now - SETTLED_SECONDS)
        settled_id = (await tx.execute(border.where(ledger.c.id > self.settled_id))).scalar_one() or self.settled_id
        while (
            self.settled_id < settled_id
        ):  # a long ledger must not hold everyone up on SQLite, which reads in our loop
            upto = min(settled_id, self.settled_id + SLICE)
            older = await sums(tx, ledger.c.id > self.settled_id, ledger.c.id <= upto)
            self.settled, self.settled_id = added(self.settled, older), upto
            await asyncio.sleep(0)
        everything = added(self.settled, await sums(tx, ledger.c.id > self.settled_id))
        entries = CounterMetricFamily("brushwork_ledger_entries", "Moves in the ledger, by kind.", labels=["kind"])
        moved = CounterMetricFamily("brushwork_ledger_points", "Points moved in the ledger, by kind.", labels=["kind"])
        for kind in KINDS:
            count, amount = everything.get(kind, (0, 0))
            entries.add_metric([kind], count)
            moved.add_metric([kind], amount)
        return [entries, moved]


async def sums(tx: AsyncConnection, *conditions: sa.ColumnElement[bool]) -> dict[str, tuple[int, int]]:
    """Kind → how many rows, how many points."""
    query = sa.select(ledger.c.kind, sa.func.count(), sa.func.sum(ledger.c.amount)).where(*conditions)
    return {kind: (count, int(amount)) for kind, count, amount in await tx.execute(query.group_by(ledger.c.kind))}


def added(one: dict[str, tuple[int, int]], other: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    both = dict(one)
    for kind, (count, amount) in other.items():
        before = both.get(kind, (0, 0))
        both[kind] = (before[0] + count, before[1] + amount)
    return both
