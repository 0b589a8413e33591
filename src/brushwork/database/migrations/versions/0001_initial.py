"""The first schema: accounts and their credits, jobs and their events, files, workers."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Copied from the tables as they were: history does not change when the present does.
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Time = sa.Double
RowId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BUSY = {"fillfactor": 75, "autovacuum_vacuum_scale_factor": 0.02}


def where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    create_accounts()
    create_credits()
    create_jobs()
    create_machinery()
    make_ledger_append_only()


def create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", RowId, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), server_default="free", nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("frozen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("inflight", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_inflight", sa.Integer(), server_default="6", nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("updated_at", Time, nullable=False),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_accounts_balance_not_negative")),
        sa.CheckConstraint("frozen >= 0 AND frozen <= balance", name=op.f("ck_accounts_frozen_within_balance")),
        sa.CheckConstraint("inflight >= 0", name=op.f("ck_accounts_inflight_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
        postgresql_with=BUSY,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", RowId, nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("last_used_at", Time, nullable=True),
        sa.Column("revoked_at", Time, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_keys_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_keys_hash")),
    )
    op.create_index(op.f("ix_api_keys_account_id"), "api_keys", ["account_id"])


def create_credits() -> None:
    op.create_table(
        "packs",
        sa.Column("id", RowId, nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("frozen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expired", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time, nullable=True),
        sa.CheckConstraint(
            "frozen >= 0 AND used >= 0 AND frozen + used + expired <= amount", name=op.f("ck_packs_within_amount")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_packs_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_packs")),
        postgresql_with=BUSY,
    )
    op.create_index(op.f("ix_packs_account_id"), "packs", ["account_id"])
    op.create_table(
        "ledger",
        sa.Column("id", RowId, nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("pack_id", RowId, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ledger_account_id_accounts")),
        sa.ForeignKeyConstraint(["pack_id"], ["packs.id"], name=op.f("fk_ledger_pack_id_packs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("job_id", "kind", "pack_id", name=op.f("uq_ledger_job_id_kind_pack_id")),
    )
    op.create_index(op.f("ix_ledger_account_id"), "ledger", ["account_id"])


def create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("input", Json, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=True),
        sa.Column("warnings", Json, nullable=True),
        sa.Column("pool", sa.Text(), server_default="default", nullable=False),
        sa.Column("batch_key", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("seq", Time, nullable=False),
        sa.Column("run_after", Time, server_default="0", nullable=False),
        sa.Column("deadline_at", Time, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), server_default="staged", nullable=False),
        sa.Column("progress", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("token", sa.Text(), nullable=True),
        sa.Column("lease_until", Time, nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("usage_type", sa.Text(), server_default="point", nullable=False),
        sa.Column("output", Json, nullable=True),
        sa.Column("detail", Json, nullable=True),
        sa.Column("error", Json, nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("started_at", Time, nullable=True),
        sa.Column("ended_at", Time, nullable=True),
        sa.Column("followup_until", Time, nullable=True),
        sa.Column("expires_at", Time, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_jobs_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("account_id", "idempotency_key", name=op.f("uq_jobs_account_id_idempotency_key")),
        postgresql_with=BUSY,
    )
    op.create_index("ix_jobs_batch", "jobs", ["pool", "batch_key", "priority", "seq"], **where("status = 'queued'"))
    op.create_index("ix_jobs_deadline", "jobs", ["deadline_at"], **where("ended_at IS NULL"))
    op.create_index("ix_jobs_expiry", "jobs", ["expires_at"])
    op.create_index("ix_jobs_held", "jobs", ["account_id", "priority", "seq"], **where("status = 'held'"))
    op.create_index("ix_jobs_lease", "jobs", ["lease_until"], **where("status = 'running'"))
    op.create_index("ix_jobs_listing", "jobs", ["account_id", "created_at", "id"])
    op.create_index("ix_jobs_open", "jobs", ["account_id"], **where("ended_at IS NULL"))
    op.create_index("ix_jobs_owner", "jobs", ["owner"], **where("owner IS NOT NULL"))
    op.create_index("ix_jobs_ready", "jobs", ["pool", "priority", "seq"], **where("status = 'queued'"))


def create_machinery() -> None:
    op.create_table(
        "events",
        sa.Column("id", RowId, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("created_at", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_job", "events", ["job_id", "id"])
    op.create_table(
        "files",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("created_at", Time, nullable=False),
        sa.Column("expires_at", Time, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_files_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
    )
    op.create_index(op.f("ix_files_expires_at"), "files", ["expires_at"])
    op.create_index(op.f("ix_files_job_id"), "files", ["job_id"])
    op.create_table(
        "workers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("pools", Json, nullable=False),
        sa.Column("started_at", Time, nullable=False),
        sa.Column("last_seen", Time, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "ticks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_run", Time, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", Time, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ticks")),
    )


def make_ledger_append_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER ledger_no_{verb} BEFORE {verb.upper()} ON ledger "
                "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger only grows'; END $$"
    )
    op.execute(
        "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()"
    )
