"""reference/database.md, from the tables in `database/tables/` and the remarks beside their columns."""

import inspect
import re

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from brushwork.database.tables import hooks, metadata, money, processes, work
from reference.markdown import code, page, table

SENTENCES = {
    "accounts": "Who may ask and who pays. One row is locked while its credits or its jobs change.",
    "api_keys": "Keys of accounts, as hashes. A revoked key stays, so that its name remains in the record.",
    "packs": "Credits arrive in packs; each may expire on its own day.",
    "ledger": "Every move of credits, for ever. Triggers refuse to change or delete a row.",
    "jobs": "The jobs and the queue: one row from the request to the day its files are removed.",
    "events": "What happened to a job, in order. Live views and webhooks read it.",
    "files": "Published files. A file in the store without a row here is invisible.",
    "workers": "The worker processes that are alive, or were until a moment ago.",
    "ticks": "Regular work that exactly one process does at a time.",
    "endpoints": "Where an account wants to be told of what happens.",
    "deliveries": "The outbox of webhooks: a row is written in the transaction that makes the event.",
    "attempts": "Each try to deliver a webhook, and what came of it.",
    "notifications": "What the holder of an account should know, until it is confirmed.",
    "codes": "Codes that can be redeemed for points or credits.",
    "redemptions": "Which account redeemed which code.",
    "audits": "What was refused, erased or changed by an operator; no prompts, no pictures.",
    "erasures": "Accounts that were erased, or are being erased.",
    "batches": "Jobs that were asked for together, under one cap.",
    "follows": "Which job came of which, and of which of its pictures.",
    "answers": "What was answered to a request with an idempotency key, for a day.",
    "timings": "How long jobs took, from which forecasts are made.",
    "measures": "What all processes have counted and timed together, for `/metrics`.",
}

CHAPTERS = (money, work, hooks, processes)
DEFINITION = re.compile(r"^(?P<table>\w+) = sa\.Table\($")
REMARK = re.compile(r'^\s+sa\.Column\("(?P<column>\w+)".*#\s+(?P<remark>.+)$')
DIALECTS: tuple[sa.Dialect, ...] = (sqlite.dialect(), postgresql.dialect())  # type: ignore[no-untyped-call]  # as SQLAlchemy leaves them


def database_page() -> str:
    remarks = remarks_of("\n".join(inspect.getsource(chapter) for chapter in CHAPTERS))
    return page("Database", INTRODUCTION, *(section(table, remarks) for table in metadata.tables.values()))


def section(described: sa.Table, remarks: dict[tuple[str, str], str]) -> str:
    rows = [
        (
            code(column.name),
            type_of(column),
            rules_of(column),
            remarks.get((described.name, column.name), ""),
        )
        for column in described.columns
    ]
    indexes = [
        f"- {code(index.name)} on {', '.join(code(column.name) for column in index.columns)}{condition(index)}"
        for index in sorted(described.indexes, key=lambda index: str(index.name))
    ]
    parts = [f"## {described.name}", SENTENCES[described.name], table(("column", "type", "rules", "remark"), rows)]
    return "\n\n".join(parts + (["Indexes:\n\n" + "\n".join(indexes)] if indexes else []))


def type_of(column: sa.Column[object]) -> str:
    """The type in SQLite and, where it has another name there, in PostgreSQL."""
    names = dict.fromkeys(column.type.compile(dialect=dialect) for dialect in DIALECTS)
    return " / ".join(names)


def rules_of(column: sa.Column[object]) -> str:
    rules = ["primary key"] if column.primary_key else ([] if column.nullable else ["required"])
    rules += ["unique"] if column.unique else []
    rules += [f"→ {key.target_fullname}" for key in sorted(column.foreign_keys, key=lambda key: key.target_fullname)]
    if isinstance(column.server_default, sa.DefaultClause):
        rules.append(f"default {code(default_text(column.server_default.arg))}")
    return ", ".join(rules)


def default_text(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def condition(index: sa.Index) -> str:
    where = index.dialect_options["sqlite"]["where"]
    return f" where {code(where)}" if where is not None else ""


def remarks_of(source: str) -> dict[tuple[str, str], str]:
    """(table, column) → the comment at the end of the line that declares the column."""
    remarks = {}
    current = ""
    for line in source.splitlines():
        if definition := DEFINITION.match(line):
            current = definition["table"]
        elif remark := REMARK.match(line):
            remarks[current, remark["column"]] = remark["remark"].strip()
    return remarks


INTRODUCTION = """
The tables, the same in SQLite and PostgreSQL. Read them as much as you like; write only through Brushwork, which keeps
status, credits and events in step. Times are seconds since 1970 in UTC, amounts are whole points. Where the two
databases name a type differently, both names are given, SQLite's first.
"""
