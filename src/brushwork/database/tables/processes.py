"""The processes: which are alive, whose turn the regular work is, what all of them count."""

import sqlalchemy as sa

from brushwork.database.tables.foundation import BUSY, Json, Time, metadata

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("pools", Json, nullable=False),
    sa.Column("started_at", Time, nullable=False),
    sa.Column("last_seen", Time, nullable=False),
    sa.Column("abilities", Json),  # what its engine can do: model → operations
    sa.Column("figures", Json),  # what its engine last told of itself, as `jobs/figures.py` writes it
)

ticks = sa.Table(
    "ticks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next_run", Time, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", Time),
)

measures = sa.Table(
    "measures",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # of the metric
    sa.Column("labels", sa.Text, primary_key=True),  # their values, as a JSON list
    sa.Column("bucket", sa.Text, primary_key=True),  # of a histogram: its upper edge, or sum; of a counter: empty
    sa.Column("value", sa.Double, nullable=False),
    postgresql_with=BUSY,
)
