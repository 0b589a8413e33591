"""The log of what was refused and erased. It says when, what kind and by which rule, and never what a prompt said."""

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
