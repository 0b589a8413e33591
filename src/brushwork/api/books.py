"""The books of an account: statements and usage reports, as JSON and CSV; for operators, those of all accounts."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from brushwork.accounts.directory import account_by_id
from brushwork.accounts.statements import MAX_LINES, Statement, statement_of
from brushwork.accounts.usage import COLUMNS, Dimension, Usage, usage_of
from brushwork.api.answers import json_answer
from brushwork.api.books_view import (
    STATEMENT_COLUMNS,
    StatementView,
    UsageView,
    statement_rows,
    usage_columns,
    usage_rows,
)
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Services
from brushwork.api.manager.operator import TAG, AccountId, Operator, RowId, blank_is_none
from brushwork.api.openapi import refusals
from brushwork.api.periods import CurrentPeriod, Period
from brushwork.api.tables import csv_answer
from brushwork.errors import InvalidField

router = APIRouter()

CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
LOOKING = {**CSV, **refusals(400, 401, 403, 500, 503)}
LOOKING_AT_ONE = {**CSV, **refusals(400, 401, 403, 404, 500, 503)}
Format = Annotated[Literal["json", "csv"], Query(description="What to answer with")]
OneKey = Annotated[RowId | None, blank_is_none, Query(description="Only what this key's jobs did")]
After = Annotated[RowId | None, blank_is_none, Query(description="`next_after` of the answer before")]
Limit = Annotated[int, Query(ge=1, le=MAX_LINES, description="Lines in one answer")]
By = Annotated[str, Query(max_length=100, description="What to split by: some of day, account, key, task, with commas")]


@router.get(
    "/v1/account/statement",
    operation_id="get_statement",
    tags=["account"],
    response_model=StatementView,
    responses=LOOKING,
)
async def get_statement(
    account: CurrentAccount,
    services: CurrentServices,
    period: CurrentPeriod,
    key_id: OneKey = None,
    after: After = None,
    limit: Limit = 1000,
    format: Format = "json",  # noqa: A002  # the parameter's name
) -> Response:
    """Every move of the account's points in a period, and what it had before and after each."""
    return await statement_answer(services, account.id, period, key_id, after=after, limit=limit, format_=format)


@router.get(
    "/v1/account/usage", operation_id="get_usage", tags=["account"], response_model=UsageView, responses=LOOKING
)
async def get_usage(
    account: CurrentAccount,
    services: CurrentServices,
    period: CurrentPeriod,
    key_id: OneKey = None,
    by: By = "day,key,task",
    format: Format = "json",  # noqa: A002
) -> Response:
    """What the account's jobs cost in a period, by day, key and task."""
    return await usage_answer(services, period, dimensions(by), account_id=account.id, key_id=key_id, format_=format)


@router.get(
    "/account/{account_id}/statement",
    operation_id="get_statement_of_account",
    tags=[TAG],
    response_model=StatementView,
    responses=LOOKING_AT_ONE,
)
async def get_statement_of(
    account_id: AccountId,
    services: CurrentServices,
    period: CurrentPeriod,
    key_id: OneKey = None,
    after: After = None,
    limit: Limit = 1000,
    format: Format = "json",  # noqa: A002
) -> Response:
    """The statement of any account."""
    return await statement_answer(services, account_id, period, key_id, after=after, limit=limit, format_=format)


@router.get("/v1/usage", operation_id="get_all_usage", tags=[TAG], response_model=UsageView, responses=LOOKING)
async def get_all_usage(
    operator: Operator,  # noqa: ARG001  # who may
    services: CurrentServices,
    period: CurrentPeriod,
    account_id: Annotated[RowId | None, blank_is_none, Query(description="Only this account's")] = None,
    by: By = "day,account,task",
    format: Format = "json",  # noqa: A002
) -> Response:
    """What the jobs of all accounts cost in a period, by day, account, key and task."""
    return await usage_answer(services, period, dimensions(by), account_id=account_id, key_id=None, format_=format)


async def statement_answer(
    services: Services,
    account_id: int,
    period: Period,
    key_id: int | None,
    *,
    after: int | None,
    limit: int,
    format_: str,
) -> Response:
    async with services.database.read() as tx:
        await account_by_id(tx, account_id)
        found: Statement = await statement_of(
            tx, account_id, since=period.since, until=period.until, key_id=key_id, after=after, limit=limit
        )
    if format_ == "json":
        return json_answer(StatementView.of(found, account_id, period, key_id))
    answer = csv_answer("statement", STATEMENT_COLUMNS, statement_rows(found, period, is_of_key=key_id is not None))
    if found.next_after is not None:
        answer.headers["x-next-after"] = str(found.next_after)
    return answer


async def usage_answer(
    services: Services,
    period: Period,
    by: Sequence[Dimension],
    *,
    account_id: int | None,
    key_id: int | None,
    format_: str,
) -> Response:
    async with services.database.read() as tx:
        found: Sequence[Usage] = await usage_of(
            tx, since=period.since, until=period.until, by=by, account_id=account_id, key_id=key_id
        )
    if format_ == "json":
        return json_answer(UsageView.of(found, by, period))
    return csv_answer("usage", usage_columns(by), usage_rows(found, by))


def dimensions(by: str) -> tuple[Dimension, ...]:
    """`"day,key"` → what to split by, each once."""
    asked = [name.strip() for name in by.split(",") if name.strip()]
    if wrong := next((name for name in asked if name not in COLUMNS), None):
        raise InvalidField("by", f"must be some of {', '.join(COLUMNS)}, not {wrong[:20]!r}")
    return tuple(name for name in COLUMNS if name in asked)
