"""Whose turn it is: start-time fair queueing, decided when a job joins the line, so that a claim only reads in order.

A lane is a pool and a priority. Within it jobs are served by (turn, seq). A job's turn is where its account stands:

    turn = max(V, turn of the account's last job in the lane + that job's cost / the account's share)

V is how far the lane has come: the turn of what is being served. So an account that asks for much only pushes its own
later jobs back, and one that has been quiet starts where all others are: it neither pays for the past nor saves up.
When nobody is in a lane it begins anew at 0. The caller has locked the account, so that its jobs come one by one.
"""

from typing import Any

import sqlalchemy as sa

from brushwork.database.tables import accounts, jobs

HELD = -1.0
"""The turn of a job that is not in the line yet."""
AHEAD = 1280.0
"""By how much of a turn a job may be claimed early, in the company of one that it can be drawn with: in points of an
account with share 1, sixteen usual jobs. What it takes early it has been given: its account's next turn comes later."""
SERVED = 100
"""So many running jobs are looked at to see how far a lane has come."""


def in_line(line: sa.FromClause, status: str, pool: Any, priority: Any) -> list[sa.ColumnElement[bool]]:
    # A literal, not a parameter: else the partial indexes are not used.
    return [line.c.status == sa.literal_column(f"'{status}'"), line.c.pool == pool, line.c.priority == priority]


def start(account: Any, pool: Any, priority: Any) -> sa.ScalarSelect[Any]:
    """The turn of the next job of this account in this lane, as SQL; the arguments are parameters or columns."""
    waiting, served, own, owner = jobs.alias(), jobs.alias(), jobs.alias(), accounts.alias()
    sample = sa.select(served.c.turn).where(*in_line(served, "running", pool, priority)).correlate(jobs)
    sample = sample.order_by(served.c.lease_until.desc()).limit(SERVED)
    head = sa.select(sa.func.min(waiting.c.turn)).where(*in_line(waiting, "queued", pool, priority)).correlate(jobs)
    last = (
        sa.select(own.c.turn + own.c.cost / owner.c.share)
        .join_from(own, owner, own.c.account_id == owner.c.id)
        .where(own.c.account_id == account, own.c.ended_at.is_(None), own.c.priority == priority)
        .where(own.c.turn > HELD, own.c.pool == pool)
        .order_by(own.c.turn.desc())
        .limit(1)
        .correlate(jobs)
    )
    at = sa.select(
        head.scalar_subquery().label("head"),
        sa.select(sa.func.max(sample.subquery().c.turn)).scalar_subquery().label("served"),
        last.scalar_subquery().label("own"),
    ).subquery()
    # A job that was claimed in company may be further than the head of the line: nobody new has to wait for that.
    come = sa.case((at.c.head < at.c.served, at.c.head), else_=sa.func.coalesce(at.c.served, at.c.head, 0.0))
    return sa.select(sa.case((at.c.own > come, at.c.own), else_=come)).scalar_subquery()
