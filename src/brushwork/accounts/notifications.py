"""What an account should know beyond its jobs: kept until somebody confirms it. Knows nobody who reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import notifications
from brushwork.errors import NotFound


@dataclass(frozen=True)
class Notification:
    id: int
    account_id: int
    type: str
    message: str
    detail: Mapping[str, Any] | None
    is_confirmed: bool
    created_at: float
    updated_at: float


@dataclass(frozen=True)
class NotificationPage:
    """Some of an account's notifications, newest first, and how many there are in all."""

    notifications: Sequence[Notification]
    total: int


async def notify_account(
    tx: AsyncConnection, account_id: int, *, type_: str, message: str, detail: Mapping[str, Any], now: float
) -> None:
    """Leave a notification with an account."""
    values = {"type": type_, "message": message, "detail": dict(detail), "created_at": now, "updated_at": now}
    await tx.execute(notifications.insert(), {"account_id": account_id, **values})


async def page_of_notifications(tx: AsyncConnection, account_id: int, *, page: int, size: int) -> NotificationPage:
    """Notifications number `(page - 1) * size` and on, newest first."""
    own = notifications.c.account_id == account_id
    total = (await tx.execute(sa.select(sa.func.count()).select_from(notifications).where(own))).scalar_one()
    query = sa.select(notifications).where(own).order_by(notifications.c.id.desc())
    rows = await tx.execute(query.offset((page - 1) * size).limit(size))
    return NotificationPage([Notification(**row._mapping) for row in rows], int(total))


async def confirm_notification(tx: AsyncConnection, account_id: int, notification_id: int, *, now: float) -> None:
    """Note that somebody has read it; doing so twice is fine. Raises NotFound, for another account's too."""
    own = sa.and_(notifications.c.id == notification_id, notifications.c.account_id == account_id)
    found = await tx.execute(sa.update(notifications).where(own).values(is_confirmed=True, updated_at=now))
    if found.rowcount != 1:
        raise NotFound("There is no notification with this id.")
