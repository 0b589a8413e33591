"""Writing down what others should be told, in the transaction in which it happens: told if and only if it happened.

A row says who is to be told of what, and never what it looks like: that is rendered when it is sent. The id of a row
about a job follows from the job, the event and the receiver, so that nothing is told twice under two ids.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.notifications import notify_account
from brushwork.database.tables import accounts, deliveries, endpoints, jobs
from brushwork.jobs.queue import Notice, notify
from brushwork.jobs.webhooks.event import ENDS, WEBHOOKS_CHANNEL, EventName

LISTENING = "listening"
"""The status of what is fetched rather than sent, and the scheme of such an endpoint's URL."""

WAKE: Notice = (WEBHOOKS_CHANNEL, "")

HAS_ENDPOINTS = sa.exists().where(endpoints.c.account_id == accounts.c.id, endpoints.c.disabled_at.is_(None))
"""Whether anybody listens to the account of a row; costs nothing beside a statement that reads the account anyway."""
HEARS_BEGINNINGS = sa.exists().where(
    endpoints.c.account_id == jobs.c.account_id,
    endpoints.c.disabled_at.is_(None),
    endpoints.c.events.contains("job.processing"),
)
"""Whether anybody wants to hear when the job of a row begins."""


@dataclass(frozen=True)
class Happening:
    """Something that happened in an account. `callback` is told of it beside the account's endpoints."""

    account_id: int
    event: EventName
    job_id: str | None = None
    callback: str | None = None
    trace: str | None = None
    data: Mapping[str, Any] | None = None


def end_of(row: Any, status: str) -> Happening:
    """What the end of a job's row is to others."""
    return Happening(row.account_id, ENDS[status], job_id=row.id, callback=row.callback, trace=row.trace)


async def tell(
    tx: AsyncConnection, happenings: Sequence[Happening], *, listening: Collection[int], now: float
) -> list[Notice]:
    """Write a row for each receiver; returns whom to wake. `listening` are the accounts that may have endpoints."""
    of_account: dict[int, list[Any]] = {}
    if asked := sorted({happening.account_id for happening in happenings} & set(listening)):
        for endpoint in await tx.execute(ENDPOINTS, {"accounts": asked}):
            of_account.setdefault(endpoint.account_id, []).append(endpoint)
    rows = [row for one in happenings for row in rows_for(one, of_account.get(one.account_id, ()), now)]
    if not rows:
        return []
    await tx.execute(INSERT[tx.dialect.name], rows)
    return [WAKE]


ENDPOINTS = (
    sa.select(endpoints.c.id, endpoints.c.account_id, endpoints.c.url, endpoints.c.events)
    .where(endpoints.c.account_id.in_(sa.bindparam("accounts", expanding=True)), endpoints.c.disabled_at.is_(None))
    .order_by(endpoints.c.id)
)
INSERT = {
    "sqlite": sqlite.insert(deliveries).on_conflict_do_nothing(index_elements=["id"]),
    "postgresql": postgresql.insert(deliveries).on_conflict_do_nothing(index_elements=["id"]),
}
"""A job that begins anew after its worker died is told to have begun once."""


def rows_for(happening: Happening, listeners: Sequence[Any], now: float) -> list[dict[str, Any]]:
    wanted = [one for one in listeners if happening.event in one.events.split()]
    receivers = [(one.id, one.url) for one in wanted if one.url != happening.callback]
    if happening.callback:
        receivers.insert(0, (None, happening.callback))
    return [row_for(happening, endpoint_id, url, now) for endpoint_id, url in receivers]


def row_for(happening: Happening, endpoint_id: int | None, url: str, now: float) -> dict[str, Any]:
    return {
        "id": delivery_id(happening, endpoint_id),
        "account_id": happening.account_id,
        "endpoint_id": endpoint_id,
        "url": url,
        "host": host_of(url),
        "event": happening.event,
        "job_id": happening.job_id,
        "data": happening.data,
        "status": LISTENING if url.startswith(f"{LISTENING}:") else "pending",
        "next_at": now,
        "created_at": now,
        "trace": happening.trace,
    }


def delivery_id(happening: Happening, endpoint_id: int | None) -> str:
    if happening.job_id is None:
        return f"msg_{secrets.token_hex(12)}"
    receiver = "callback" if endpoint_id is None else str(endpoint_id)
    text = f"{happening.job_id}:{happening.event}:{receiver}"
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removesuffix(".")
    except ValueError:
        return ""


async def tell_low_balance(tx: AsyncConnection, account_id: int, *, available: int, threshold: int, now: float) -> None:
    """One event and one notification for an account that has just fallen below its threshold."""
    data = {"account_id": account_id, "available": available, "alert_threshold": threshold}
    message = f"{available} points are available, fewer than the alert threshold of {threshold}."
    await notify_account(tx, account_id, type_="balance.low", message=message, detail=data, now=now)
    happening = Happening(account_id, "balance.low", data=data)
    await notify(tx, await tell(tx, [happening], listening=[account_id], now=now))
