import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from brushwork.app import create_app
from tests.api.conftest import Api, client_of, settings_for


async def test_a_job_is_accepted_under_every_prefix_with_exactly_200(api: Api) -> None:
    for prefix in ["", "/api", "/api/api", "/api/"]:
        for suffix in ["", "/"]:
            answer = await api.client.post(f"{prefix}/v1/diffusion{suffix}", json={"text": "a lighthouse"})

            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert (answer.json()["status"], answer.json()["task_type"]) == ("pending", "diffusion")


async def test_what_is_accepted_can_be_asked_for_at_once(each_api: Api) -> None:
    submitted = (await each_api.client.post("/api/v1/diffusion", json={"text": "a lighthouse"})).json()

    seen = (await each_api.client.get(f"/api/v1/job/{submitted['job_id']}")).json()

    assert seen["job_id"] == submitted["job_id"]
    assert seen["meta"] == submitted["meta"]
    assert seen["output"] == submitted["output"]
    assert seen["input"] == {"text": "a lighthouse"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b'{"text": "a fox", "callback": null}'),
        ({"content-type": "text/plain"}, json.dumps('{"text": "a fox", "callback": ""}').encode()),
        ({"content-type": "application/x-www-form-urlencoded"}, b'{"text": "a fox", "aspectRatio": "1:1"}'),
    ],
)
async def test_bodies_are_taken_as_clients_send_them(api: Api, headers: dict[str, str], body: bytes) -> None:
    answer = await api.client.post("/v1/diffusion", content=body, headers=headers)

    assert answer.status_code == 200
    assert answer.json()["input"] == {"text": "a fox"}


async def test_a_form_is_taken_too(api: Api) -> None:
    answer = await api.client.post("/v1/diffusion", data={"text": "a fox"}, files={"unused": b"\x00\xff"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 8193}, "text"),
        ({"text": ["x"]}, "text"),
        ({"text": "a fox", "callback": "not a url"}, "callback"),
    ],
)
async def test_a_bad_field_is_a_400_that_names_it_and_charges_nothing(
    api: Api, body: dict[str, Any], field: str
) -> None:
    answer = await api.client.post("/v1/diffusion", json=body)

    assert answer.status_code == 400
    assert answer.json()["detail"]["field"] == field
    assert answer.json()["error"]["message"].startswith(field)
    balance = (await api.client.get("/account/balance")).json()
    assert balance["data"]["available_points"] == 100_000


@pytest.mark.parametrize(
    ("text", "status", "flag"),
    [("a fox --frobnicate 3", 400, "--frobnicate"), ("a fox --stylize 5000", 422, "--stylize")],
)
async def test_a_bad_prompt_is_refused_by_the_name_of_its_flag(api: Api, text: str, status: int, flag: str) -> None:
    answer = await api.client.post("/v1/diffusion", json={"text": text})

    assert answer.status_code == status
    assert flag in answer.json()["message"]


async def test_a_body_that_is_too_large_is_a_413(api: Api) -> None:
    answer = await api.client.post("/v1/diffusion", json={"text": "a fox", "padding": "x" * 100_000})

    assert answer.status_code == 413
    assert answer.json()["code"] == 413


async def test_an_account_that_cannot_pay_is_a_402_and_one_without_the_plan_a_403(each_api: Api) -> None:
    poor = await each_api.key_of_new_account("poor", points=0)
    free = await each_api.key_of_new_account("free")

    unpaid = await each_api.client.post("/v1/diffusion", json={"text": "a fox"}, headers={"x-api-key": poor})
    unplanned = await each_api.client.post("/v1/diffusion", json={"text": "a fox --v 8.1"}, headers={"x-api-key": free})

    assert (unpaid.status_code, unplanned.status_code) == (402, 403)
    assert unpaid.json()["detail"]["available"] == 0


async def test_warnings_come_back_with_the_job(each_api: Api) -> None:
    answer = (await each_api.client.post("/v1/diffusion", json={"text": "a fox \u2014ar 3:2"})).json()

    assert answer["detail"]["warnings"], "the dash was repaired, which is worth a word"


async def test_the_same_idempotency_key_gets_the_same_job_and_one_charge(each_api: Api) -> None:
    async def post() -> httpx.Response:
        return await each_api.client.post("/v1/diffusion", json={"text": "a fox"}, headers={"idempotency-key": "once"})

    answers = await asyncio.gather(*(post() for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["job_id"] for answer in answers}) == 1
    assert (await each_api.client.get("/account/balance")).json()["data"]["available_points"] == 100_000 - 80


async def test_an_idempotency_key_cannot_be_used_for_something_else(each_api: Api) -> None:
    headers = {"idempotency-key": "once"}
    await each_api.client.post("/v1/diffusion", json={"text": "a fox"}, headers=headers)

    answer = await each_api.client.post("/v1/diffusion", json={"text": "an owl"}, headers=headers)

    assert answer.status_code == 409


async def test_java_gets_a_trimmed_job(api: Api) -> None:
    headers = {"user-agent": "OpenAPI-Generator/1.0.0/java"}

    submitted = (await api.client.post("/v1/diffusion", json={"text": "a fox"}, headers=headers)).json()
    seen = (await api.client.get(f"/v1/job/{submitted['job_id']}", headers=headers)).json()

    assert set(submitted) == {"job_id", "model", "task_type", "status", "config", "output", "meta"}
    assert set(seen) == set(submitted) | {"input", "detail", "logs", "error"}


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/nowhere", "sqlite:////nowhere/brushwork.db"])
async def test_a_lost_database_is_a_503_in_our_shape_without_its_address(tmp_path: Path, url: str) -> None:
    app = create_app(settings_for(tmp_path, url))

    async with app.router.lifespan_context(app), client_of(app, "bw_key") as client:
        answer = await client.post("/v1/diffusion", json={"text": "a fox"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, 503)
    assert answer.headers["retry-after"]
    assert "nowhere" not in answer.text
