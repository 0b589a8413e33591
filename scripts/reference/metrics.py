"""reference/metrics.md, from what `/metrics` answers on a database with a sample row of each kind."""

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from brushwork.api.metrics import Metrics
from brushwork.database.session import Database
from brushwork.database.tables import metadata
from brushwork.jobs.figures import LABELS, gauges
from brushwork.jobs.measures import ATTEMPTS, MEASURES, Measures
from reference.markdown import code, fence, link_to, page, table

BOOKKEEPING = ("_created", "_bucket")
"""Samples of a metric that add nothing for a reader."""

SAMPLE_ROWS: Mapping[str, Mapping[str, Any]] = {
    "accounts": {"id": 1, "name": "first", "created_at": 0, "updated_at": 0},
    "jobs": {
        "id": "1",
        "account_id": 1,
        "task": "diffusion",
        "input": {},
        "seed": 1,
        "batch_key": "",
        "priority": 20,
        "seq": 0,
        "deadline_at": 0,
        "status": "queued",
        "max_attempts": 3,
        "cost": 80,
        "created_at": 0,
    },
    "workers": {
        "id": "1",
        "host": "here",
        "pid": 1,
        "device": "cpu:0",
        "engine": "diorama",
        "pools": ["default"],
        "started_at": 0,
        "last_seen": 0,
        "figures": [[name, 1.0, ["device"] if name in LABELS else []] for name in gauges()],
    },
    "timings": {
        "timing": "diffusion",
        "seconds": 1,
        "waited": 0,
        "forecast": {"p50": 1, "p90": 2},
        "created_at": 0,
    },
}
"""So that every metric has a sample to show."""


def metrics_page() -> str:
    found = text_string_to_metric_families(asyncio.run(exposition()))
    families = sorted((f for f in found if not f.name.endswith(BOOKKEEPING)), key=lambda family: family.name)
    rows = [(link_to(family.name), family.type, sentence(family.documentation)) for family in families]
    return page("Metrics", INTRODUCTION, table(("metric", "kind", "what it counts"), rows), *map(section, families))


def section(family: Metric) -> str:
    samples = [sample for sample in family.samples if not sample.name.endswith(BOOKKEEPING)]
    labels = list(dict.fromkeys(label for sample in samples for label in sample.labels))
    said = f"Labels: {', '.join(code(label) for label in labels)}." if labels else "No labels."
    shown = "\n".join(line(sample.name, sample.labels.items()) for sample in samples)
    return "\n\n".join((f"## {family.name}", sentence(family.documentation), said, fence(shown)))


def line(name: str, labels: Iterable[tuple[str, str]]) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in labels)
    return f"{name}{{{inside}}}" if inside else name


def sentence(text: str) -> str:
    return text.rstrip(".") + "."


async def exposition() -> str:
    """What /metrics answers after one request, with one job waiting and one worker."""
    metrics = Metrics()
    metrics.observe("/v1/diffusion", "POST", 200, 0.01)
    counted = sample_counts()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'empty.db'}")
        try:
            async with database.write() as tx:
                await tx.run_sync(metadata.create_all)
                for name, values in SAMPLE_ROWS.items():
                    await tx.execute(metadata.tables[name].insert(), values)
            await counted.flush(database)
            return (await metrics.exposition(database, now=0.0)).decode()
        finally:
            await database.close()


def sample_counts() -> Measures:
    """One of everything that workers and senders count."""
    values = {"task": "diffusion", "model": "7", "outcome": "done", "engine": "diorama"}
    counted = Measures()
    for name, measure in MEASURES.items():
        labels = [values[label] if name not in OUTCOMES else OUTCOMES[name] for label in measure.labels]
        if measure.buckets:
            counted.observe(name, *labels, seconds=0.2)
        else:
            counted.count(name, *labels)
    return counted


OUTCOMES = {ATTEMPTS: "2xx"}

INTRODUCTION = """
`GET /metrics` answers in the text format of Prometheus. It asks for a token as `Authorization: Bearer` when
[`BRUSHWORK_METRICS_KEY`](settings.md#metrics_key) is set; without one keep it away from the public at your proxy. The
`brushwork_http_…` metrics are those of the process that answers. Everything else comes from the database and is the
same on every machine: take the maximum over machines, not the sum. What workers and senders count reaches it every
five seconds. Below each metric are the samples of a server with one waiting job, without the buckets of histograms.
"""
