"""The web app: every route, every handler, put together around the services. Decides nothing."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from pydantic_core import to_json
from starlette.middleware import Middleware
from starlette.responses import Response

from brushwork import __version__
from brushwork.api import (
    account,
    batch,
    books,
    files,
    health,
    jobs,
    keeping,
    lineage,
    moderation,
    prompts,
    studio,
    uploads,
    verify,
    webhooks,
)
from brushwork.api.answers import HANDLERS, JsonBytes
from brushwork.api.dependencies import Services
from brushwork.api.edge import Edge
from brushwork.api.manager import routes as manager
from brushwork.api.openapi import describe
from brushwork.api.tasks import task_routes

CHAPTERS = (
    jobs,
    batch,
    keeping,
    lineage,
    moderation,
    account,
    books,
    manager,
    files,
    uploads,
    verify,
    prompts,
    webhooks,
    health,
    studio,
)
"""What has routes beside the tasks; `/account/balance` before `/account/{account_id}`."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def web_app(services: Services, *, lifespan: Lifespan | None = None) -> FastAPI:
    """The API over these services. No documentation pages: the usual ones load their scripts from elsewhere."""
    app = FastAPI(
        title="Brushwork",
        version=__version__,
        summary="A self-hosted server for a Midjourney-style image API.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=[Middleware(Edge, observe=services.metrics.observe)],
        exception_handlers=dict(HANDLERS),
    )
    app.state.services = services
    app.include_router(task_routes(services.tasks))
    for chapter in CHAPTERS:
        app.include_router(chapter.router)
    serve_description(app, services)
    return app


def serve_description(app: FastAPI, services: Services) -> None:
    """GET /openapi.json, made once."""
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(describe(app, services.tasks))
        return made

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to say more than it can see

    @app.get("/openapi.json", include_in_schema=False)
    async def get_description() -> Response:
        return JsonBytes(to_json(openapi()))
