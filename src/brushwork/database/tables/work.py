"""Jobs and what belongs to them: the queue is the jobs themselves."""

import sqlalchemy as sa

from brushwork.database.tables.foundation import BUSY, Json, RowId, Time, metadata, where

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
    sa.Column("expected", Json),  # of a recipe from elsewhere that it was drawn from: job, engine, SHA-256 of its files
    sa.UniqueConstraint("account_id", "idempotency_key"),
    postgresql_with=BUSY,
)


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

# What was answered to a request with an idempotency key; tasks and batches find their jobs instead.
answers = sa.Table(
    "answers",
    metadata,
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request", sa.Text, nullable=False),  # SHA-256 of its method, path, query and body, hex
    sa.Column("status", sa.Integer),  # of the answer; NULL while there is none
    sa.Column("body", sa.LargeBinary),  # NULL: it held a secret that is shown once
    sa.Column("created_at", Time, nullable=False, index=True),
)
