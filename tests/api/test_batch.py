"""Batches: all of it or none of it, never for more than its cap."""

import asyncio
import base64
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from brushwork.accounts.credits import check_ledger
from brushwork.accounts.keys import create_key
from brushwork.database.tables import api_keys, batches, jobs, ledger
from tests.api.conftest import Api, running, settings_for
from tests.api.drawing import ended, working
from tests.conftest import NewDatabase
from tests.files.hostile import png

FOX = {"task": "diffusion", "text": "a fox"}
SHORTEN = {"task": "shorten", "prompt": "a very nice and quiet harbour, please"}


async def post(api: Api, *requests: dict[str, Any], cap: int = 1000, **more: Any) -> httpx.Response:
    headers = more.pop("headers", None)
    body = {"requests": list(requests), "cap": cap, **more}
    return await api.client.post("/api/v1/batch", json=body, headers=headers)


async def nothing_happened(api: Api) -> bool:
    async with api.services.database.read() as tx:
        made = [(await tx.execute(sa.select(table.c.id))).all() for table in (jobs, batches)]
        held = (await tx.execute(sa.select(ledger.c.id).where(ledger.c.kind == "hold"))).all()
    return made == [[], []] and not held and not folders_with_files(api)


def folders_with_files(api: Api) -> set[str]:
    """The ids of jobs that have something in the store."""
    return {path.parent.name for path in (api.settings.data_dir / "files").rglob("*.png")}


async def test_all_jobs_of_a_batch_are_accepted_in_its_order_and_drawn(each_api: Api) -> None:
    answer = await post(each_api, FOX, SHORTEN, {**FOX, "text": "a fox --turbo"}, cap=260)

    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert (told["cost"], told["cap"], told["count"], told["charged"]) == (260, 260, 3, 0)
    assert [job["task_type"] for job in told["jobs"]] == ["diffusion", "shorten", "diffusion"]
    assert [job["cost"] for job in told["jobs"]] == [80, 20, 160]
    assert told["counts"] == {"pending": 3}
    async with working(each_api):
        for job in told["jobs"]:
            await ended(each_api, job["job_id"])
    done = (await each_api.client.get(f"/api/v1/batch/{told['batch_id']}")).json()
    assert (done["counts"], done["progress"], done["is_finished"], done["charged"]) == (
        {"completed": 3},
        100,
        True,
        260,
    )
    async with each_api.services.database.read() as tx:
        assert await check_ledger(tx) == []


async def test_a_batch_above_its_cap_starts_nothing(each_api: Api) -> None:
    answer = await post(each_api, FOX, FOX, cap=159)

    assert answer.status_code == 402
    assert answer.json()["detail"] == {"code": "cost_cap_exceeded", "needed": 160, "cap": 159}
    assert await nothing_happened(each_api)


async def test_a_batch_that_cannot_be_paid_starts_nothing(each_api: Api) -> None:
    key = await each_api.key_of_new_account("poor", points=100)

    answer = await post(each_api, FOX, FOX, headers={"x-api-key": key})

    assert answer.status_code == 402
    assert answer.json()["detail"] == {"code": "insufficient_credits", "needed": 160, "available": 100}
    assert await nothing_happened(each_api)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"task": "nonsense"}, 400),
        ({"task": "diffusion"}, 400),
        ({"task": "diffusion", "text": "a {red, blue} fox"}, 400),
        ({"task": "diffusion", "text": "a fox --nonsense"}, 400),
        ({"task": "upscale", "jobId": "unknown", "imageNo": 0}, 404),
    ],
)
async def test_one_wrong_request_is_named_and_ends_all(api: Api, wrong: dict[str, Any], status: int) -> None:
    answer = await post(api, FOX, wrong)

    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]["request"] == 1
    assert answer.json()["message"].startswith("requests[1]: ")
    assert await nothing_happened(api)


@pytest.mark.parametrize("body", [{}, {"requests": []}, {"requests": [FOX]}, {"requests": [FOX] * 101, "cap": 1}])
async def test_a_body_that_is_no_batch_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await api.client.post("/api/v1/batch", json=body)).status_code == 400


async def test_braces_stand_for_jobs_where_they_are_asked_for(api: Api) -> None:
    answer = await post(api, {**FOX, "text": "a {red, blue} {fox, cat}"}, SHORTEN, permutations=True)

    told = answer.json()
    assert answer.status_code == 200, answer.text
    assert told["count"] == 5
    texts = [(await api.services.jobs.get(1, job["job_id"])).input.get("text") for job in told["jobs"]]
    assert texts == ["a red fox", "a red cat", "a blue fox", "a blue cat", None]


async def test_more_than_a_hundred_permutations_are_refused(api: Api) -> None:
    many = {**FOX, "text": "{a,b,c,d,e} {a,b,c,d,e} {a,b,c,d,e}"}

    assert (await post(api, many, permutations=True, cap=10**6)).status_code == 400
    half = {**FOX, "text": "{a,b,c,d,e,f,g,h} {a,b,c,d,e,f,g,h}"}
    assert (await post(api, half, half, permutations=True, cap=10**6)).status_code == 400
    assert await nothing_happened(api)


async def test_pictures_of_a_batch_are_gathered_before_it_is_accepted(each_api: Api) -> None:
    url = f"data:image/png;base64,{base64.b64encode(png(width=64, height=64)).decode()}"
    good = {"task": "retexture", "imgUrl": url, "remixPrompt": "wood"}

    told = (await post(each_api, good, good)).json()
    refused = await post(each_api, good, {**good, "imgUrl": "data:image/png;base64,AAAA"})

    assert told["count"] == 2
    assert refused.status_code == 422
    assert refused.json()["detail"]["request"] == 1
    assert folders_with_files(each_api) == {job["job_id"] for job in told["jobs"]}
    dear = await post(each_api, good, good, cap=100)
    assert dear.status_code == 402
    assert len(folders_with_files(each_api)) == 2


async def test_one_key_makes_one_batch_however_often_it_is_sent(each_api: Api) -> None:
    key = {"idempotency-key": "one"}

    answers = await asyncio.gather(*(post(each_api, FOX, SHORTEN, headers=key) for _ in range(6)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    (answer, *_) = answers
    await each_api.client.post(f"/api/v1/batch/{answer.json()['batch_id']}/cancel")
    assert (await post(each_api, FOX, SHORTEN, headers=key)).content == answer.content
    assert (await post(each_api, FOX, headers=key)).status_code == 409
    async with each_api.services.database.read() as tx:
        assert len((await tx.execute(sa.select(jobs.c.id))).all()) == 2


async def test_a_batch_can_be_cancelled_and_costs_nothing(each_api: Api) -> None:
    before = (await each_api.client.get("/api/account/balance")).json()["data"]["available_points"]
    told = (await post(each_api, FOX, FOX, FOX)).json()

    cancelled = (await each_api.client.post(f"/api/v1/batch/{told['batch_id']}/cancel")).json()

    assert cancelled["counts"] == {"failed": 3}
    assert (cancelled["is_finished"], cancelled["charged"], cancelled["progress"]) == (True, 0, 100)
    assert (await each_api.client.get("/api/account/balance")).json()["data"]["available_points"] == before


async def test_the_batch_of_another_account_is_not_there(each_api: Api) -> None:
    told = (await post(each_api, FOX)).json()
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger")}

    foreign = await each_api.client.get(f"/api/v1/batch/{told['batch_id']}", headers=stranger)
    unknown = await each_api.client.get("/api/v1/batch/unknown", headers=stranger)

    assert foreign.status_code == 404
    assert foreign.content == unknown.content
    cancel = await each_api.client.post(f"/api/v1/batch/{told['batch_id']}/cancel", headers=stranger)
    assert cancel.status_code == 404


async def test_the_row_of_a_batch_holds_no_prompt(each_api: Api) -> None:
    await post(each_api, {**FOX, "text": "xyzzyplugh"})

    async with each_api.services.database.read() as tx:
        row = (await tx.execute(sa.select(batches))).one()
    assert "xyzzyplugh" not in repr(row)


async def test_permutations_of_one_prompt_in_two_spellings_stay_few(api: Api) -> None:
    many = "{" + ",".join(map(str, range(60))) + "}"
    request = {"task": "remix", "jobId": "x", "imageNo": 0, "remixPrompt": many, "remix_prompt": many}

    answer = await post(api, request, cap=0, permutations=True)

    assert (answer.status_code, answer.json()["detail"]["field"]) == (400, "remixPrompt")
    assert await nothing_happened(api)


async def limited_key(api: Api, *, per_minute: int) -> dict[str, str]:
    async with api.services.database.write() as tx:
        _, key = await create_key(tx, 1, name="limited", now=time.time(), per_minute=per_minute)
    return {"x-api-key": key}


async def test_a_batch_that_no_waiting_lets_in_is_told_so(each_api: Api) -> None:
    headers = await limited_key(each_api, per_minute=2)

    answer = await post(each_api, FOX, FOX, FOX, headers=headers)

    assert answer.status_code == 400
    assert answer.json()["detail"] == {"code": "invalid_field", "field": "requests", "count": 3, "limit": 2}
    assert "2 a minute" in answer.json()["message"]
    assert await nothing_happened(each_api)


async def test_a_batch_that_has_to_wait_is_told_for_how_long(each_api: Api) -> None:
    headers = await limited_key(each_api, per_minute=4)
    await post(each_api, FOX, FOX, headers=headers)

    answer = await post(each_api, FOX, FOX, FOX, FOX, headers=headers)

    assert (answer.status_code, answer.json()["detail"]["limit"]) == (429, 4)
    seconds = int(answer.headers["retry-after"])
    assert 25 <= seconds <= 30  # two of the four are there, and one comes every fifteen seconds
    async with each_api.services.database.write() as tx:
        await tx.execute(api_keys.update().values(tokens_at=api_keys.c.tokens_at - seconds))
    assert (await post(each_api, FOX, FOX, FOX, FOX, headers=headers)).status_code == 200
    assert (await post(each_api, FOX, headers=headers)).status_code == 429


async def test_of_batches_at_once_a_key_lets_in_as_many_as_fit(each_api: Api) -> None:
    headers = await limited_key(each_api, per_minute=6)

    answers = await asyncio.gather(*(post(each_api, FOX, FOX, headers=headers) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 3


async def test_a_batch_of_more_jobs_than_an_account_may_have_open_is_told_so(
    tmp_path: Path, new_sqlite: NewDatabase
) -> None:
    settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"max_waiting_jobs": 2})
    async with running(settings) as api:
        answer = await post(api, FOX, FOX, FOX)

        assert (answer.status_code, answer.json()["detail"]["limit"]) == (400, 2)
        assert await nothing_happened(api)
