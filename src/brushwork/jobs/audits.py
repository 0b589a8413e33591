"""The log of what was refused and erased: when, what kind and by which rule, never what a prompt said. Refusals end."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import audits
from brushwork.errors import NotFound

Kind = Literal["moderation", "appeal", "erase", "operator"]
MAX_PAGE = 100
REFUSED_SECONDS = 90 * 86_400.0
"""How long it is kept that something was refused or tried in vain: what anybody can make rows of must go some day."""
REMOVED_AT_ONCE = 1000


@dataclass(frozen=True)
class Audit:
    """One entry. Entries are never changed; when their account is erased they lose their details, or go."""

    id: str
    kind: str
    data: Mapping[str, Any]
    created_at: float


def audit(
    account_id: int | None,
    kind: Kind,
    data: Mapping[str, Any],
    *,
    now: float,
    key_id: int | None = None,
    audit_id: str | None = None,
) -> sa.Insert:
    """The statement that writes an entry."""
    row = {"id": audit_id or uuid.uuid4().hex, "account_id": account_id, "api_key_id": key_id}
    return audits.insert().values(**row, kind=kind, data=dict(data), created_at=now)


async def entries(tx: AsyncConnection, account_id: int, kinds: Sequence[Kind], *, limit: int) -> list[Audit]:
    """The account's latest entries of these kinds, newest first."""
    own = sa.select(audits).where(audits.c.account_id == account_id, audits.c.kind.in_(kinds))
    rows = await tx.execute(own.order_by(audits.c.created_at.desc(), audits.c.id).limit(min(limit, MAX_PAGE)))
    return [Audit(row.id, row.kind, row.data, row.created_at) for row in rows]


async def entry(tx: AsyncConnection, account_id: int, audit_id: str, kind: Kind) -> Audit:
    """One entry of the account. Raises NotFound for unknown and foreign ones alike."""
    same = sa.and_(audits.c.id == audit_id, audits.c.account_id == account_id, audits.c.kind == kind)
    row = (await tx.execute(sa.select(audits).where(same))).first()
    if row is None:
        raise NotFound("There is no such entry.")
    return Audit(row.id, row.kind, row.data, row.created_at)


async def forget_refusals(tx: AsyncConnection, *, now: float) -> int:
    """Remove what was refused or tried in vain long ago, some at a time; returns how many.

    What an appeal speaks of stays with it. What operators did and what was erased stays for good.
    """
    appealed = sa.select(audits.c.data["of"].as_string()).where(audits.c.kind == "appeal")
    old = sa.select(audits.c.id).where(
        audits.c.kind.in_(("moderation", "redeem")),
        audits.c.created_at < now - REFUSED_SECONDS,
        audits.c.id.not_in(appealed.where(audits.c.data["of"].as_string().is_not(None))),
    )
    return (await tx.execute(audits.delete().where(audits.c.id.in_(old.limit(REMOVED_AT_ONCE))))).rowcount
