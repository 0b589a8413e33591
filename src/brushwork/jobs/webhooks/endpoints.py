"""The addresses of an account that hear of its events, and the secret that signs what they get. Sends nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.notifications import notify_account
from brushwork.database.tables import accounts, deliveries, endpoints
from brushwork.errors import Conflict, NotFound
from brushwork.jobs.webhooks.event import EventName
from brushwork.jobs.webhooks.outbox import LISTENING
from brushwork.jobs.webhooks.schedule import FAILING_SECONDS
from brushwork.jobs.webhooks.signatures import Secrets, new_secret

MAX_ENDPOINTS = 20
"""Of one account: each makes a row and a request of every event."""

GONE = "The receiver answered 410: it is gone for good."
FAILING = "Nothing was taken for five days."
BY_OWNER = "Switched off by its owner."


@dataclass(frozen=True)
class Endpoint:
    """An address that is told of an account's events."""

    id: int
    account_id: int
    url: str
    events: str
    """Names, separated by spaces."""
    description: str
    created_at: float
    failing_since: float | None
    disabled_at: float | None
    disabled_because: str


def endpoint_of(row: Any) -> Endpoint:
    return Endpoint(**{name: row._mapping[name] for name in Endpoint.__dataclass_fields__})


IS_SHOWN = endpoints.c.url.not_like(f"{LISTENING}:%")
"""A developer who listens for a while has an endpoint too, which is nobody's to change."""


def owned(account_id: int, endpoint_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return endpoints.c.id == endpoint_id, endpoints.c.account_id == account_id, IS_SHOWN


async def add_endpoint(
    tx: AsyncConnection, account_id: int, url: str, *, events: Sequence[EventName], description: str, now: float
) -> Endpoint:
    """Make an endpoint. The URL must have been judged."""
    await lock_endpoints_of(tx, account_id)
    others = await list_endpoints(tx, account_id)
    refuse_twin(others, url)
    if len(others) >= MAX_ENDPOINTS:
        raise Conflict(f"An account has at most {MAX_ENDPOINTS} webhook endpoints.")
    values = {"account_id": account_id, "url": url, "events": " ".join(events), "description": description}
    made = await tx.execute(endpoints.insert().values(**values, created_at=now).returning(endpoints))
    return endpoint_of(made.one())


async def lock_endpoints_of(tx: AsyncConnection, account_id: int) -> None:
    """Nobody adds one to this account, or moves one of it, until we are done. Before the endpoint itself, or never."""
    # Not a lock against whoever only refers to the account: a sender does, when it has locked an endpoint of it.
    await tx.execute(sa.select(accounts.c.id).where(accounts.c.id == account_id).with_for_update(key_share=True))


def refuse_twin(others: Sequence[Endpoint], url: str) -> None:
    """Each address is told once."""
    if any(other.url == url for other in others):
        raise Conflict("There is a webhook endpoint with this URL already.")


async def list_endpoints(tx: AsyncConnection, account_id: int) -> list[Endpoint]:
    """All of an account, oldest first."""
    mine = endpoints.select().where(endpoints.c.account_id == account_id, IS_SHOWN).order_by(endpoints.c.id)
    return [endpoint_of(row) for row in await tx.execute(mine)]


async def get_endpoint(tx: AsyncConnection, account_id: int, endpoint_id: int) -> Endpoint:
    """Raises NotFound for unknown and foreign ones alike."""
    found = (await tx.execute(endpoints.select().where(*owned(account_id, endpoint_id)))).first()
    if found is None:
        raise unknown()
    return endpoint_of(found)


def unknown() -> NotFound:
    return NotFound("There is no webhook endpoint with this id.")


async def change_endpoint(
    tx: AsyncConnection,
    account_id: int,
    endpoint_id: int,
    *,
    url: str | None = None,
    events: Sequence[EventName] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
    now: float,
) -> Endpoint:
    """Change what is given. Switching on forgets how long the endpoint has been failing."""
    if url is not None:
        await lock_endpoints_of(tx, account_id)
    await lock_endpoint(tx, endpoint_id)
    before = await get_endpoint(tx, account_id, endpoint_id)
    if url is not None:
        refuse_twin([other for other in await list_endpoints(tx, account_id) if other.id != endpoint_id], url)
    values: dict[str, Any] = {"url": url, "description": description, "events": events and " ".join(events)}
    values = {name: value for name, value in values.items() if value is not None}
    if enabled and before.disabled_at is not None:
        values |= {"disabled_at": None, "disabled_because": "", "failing_since": None}
    elif enabled is False and before.disabled_at is None:
        await stop_deliveries(tx, endpoint_id, now=now)
        values |= {"disabled_at": now, "disabled_because": BY_OWNER}
    if values:
        await tx.execute(endpoints.update().where(*owned(account_id, endpoint_id)).values(**values))
    return await get_endpoint(tx, account_id, endpoint_id)


async def remove_endpoint(tx: AsyncConnection, account_id: int, endpoint_id: int, *, now: float) -> None:
    """Forget an endpoint; what it has not taken is not sent any more. The log stays."""
    removed = await tx.execute(endpoints.delete().where(*owned(account_id, endpoint_id)))
    if removed.rowcount != 1:
        raise unknown()
    await stop_deliveries(tx, endpoint_id, now=now)


async def stop_deliveries(tx: AsyncConnection, endpoint_id: int, *, now: float) -> None:
    waiting = deliveries.update().where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.status == "pending")
    await tx.execute(waiting.values(status="failed", ended_at=now, lease_until=None, owner=None))


# ── how they do ───────────────────────────────────────────────────────────────────────────────────────────────────────


async def lock_endpoint(tx: AsyncConnection, endpoint_id: int) -> None:
    await tx.execute(sa.select(endpoints.c.id).where(endpoints.c.id == endpoint_id).with_for_update())


async def note_success(tx: AsyncConnection, endpoint_id: int) -> None:
    recovered = endpoints.update().where(endpoints.c.id == endpoint_id, endpoints.c.failing_since.is_not(None))
    await tx.execute(recovered.values(failing_since=None))


async def note_failure(tx: AsyncConnection, endpoint_id: int, *, is_gone: bool, now: float) -> None:
    """Remember since when an endpoint fails, and switch it off when that is too long or it says that it is gone."""
    since = sa.func.coalesce(endpoints.c.failing_since, now)
    failing = endpoints.update().where(endpoints.c.id == endpoint_id, endpoints.c.disabled_at.is_(None))
    row = (
        await tx.execute(
            failing.values(failing_since=since).returning(
                endpoints.c.account_id, endpoints.c.url, endpoints.c.failing_since
            )
        )
    ).first()
    if row is None:
        return
    if is_gone or now - row.failing_since >= FAILING_SECONDS:
        because = GONE if is_gone else FAILING
        await tx.execute(failing.values(disabled_at=now, disabled_because=because))
        await stop_deliveries(tx, endpoint_id, now=now)
        detail = {"endpoint_id": endpoint_id, "url": row.url, "because": because}
        message = f"The webhook endpoint {row.url} was switched off. {because}"
        await notify_account(tx, row.account_id, type_="webhook.disabled", message=message, detail=detail, now=now)


# ── secrets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def secrets_of(tx: AsyncConnection, account_id: int, *, now: float) -> Secrets:
    """What signs an account's deliveries at this moment."""
    columns = (accounts.c.webhook_secret, accounts.c.webhook_secret_before, accounts.c.webhook_secret_until)
    row = (await tx.execute(sa.select(*columns).where(accounts.c.id == account_id))).one()
    is_kept = row.webhook_secret_until is not None and row.webhook_secret_until > now
    return Secrets(row.webhook_secret, row.webhook_secret_before if is_kept else None)


async def before_until(tx: AsyncConnection, account_id: int, *, now: float) -> float | None:
    """Until when the secret before the present one signs too; None when it does not."""
    until = sa.select(accounts.c.webhook_secret_until).where(accounts.c.id == account_id)
    found: float | None = (await tx.execute(until)).scalar_one()
    return found if found is not None and found > now else None


async def rotate_secret(tx: AsyncConnection, account_id: int, *, keep_seconds: float, now: float) -> str:
    """A new secret, shown now and never again. The one before it signs too for `keep_seconds`."""
    made = new_secret()
    is_kept = sa.and_(accounts.c.webhook_secret.is_not(None), sa.literal(keep_seconds > 0, sa.Boolean))
    await tx.execute(
        accounts.update()
        .where(accounts.c.id == account_id)
        .values(
            webhook_secret=made,
            webhook_secret_before=sa.case((is_kept, accounts.c.webhook_secret), else_=None),
            webhook_secret_until=sa.case((is_kept, now + keep_seconds), else_=None),
        )
    )
    return made


async def remove_secret(tx: AsyncConnection, account_id: int) -> None:
    """Sign nothing any more."""
    nothing = {"webhook_secret": None, "webhook_secret_before": None, "webhook_secret_until": None}
    await tx.execute(accounts.update().where(accounts.c.id == account_id).values(**nothing))
