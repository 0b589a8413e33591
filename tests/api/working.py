"""A worker and a sender of webhooks beside an API, all in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from brushwork.app import build_sender, build_worker, open_database
from tests.api.conftest import Api


@asynccontextmanager
async def working(api: Api) -> AsyncIterator[None]:
    """Both at work; they have stopped, and told what they counted, when this ends."""
    database, stop = open_database(api.settings), asyncio.Event()
    worker = build_worker(api.settings, database, device="cpu:0", supervised=False)
    tasks = [asyncio.create_task(worker.run(stop)), asyncio.create_task(build_sender(api.settings, database).run(stop))]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        await database.close()
