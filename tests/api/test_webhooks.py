"""Webhooks over HTTP: endpoints, secrets, deliveries, listening."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from brushwork.jobs.lifecycle import Ending, end
from tests.api.conftest import Api, client_of

URL = "https://example.com/hooks"
PATH = "/api/v1/webhooks"


async def add(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.client.post(PATH, json={"url": URL, **body})
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def end_job(api: Api, job_id: str) -> None:
    async with api.services.database.write() as tx:
        await end(tx, [Ending(job_id, 1, "failed")], rules=api.services.jobs.rules, now=time.time())


async def test_an_endpoint_is_added_changed_and_removed(each_api: Api) -> None:
    api = each_api
    made = await add(api, description="mine")
    one = f"{PATH}/{made['id']}"

    assert made["events"] == ["job.completed", "job.failed", "balance.low"]
    assert (made["enabled"], made["description"]) == (True, "mine")
    assert (await api.client.get(one)).json() == made
    assert (await api.client.get(PATH)).json() == {"data": [made]}

    changed = (await api.client.patch(one, json={"events": ["job.processing"], "enabled": False})).json()
    assert changed == {
        **made,
        "events": ["job.processing"],
        "enabled": False,
        "disabled_because": "Switched off by its owner.",
    }
    assert (await api.client.patch(one, json={"enabled": True})).json()["enabled"]
    assert (await api.client.delete(one)).json() == {"removed": True}
    assert (await api.client.get(one)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": "http://example.com/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://[::1]/"}, "url"),
        ({"url": "https://169.254.169.254/"}, "url"),
        ({"url": "https://user@example.com/"}, "url"),
        ({"url": "listening:me"}, "url"),
        ({"url": URL, "events": ["job.done"]}, "events"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": "job.failed"}, "events"),
        ({"url": URL, "events": [7, {}]}, "events"),
        ({"url": URL, "description": "x" * 201}, "description"),
    ],
)
async def test_a_wrong_endpoint_is_refused_and_named(api: Api, body: dict[str, Any], field: str) -> None:
    answer = await api.client.post(PATH, json=body)

    assert answer.status_code == 400
    assert answer.json()["detail"]["field"].startswith(field)


async def test_the_same_address_twice_and_too_many_are_conflicts(api: Api) -> None:
    for number in range(20):
        await add(api, url=f"{URL}/{number}")

    for url in (f"{URL}/7", f"{URL}/20"):
        assert (await api.client.post(PATH, json={"url": url})).status_code == 409


async def test_an_endpoint_cannot_move_to_the_address_of_another_one(each_api: Api) -> None:
    first, second = await add(each_api), await add(each_api, url=f"{URL}/2")
    one, other = f"{PATH}/{first['id']}", f"{PATH}/{second['id']}"

    moved = await each_api.client.patch(other, json={"url": URL})

    assert moved.status_code == 409
    assert (await each_api.client.get(other)).json() == second
    assert (await each_api.client.patch(one, json={"url": URL})).status_code == 200  # where it is
    assert (await each_api.client.patch(f"{PATH}/999", json={"url": URL})).status_code == 404
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger")}
    assert (await each_api.client.post(PATH, json={"url": URL}, headers=stranger)).status_code == 200


async def test_two_endpoints_that_move_to_one_address_at_once_do_not_both_get_there(each_api: Api) -> None:
    made = [await add(each_api, url=f"{URL}/{number}") for number in range(4)]

    answers = await asyncio.gather(
        *(each_api.client.patch(f"{PATH}/{one['id']}", json={"url": URL}) for one in made),
        each_api.client.post(PATH, json={"url": URL}),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


async def test_a_callback_that_could_not_be_called_is_refused_when_it_is_given(api: Api) -> None:
    for callback in ("http://example.com/", "https://127.0.0.1/", "https://example.com:22/"):
        answer = await api.client.post("/api/v1/diffusion", json={"text": "a fox", "callback": callback})

        assert answer.status_code == 400
        assert answer.json()["detail"]["field"] == "callback"


async def test_a_good_callback_is_shown_and_no_secret_is(api: Api) -> None:
    await api.client.post(f"{PATH}/secret")

    answer = await api.client.post("/api/v1/diffusion", json={"text": "a fox", "callback": URL})

    assert answer.json()["config"]["webhook_config"] == {"endpoint": URL, "secret": ""}
    assert "warnings" not in (answer.json()["detail"] or {})


async def test_a_secret_is_shown_once_rotated_and_removed(each_api: Api) -> None:
    client = each_api.client
    zero = "0001-01-01T00:00:00Z"

    assert (await client.get(f"{PATH}/secret")).json() == {"exists": False, "before_until": zero}
    first = (await client.post(f"{PATH}/secret")).json()
    assert first["before_until"] == zero
    second = (await client.post(f"{PATH}/secret", json={"keep_hours": 1})).json()
    assert second["before_until"] != zero
    third = (await client.post(f"{PATH}/secret", json={"keep_hours": 0})).json()
    assert third["before_until"] == zero
    assert len({made["secret"] for made in (first, second, third)}) == 3
    shown = await client.get(f"{PATH}/secret")
    assert shown.json() == {"exists": True, "before_until": zero}
    assert (await client.delete(f"{PATH}/secret")).json() == {"removed": True}
    assert not (await client.get(f"{PATH}/secret")).json()["exists"]


async def test_deliveries_are_listed_looked_at_and_sent_again(each_api: Api) -> None:
    api = each_api
    endpoint = await add(api)
    job_id = await api.submit()
    await end_job(api, job_id)

    listed = (await api.client.get(f"{PATH}/deliveries", params={"job_id": job_id})).json()
    (delivery,) = listed["data"]
    assert (delivery["event"], delivery["endpoint_id"], delivery["status"]) == ("job.failed", endpoint["id"], "pending")
    assert (listed["has_more"], listed["next_cursor"]) == (False, None)
    one = f"{PATH}/deliveries/{delivery['id']}"
    assert (await api.client.get(one)).json() == {**delivery, "log": []}
    assert (await api.client.patch(f"{PATH}/{endpoint['id']}", json={"enabled": False})).status_code == 200
    assert (await api.client.get(one)).json()["status"] == "failed"
    assert (await api.client.post(f"{one}/replay")).status_code == 409
    await api.client.patch(f"{PATH}/{endpoint['id']}", json={"enabled": True})
    replayed = await api.client.post(f"{PATH}/deliveries/replay", json={"since": "2020-01-01T00:00:00Z"})
    assert replayed.json() == {"replayed": 1}
    assert (await api.client.get(one)).json()["status"] == "pending"
    assert (await api.client.post(f"{PATH}/deliveries/replay", json={})).status_code == 400


async def test_a_test_is_put_in_the_line(api: Api) -> None:
    endpoint = await add(api)

    delivery = (await api.client.post(f"{PATH}/{endpoint['id']}/test")).json()

    assert (delivery["event"], delivery["status"], delivery["url"]) == ("test", "pending", URL)


async def test_what_belongs_to_others_is_like_what_does_not_exist(each_api: Api) -> None:
    api = each_api
    endpoint = await add(api)
    delivery = (await api.client.post(f"{PATH}/{endpoint['id']}/test")).json()
    key = await api.key_of_new_account("berta")
    async with client_of(api.app, key) as berta:
        for method, mine, unknown in [
            *((method, f"/{endpoint['id']}", f"/{bad}") for method in ("GET", "PATCH", "DELETE") for bad in (99, "x")),
            ("POST", f"/{endpoint['id']}/test", "/99/test"),
            ("GET", f"/{2**70}", "/-1"),
            ("GET", f"/deliveries/{delivery['id']}", "/deliveries/msg_0"),
            ("POST", f"/deliveries/{delivery['id']}/replay", f"/deliveries/msg_{'0' * 24}/replay"),
        ]:
            answers = [await berta.request(method, PATH + path) for path in (mine, unknown)]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert answers[0].content == answers[1].content
        assert (await berta.get(PATH)).json() == {"data": []}
        assert (await berta.get(f"{PATH}/deliveries")).json()["data"] == []
    assert (await api.client.get(f"{PATH}/{endpoint['id']}")).status_code == 200


async def test_without_a_key_nothing_is_told(api: Api) -> None:
    async with client_of(api.app, "") as stranger:
        for path in ("", "/1", "/secret", "/deliveries", "/deliveries/msg_0", "/listen"):
            assert (await stranger.get(PATH + path)).status_code == 401


async def test_a_listener_hears_what_would_be_posted(each_api: Api) -> None:
    api = each_api
    secret = (await api.client.post(f"{PATH}/secret")).json()["secret"]
    heard: list[tuple[str, dict[str, Any]]] = []
    asked = {"x-api-key": api.key}

    async def listen(session: str = "") -> None:
        messages: asyncio.Queue[Any] = asyncio.Queue()
        request = {"type": "http.request", "body": b"", "more_body": False}
        messages.put_nowait(request)
        query = httpx.QueryParams({"session": session, "events": "job.failed"})
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": f"{PATH}/listen",
            "raw_path": f"{PATH}/listen".encode(),
            "root_path": "",
            "query_string": str(query).encode(),
            "headers": [(name.encode(), value.encode()) for name, value in asked.items()],
            "client": ("127.0.0.1", 1),
            "server": ("brushwork.test", 80),
        }
        text = ""

        async def send(message: Any) -> None:
            nonlocal text
            text += message.get("body", b"").decode()
            while "\n\n" in text:
                event, _, text = text.partition("\n\n")
                lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line and line[0] != ":")
                if "event" in lines:
                    heard.append((lines["event"], json.loads(lines["data"])))

        await api.app(scope, messages.get, send)

    def told_of() -> dict[str, dict[str, Any]]:
        """Job id → what was heard of it; what is not yet known to have arrived may be told again."""
        told = [data for name, data in heard if name == "delivery"]
        return {json.loads(data["body"])["job_id"]: data for data in told}

    async def until(condition: Callable[[], object]) -> None:
        for _ in range(500):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(heard)

    listening = asyncio.create_task(listen())
    await until(lambda: heard)
    name, session = heard[0]
    await end_job(api, first := await api.submit())
    await until(lambda: first in told_of())
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await end_job(api, missed := await api.submit())  # while the connection is broken
    again = asyncio.create_task(listen(session["session"]))
    await until(lambda: missed in told_of())
    again.cancel()
    await asyncio.gather(again, return_exceptions=True)

    assert name == "session"
    for job_id, delivery in told_of().items():
        assert Webhook(secret).verify(delivery["body"], delivery["headers"])["job_id"] == job_id
    assert (await api.client.get(PATH)).json() == {"data": []}
    assert (await api.client.get(f"{PATH}/deliveries")).json()["data"] == []
