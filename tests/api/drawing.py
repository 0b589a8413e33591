"""Jobs of an API in this process, drawn to their end by a worker beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from brushwork.app import build_worker, open_database
from brushwork.jobs.worker import Worker
from tests.api.conftest import Api

ENDED = ("completed", "failed")
PATIENCE_SECONDS = 60


def worker_of(api: Api) -> Worker:
    return build_worker(api.settings, api.services.database, device="cpu:0", supervised=False)


@asynccontextmanager
async def working(api: Api) -> AsyncIterator[None]:
    """While this lasts, jobs are drawn."""
    database = open_database(api.settings)
    worker = build_worker(api.settings, database, device="cpu:0", supervised=False)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running
        await database.close()


async def ended(api: Api, job_id: str) -> dict[str, Any]:
    """The job, when it has ended."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            job: dict[str, Any] = (await api.client.get(f"/api/v1/job/{job_id}")).json()
            if job["status"] in ENDED:
                return job
            await asyncio.sleep(0.02)


async def drawn(api: Api, text: str) -> dict[str, Any]:
    """A grid of this prompt."""
    job_id = await api.submit(text)
    async with working(api):
        return await ended(api, job_id)
