"""Is the process alive, is it of use, and what does it measure: for load balancers, operators and Prometheus."""

import secrets
import time
from functools import lru_cache
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from brushwork.api.answers import json_answer
from brushwork.api.callers import key_in
from brushwork.api.dependencies import CurrentServices, Services
from brushwork.api.gauges import WORKER_SEEN_SECONDS
from brushwork.api.openapi import refusals
from brushwork.api.views import View
from brushwork.database.tables import workers
from brushwork.database.upgrade import current_revision, head_revision
from brushwork.errors import Unauthorized, Unavailable

router = APIRouter(tags=["operation"])


class HealthView(View):
    status: Literal["ok"]


class ReadyView(View):
    status: Literal["ready"]
    workers: int


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", operation_id="get_health", response_model=HealthView, responses=refusals(500))
async def get_health() -> Response:
    """The process lives."""
    return json_answer(HealthView(status="ok"))


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", operation_id="get_readiness", response_model=ReadyView, responses=refusals(500, 503))
async def get_readiness(services: CurrentServices) -> Response:
    """Requests can be served: the database is there and up to date, and the store takes files.

    How many workers were seen in the last minute is told, not asked for: jobs can be accepted without one.
    """
    checks, seen = await check(services)
    failed = [name for name, is_fine in checks.items() if not is_fine]
    if failed:
        raise Unavailable(f"Not ready: {', '.join(failed)}.", checks=checks, workers=seen)
    return json_answer(ReadyView(status="ready", workers=seen))


async def check(services: Services) -> tuple[dict[str, bool], int]:
    """Each condition and whether it holds; the number of live workers."""
    checks = {"database": False, "migrations": False, "store": await services.files.is_writable()}
    seen = 0
    try:
        async with services.database.read() as tx:
            checks["database"] = bool((await tx.execute(sa.select(1))).scalar())
        checks["migrations"] = await current_revision(services.database) == newest_revision()
        if checks["migrations"]:
            seen = await live_workers(services, now=time.time())
    except (SQLAlchemyError, OSError):
        pass  # what could not be asked stays False
    return checks, seen


@lru_cache
def newest_revision() -> str:
    return head_revision()


async def live_workers(services: Services, *, now: float) -> int:
    query = sa.select(sa.func.count()).select_from(workers).where(workers.c.last_seen >= now - WORKER_SEEN_SECONDS)
    async with services.database.read() as tx:
        return int((await tx.execute(query)).scalar_one())


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **refusals(401, 500)},
)
async def get_metrics(request: Request, services: CurrentServices) -> Response:
    """What Prometheus scrapes; with the token that the operator may have set, as `Authorization: Bearer`."""
    wanted = services.metrics_key
    if wanted and not secrets.compare_digest(key_in(request).encode(), wanted.encode()):
        raise Unauthorized("The metrics need the token of this server, as Authorization: Bearer.")
    text = await services.metrics.exposition(services.database, now=time.time())
    return Response(text, headers={"content-type": CONTENT_TYPE_LATEST})
