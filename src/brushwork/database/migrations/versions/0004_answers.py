"""What was answered to requests with an idempotency key; accounts that are erased; figures of engines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Copied from the tables as they were: history does not change when the present does.
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Time = sa.Double
RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Time(), nullable=False),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"])
    op.create_table(
        "erasures",
        sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("id", sa.Text(), nullable=False, unique=True),
        sa.Column("api_key_id", RowId, nullable=True),
        sa.Column("counts", Json, nullable=False),
        sa.Column("began_at", Time(), nullable=False),
        sa.Column("ended_at", Time(), nullable=True),
    )
    op.drop_index("ix_audits_account_id", "audits")
    op.create_index("ix_audits_of", "audits", ["account_id", "kind", "created_at"])
    op.create_index("ix_audits_kind", "audits", ["kind", "created_at"])
    op.add_column("workers", sa.Column("figures", Json, nullable=True))
    op.add_column("jobs", sa.Column("expected", Json, nullable=True))
    op.add_column("codes", sa.Column("withdrawn_at", Time(), nullable=True))
    number_endpoints_once()


def number_endpoints_once() -> None:
    """SQLite gave the number of a removed endpoint to the next one, whose account might be another."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.drop_index("ix_endpoints_account_id", "endpoints")
    op.rename_table("endpoints", "endpoints_before")
    op.create_table(
        "endpoints",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("failing_since", Time(), nullable=True),
        sa.Column("disabled_at", Time(), nullable=True),
        sa.Column("disabled_because", sa.Text(), nullable=False, server_default=""),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_endpoints_account_id", "endpoints", ["account_id"])
    op.execute("INSERT INTO endpoints SELECT * FROM endpoints_before")
    op.drop_table("endpoints_before")
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'endpoints'")
    op.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT 'endpoints', coalesce(max(number), 0)"
        " FROM (SELECT id AS number FROM endpoints UNION ALL SELECT endpoint_id FROM deliveries)"
    )
