"""What one request and one step of a job cost: `python benchmarks/costs.py [sqlite] [postgres]`.

The API answers in this process, without a socket; jobs are claimed and ended by the worker's own functions, alone and
sixteen at a time, nothing is drawn. CPU is that of this process: SQLite's own work is in it, PostgreSQL's is not.
"""

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from fastapi import FastAPI

from brushwork.app import create_app, open_database, prepare
from brushwork.database.session import Database
from brushwork.database.tables import accounts
from brushwork.jobs.lifecycle import Ending, end, start
from brushwork.jobs.queue import ClaimedJob
from brushwork.jobs.rules import JobRules
from brushwork.settings import Settings
from support.costs import WARM_UP, Cost, cost_of
from support.databases import fresh_url

COUNT = 200 + WARM_UP
MANY = 16
BATCHES = 40 + WARM_UP
RULES = JobRules()
PICTURE = {"role": "image", "content_type": "image/png", "width": 1024, "height": 1024}
OUTPUT = {"files": [{"id": f"{number:032x}", **PICTURE} for number in range(5)]}


@dataclass(frozen=True)
class Asked:
    """An app, and whoever asks it."""

    app: FastAPI
    key: str

    async def ask(self, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        """One request, as the HTTP server would hand it over; its answer."""
        sent: list[dict[str, Any]] = []
        headers = [(b"host", b"x"), (b"x-api-key", self.key.encode()), (b"content-length", str(len(body)).encode())]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
        }
        scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers, "state": {}}
        scope |= {"scheme": "http", "server": ("x", 80), "client": ("127.0.0.1", 1)}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        if sent[0]["status"] != 200:
            raise RuntimeError(f"{method} {path}: {sent}")
        answer: dict[str, Any] = json.loads(sent[1]["body"])
        return answer

    async def post(self, number: int) -> str:
        """The id of a new job."""
        body = json.dumps({"text": f"a lighthouse at dusk, number {number} --ar 3:2"}).encode()
        return str((await self.ask("POST", "/v1/diffusion", body))["job_id"])

    async def get(self, job_id: str) -> None:
        await self.ask("GET", f"/v1/job/{job_id}")


async def allow(database: Database, inflight: int) -> None:
    """So many jobs of an account may be in the line; more are held."""
    async with database.write() as tx:
        await tx.execute(accounts.update().values(max_inflight=inflight))


async def claim(database: Database, limit: int) -> list[ClaimedJob]:
    async with database.write() as tx:
        return await start(tx, "benchmark", pools=["default"], limit=limit, rules=RULES)


async def finish(database: Database, claimed: list[ClaimedJob]) -> None:
    endings = [Ending(job.id, job.account_id, "done", token=job.token, output=OUTPUT) for job in claimed]
    async with database.write() as tx:
        await end(tx, endings, rules=RULES, now=time.time())


async def measure(url: str, folder: Path) -> dict[str, Cost]:
    settings = Settings(
        _env_file=None,
        data_dir=folder,
        database_url=url,
        engine="noop",
        log_format="json",
        max_concurrent_jobs=1_000_000,
        max_waiting_jobs=1_000_000,
        welcome_points=1_000_000_000,
    )
    database = open_database(settings)
    first = await prepare(settings, database)
    await database.close()
    assert first is not None
    app = create_app(settings)
    api, database = Asked(app, first.key), app.state.services.database
    costs: dict[str, Cost] = {}
    ids: list[str] = []
    claimed: list[list[ClaimedJob]] = []

    async def post(number: int) -> None:
        ids.append(await api.post(number))

    async def take(limit: int) -> None:
        claimed.append(await claim(database, limit))

    costs["POST, into the line"] = await cost_of(database, post, range(COUNT))
    costs["GET, queued"] = await cost_of(database, api.get, ids)
    await allow(database, 1)
    ids.clear()
    costs["POST, held"] = await cost_of(database, post, range(COUNT))
    costs["GET, held"] = await cost_of(database, api.get, ids)
    await allow(database, 1_000_000)
    costs["claim of 1"] = await cost_of(database, take, [1] * COUNT)
    taken = [job.id for jobs in claimed for job in jobs]
    costs["GET, running"] = await cost_of(database, api.get, taken)
    costs["end of 1"] = await cost_of(database, lambda jobs: finish(database, jobs), claimed)
    costs["GET, done"] = await cost_of(database, api.get, taken)
    for number in range(MANY * BATCHES):
        await api.post(number)
    claimed.clear()
    costs[f"claim of {MANY}"] = await cost_of(database, take, [MANY] * BATCHES)
    costs[f"end of {MANY}"] = await cost_of(database, lambda jobs: finish(database, jobs), claimed)
    await database.close()
    return costs


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Log lines are written, for they are a part of the cost, and read by nobody."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="sqlite|postgres")
    for kind in parser.parse_args().kinds or ["sqlite", "postgres"]:
        print(f"{kind} · load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        with (
            tempfile.TemporaryDirectory() as folder,
            fresh_url(kind, Path(folder)) as url,
            unheard(),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            costs = runner.run(measure(url, Path(folder)))
        for name, cost in costs.items():
            print(f"  {name:22} CPU {cost.cpu_ms:5.2f} ms   {cost.statements:4.1f} statements")


if __name__ == "__main__":
    main()
