import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy.exc import OperationalError

from brushwork.accounts.keys import list_keys, revoke_key
from brushwork.api.callers import TRUSTED_SECONDS
from brushwork.api.events import EventStream
from brushwork.jobs.events import Event
from tests.api.conftest import Api

PENDING = Event(3, "status", {"status": "pending"}, 0.0)
HALF = Event(4, "progress", {"progress": 50}, 0.0)


class Wire:
    """The two ends of a connection: what was sent, and when the client leaves."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.left = asyncio.Event()
        self.heard = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self.sent.append(message["body"])
            self.heard.set()

    async def heard_of(self, count: int) -> None:
        """Wait until so many pieces were sent."""
        while len(self.sent) < count:
            self.heard.clear()
            await self.heard.wait()

    async def serve(self, events: AsyncIterator[Event], heartbeat_seconds: float = 60) -> None:
        await EventStream(events, heartbeat_seconds=heartbeat_seconds)({"type": "http"}, self.receive, self.send)


async def test_each_event_is_sent_at_once_with_its_name_and_id() -> None:
    wire = Wire()
    go_on = asyncio.Event()

    async def events() -> AsyncIterator[Event]:
        yield PENDING
        await go_on.wait()
        yield HALF

    serving = asyncio.create_task(wire.serve(events()))
    await wire.heard_of(2)

    assert wire.sent[1] == b'id: 3\nevent: status\ndata: {"status":"pending"}\n\n'
    go_on.set()
    await serving
    assert wire.sent[2:] == [b'id: 4\nevent: progress\ndata: {"progress":50}\n\n', b""]


async def test_silence_is_filled_with_comments() -> None:
    wire = Wire()

    async def events() -> AsyncIterator[Event]:
        await asyncio.sleep(0.1)
        yield PENDING

    await wire.serve(events(), heartbeat_seconds=0.02)

    assert len([chunk for chunk in wire.sent if chunk.startswith(b":")]) >= 3
    assert wire.sent[-2].startswith(b"id: 3")


async def test_nothing_is_left_running_when_the_client_leaves() -> None:
    wire = Wire()
    is_closed = asyncio.Event()

    async def events() -> AsyncIterator[Event]:
        try:
            yield PENDING
            await asyncio.Event().wait()
        finally:
            is_closed.set()

    before = asyncio.all_tasks()
    serving = asyncio.create_task(wire.serve(events()))
    await wire.heard_of(2)
    wire.left.set()
    await serving

    assert is_closed.is_set()
    assert asyncio.all_tasks() - before == set()


async def test_a_client_that_is_gone_while_we_send_ends_the_stream_too() -> None:
    is_closed = asyncio.Event()

    async def events() -> AsyncIterator[Event]:
        try:
            yield PENDING
            yield HALF
        finally:
            is_closed.set()

    async def send(message: Any) -> None:
        if message.get("body", b"").startswith(b"id"):
            raise OSError("broken pipe")

    await EventStream(events(), heartbeat_seconds=60)({"type": "http"}, Wire().receive, send)

    assert is_closed.is_set()


async def test_a_stream_tells_the_whole_life_of_a_job_and_ends(each_api: Api) -> None:
    job = await each_api.submit()
    await each_api.client.post(f"/v1/job/{job}/cancel")

    answer = await each_api.client.get(f"/v1/job/{job}/events")

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store, no-transform"
    assert [event["status"] for event in statuses(answer.text)] == ["pending", "failed"]
    assert statuses(answer.text)[-1]["error"]["code"] == 499


async def test_a_stream_goes_on_after_the_last_event_the_client_saw(each_api: Api) -> None:
    job = await each_api.submit()
    await each_api.client.post(f"/v1/job/{job}/cancel")
    first = (await each_api.client.get(f"/v1/job/{job}/events")).text.split("id: ")[1].split("\n")[0]

    resumed = await each_api.client.get(f"/v1/job/{job}/events", headers={"last-event-id": first})

    assert [event["status"] for event in statuses(resumed.text)] == ["failed"]


async def test_a_stream_of_an_unknown_job_or_after_nonsense_is_refused(api: Api) -> None:
    job = await api.submit()

    unknown = await api.client.get("/v1/job/00000000-0000-0000-0000-000000000000/events")
    nonsense = await api.client.get(f"/v1/job/{job}/events", headers={"last-event-id": "x"})

    assert (unknown.status_code, nonsense.status_code) == (404, 400)


async def test_a_stream_tells_nothing_more_once_its_key_is_revoked(api: Api) -> None:
    job = await api.submit()
    watching = asyncio.create_task(api.client.get(f"/v1/job/{job}/events"))
    await asyncio.sleep(0.2)
    async with api.services.database.write() as tx:
        (key,) = await list_keys(tx)
        await revoke_key(tx, key.id, now=0.0)
    await asyncio.sleep(TRUSTED_SECONDS)

    await api.services.jobs.cancel(1, job)

    assert [event["status"] for event in statuses((await watching).text)] == ["pending"]


async def test_a_stream_whose_database_goes_away_ends_and_breaks_nothing() -> None:
    wire = Wire()

    async def events() -> AsyncIterator[Event]:
        yield PENDING
        raise OperationalError("SELECT", {}, Exception("gone"))

    await wire.serve(events())

    assert wire.sent[1].startswith(b"id: 3")
    assert wire.sent[2:] == [b""]


def statuses(text: str) -> list[dict[str, Any]]:
    blocks = [
        dict(line.split(": ", 1) for line in block.splitlines()) for block in text.split("\n\n") if "event:" in block
    ]
    return [json.loads(block["data"]) for block in blocks if block["event"] == "status"]
