"""Who may ask and who pays: accounts, keys, packs of credits, the ledger and what operators do with them."""

import sqlalchemy as sa

from brushwork.database.tables.foundation import BUSY, Json, RowId, Time, metadata

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
    sa.Column("withdrawn_at", Time),
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

# Accounts that were erased, or are being erased: how far it is, and the receipt in the end.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("account_id", RowId, sa.ForeignKey("accounts.id"), primary_key=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),  # of the receipt
    sa.Column("api_key_id", RowId),  # of the operator who asked; NULL: on the command line
    sa.Column("counts", Json, nullable=False),  # what has been removed so far
    sa.Column("began_at", Time, nullable=False),
    sa.Column("ended_at", Time),
)

# What was refused, appealed against, tried in vain, erased or changed by an operator. Holds no prompt and no picture.
audits = sa.Table(
    "audits",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", RowId),
    sa.Column("api_key_id", RowId),
    sa.Column("kind", sa.Text, nullable=False),  # moderation | appeal | redeem | erase | operator
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Index("ix_audits_of", "account_id", "kind", "created_at"),
    sa.Index("ix_audits_kind", "kind", "created_at"),
)
