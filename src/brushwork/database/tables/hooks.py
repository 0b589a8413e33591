"""Webhooks: who is told, of what, and what came of it."""

import sqlalchemy as sa

from brushwork.database.tables.foundation import BUSY, Json, RowId, Time, metadata, where

endpoints = sa.Table(
    "endpoints",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),  # names, separated by spaces
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("failing_since", Time),
    sa.Column("disabled_at", Time),
    sa.Column("disabled_because", sa.Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,  # deliveries outlive their endpoint: its number must never be another account's
)

# The outbox: a row is written in the transaction that makes the event, and sent by whoever claims it.
deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # "msg_…", the same in every attempt
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("endpoint_id", RowId),  # NULL: a job's own callback
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("host", sa.Text, nullable=False),  # of the URL: one that is slow must not keep others waiting
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text),
    sa.Column("data", Json),  # of events that are not about a job
    sa.Column("status", sa.Text, nullable=False),  # pending | delivered | failed | listening
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", Time, nullable=False),
    sa.Column("lease_until", Time),
    sa.Column("owner", sa.Text),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("ended_at", Time),
    sa.Column("trace", sa.Text),
    postgresql_with=BUSY,
)
sa.Index("ix_deliveries_due", deliveries.c.next_at, **where(deliveries.c.status == sa.literal_column("'pending'")))
sa.Index("ix_deliveries_account", deliveries.c.account_id, deliveries.c.created_at, deliveries.c.id)
sa.Index("ix_deliveries_job", deliveries.c.job_id)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", Time, nullable=False),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("status", sa.Integer),  # of the answer; NULL when there was none
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
)
