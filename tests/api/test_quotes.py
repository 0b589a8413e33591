"""?dry_run=1: what would be, and nothing of it done."""

import asyncio
import time
from typing import Any

import pytest
import sqlalchemy as sa

from brushwork.api.dependencies import Services
from brushwork.database.tables import api_keys, metadata
from brushwork.engines.noop import NoopEngine
from brushwork.jobs.workers import WorkerInfo, abilities_of, say_alive
from brushwork.tasks import TASKS
from tests.api.conftest import Api
from tests.contracts.asking import offline


async def everything(services: Services) -> dict[str, list[Any]]:
    """Every row of every table but the time at which a key was last used."""
    found = {}
    async with services.database.read() as tx:
        for table in metadata.sorted_tables:
            columns = [column for column in table.c if column.name not in ("last_used_at", "last_seen")]
            rows = (await tx.execute(sa.select(*columns).select_from(table))).all()
            found[table.name] = sorted(map(repr, rows))
    return found


@pytest.mark.parametrize("name", TASKS)
async def test_a_quote_costs_what_the_job_costs_and_writes_nothing(api: Api, name: str) -> None:
    body = await offline(api, TASKS[name], NoopEngine())
    before = await everything(api.services)

    quoted = await api.client.post(f"/api/v1/{name}?dry_run=1", json=body)

    assert quoted.status_code == 200, quoted.text
    assert await everything(api.services) == before
    quote = quoted.json()
    assert (quote["dry_run"], quote["task_type"]) == (True, name.replace("-", "_"))
    job = (await api.client.post(f"/api/v1/{name}", json=body)).json()
    assert job["meta"]["usage"] == {"type": quote["usage_type"], "frozen": quote["price"], "consume": 0}
    assert set(quote["input"]) == set(job["input"])


async def test_a_quote_says_how_the_prompt_was_understood_and_where_the_job_would_stand(each_api: Api) -> None:
    api = each_api
    for _ in range(2):
        await api.submit()

    quote = (
        await api.client.post("/api/v1/diffusion?dry_run=true", json={"text": "a fox --turbo --motion low"})
    ).json()
    usual = (await api.client.post("/api/v1/diffusion?dry_run=1", json={"text": "a fox"})).json()

    assert quote["prompt"]["text"] == "a fox"
    assert quote["prompt"]["params"]["turbo"] is True
    assert quote["price"] == 160
    assert [warning["param"] for warning in quote["warnings"]] == ["--motion"]
    assert (quote["queue_position"], usual["queue_position"]) == (0, 2)
    assert (quote["eta"], quote["degraded"], quote["is_held"]) == (None, None, False)


async def test_a_quote_says_what_the_workers_that_are_here_would_leave_out(api: Api) -> None:
    database = api.services.database
    async with database.write() as tx:
        await say_alive(tx, WorkerInfo("w", "cpu:0", "noop", ["default"], abilities_of(NoopEngine())))

    quote = (await api.client.post("/api/v1/diffusion?dry_run=1", json={"text": "a fox --chaos 20 --ar 3:2"})).json()

    assert quote["degraded"] == ["parameter:chaos"]


async def test_a_picture_that_is_not_fetched_is_named(api: Api) -> None:
    body = {"imgUrl": "http://127.0.0.1:9/never.png"}

    quote = (await api.client.post("/api/v1/describe?dry_run=1", json=body)).json()

    assert quote["price"] == 20
    assert quote["unchecked"][0].startswith("imgUrl: the picture is not fetched")


URL = "http://127.0.0.1:9/never.png"
CANVAS = {"canvas": {"width": 512, "height": 512}, "imgPos": {"width": 256, "height": 256, "x": 0, "y": 0}}
MASKED = {"mask": {"areas": [{"width": 512, "height": 512, "points": [9, 9, 9, 90, 90, 90]}]}, "remixPrompt": "a barn"}


@pytest.mark.parametrize(
    ("task", "body", "is_unknown"),
    [
        ("describe", {"imgUrl": URL}, False),
        ("blend", {"imgUrls": [URL, URL], "aspect_ratio": "1:1"}, False),
        ("upload-paint", {"imgUrl": URL, **CANVAS, **MASKED}, False),
        ("diffusion", {"text": f"a fox --sref {URL}"}, False),
        ("diffusion", {"text": f"{URL} a fox"}, False),
        ("video-diffusion", {"prompt": f"a fox --end {URL}"}, False),
        ("video-diffusion", {"prompt": f"{URL} a fox"}, True),
        ("retexture", {"imgUrl": URL, "remixPrompt": "of marble"}, True),
        ("remove-background", {"imgUrl": URL}, True),
        ("enhance-upscale", {"image_url": URL}, True),
        ("enhance-upscale", {"image_url": URL, "aspect_ratio": "1:1"}, False),
    ],
)
async def test_a_quote_calls_the_size_unknown_only_where_a_picture_from_outside_decides_it(
    api: Api, task: str, body: dict[str, Any], is_unknown: bool
) -> None:
    answer = await api.client.post(f"/api/v1/{task}?dry_run=1", json=body)

    assert answer.status_code == 200, answer.text
    assert [one for one in answer.json()["unchecked"] if "not fetched" in one and one[0].islower()]
    assert any(one.startswith("The size of the result") for one in answer.json()["unchecked"]) is is_unknown


@pytest.mark.parametrize(
    ("task", "body", "status"),
    [
        ("diffusion", {"text": "a fox --nonsense 3"}, 400),
        ("diffusion", {}, 400),
        ("upscale", {"jobId": "8d3c4b8e-2f0e-4f0e-9f0e-111111111111", "imageNo": 0}, 404),
        ("describe", {"imgUrl": "no address"}, 400),
    ],
)
async def test_a_quote_is_refused_as_the_request_would_be(
    each_api: Api, task: str, body: dict[str, Any], status: int
) -> None:
    asked = await each_api.client.post(f"/api/v1/{task}", json=body)
    quoted = await each_api.client.post(f"/api/v1/{task}?dry_run=1", json=body)

    assert quoted.status_code == asked.status_code == status
    assert quoted.json() == asked.json()


async def test_who_cannot_pay_is_told_so_by_the_quote(each_api: Api) -> None:
    poor = await each_api.key_of_new_account("poor", points=10)
    limited = await each_api.key_of_new_account("limited")
    async with each_api.services.database.write() as tx:
        await tx.execute(api_keys.update().where(api_keys.c.name == "test").values(budget=79))

    for key, code in ((poor, "insufficient_credits"), (limited, "budget_exceeded")):
        answers = [
            await each_api.client.post(path, json={"text": "a fox"}, headers={"x-api-key": key})
            for path in ("/api/v1/diffusion?dry_run=1", "/api/v1/diffusion")
        ]
        assert [answer.status_code for answer in answers] == [402, 402]
        assert answers[0].json() == answers[1].json()
        assert answers[0].json()["detail"]["code"] == code


async def test_a_key_that_asks_too_often_is_told_when_to_come_again(each_api: Api) -> None:
    async with each_api.services.database.write() as tx:
        await tx.execute(api_keys.update().values(per_minute=2))

    answers = [await each_api.client.post("/api/v1/diffusion", json={"text": "a fox"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30


async def test_a_request_may_bring_a_deadline(each_api: Api) -> None:
    headers = {"Brushwork-Deadline": "0.01"}

    job = (await each_api.client.post("/api/v1/diffusion", json={"text": "a fox"}, headers=headers)).json()["job_id"]
    refused = await each_api.client.post("/api/v1/diffusion", json={"text": "a"}, headers={"Brushwork-Deadline": "-1"})

    async with each_api.services.database.read() as tx:
        row = (await tx.execute(sa.text("SELECT deadline_at, created_at FROM jobs WHERE id = :id"), {"id": job})).one()
    assert row.deadline_at - row.created_at == pytest.approx(0.01, abs=1e-4)
    assert refused.status_code == 400


async def test_a_hundred_equal_requests_get_a_hundred_equal_answers(each_api: Api) -> None:
    headers = {"Idempotency-Key": "once"}
    began = time.time()

    answers = await asyncio.gather(
        *(each_api.client.post("/api/v1/diffusion", json={"text": "a fox"}, headers=headers) for _ in range(100))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1, f"after {time.time() - began:.1f} s"
    other = await each_api.client.post("/api/v1/diffusion", json={"text": "a cat"}, headers=headers)
    assert other.status_code == 409
    assert (await each_api.client.get("/api/account/active_tasks")).json()["total_active"] == 1
