"""The API keys of any account, for operators: list, make, revoke.

The first key can be revoked like any other, for it may leak; that dashboards offer it for the rest only is their rule.
"""

import time
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.accounts.audits import note_change
from brushwork.accounts.directory import account_by_id
from brushwork.accounts.keys import USUAL_SCOPES, create_key, key_by_id, list_keys, revoke_key
from brushwork.api.account_view import KeyView
from brushwork.api.answers import ShownOnce, json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentServices
from brushwork.api.labels import Name
from brushwork.api.manager.operator import CHANGING, LOOKING, MAX_POINTS, TAG, AccountId, KeyId, Operator
from brushwork.api.once import Once
from brushwork.api.openapi import json_body
from brushwork.api.periods import in_future
from brushwork.api.views import View

router = APIRouter(prefix="/account/{account_id}", tags=[TAG], route_class=Once)


class NewKeyBody(BaseModel):
    """A key to make."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Name
    scopes: Annotated[
        list[Literal["read", "generate", "admin"]] | None,
        Field(min_length=1, max_length=3, description="What it may do; read and generate when nothing is said"),
    ] = None
    expires_at: Annotated[datetime | None, Field(description="RFC 3339; else never")] = None
    budget: Annotated[int | None, Field(ge=0, le=MAX_POINTS, description="Points it may spend in all")] = None
    per_minute: Annotated[int | None, Field(ge=1, le=1_000_000, description="Jobs it may ask for in a minute")] = None


class KeysAnswer(View):
    code: int
    message: str
    data: list[KeyView]


class KeyAnswer(View):
    code: int
    message: str
    data: KeyView


@router.get("/api_keys", operation_id="list_keys", response_model=KeysAnswer, responses=LOOKING)
async def get_keys(account_id: AccountId, services: CurrentServices) -> Response:
    """List the keys of an account, oldest first, as far as they may be shown."""
    async with services.database.read() as tx:
        await account_by_id(tx, account_id)
        keys = await list_keys(tx, account_id=account_id)
    return json_answer(KeysAnswer(code=200, message="success", data=[KeyView.of(key) for key in keys]))


@router.post(
    "/api_keys",
    operation_id="create_key",
    response_model=KeyAnswer,
    responses=CHANGING,
    openapi_extra=json_body(NewKeyBody, {"name": "laptop", "scopes": ["read", "generate"], "budget": 5000}),
)
async def post_key(request: Request, operator: Operator, account_id: AccountId, services: CurrentServices) -> Response:
    """Make a key for an account. Its value is in this answer and never again; only a hash of it is kept."""
    body = await read_fields(request, NewKeyBody, limit=services.max_body_bytes)
    now = time.time()
    scopes = tuple(dict.fromkeys(body.scopes or USUAL_SCOPES))
    expires_at = in_future("expires_at", body.expires_at, now=now)
    limits = {"expires_at": expires_at, "budget": body.budget, "per_minute": body.per_minute}
    async with services.database.write() as tx:
        await account_by_id(tx, account_id)
        key_id, secret = await create_key(
            tx,
            account_id,
            name=body.name,
            now=now,
            scopes=scopes,
            expires_at=expires_at,
            budget=body.budget,
            per_minute=body.per_minute,
        )
        facts = {"key": key_id, "name": body.name, "scopes": list(scopes), **limits}
        await note_change(tx, "key.create", account_id=account_id, key_id=operator.key_id, now=now, facts=facts)
        key = await key_by_id(tx, account_id, key_id)
    return ShownOnce(KeyAnswer(code=200, message="success", data=KeyView.of(key, secret=secret)).json_bytes())


@router.patch("/api_keys/{key_id}/revoke", operation_id="revoke_key", response_model=KeyAnswer, responses=CHANGING)
async def patch_key(operator: Operator, account_id: AccountId, key_id: KeyId, services: CurrentServices) -> Response:
    """Revoke a key for good, the first one of an account included. Every server refuses it within a second."""
    now = time.time()
    async with services.database.write() as tx:
        before = await key_by_id(tx, account_id, key_id)
        await revoke_key(tx, key_id, now=now)
        if before.is_active:
            facts = {"key": key_id, "name": before.name}
            await note_change(tx, "key.revoke", account_id=account_id, key_id=operator.key_id, now=now, facts=facts)
        key = await key_by_id(tx, account_id, key_id)
    services.callers.forget()
    return json_answer(KeyAnswer(code=200, message="success", data=KeyView.of(key)))
