"""Who may use these endpoints, and what every one of them needs: ids in paths, pages, one shape of answer."""

import re
from typing import Annotated

from fastapi import Depends, Path, Query
from pydantic import BeforeValidator, Field
from starlette.convertors import Convertor, register_url_convertor

from brushwork.accounts.keys import Caller
from brushwork.api.dependencies import CurrentCaller, allowed
from brushwork.api.openapi import refusals
from brushwork.errors import NotFound

ROW_ID = re.compile(r"[0-9]{1,18}")
TAG = "operators"
LOOKING = refusals(400, 401, 403, 404, 500, 503)
CHANGING = refusals(400, 401, 403, 404, 408, 409, 413, 500, 503)
MAX_PAGE = 1_000_000
MAX_POINTS = 1_000_000_000_000


class Digits(Convertor[str]):
    """A part of a path that is a number: `/account/{account_id:digits}` leaves `/account/info` alone."""

    regex = "[0-9]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("digits", Digits())


async def operating_caller(caller: CurrentCaller) -> Caller:
    return allowed(caller, "admin")


Operator = Annotated[Caller, Depends(operating_caller)]
"""The caller with a key that may look after all accounts: scope `admin`."""


def row_id(text: str, *, of: str) -> int:
    """What cannot be the id of a row is answered like an id that is unknown."""
    if not ROW_ID.fullmatch(text):
        raise NotFound(f"There is no {of} with this id.")
    return int(text)


IsNumber = {"type": "integer"}


async def account_id_in(
    _operator: Operator, account_id: Annotated[str, Path(description="Of the account", json_schema_extra=IsNumber)]
) -> int:
    return row_id(account_id, of="account")


async def key_id_in(
    _operator: Operator, key_id: Annotated[str, Path(description="Of the key", json_schema_extra=IsNumber)]
) -> int:
    return row_id(key_id, of="key")


async def notification_id_in(
    _operator: Operator,
    notification_id: Annotated[str, Path(description="Of the notification", json_schema_extra=IsNumber)],
) -> int:
    return row_id(notification_id, of="notification")


async def code_id_in(
    _operator: Operator, code_id: Annotated[str, Path(description="Of the code", json_schema_extra=IsNumber)]
) -> int:
    return row_id(code_id, of="code")


AccountId = Annotated[int, Depends(account_id_in)]
KeyId = Annotated[int, Depends(key_id_in)]
NotificationId = Annotated[int, Depends(notification_id_in)]
CodeId = Annotated[int, Depends(code_id_in)]


def none_for_blank(value: object) -> object:
    """Dashboards send `page_size=null` when they mean nothing by it."""
    return None if value in ("", "null") else value


blank_is_none = BeforeValidator(none_for_blank)
RowId = Annotated[int, Field(ge=1, le=10**18)]
PageNumber = Annotated[
    Annotated[int, Field(ge=1, le=MAX_PAGE)] | None, blank_is_none, Query(description="From 1; `null` is 1")
]
PageSize = Annotated[
    Annotated[int, Field(ge=1, le=100)] | None, blank_is_none, Query(description="At most 100; `null` is 10")
]
