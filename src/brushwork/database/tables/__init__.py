"""Every table, once, for SQLite and PostgreSQL alike. History is in `migrations/`; a test compares the two.

Times are seconds since 1970 as double precision, in UTC. Credits are whole points.
"""

from brushwork.database.tables.foundation import metadata
from brushwork.database.tables.hooks import attempts, deliveries, endpoints
from brushwork.database.tables.money import (
    accounts,
    api_keys,
    audits,
    codes,
    erasures,
    ledger,
    notifications,
    packs,
    redemptions,
)
from brushwork.database.tables.processes import measures, ticks, workers
from brushwork.database.tables.work import (
    answers,
    batches,
    events,
    files,
    follows,
    held,
    jobs,
    queued,
    running,
    timings,
)

__all__ = [
    "accounts",
    "answers",
    "api_keys",
    "attempts",
    "audits",
    "batches",
    "codes",
    "deliveries",
    "endpoints",
    "erasures",
    "events",
    "files",
    "follows",
    "held",
    "jobs",
    "ledger",
    "measures",
    "metadata",
    "notifications",
    "packs",
    "queued",
    "redemptions",
    "running",
    "ticks",
    "timings",
    "workers",
]
