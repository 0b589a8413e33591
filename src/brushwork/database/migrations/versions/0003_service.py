"""What a service around the jobs needs: webhooks, scopes of keys, fair turns, codes, batches, forecasts, audits."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Copied from the tables as they were: history does not change when the present does.
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Time = sa.Double
RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
BUSY = {"fillfactor": 75, "autovacuum_vacuum_scale_factor": 0.02}


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    add_columns()
    turn_queue_indexes()
    create_webhooks()
    create_service()
    create_together()
    create_measures()


def add_columns() -> None:
    added: dict[str, list[sa.Column[Any]]] = {
        "accounts": [
            sa.Column("share", sa.Double(), nullable=False, server_default="1"),
            sa.Column("is_enabled", sa.Boolean(), nullable=False, server_default=sa.true()),
            sa.Column("alert_threshold", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("alerted_at", Time(), nullable=True),
            sa.Column("webhook_secret", sa.Text(), nullable=True),
            sa.Column("webhook_secret_before", sa.Text(), nullable=True),
            sa.Column("webhook_secret_until", Time(), nullable=True),
        ],
        "api_keys": [
            sa.Column("expires_at", Time(), nullable=True),
            sa.Column("scopes", sa.Text(), nullable=False, server_default="read generate"),
            sa.Column("budget", sa.BigInteger(), nullable=True),
            sa.Column("spent", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("frozen", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("per_minute", sa.Integer(), nullable=True),
            sa.Column("tokens", sa.Double(), nullable=False, server_default="0"),
            sa.Column("tokens_at", Time(), nullable=False, server_default="0"),
        ],
        "ledger": [sa.Column("api_key_id", RowId, nullable=True), sa.Column("task", sa.Text(), nullable=True)],
        "jobs": [
            sa.Column("api_key_id", RowId, nullable=True),
            sa.Column("batch_id", sa.Text(), nullable=True),
            sa.Column("turn", sa.Double(), nullable=False, server_default="0"),
            sa.Column("timing", sa.Text(), nullable=True),
            sa.Column("forecast", Json, nullable=True),
            sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("trace", sa.Text(), nullable=True),
        ],
        "files": [sa.Column("sha256", sa.Text(), nullable=True)],
        "workers": [sa.Column("abilities", Json, nullable=True)],
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_files_sha256", "files", ["sha256"])


def turn_queue_indexes() -> None:
    op.drop_index("ix_jobs_ready", "jobs")
    op.drop_index("ix_jobs_batch", "jobs")
    op.create_index("ix_jobs_ready", "jobs", ["pool", "priority", "turn", "seq"], **where("status = 'queued'"))
    op.create_index(
        "ix_jobs_batch", "jobs", ["pool", "batch_key", "priority", "turn", "seq"], **where("status = 'queued'")
    )
    op.drop_index("ix_jobs_open", "jobs")
    op.create_index("ix_jobs_open", "jobs", ["account_id", "priority", "turn"], **where("ended_at IS NULL"))
    op.create_index("ix_jobs_together", "jobs", ["batch_id"], **where("batch_id IS NOT NULL"))


def create_webhooks() -> None:
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
    )
    op.create_index("ix_endpoints_account_id", "endpoints", ["account_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("endpoint_id", RowId, nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("data", Json, nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("next_at", Time(), nullable=False),
        sa.Column("lease_until", Time(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("ended_at", Time(), nullable=True),
        sa.Column("trace", sa.Text(), nullable=True),
        postgresql_with=BUSY,
    )
    op.create_index("ix_deliveries_due", "deliveries", ["next_at"], **where("status = 'pending'"))
    op.create_index("ix_deliveries_account", "deliveries", ["account_id", "created_at", "id"])
    op.create_index("ix_deliveries_job", "deliveries", ["job_id"])
    op.create_table(
        "attempts",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("delivery_id", sa.Text(), sa.ForeignKey("deliveries.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", Time(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
    )
    op.create_index("ix_attempts_delivery_id", "attempts", ["delivery_id"])


def create_service() -> None:
    op.create_table(
        "notifications",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("detail", Json, nullable=True),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("updated_at", Time(), nullable=False),
    )
    op.create_index("ix_notifications_account_id", "notifications", ["account_id"])
    op.create_table(
        "codes",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("code", sa.Text(), nullable=False, unique=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False, server_default=""),
        sa.Column("pack_days", sa.Double(), nullable=True),
        sa.Column("max_uses", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("uses", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at", Time(), nullable=False),
        sa.Column("expires_at", Time(), nullable=True),
        sa.CheckConstraint("uses <= max_uses", name="uses_within_max"),
    )
    op.create_table(
        "redemptions",
        sa.Column("code_id", RowId, sa.ForeignKey("codes.id"), primary_key=True),
        sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("pack_id", RowId, sa.ForeignKey("packs.id"), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
    )
    op.create_table(
        "audits",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("account_id", RowId, nullable=True),
        sa.Column("api_key_id", RowId, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("created_at", Time(), nullable=False),
    )
    op.create_index("ix_audits_account_id", "audits", ["account_id"])


def create_together() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("input", Json, nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Time(), nullable=False),
        sa.UniqueConstraint("account_id", "idempotency_key"),
    )
    op.create_index("ix_batches_account_id", "batches", ["account_id"])
    op.create_table(
        "follows",
        sa.Column("job_id", sa.Text(), primary_key=True),
        sa.Column("parent_id", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
    )
    op.create_index("ix_follows_parent_id", "follows", ["parent_id"])
    op.create_table(
        "timings",
        sa.Column("id", RowId, primary_key=True),
        sa.Column("timing", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("waited", sa.Double(), nullable=False),
        sa.Column("forecast", Json, nullable=True),
        sa.Column("created_at", Time(), nullable=False),
    )
    op.create_index("ix_timings_of", "timings", ["timing", "id"])


def create_measures() -> None:
    op.create_table(
        "measures",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("labels", sa.Text(), primary_key=True),
        sa.Column("bucket", sa.Text(), primary_key=True),
        sa.Column("value", sa.Double(), nullable=False),
        postgresql_with=BUSY,
    )
