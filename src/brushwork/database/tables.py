"""Every table, once, for SQLite and PostgreSQL alike. History is in `migrations/`; a test compares the two.

Times are seconds since 1970 as double precision, in UTC. Credits are whole points.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Time = sa.Double
RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows only in an INTEGER PRIMARY KEY

BUSY = {"fillfactor": 75, "autovacuum_vacuum_scale_factor": 0.02}
"""Storage of rows that change often: room for the new version on the same page, and early cleaning (PostgreSQL)."""

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("plan", sa.Text, nullable=False, server_default="free"),
    # balance = what all unexpired packs still hold, held credits included; frozen = the part that is held by open jobs
    sa.Column("balance", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("frozen", sa.BigInteger, nullable=False, server_default="0"),
    # inflight = jobs that are queued or running; further ones wait as `held`
    sa.Column("inflight", sa.Integer, nullable=False, server_default="0"),
    sa.Column("max_inflight", sa.Integer, nullable=False, server_default="6"),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    # how much of a busy server it is entitled to, compared with others
    sa.Column("share", sa.Double, nullable=False, server_default="1"),
    sa.Column("is_enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("alert_threshold", sa.BigInteger, nullable=False, server_default="0"),  # 0: nobody is told
    sa.Column("alerted_at", Time),  # since when the balance has been below the threshold
    # webhooks are signed with both secrets while `webhook_secret_until` has not come
    sa.Column("webhook_secret", sa.Text),
    sa.Column("webhook_secret_before", sa.Text),
    sa.Column("webhook_secret_until", Time),
    sa.CheckConstraint("balance >= 0", name="balance_not_negative"),
    sa.CheckConstraint("frozen >= 0 AND frozen <= balance", name="frozen_within_balance"),
    sa.CheckConstraint("inflight >= 0", name="inflight_not_negative"),
    postgresql_with=BUSY,
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),  # SHA-256 of the key, hex
    sa.Column("created_at", Time, nullable=False),
    sa.Column("last_used_at", Time),
    sa.Column("revoked_at", Time),
    sa.Column("expires_at", Time),
    sa.Column("scopes", sa.Text, nullable=False, server_default="read generate"),
    # points it may spend in all, what it has spent and what its open jobs hold; no budget is NULL
    sa.Column("budget", sa.BigInteger),
    sa.Column("spent", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("frozen", sa.BigInteger, nullable=False, server_default="0"),
    # jobs it may ask for in a minute, as a bucket of tokens; no limit is NULL
    sa.Column("per_minute", sa.Integer),
    sa.Column("tokens", sa.Double, nullable=False, server_default="0"),
    sa.Column("tokens_at", Time, nullable=False, server_default="0"),
)

packs = sa.Table(
    "packs",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),  # point | credit; points are spent first
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("frozen", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("used", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("expired", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("expires_at", Time),
    sa.CheckConstraint("frozen >= 0 AND used >= 0 AND frozen + used + expired <= amount", name="within_amount"),
    postgresql_with=BUSY,
)

APPEND_ONLY = (
    (
        "CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END",
        "sqlite",
    ),
    (
        "CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger "
        "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END",
        "sqlite",
    ),
    (
        "CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the ledger only grows'; END $$",
        "postgresql",
    ),
    (
        "CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()",
        "postgresql",
    ),
)
"""(statement, dialect) that make the ledger refuse changes to what is written."""

# Append-only; a trigger refuses UPDATE and DELETE. job_id is no foreign key: the ledger outlives the jobs.
ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("pack_id", RowId, sa.ForeignKey("packs.id"), nullable=False),
    sa.Column("job_id", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),  # grant | hold | capture | release | expire
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("api_key_id", RowId),  # of the key that asked; no foreign key: the ledger outlives the keys
    sa.Column("task", sa.Text),  # of the job: the ledger outlives the jobs
    sa.UniqueConstraint("job_id", "kind", "pack_id"),
)
for statement, dialect in APPEND_ONLY:
    trigger: sa.DDL = sa.DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    sa.event.listen(ledger, "after_create", trigger.execute_if(dialect=dialect))

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("input", Json, nullable=False),  # the task's own fields
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("callback", sa.Text),
    sa.Column("warnings", Json),
    # where it waits
    sa.Column("pool", sa.Text, nullable=False, server_default="default"),
    sa.Column("batch_key", sa.Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),  # smaller is sooner
    sa.Column("seq", Time, nullable=False),
    sa.Column("run_after", Time, nullable=False, server_default="0"),
    sa.Column("deadline_at", Time, nullable=False),
    # its life
    sa.Column("status", sa.Text, nullable=False),  # held | queued | running | done | failed | cancelled
    sa.Column("stage", sa.Text, nullable=False, server_default="staged"),  # of a running job: staged | processing
    sa.Column("progress", sa.Integer, nullable=False, server_default="0"),  # 0-100
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text),  # workers.id
    sa.Column("token", sa.Text),  # fences a worker that lost its lease
    sa.Column("lease_until", Time),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    # its price and result
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Column("usage_type", sa.Text, nullable=False, server_default="point"),  # point | credit
    sa.Column("output", Json),
    sa.Column("detail", Json),
    sa.Column("error", Json),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("started_at", Time),
    sa.Column("ended_at", Time),
    sa.Column("followup_until", Time),
    sa.Column("expires_at", Time),
    sa.Column("sources", Json),  # what it was given to work on, as `jobs/given.py` writes it
    sa.Column("api_key_id", RowId),
    sa.Column("batch_id", sa.Text),
    sa.Column("turn", sa.Double, nullable=False, server_default="0"),  # its place in the fair order; -1 while held
    sa.Column("timing", sa.Text),  # jobs that take about as long: task, model, size
    sa.Column("forecast", Json),  # what was expected of it when it was accepted: p50 and p90, in seconds
    sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),  # kept until it is unpinned
    sa.Column("trace", sa.Text),  # W3C traceparent of the request
    sa.UniqueConstraint("account_id", "idempotency_key"),
    postgresql_with=BUSY,
)


def where(condition: sa.ColumnElement[bool]) -> dict[str, Any]:
    """A partial index's condition, for both dialects."""
    return {"sqlite_where": condition, "postgresql_where": condition}


# Literals, not bound parameters: neither database uses a partial index for a value it learns only when it runs.
held = jobs.c.status == sa.literal_column("'held'")
queued = jobs.c.status == sa.literal_column("'queued'")
running = jobs.c.status == sa.literal_column("'running'")
sa.Index("ix_jobs_ready", jobs.c.pool, jobs.c.priority, jobs.c.turn, jobs.c.seq, **where(queued))
sa.Index("ix_jobs_batch", jobs.c.pool, jobs.c.batch_key, jobs.c.priority, jobs.c.turn, jobs.c.seq, **where(queued))
sa.Index("ix_jobs_lease", jobs.c.lease_until, **where(running))
sa.Index(
    "ix_jobs_held",
    jobs.c.account_id,
    jobs.c.priority,
    jobs.c.seq,
    **where(jobs.c.status == sa.literal_column("'held'")),
)
sa.Index("ix_jobs_listing", jobs.c.account_id, jobs.c.created_at, jobs.c.id)
sa.Index("ix_jobs_expiry", jobs.c.expires_at)
sa.Index("ix_jobs_open", jobs.c.account_id, jobs.c.priority, jobs.c.turn, **where(jobs.c.ended_at.is_(None)))
sa.Index("ix_jobs_deadline", jobs.c.deadline_at, **where(jobs.c.ended_at.is_(None)))
sa.Index("ix_jobs_together", jobs.c.batch_id, **where(jobs.c.batch_id.is_not(None)))
sa.Index("ix_jobs_owner", jobs.c.owner, **where(jobs.c.owner.is_not(None)))

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # status | progress | preview
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Index("ix_events_job", "job_id", "id"),
)

files = sa.Table(
    "files",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # 128 random bits, hex
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("job_id", sa.Text, index=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer),
    sa.Column("height", sa.Integer),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("expires_at", Time, index=True),
    sa.Column("sha256", sa.Text, index=True),  # of its bytes, hex
)

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
)

ticks = sa.Table(
    "ticks",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next_run", Time, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", Time),
)

# ── webhooks ──

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

# ── accounts as a service ──

notifications = sa.Table(
    "notifications",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("detail", Json),
    sa.Column("is_confirmed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
)

codes = sa.Table(
    "codes",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("code", sa.Text, nullable=False, unique=True),  # lower case
    sa.Column("kind", sa.Text, nullable=False),  # point | credit
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("pack_days", sa.Double),  # how long the points last; NULL: for ever
    sa.Column("max_uses", sa.Integer, nullable=False, server_default="1"),
    sa.Column("uses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("expires_at", Time),
    sa.CheckConstraint("uses <= max_uses", name="uses_within_max"),
)

redemptions = sa.Table(
    "redemptions",
    metadata,
    sa.Column("code_id", RowId, sa.ForeignKey("codes.id"), primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("pack_id", RowId, sa.ForeignKey("packs.id"), nullable=False),
    sa.Column("created_at", Time, nullable=False),
)

# What was refused, erased or changed by an operator. Holds no prompt and no picture.
audits = sa.Table(
    "audits",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", RowId, index=True),
    sa.Column("api_key_id", RowId),
    sa.Column("kind", sa.Text, nullable=False),  # moderation | erase | operator
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Time, nullable=False),
)

# ── jobs together, and how long they take ──

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), nullable=False, index=True),
    sa.Column("idempotency_key", sa.Text),
    sa.Column("input", Json, nullable=False),
    sa.Column("cap", sa.BigInteger, nullable=False),
    sa.Column("cost", sa.BigInteger, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.UniqueConstraint("account_id", "idempotency_key"),
)

# Which job came of which: written when a job is accepted, so that a family is found without reading what jobs hold.
follows = sa.Table(
    "follows",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("parent_id", sa.Text, primary_key=True, index=True),
    sa.Column("number", sa.Integer, primary_key=True),  # of the parent's picture; -1: the job as a whole
    sa.Column("kind", sa.Text, nullable=False),  # follow-up | replay
)

timings = sa.Table(
    "timings",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("timing", sa.Text, nullable=False),  # as jobs.timing
    sa.Column("seconds", sa.Double, nullable=False),  # from start to end
    sa.Column("waited", sa.Double, nullable=False),
    sa.Column("forecast", Json),
    sa.Column("created_at", Time, nullable=False),
    sa.Index("ix_timings_of", "timing", "id"),
)

# ── what processes count ──

measures = sa.Table(
    "measures",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),  # of the metric
    sa.Column("labels", sa.Text, primary_key=True),  # their values, as a JSON list
    sa.Column("bucket", sa.Text, primary_key=True),  # of a histogram: its upper edge, or sum; of a counter: empty
    sa.Column("value", sa.Double, nullable=False),
    postgresql_with=BUSY,
)
