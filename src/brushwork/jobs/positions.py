"""Where a job stands: how many will start before it, as the line is now. Said alike to whoever asks for a job, has it
quoted or looks at it.

In the line that is how many are before it. A held job joins the line when its account has room again, at the account's
next turn and after the account's other held jobs. So these start before it, and of the line the longer part of

- what is before that turn, and
- what is up to the job of its account that has to end for it to be let in, and what is before that one.

An account with room for `n` is let in when fewer than `n` of its jobs are left: that job is its `n`-th from the end of
the line. While so many of its jobs run, it waits for none that has yet to start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.database.tables import accounts, jobs, queued
from brushwork.database.tables import held as is_held
from brushwork.jobs.fairness import HELD, start

COUNTED = 1000
"""So many jobs of the line are counted when a job is accepted, and for a held one."""

IN_ORDER = ("priority", "turn", "seq")
Order = sa.FromClause


def order_of(one: Order) -> sa.ColumnElement[Any]:
    return sa.tuple_(*(one.c[name] for name in IN_ORDER))


def before(one: Order) -> sa.ColumnElement[bool]:
    """Whether the job `one` goes before the job of a row that is read."""
    return order_of(one) < order_of(jobs)


# ── in the line ───────────────────────────────────────────────────────────────────────────────────────────────────────


def in_line_before() -> sa.ScalarSelect[Any]:
    """How many jobs will start before the queued job of a row that is read."""
    other = jobs.alias()
    line = [other.c.status == sa.literal_column("'queued'"), other.c.pool == jobs.c.pool]
    return sa.select(sa.func.count()).where(*line, before(other)).correlate(jobs).scalar_subquery()


def counted(pool: Any, upto: sa.FromClause, *names: str) -> sa.Select[Any]:
    """How many jobs are in the line up to a place in it; `COUNTED` means that many or more.

    `upto` is a table of one row or none: SQLite works an expression out anew for each job that it is compared with.
    """
    one = jobs.alias()
    is_before = sa.tuple_(*(one.c[name] for name in names)) <= sa.tuple_(*(upto.c[name] for name in names))
    some: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(upto, one).correlate(jobs)
    some = some.where(one.c.status == sa.literal_column("'queued'"), one.c.pool == pool, is_before)
    # In order, though it is only counted: else PostgreSQL reads all of the table rather than the beginning of the line.
    some = some.order_by(*(one.c[name] for name in IN_ORDER)).limit(COUNTED)
    return sa.select(sa.func.count().label("number")).select_from(some.subquery())


def up_to_turn(pool: Any, priority: Any, turn: Any) -> sa.Select[Any]:
    """How many will start before a job that takes this turn now."""
    upto = sa.select(priority.label("priority"), turn.label("turn")).correlate(jobs).subquery()
    return counted(pool, upto, "priority", "turn")


# ── held ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

ACCOUNT = sa.bindparam("account", type_=jobs.c.account_id.type)


def up_to_room(pool: Any) -> sa.Select[Any]:
    """How many will start until the account is let in again: up to its job that has to end for it."""
    own, limit = jobs.alias(), sa.select(accounts.c.max_inflight - 1).where(accounts.c.id == ACCOUNT).scalar_subquery()
    last = (
        sa.select(*(own.c[name] for name in IN_ORDER))
        .where(own.c.account_id == ACCOUNT, own.c.ended_at.is_(None), own.c.pool == pool)
        .where(own.c.status == sa.literal_column("'queued'"))
        .order_by(own.c.priority.desc(), own.c.turn.desc(), own.c.seq.desc())
        .correlate(jobs)
        .limit(1)
        .offset(limit)
    )
    return counted(pool, last.subquery(), *IN_ORDER)


def line_before_held(pool: Any, priority: Any) -> sa.ScalarSelect[Any]:
    """How many of the line will start before the first held job of the account in this lane."""
    turn = start(ACCOUNT, pool, priority)
    both = sa.union_all(up_to_turn(pool, priority, turn), up_to_room(pool)).subquery()
    return sa.select(sa.func.max(both.c.number)).scalar_subquery()


def held_before(place: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """How many held jobs of the account are let in before one at this place."""
    other = jobs.alias()
    own = [other.c.status == sa.literal_column("'held'"), other.c.account_id == ACCOUNT, order_of(other) < place]
    return sa.select(sa.func.count()).where(*own).correlate(jobs).scalar_subquery()


# ── of a job that is there ────────────────────────────────────────────────────────────────────────────────────────────

# One statement, built once: clients look at waiting jobs far more often than they ask for new ones.
OF_HELD = line_before_held(jobs.c.pool, jobs.c.priority) + held_before(order_of(jobs))
POSITION = sa.case((queued, in_line_before()), (is_held, OF_HELD), else_=sa.null()).label("position")
"""How many jobs will start before the one of a row; `account` is the parameter for its owner."""


async def positions(tx: AsyncConnection, rows: Sequence[Any]) -> dict[str, int]:
    """The positions of many jobs of one account at once, by id."""
    found = await in_the_line(tx, [row.id for row in rows if row.status == "queued"])
    held = [row for row in rows if row.status == "held"]
    if not held:
        return found
    ranks = {row.id: row.number for row in await tx.execute(RANKS, {"account": held[0].account_id})}
    lanes = {(row.pool, row.priority): 0 for row in held}
    for pool, priority in lanes:
        lane = {"account": held[0].account_id, "pool": pool, "priority": priority}
        lanes[pool, priority] = (await tx.execute(BEFORE_HELD, lane)).scalar_one()
    return found | {row.id: lanes[row.pool, row.priority] + ranks[row.id] for row in held if row.id in ranks}


async def in_the_line(tx: AsyncConnection, job_ids: Sequence[str]) -> dict[str, int]:
    if not job_ids:
        return {}
    number = sa.func.row_number().over(
        partition_by=jobs.c.pool, order_by=(jobs.c.priority, jobs.c.turn, jobs.c.seq, jobs.c.id)
    )
    line = sa.select(jobs.c.id, (number - 1).label("ahead")).where(queued).subquery()
    return {row.id: row.ahead for row in await tx.execute(sa.select(line).where(line.c.id.in_(job_ids)))}


RANK = sa.func.rank().over(order_by=(jobs.c.priority, jobs.c.turn, jobs.c.seq)) - 1
RANKS = sa.select(jobs.c.id, RANK.label("number")).where(is_held, jobs.c.account_id == ACCOUNT)
"""Which of an account's held jobs is let in when."""


# ── of a job that is asked for ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Place:
    """Where a job of an account would stand in a lane, if it came now."""

    turn: float
    ahead: int
    """Jobs that would start before it."""


async def place(tx: AsyncConnection, account_id: int, *, pool: str, priority: int) -> Place:
    """The turn of the account's next job in this lane, and how many are before it."""
    row = (await tx.execute(PLACE, {"account": account_id, "pool": pool, "priority": priority})).one()
    return Place(float(row.turn), int(row.ahead))


async def place_of(tx: AsyncConnection, row: Mapping[str, Any], *, held: bool) -> Place:
    """Where the job of a row that is not written yet would stand, in the line or before it."""
    if not held:
        return await place(tx, row["account_id"], pool=row["pool"], priority=row["priority"])
    lane = {"account": row["account_id"], "pool": row["pool"], "priority": row["priority"], "seq": row["seq"]}
    return Place(HELD, int((await tx.execute(PLACE_OF_HELD, lane)).scalar_one()))


POOL, PRIORITY = sa.bindparam("pool", type_=sa.Text), sa.bindparam("priority", type_=sa.Integer)
TURN = sa.select(start(ACCOUNT, POOL, PRIORITY).cast(sa.Double).label("turn")).cte("place")
AHEAD = up_to_turn(POOL, PRIORITY, sa.select(TURN.c.turn).scalar_subquery()).scalar_subquery()
PLACE = sa.select(TURN.c.turn, AHEAD.label("ahead"))
BEFORE_HELD = sa.select(line_before_held(POOL, PRIORITY))
LAST_HELD = sa.tuple_(PRIORITY, sa.literal(HELD, sa.Double), sa.bindparam("seq", type_=sa.Double))
PLACE_OF_HELD = sa.select(line_before_held(POOL, PRIORITY) + held_before(LAST_HELD))
