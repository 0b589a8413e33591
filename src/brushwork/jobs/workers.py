"""Which workers there are, and when each was last heard of."""

import os
import socket
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import workers
from brushwork.engines.base import Engine
from brushwork.jobs.queue import NOW

ID_VARIABLE = "BRUSHWORK_WORKER_ID"
"""How a supervisor tells its child who it is, so that it can take the child's jobs back."""

FORGET_SECONDS = 3600.0


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker says of itself."""

    id: str
    device: str
    engine: str
    pools: Sequence[str]
    abilities: Mapping[str, Any] = field(default_factory=dict)
    """What its engine can do: model → operations, as `abilities_of` writes them."""


def abilities_of(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """An engine's capabilities as plain JSON, for those who may not load it."""
    return {
        model: [{"op": one.op.value, "params": sorted(one.params), "negative": one.negative} for one in many]
        for model, many in engine.capabilities().items()
    }


def worker_name() -> str:
    """The id the supervisor gave us, or a new one."""
    return os.environ.get(ID_VARIABLE) or new_worker_id()


def new_worker_id() -> str:
    return f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"


async def say_alive(tx: AsyncConnection, worker: WorkerInfo, figures: Sequence[Any] | None = None) -> None:
    """Note that the worker is here now, and what its engine tells of itself."""
    here = {"last_seen": NOW, "figures": figures}
    seen = await tx.execute(workers.update().where(workers.c.id == worker.id).values(here))
    if seen.rowcount:
        return
    row = {
        "id": worker.id,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "device": worker.device,
        "engine": worker.engine,
        "pools": list(worker.pools),
        "abilities": worker.abilities,
        "started_at": NOW,
        **here,
    }
    await tx.execute(workers.insert().values(row))


async def say_goodbye(tx: AsyncConnection, worker_id: str) -> None:
    await tx.execute(workers.delete().where(workers.c.id == worker_id))


async def silent(tx: AsyncConnection, worker_ids: Collection[str], *, seconds: float) -> set[str]:
    """Those of these workers that have not been heard of for so long."""
    rows = await tx.execute(
        sa.select(workers.c.id).where(workers.c.id.in_(worker_ids), workers.c.last_seen < NOW - seconds)
    )
    return set(rows.scalars())


async def forget_dead(tx: AsyncConnection) -> int:
    """Remove workers that have been silent for an hour."""
    return (await tx.execute(workers.delete().where(workers.c.last_seen < NOW - FORGET_SECONDS))).rowcount
