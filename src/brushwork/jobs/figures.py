"""What engines count and measure of themselves, on its way from a worker to `/metrics`.

What only grows is added to the counts that all workers share, and outlives the worker. What goes up and down is kept in
the worker's row, and is the sum over those that are alive.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import workers
from brushwork.engines.base import FIGURES, Engine, Figure, figures_of
from brushwork.jobs.threads import in_thread

log = structlog.get_logger(__name__)

LABELS: Mapping[str, tuple[str, ...]] = {
    "model_bytes": ("place",),
    "model_steps_total": ("model",),
    "model_step_seconds_total": ("model",),
}
"""Figure → what it is told by; the others have no labels of their own."""
TOTAL = "_total"

Count = Callable[..., None]
"""As `Measures.count`: a metric, the values of its labels, and how much more."""


def metric_of(name: str) -> str:
    """What Prometheus knows a figure as, without the ending that it gives to counters itself."""
    return f"brushwork_engine_{name.removesuffix(TOTAL)}"


def labels_of(name: str) -> tuple[str, ...]:
    return ("engine", *LABELS.get(name, ()))


def values_of(figure: Figure) -> tuple[str, ...]:
    return tuple(figure.labels.get(label, "") for label in LABELS.get(figure.name, ()))


class Growth:
    """How much the totals of one engine have grown since they were last looked at."""

    def __init__(self) -> None:
        self.seen: dict[tuple[str, ...], float] = {}

    def tell(self, figures: Iterable[Figure], engine: str, count: Count) -> None:
        for figure in figures:
            if figure.name not in FIGURES or not figure.name.endswith(TOTAL):
                continue
            key = (figure.name, *values_of(figure))
            is_first, before = key not in self.seen, self.seen.get(key, 0.0)
            self.seen[key] = figure.value
            # A total that is smaller than it was has begun anew: all of it is news.
            more = figure.value - before if figure.value >= before else figure.value
            if more or is_first:  # a series that begins at nothing shows the first event, too
                count(metric_of(figure.name), engine, *values_of(figure), by=more)


class Figures:
    """What one worker's engine has told so far."""

    def __init__(self, engine: Engine, count: Count) -> None:
        self.engine = engine
        self.count = count
        self.growth = Growth()
        self.present: list[list[Any]] | None = None
        """For the worker's row; None when there is nothing to tell."""

    async def keep(self, seconds: float) -> None:
        """Ask the engine every so many seconds, until cancelled. Survives everything."""
        while True:
            await self.take()
            await asyncio.sleep(seconds)

    async def take(self) -> None:
        """Ask it once. In a thread: an engine that hangs must not hold up the worker's heartbeat."""
        try:
            await in_thread(self.ask)
        except Exception as error:
            log.warning("figures.failed", error=type(error).__name__)

    def ask(self) -> None:
        figures = figures_of(self.engine)
        self.growth.tell(figures, self.engine.name, self.count)
        self.present = kept(figures) or None


def kept(figures: Iterable[Figure]) -> list[list[Any]]:
    """What goes up and down, as plain JSON for the worker's row."""
    return [
        [figure.name, float(figure.value), list(values_of(figure))]
        for figure in figures
        if figure.name in FIGURES and not figure.name.endswith(TOTAL)
    ]


async def present(tx: AsyncConnection, *, since: float) -> Mapping[str, Mapping[tuple[str, ...], float]]:
    """Figure → label values, the engine first → the sum over the workers that were seen since then."""
    found: dict[str, dict[tuple[str, ...], float]] = {name: defaultdict(float) for name in gauges()}
    alive = sa.and_(workers.c.last_seen >= since, workers.c.figures.is_not(None))
    for row in await tx.execute(sa.select(workers.c.engine, workers.c.figures).where(alive)):
        for name, value, labels in row.figures:
            if name in found:  # an older worker may tell of other things
                found[name][row.engine, *labels] += value
    return found


def gauges() -> Sequence[str]:
    return [name for name in FIGURES if not name.endswith(TOTAL)]
