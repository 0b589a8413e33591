"""Webhooks from real processes: the clients' own handler takes them, and a killed sender loses none."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from legnext import Client
from legnext.types.responses import TaskResponse
from legnext.webhook import WebhookHandler
from standardwebhooks import Webhook

from brushwork.accounts.credits import grant
from brushwork.accounts.directory import create_account
from brushwork.database.session import Database
from brushwork.database.tables import deliveries
from brushwork.jobs.jobs import Jobs
from tests.conftest import NewDatabase
from tests.jobs.webhooks.receiver import Receiver, finished_job, receiving, rows
from tests.journeys.server import Server, serving

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 40.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("webhooks"), fetch_allow="127.0.0.1", engine="diorama") as server:
        yield server


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def until(receiver: Receiver, count: int, *, path: str = "") -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sum(one.path.startswith(path) for one in receiver.received) < count:
        assert time.monotonic() < deadline, "it took too long"
        await asyncio.sleep(0.02)


async def test_legnext_and_standard_webhooks_take_what_we_send(server: Server, receiver: Receiver) -> None:
    headers = {"x-api-key": server.key}
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False) as client:
        secret = (await client.post("/webhooks/secret")).json()["secret"]
        await client.post("/webhooks", json={"url": receiver.url("/account"), "events": ["job.processing"]})
    told: list[tuple[str, TaskResponse]] = []
    handler = WebhookHandler(webhook_secret=secret)
    handler.on_completed(lambda task: told.append(("completed", task)))
    handler.on_failed(lambda task: told.append(("failed", task)))
    handler.on_processing(lambda task: told.append(("processing", task)))

    def ask() -> tuple[str, str]:
        with Client(api_key=server.key, base_url=f"{server.url}/api") as client:
            done = client.midjourney.diffusion(text="a lighthouse", callback=receiver.url("/done"))
            client.tasks.wait_for_completion(done.job_id, timeout=60, poll_interval=0.1)
            return done.job_id, client.midjourney.shorten(prompt="a fox", callback=receiver.url("/done")).job_id

    job_ids = await asyncio.to_thread(ask)
    await until(receiver, 2, path="/done")
    await until(receiver, 1, path="/account")

    for received in receiver.received:
        stamp = received.headers["x-legnext-timestamp"]
        handler.handle(received.body, received.headers["x-legnext-signature"], stamp)
        Webhook(secret).verify(received.body, received.headers)
        assert received.json["data"]["job_id"] == received.json["job_id"]
    completed = {task.job_id: task for status, task in told if status == "completed"}
    assert completed.keys() == set(job_ids)
    output = completed[job_ids[0]].output
    assert output is not None
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(str(output.image_url))).status_code == 200


async def test_a_developer_listens_from_behind_a_router(server: Server, receiver: Receiver, tmp_path: Path) -> None:
    command = ["listen", "--server", server.url, "--key", server.key, "--forward-to", receiver.url(), "--count", "1"]
    listener = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "brushwork", *command, "--events", "job.completed"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "BRUSHWORK_DATA_DIR": str(tmp_path)},
    )
    headers = {"x-api-key": server.key}
    async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", headers=headers, trust_env=False) as client:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not receiver.received:  # until it listens, nobody does
            await client.post("/diffusion", json={"text": "a fox"})
            await asyncio.sleep(1)
            assert time.monotonic() < deadline

    output, _ = await asyncio.wait_for(listener.communicate(), PATIENCE_SECONDS)

    assert listener.returncode == 0
    assert "200 OK" in output.decode()
    assert receiver.received[0].json["status"] == "completed"


@asynccontextmanager
async def sender(database_url: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = {"DATABASE_URL": database_url, "DATA_DIR": str(folder), "FETCH_ALLOW": "127.0.0.1"}
    environment = {**os.environ, **{f"BRUSHWORK_{name}": value for name, value in settings.items()}}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "brushwork", "sender"), cwd=folder, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_what_a_killed_sender_had_is_sent_by_another(
    request: pytest.FixtureRequest, kind: str, receiver: Receiver, tmp_path: Path
) -> None:
    new: NewDatabase = request.getfixturevalue(f"new_{kind}")
    url = new()
    database = Database(url, durable=False)

    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3)

    async with database.write() as tx:
        account = await create_account(tx, "anna", plan="free", max_inflight=40, now=time.time())
        await grant(tx, account.id, 1000, now=time.time())
    for _ in range(4):
        await finished_job(Jobs(database), account, callback=receiver.url())

    receiver.behave = hang
    async with sender(url, tmp_path) as first:
        await until(receiver, 4)
        first.kill()
    assert {row.status for row in await rows(database, deliveries)} == {"pending"}
    async with database.write() as tx:  # half a minute later
        await tx.execute(deliveries.update().values(lease_until=time.time() - 1))
    receiver.behave = None
    async with sender(url, tmp_path):
        await until(receiver, 8)
        for _ in range(100):
            if {row.status for row in await rows(database, deliveries)} == {"delivered"}:
                break
            await asyncio.sleep(0.1)

    sent = [one.id for one in receiver.received]
    assert sorted(sent[:4]) == sorted(sent[4:])
    assert {row.status for row in await rows(database, deliveries)} == {"delivered"}
    await database.close()
