"""The record of what operators changed, and of what was refused, appealed against, tried in vain or erased.

Holds no key, no code, no prompt and no picture.
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import audits

AuditKind = Literal["operator", "moderation", "appeal", "erase", "redeem"]


@dataclass(frozen=True)
class Audit:
    """Something that was done to an account, by whom and when."""

    id: str
    account_id: int | None
    api_key_id: int | None
    """Of the key that asked; None on the command line."""
    kind: AuditKind
    data: Mapping[str, Any]
    created_at: float


@dataclass(frozen=True)
class AuditPage:
    """Some of the record, newest first, and how much of it there is in all."""

    audits: Sequence[Audit]
    total: int


async def note_change(
    tx: AsyncConnection,
    action: str,
    *,
    account_id: int | None,
    key_id: int | None,
    now: float,
    facts: Mapping[str, Any],
    note_id: str | None = None,
) -> None:
    """Write down what an operator did, in the transaction that does it. `key_id` is None on the command line."""
    by = "command line" if key_id is None else "api"
    values = {"kind": "operator", "data": {"action": action, "by": by, **facts}, "created_at": now}
    row = {"id": note_id or uuid.uuid4().hex, "account_id": account_id, "api_key_id": key_id, **values}
    await tx.execute(sa.insert(audits).values(row))


def note_for(account_id: int, by_account: int, idempotency_key: str) -> str:
    """The id of the note that a change with this idempotency key leaves: it finds the change when it is asked again."""
    return hashlib.sha256(f"{account_id}:{by_account}:{idempotency_key}".encode()).hexdigest()[:32]


async def change_noted(tx: AsyncConnection, note_id: str) -> Mapping[str, Any] | None:
    """The facts of a change that is written down already."""
    found: Mapping[str, Any] | None = (
        await tx.execute(sa.select(audits.c.data).where(audits.c.id == note_id))
    ).scalar_one_or_none()
    return found


async def note_failure(
    tx: AsyncConnection, account_id: int, kind: AuditKind, data: Mapping[str, Any], *, key_id: int | None, now: float
) -> None:
    """Write down what an account tried in vain."""
    row = {"id": uuid.uuid4().hex, "account_id": account_id, "api_key_id": key_id, "kind": kind}
    await tx.execute(sa.insert(audits).values(**row, data=dict(data), created_at=now))


async def times_of(
    tx: AsyncConnection, account_id: int, kind: AuditKind, *, since: float, limit: int
) -> Sequence[float]:
    """When the account's latest entries of this kind were made, newest first."""
    own = sa.and_(audits.c.account_id == account_id, audits.c.kind == kind, audits.c.created_at > since)
    times = sa.select(audits.c.created_at).where(own).order_by(audits.c.created_at.desc()).limit(limit)
    return (await tx.execute(times)).scalars().all()


async def page_of_audits(
    tx: AsyncConnection,
    *,
    kind: AuditKind | None,
    account_id: int | None,
    page: int,
    size: int,
    since: float | None = None,
    until: float | None = None,
) -> AuditPage:
    """Entries number `(page - 1) * size` and on, newest first; of one kind, one account or a period when given."""
    given = ((audits.c.kind, kind), (audits.c.account_id, account_id))
    wanted = [column == value for column, value in given if value is not None]
    wanted += [audits.c.created_at >= since] if since is not None else []
    wanted += [audits.c.created_at < until] if until is not None else []
    total = (await tx.execute(sa.select(sa.func.count()).select_from(audits).where(*wanted))).scalar_one()
    query = sa.select(audits).where(*wanted).order_by(audits.c.created_at.desc(), audits.c.id)
    rows = await tx.execute(query.offset((page - 1) * size).limit(size))
    return AuditPage([Audit(**row._mapping) for row in rows], int(total))
