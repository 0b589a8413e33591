"""Runs the migrations on the connection that `upgrade.py` hands over, in its transaction."""

from alembic import context

from brushwork.database.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
