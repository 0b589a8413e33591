"""What an account should know beyond its jobs: kept until somebody confirms it. Knows nobody who reads it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import notifications


async def notify_account(
    tx: AsyncConnection, account_id: int, *, type_: str, message: str, detail: Mapping[str, Any], now: float
) -> None:
    """Leave a notification with an account."""
    values = {"type": type_, "message": message, "detail": dict(detail), "created_at": now, "updated_at": now}
    await tx.execute(notifications.insert(), {"account_id": account_id, **values})
