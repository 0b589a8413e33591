"""Two APIs and three workers on PostgreSQL and S3, as on five machines: the journey of docs/guides/scale-out.md."""

import asyncio
import contextlib
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from brushwork.accounts.credits import check_ledger
from brushwork.database.session import Database
from brushwork.database.tables import jobs as jobs_table
from tests.conftest import NewDatabase
from tests.files.hostile import png
from tests.journeys.fleet import Fleet, fleet
from tests.journeys.receiver import Receiver, receiving
from tests.journeys.server import free_port

pytestmark = pytest.mark.slow

JOBS = 20
"""Asked for through each API."""
WORKERS = ("worker-1", "worker-2", "worker-3")
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Cluster:
    """The processes, and a client of each API. Both name the first as their public address, as behind a balancer."""

    fleet: Fleet
    receiver: Receiver
    one: httpx.AsyncClient
    two: httpx.AsyncClient

    async def submit(self, api: httpx.AsyncClient, task: str = "diffusion", **body: Any) -> str:
        """The id of a new job that tells the receiver of its end."""
        answer = await api.post(f"/api/v1/{task}", json={"callback": self.receiver.url, **body})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["job_id"])

    async def ended(self, api: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
        """The job as `api` tells of it, when it has ended."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            job: dict[str, Any] = (await api.get(f"/api/v1/job/{job_id}")).raise_for_status().json()
            if job["status"] in ("completed", "failed"):
                return job
            await asyncio.sleep(0.1)
        pytest.fail(f"{job_id} did not end:\n{self.fleet.tails()}")


@pytest.fixture
def bucket() -> Iterator[dict[str, str]]:
    with serving_bucket() as settings:
        yield settings


@contextlib.contextmanager
def serving_bucket() -> Iterator[dict[str, str]]:
    """A server that speaks S3, with a bucket: the settings to reach it."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        make_bucket(f"http://127.0.0.1:{port}")
        yield {
            "store_url": "s3://pictures/brushwork",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "anyone",
            "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.kill()
        server.wait()


def make_bucket(url: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.put(f"{url}/pictures", trust_env=False).status_code == 200:
                return
        time.sleep(0.2)
    pytest.fail("the S3 server did not start")


async def until_ready(url: str, running: Fleet, *, workers: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < until and not running.dead():
            with contextlib.suppress(httpx.HTTPError):
                answer = await client.get(f"{url}/readyz")
                if answer.status_code == 200 and answer.json()["workers"] >= workers:
                    return
            await asyncio.sleep(0.2)
    pytest.fail(f"not everything started:\n{running.tails()}")


@pytest.fixture
async def cluster(new_postgres: NewDatabase, bucket: dict[str, str], tmp_path: Path) -> AsyncIterator[Cluster]:
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    async with receiving() as receiver:
        settings = bucket | {
            "database_url": new_postgres(),
            "secret": secrets.token_hex(32),
            "public_url": urls[0],
            "engine": "noop",
            "log_format": "json",
            "lease_seconds": "3",
            "fetch_allow": f"127.0.0.1:{receiver.port}",
        }
        with fleet(tmp_path, **settings) as running:
            # A data folder each: machines share nothing but the database, the bucket and the secret.
            running.start("api-1", port=str(ports[0]), data_dir=str(tmp_path / "api-1"))
            await until_ready(urls[0], running, workers=0)
            running.start("api-2", port=str(ports[1]), data_dir=str(tmp_path / "api-2"))
            for name in WORKERS:
                running.start(name, data_dir=str(tmp_path / name))
            await until_ready(urls[1], running, workers=len(WORKERS))
            key = {"x-api-key": (tmp_path / "api-1" / "first-key").read_text().strip()}
            async with (
                httpx.AsyncClient(base_url=urls[0], headers=key, trust_env=False, timeout=30) as one,
                httpx.AsyncClient(base_url=urls[1], headers=key, trust_env=False, timeout=30) as two,
            ):
                yield Cluster(running, receiver, one, two)


async def test_what_one_machine_accepts_all_can_show_and_one_of_each_may_die(cluster: Cluster) -> None:
    one, two = cluster.one, cluster.two

    first = await cluster.submit(one, text="a red fox")
    seen = await cluster.ended(two, first)
    assert seen["status"] == "completed", seen
    for link in (seen["output"]["image_url"], *seen["output"]["image_urls"]):
        assert await bytes_of(one, link) == await bytes_of(two, link)
    larger = await cluster.ended(one, await cluster.submit(two, "upscale", job_id=first, image_no=1))
    assert larger["status"] == "completed", larger
    await cluster.receiver.until_told_of(first)
    assert cluster.receiver.bodies[first]["output"]["image_url"].startswith(str(one.base_url))

    repeated = await ask_a_hundred_times(cluster)

    asked = [await cluster.submit(one, text=f"a red fox {number}") for number in range(JOBS)]
    cluster.fleet.kill("worker-2")
    asked += [await cluster.submit(two, text=f"a blue fox {number}") for number in range(JOBS)]
    cluster.fleet.kill("api-1")
    jobs = [await cluster.ended(two, job_id) for job_id in asked]

    assert [job["status"] for job in jobs] == ["completed"] * 2 * JOBS
    for job in jobs[::7]:
        assert (await bytes_of(two, job["output"]["image_url"])).startswith(b"\x89PNG")
    for job_id in (first, larger["job_id"], *asked):
        await cluster.receiver.until_told_of(job_id, seconds=90)  # what api-1 was about to send is another's soon
        assert len(set(cluster.receiver.taken[job_id])) == 1, "told under two ids"
    assert len(cluster.receiver.taken[first]) == 1
    assert (await cluster.ended(two, repeated))["status"] == "completed"
    await check_books(cluster, count=2 * JOBS + 3)


async def ask_a_hundred_times(cluster: Cluster) -> str:
    """One job and one upload, each asked for by a hundred requests at once at both APIs. Returns the job."""
    apis, key = (cluster.one, cluster.two) * 50, {"idempotency-key": "once"}
    body, form = {"text": "a red fox, once"}, {"file": ("a.png", png(), "image/png")}
    jobs = await asyncio.gather(*(api.post("/api/v1/diffusion", json=body, headers=key) for api in apis))
    assert {(answer.status_code, answer.content) for answer in jobs} == {(200, jobs[0].content)}
    key = {"idempotency-key": "another"}
    uploads = await asyncio.gather(*(api.post("/api/v1/files", files=form, headers=key) for api in apis))
    assert {(answer.status_code, answer.content) for answer in uploads} == {(200, uploads[0].content)}
    assert (await cluster.two.post("/api/v1/diffusion", json=body, headers=key)).status_code == 409
    return str(jobs[0].json()["job_id"])


async def bytes_of(api: httpx.AsyncClient, link: str) -> bytes:
    """What a link leads to when it is opened at this API."""
    return (await api.get(httpx.URL(link).raw_path.decode())).raise_for_status().content


async def check_books(cluster: Cluster, *, count: int) -> None:
    database = Database(cluster.fleet.settings["database_url"])
    async with database.read() as tx:
        assert await check_ledger(tx) == []
        done = sa.select(sa.func.count()).select_from(jobs_table).where(jobs_table.c.status == "done")
        assert (await tx.execute(done)).scalar_one() == count
    await database.close()
