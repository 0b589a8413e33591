"""What all tables have in common: their names, their types, how busy rows are stored."""

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


def where(condition: sa.ColumnElement[bool]) -> dict[str, Any]:
    """A partial index's condition, for both dialects."""
    return {"sqlite_where": condition, "postgresql_where": condition}
