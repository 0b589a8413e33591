"""Webhooks of an account: who is told of what, what was told, and telling it again."""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from brushwork.api.answers import ShownOnce, json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.callers import key_in
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Generating
from brushwork.api.events import EventStream
from brushwork.api.jobs import seconds, while_key_is_good
from brushwork.api.labels import Description
from brushwork.api.once import Once
from brushwork.api.openapi import json_body, refusals
from brushwork.api.views import moment
from brushwork.api.webhook_view import (
    DeliveriesView,
    DeliveryView,
    DeliveryWithAttempts,
    EndpointsView,
    EndpointView,
    NewSecretView,
    RemovedView,
    ReplayedView,
    SecretView,
)
from brushwork.jobs.webhooks import endpoints, log
from brushwork.jobs.webhooks.event import CHOICES, USUAL, EventName
from brushwork.jobs.webhooks.listening import Heard, begin, hear
from brushwork.jobs.webhooks.log import DeliveryStatus
from brushwork.jobs.webhooks.sending import judge

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], route_class=Once)

DELIVERY_ID = re.compile(r"msg_[0-9a-f]{24}")
MAX_ROW = 2**63 - 1
READING, CHANGING = refusals(401, 403, 500, 503), refusals(400, 401, 403, 404, 409, 413, 500, 503)

blank_is_absent = BeforeValidator(lambda value: None if value == "" else value)


def known_events(names: Any) -> Any:
    unknown = [name for name in names if name not in CHOICES] if isinstance(names, list) else []
    if unknown or names == []:
        raise PydanticCustomError("unknown_event", "must be some of {choices}", {"choices": ", ".join(CHOICES)})
    return list(dict.fromkeys(names)) if isinstance(names, list) and all(isinstance(n, str) for n in names) else names


Events = Annotated[list[EventName], BeforeValidator(known_events), Field(description=f"Some of {', '.join(CHOICES)}")]
Url = Annotated[str, Field(min_length=1, max_length=2048, description="Where to POST to: https")]
About = Annotated[Description, Field(description="For people")]


class NewEndpoint(BaseModel):
    """An address, and what it should be told."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: Url
    events: Events | None = Field(default=None, description=f"Some of {', '.join(CHOICES)}; else {', '.join(USUAL)}")
    description: About = ""


class EndpointChange(BaseModel):
    """What is to be different about an endpoint."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    url: Url | None = None
    events: Events | None = None
    description: About | None = None
    enabled: bool | None = Field(default=None, description="true switches it on again; false stops its deliveries")


class ResendBody(BaseModel):
    """From when on failed deliveries are sent again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since: datetime = Field(description="RFC 3339, or Unix seconds")
    endpoint_id: Annotated[int, Field(ge=1, le=MAX_ROW)] | None = Field(default=None, description="Only of this one")


class RotateBody(BaseModel):
    """How a new secret takes over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    keep_hours: float = Field(
        default=24.0, ge=0, le=720, description="How long the secret before it signs too; 0 when it has leaked"
    )


async def endpoint_number(
    endpoint_id: Annotated[str, Path(description="The id that adding the endpoint answered with")],
) -> int:
    """What cannot be an id is answered like one that is unknown."""
    if not (endpoint_id.isascii() and endpoint_id.isdigit() and len(endpoint_id) < 20 and int(endpoint_id) <= MAX_ROW):
        raise endpoints.unknown()
    return int(endpoint_id)


async def delivery_name(delivery_id: Annotated[str, Path(description="The `webhook-id` that was sent")]) -> str:
    if not DELIVERY_ID.fullmatch(delivery_id):
        raise log.unknown()
    return delivery_id


EndpointId = Annotated[int, Depends(endpoint_number)]
DeliveryId = Annotated[str, Depends(delivery_name)]


# ── the secret ────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/secret", operation_id="get_webhook_secret", response_model=SecretView, responses=READING)
async def get_secret(account: CurrentAccount, services: CurrentServices) -> Response:
    """Whether deliveries are signed. The secret itself is never shown again."""
    now = time.time()
    async with services.database.read() as tx:
        found = await endpoints.secrets_of(tx, account.id, now=now)
        until = await endpoints.before_until(tx, account.id, now=now)
    return json_answer(SecretView(exists=found.current is not None, before_until=moment(until)))


@router.post(
    "/secret",
    operation_id="rotate_webhook_secret",
    response_model=NewSecretView,
    responses=refusals(400, 401, 403, 413, 500, 503),
    openapi_extra=json_body(RotateBody, {"keep_hours": 24}, required=False),
)
async def rotate_secret(request: Request, caller: Generating, services: CurrentServices) -> Response:
    """Make a secret, or a new one. It is shown this once; the one before it goes on signing for a while."""
    body = await read_fields(request, RotateBody, limit=services.max_body_bytes, may_be_empty=True)
    now = time.time()
    async with services.database.write() as tx:
        secret = await endpoints.rotate_secret(tx, caller.account.id, keep_seconds=body.keep_hours * 3600, now=now)
        until = await endpoints.before_until(tx, caller.account.id, now=now)
    return ShownOnce(NewSecretView(secret=secret, before_until=moment(until)).json_bytes())


@router.delete("/secret", operation_id="remove_webhook_secret", response_model=RemovedView, responses=READING)
async def remove_secret(caller: Generating, services: CurrentServices) -> Response:
    """Sign nothing any more."""
    async with services.database.write() as tx:
        await endpoints.remove_secret(tx, caller.account.id)
    return json_answer(RemovedView(removed=True))


# ── deliveries ────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get(
    "/deliveries",
    operation_id="list_webhook_deliveries",
    response_model=DeliveriesView,
    responses=refusals(400, 401, 403, 500, 503),
)
async def list_deliveries(
    account: CurrentAccount,
    services: CurrentServices,
    status: Annotated[DeliveryStatus | None, blank_is_absent, Query()] = None,
    event: Annotated[EventName | None, blank_is_absent, Query()] = None,
    endpoint_id: Annotated[int | None, blank_is_absent, Query(ge=1, le=MAX_ROW)] = None,
    job_id: Annotated[Annotated[str, StringConstraints(max_length=64)] | None, blank_is_absent, Query()] = None,
    cursor: Annotated[Annotated[str, StringConstraints(max_length=256)] | None, blank_is_absent, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """List what was told to whom, newest first, a page at a time. Kept for 30 days."""
    wanted = {"status": status, "event": event, "endpoint_id": endpoint_id, "cursor": cursor, "limit": limit}
    known_job = job_id if job_id is None or "\x00" not in job_id else ""
    async with services.database.read() as tx:
        page = await log.page(tx, account.id, job_id=known_job, **wanted)  # type: ignore[arg-type]  # mixed values
    return json_answer(DeliveriesView.of(page))


@router.post(
    "/deliveries/replay",
    operation_id="replay_webhook_deliveries",
    response_model=ReplayedView,
    responses=refusals(400, 401, 403, 413, 500, 503),
    openapi_extra=json_body(ResendBody, {"since": "2026-11-22T00:00:00Z"}),
)
async def replay_deliveries(request: Request, caller: Generating, services: CurrentServices) -> Response:
    """Send everything again that has failed since a moment, under the same ids."""
    body = await read_fields(request, ResendBody, limit=services.max_body_bytes)
    since = seconds(body.since) or 0.0
    async with services.database.write() as tx:
        count = await log.replay_failed(
            tx, caller.account.id, since=since, endpoint_id=body.endpoint_id, now=time.time()
        )
    return json_answer(ReplayedView(replayed=count))


@router.get(
    "/deliveries/{delivery_id}",
    operation_id="get_webhook_delivery",
    response_model=DeliveryWithAttempts,
    responses=refusals(401, 403, 404, 500, 503),
)
async def get_delivery(account: CurrentAccount, services: CurrentServices, delivery_id: DeliveryId) -> Response:
    """Look at one delivery, with every attempt. What the receiver answered is not kept, but for its status."""
    async with services.database.read() as tx:
        delivery, attempts = await log.get(tx, account.id, delivery_id)
    return json_answer(DeliveryWithAttempts.with_log(delivery, attempts))


@router.post(
    "/deliveries/{delivery_id}/replay",
    operation_id="replay_webhook_delivery",
    response_model=DeliveryWithAttempts,
    responses=refusals(401, 403, 404, 409, 500, 503),
)
async def replay_delivery(caller: Generating, services: CurrentServices, delivery_id: DeliveryId) -> Response:
    """Send one delivery again, under the same id, whether it was taken or not."""
    async with services.database.write() as tx:
        await log.replay(tx, caller.account.id, delivery_id, now=time.time())
        delivery, attempts = await log.get(tx, caller.account.id, delivery_id)
    return json_answer(DeliveryWithAttempts.with_log(delivery, attempts))


# ── listening ─────────────────────────────────────────────────────────────────────────────────────────────────────────

LISTENING: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: first `session`, then one named `delivery` for each thing that happens.",
        "content": {"text/event-stream": {"schema": {"type": "object"}}},
    }
}


@dataclass(frozen=True)
class Told:
    """A server-sent event."""

    id: int
    kind: str
    data: dict[str, Any]


@router.get(
    "/listen",
    operation_id="listen_to_webhooks",
    response_class=Response,
    responses={**LISTENING, **refusals(400, 401, 403, 409, 500, 503)},
)
async def listen(
    request: Request,
    caller: Generating,
    services: CurrentServices,
    events: Annotated[str, Query(max_length=200, description="Names, separated by commas; else all")] = "",
    session: Annotated[str, Query(pattern=r"^[A-Za-z0-9_-]{0,32}$", description="Go on where this one broke off")] = "",
) -> Response:
    """Hear of events without an address: what would be posted, with its headers, as it happens.

    A session that breaks off can be taken up again within ten minutes, and misses nothing.
    """
    wanted = [name for name in CHOICES if name in events.split(",")] or list(CHOICES)
    async with services.database.write() as tx:
        endpoint_id, name = await begin(tx, caller.account.id, session, events=wanted, now=time.time())
    heard = hear(services.database, endpoint_id, lambda job: services.view(job).plain(), clock=time.time)
    return EventStream(
        while_key_is_good(told(name, heard), services.callers, key_in(request)),
        heartbeat_seconds=services.heartbeat_seconds,
    )


async def told(session: str, heard: AsyncIterator[Heard]) -> AsyncIterator[Told]:
    yield Told(0, "session", {"session": session})
    number = 0
    async for one in heard:
        if one.message is not None:
            number += 1
            sent = {"headers": dict(one.message.headers), "body": one.message.body.decode()}
            yield Told(number, "delivery", {"id": one.id, "event": one.event, **sent})


# ── endpoints ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get("", operation_id="list_webhooks", response_model=EndpointsView, responses=READING)
async def list_webhooks(account: CurrentAccount, services: CurrentServices) -> Response:
    """List the endpoints of the account."""
    async with services.database.read() as tx:
        found = await endpoints.list_endpoints(tx, account.id)
    return json_answer(EndpointsView(data=[EndpointView.of(endpoint) for endpoint in found]))


@router.post(
    "",
    operation_id="add_webhook",
    response_model=EndpointView,
    responses=refusals(400, 401, 403, 409, 413, 500, 503),
    openapi_extra=json_body(NewEndpoint, {"url": "https://example.com/hooks", "events": list(USUAL)}),
)
async def add_webhook(request: Request, caller: Generating, services: CurrentServices) -> Response:
    """Add an address that is told of all jobs, whether they have a callback of their own or not."""
    body = await read_fields(request, NewEndpoint, limit=services.max_body_bytes)
    judge(body.url, field="url", rules=services.webhook_rules)
    async with services.database.write() as tx:
        made = await endpoints.add_endpoint(
            tx,
            caller.account.id,
            body.url,
            events=body.events or USUAL,
            description=body.description,
            now=time.time(),
        )
    return json_answer(EndpointView.of(made))


@router.get(
    "/{endpoint_id}",
    operation_id="get_webhook",
    response_model=EndpointView,
    responses=refusals(401, 403, 404, 500, 503),
)
async def get_webhook(account: CurrentAccount, services: CurrentServices, endpoint_id: EndpointId) -> Response:
    """Look at one endpoint."""
    async with services.database.read() as tx:
        return json_answer(EndpointView.of(await endpoints.get_endpoint(tx, account.id, endpoint_id)))


@router.patch(
    "/{endpoint_id}",
    operation_id="change_webhook",
    response_model=EndpointView,
    responses=CHANGING,
    openapi_extra=json_body(EndpointChange, {"enabled": True}),
)
async def change_webhook(
    request: Request, caller: Generating, services: CurrentServices, endpoint_id: EndpointId
) -> Response:
    """Change an endpoint, or switch it off or on again."""
    body = await read_fields(request, EndpointChange, limit=services.max_body_bytes, may_be_empty=True)
    if body.url is not None:
        judge(body.url, field="url", rules=services.webhook_rules)
    async with services.database.write() as tx:
        changed = await endpoints.change_endpoint(
            tx, caller.account.id, endpoint_id, **body.model_dump(), now=time.time()
        )
    return json_answer(EndpointView.of(changed))


@router.delete(
    "/{endpoint_id}",
    operation_id="remove_webhook",
    response_model=RemovedView,
    responses=refusals(401, 403, 404, 500, 503),
)
async def remove_webhook(caller: Generating, services: CurrentServices, endpoint_id: EndpointId) -> Response:
    """Remove an endpoint. What it has not taken is not sent any more."""
    async with services.database.write() as tx:
        await endpoints.remove_endpoint(tx, caller.account.id, endpoint_id, now=time.time())
    return json_answer(RemovedView(removed=True))


@router.post(
    "/{endpoint_id}/test",
    operation_id="test_webhook",
    response_model=DeliveryView,
    responses=refusals(401, 403, 404, 409, 500, 503),
)
async def test_webhook(caller: Generating, services: CurrentServices, endpoint_id: EndpointId) -> Response:
    """Send a test: a completed job that nobody asked for, signed like all else."""
    async with services.database.write() as tx:
        endpoint = await endpoints.get_endpoint(tx, caller.account.id, endpoint_id)
        return json_answer(DeliveryView.of(await log.send_test(tx, endpoint, now=time.time())))
