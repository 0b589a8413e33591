"""Bringing a database up to date with `tables/` by the history in `migrations/`; needs no alembic.ini."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from brushwork.database.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 5_286_531
"""An arbitrary number that all our processes agree on: one upgrades, the others wait and find it done."""


async def upgrade(database: Database) -> str:
    """Apply what is missing and return the revision. Safe to run twice, and by several processes at once."""
    async with database.write() as tx:
        await tx.run_sync(upgrade_connection)
    return head_revision()


async def current_revision(database: Database) -> str | None:
    """The revision the database is at; None before the first upgrade."""
    async with database.read() as tx:
        return await tx.run_sync(lambda connection: MigrationContext.configure(connection).get_current_revision())


def head_revision() -> str:
    """The revision this version of the package wants."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    if head is None:
        raise LookupError("the package has lost its migrations")
    return head


def upgrade_connection(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
