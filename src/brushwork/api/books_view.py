"""Statements and usage reports as JSON, and as rows for CSV."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from brushwork.accounts.statements import Amounts, Line, Statement
from brushwork.accounts.usage import DAY, Dimension, Usage
from brushwork.api.periods import Period
from brushwork.api.views import View, When, moment


class AmountsView(View):
    available: int | None = Field(description="Can be spent; null in the statement of a key, which has no balance")
    held: int = Field(description="Set aside for jobs that have not ended")
    spent: int = Field(description="Since the account was opened")
    expired: int

    @classmethod
    def of(cls, amounts: Amounts, *, is_of_key: bool) -> "AmountsView":
        available = None if is_of_key else amounts.available
        return cls(available=available, held=amounts.held, spent=amounts.spent, expired=amounts.expired)


class LineView(View):
    id: int
    at: When
    kind: str = Field(
        description="grant: came · hold: set aside for a job · capture: the job was paid · release: it was not · expire"
    )
    amount: int
    job_id: str | None
    task: str | None
    key_id: int | None
    pack_id: int
    description: str = Field(description="Of the pack that the points are in")
    after: AmountsView

    @classmethod
    def of(cls, line: Line, *, is_of_key: bool) -> "LineView":
        after = AmountsView.of(line.after, is_of_key=is_of_key)
        return cls(**{**vars(line), "at": moment(line.at), "after": after})


class StatementView(View):
    """The moves of a period, oldest first, with what the account had before and after them."""

    account_id: int
    key_id: int | None
    since: When
    until: When = Field(description="Not included")
    opening: AmountsView
    lines: list[LineView]
    closing: AmountsView
    next_after: int | None = Field(description="For `after` of the next request; null when these are all")

    @classmethod
    def of(cls, found: Statement, account_id: int, period: Period, key_id: int | None) -> "StatementView":
        is_of_key = key_id is not None
        return cls(
            account_id=account_id,
            key_id=key_id,
            since=moment(period.since),
            until=moment(period.until),
            opening=AmountsView.of(found.opening, is_of_key=is_of_key),
            lines=[LineView.of(line, is_of_key=is_of_key) for line in found.lines],
            closing=AmountsView.of(found.closing, is_of_key=is_of_key),
            next_after=found.next_after,
        )


class UsageRow(View):
    """One line of the report; only what it is split by is there."""

    day: str | None = Field(None, description="YYYY-MM-DD, in UTC")
    account_id: int | None = None
    account_name: str | None = None
    key_id: int | None = Field(None, description="Null: asked for before keys were kept with jobs")
    key_name: str | None = None
    task: str | None = None
    jobs: int = Field(description="Finished and paid for")
    points: int
    refunded_jobs: int = Field(description="Failed or cancelled, and not paid for")


class UsageView(View):
    since: When
    until: When = Field(description="Not included")
    by: list[str]
    data: list[UsageRow]
    jobs: int
    points: int
    refunded_jobs: int

    @classmethod
    def of(cls, found: Sequence[Usage], by: Sequence[Dimension], period: Period) -> "UsageView":
        return cls(
            since=moment(period.since),
            until=moment(period.until),
            by=list(by),
            data=[UsageRow(**usage_fields(one, by)) for one in found],
            jobs=sum(one.jobs for one in found),
            points=sum(one.points for one in found),
            refunded_jobs=sum(one.refunded_jobs for one in found),
        )


STATEMENT_COLUMNS = (
    *("at", "kind", "amount", "available", "held", "spent", "expired"),
    *("job_id", "task", "key_id", "pack_id", "description"),
)


def statement_rows(found: Statement, period: Period, *, is_of_key: bool) -> Iterator[Sequence[object]]:
    """The opening, every line, the closing."""

    def amounts(some: Amounts) -> Sequence[object]:
        return ("" if is_of_key else some.available, some.held, some.spent, some.expired)

    yield (moment(period.since), "opening", "", *amounts(found.opening), "", "", "", "", "")
    for line in found.lines:
        about = (line.job_id, line.task, line.key_id, line.pack_id, line.description)
        yield (moment(line.at), line.kind, line.amount, *amounts(line.after), *about)
    last = found.lines[-1].at if found.next_after is not None else period.until
    yield (moment(last), "closing", "", *amounts(found.closing), "", "", "", "", "")


FIELDS: Mapping[Dimension, tuple[str, ...]] = {
    "day": ("day",),
    "account": ("account_id", "account_name"),
    "key": ("key_id", "key_name"),
    "task": ("task",),
}
COUNTS = ("jobs", "points", "refunded_jobs")


def usage_columns(by: Sequence[Dimension]) -> list[str]:
    return [field for dimension in by for field in FIELDS[dimension]] + list(COUNTS)


def usage_fields(one: Usage, by: Sequence[Dimension]) -> dict[str, object]:
    fields = {name: getattr(one, name) for name in usage_columns(by)}
    if one.day is not None:
        fields["day"] = moment(one.day * DAY)[:10]
    return fields


def usage_rows(found: Sequence[Usage], by: Sequence[Dimension]) -> Iterator[Sequence[object]]:
    for one in found:
        yield list(usage_fields(one, by).values())
