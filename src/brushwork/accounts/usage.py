"""The usage report: what was spent, by day, key, task and account. Read from the ledger, so it outlives the jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from brushwork.database.tables import accounts, api_keys, ledger

Dimension = Literal["day", "key", "task", "account"]
DAY = 86400
MAX_ROWS = 100_000


@dataclass(frozen=True)
class Usage:
    """What was spent by whatever the report is split by; the other three are None."""

    day: int | None
    """Days since 1970, in UTC."""
    key_id: int | None
    key_name: str | None
    task: str | None
    account_id: int | None
    account_name: str | None
    jobs: int
    """Finished and paid for."""
    points: int
    refunded_jobs: int
    """Failed or cancelled: paid for by nobody."""


class WholeDays(FunctionElement[int]):
    """Seconds since 1970 → whole days since 1970. SQLite may have no floor(), PostgreSQL's CAST rounds."""

    inherit_cache = True
    type = sa.BigInteger()


@compiles(WholeDays)
def whole_days(element: WholeDays, compiler: Any, **options: Any) -> str:
    return f"CAST(floor({compiler.process(element.clauses, **options)} / {DAY}) AS BIGINT)"


@compiles(WholeDays, "sqlite")
def whole_days_of_sqlite(element: WholeDays, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **options)} / {DAY} AS INTEGER)"


COLUMNS: Mapping[Dimension, sa.ColumnElement[Any]] = {
    "day": WholeDays(ledger.c.created_at),
    "account": ledger.c.account_id,
    "key": ledger.c.api_key_id,
    "task": ledger.c.task,
}
"""What a report can be split by, in the order in which its lines are sorted."""
SETTLED = ("capture", "release")


async def usage_of(
    tx: AsyncConnection,
    *,
    since: float,
    until: float,
    by: Sequence[Dimension],
    account_id: int | None = None,
    key_id: int | None = None,
) -> list[Usage]:
    """What jobs that ended from `since` up to, not including, `until` cost; of all accounts when none is given."""
    wanted = [ledger.c.kind.in_(SETTLED), ledger.c.created_at >= since, ledger.c.created_at < until]
    wanted += [ledger.c.account_id == account_id] if account_id is not None else []
    wanted += [ledger.c.api_key_id == key_id] if key_id is not None else []
    split = {name: column.label(name) for name, column in COLUMNS.items() if name in by}
    is_paid = ledger.c.kind == "capture"
    query = (
        sa.select(
            *split.values(),
            # A job may have been paid from several packs.
            sa.func.count(sa.distinct(sa.case((is_paid, ledger.c.job_id)))).label("jobs"),
            sa.func.sum(sa.case((is_paid, ledger.c.amount), else_=0)).label("points"),
            sa.func.count(sa.distinct(sa.case((sa.not_(is_paid), ledger.c.job_id)))).label("refunded_jobs"),
        )
        .where(*wanted)
        .group_by(*split.values())
        .order_by(*split.values())
        .limit(MAX_ROWS)
    )
    rows: list[dict[str, Any]] = [dict(row._mapping) for row in await tx.execute(query)]
    # Without a dimension the sum of nothing is still one row.
    rows = [row for row in rows if row["jobs"] or row["refunded_jobs"]]
    keys = await names(tx, api_keys, {row.get("key") for row in rows})
    owners = await names(tx, accounts, {row.get("account") for row in rows})
    return [usage_in(row, keys, owners) for row in rows]


async def names(tx: AsyncConnection, table: sa.Table, ids: set[int | None]) -> Mapping[int, str]:
    """Id → name, of those that are still there."""
    known = sorted(number for number in ids if number is not None)
    found: dict[int, str] = {}
    for start in range(0, len(known), 1000):  # databases take so many values at once, not any number
        some = known[start : start + 1000]
        query = sa.select(table.c.id, table.c.name).where(table.c.id.in_(some))
        found |= {row.id: row.name for row in await tx.execute(query)}
    return found


def usage_in(row: Mapping[str, Any], keys: Mapping[int, str], owners: Mapping[int, str]) -> Usage:
    key, account = row.get("key"), row.get("account")
    return Usage(
        day=row.get("day"),
        key_id=key,
        key_name=keys.get(key) if key is not None else None,
        task=row.get("task"),
        account_id=account,
        account_name=owners.get(account) if account is not None else None,
        jobs=int(row["jobs"]),
        points=int(row["points"]),
        refunded_jobs=int(row["refunded_jobs"]),
    )
