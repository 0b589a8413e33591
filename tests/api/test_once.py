"""`Idempotency-Key` on every POST that changes something: done once, answered the same, other requests refused."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image

from brushwork.accounts.keys import create_key
from brushwork.database.tables import answers, api_keys, audits, endpoints
from brushwork.database.tables import files as files_table
from brushwork.jobs.housekeeping import DUTIES, Housekeeping
from brushwork.jobs.idempotency import LOST_SECONDS, REPLAYED_SECONDS, Claim, claim, look, settle
from tests.api.conftest import NOW, Api

MANY = 20
CHANGES_NOTHING = {
    "/v1/job/{job_id}/cancel",
    "/v1/batch/{batch_id}/cancel",
    "/v1/prompts/lint",
    "/v1/prompts/migrate",
    "/v1/verify",
}
"""A repetition of these is answered the same anyway."""


@pytest.fixture
async def operator(each_api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key of scope admin."""
    async with each_api.services.database.write() as tx:
        _, key = await create_key(tx, 1, name="operator", now=NOW, scopes=("read", "generate", "admin"))
    transport = httpx.ASGITransport(app=each_api.app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://brushwork.test", headers={"x-api-key": key}
    ) as client:
        yield client


def picture(colour: str = "red") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(made, "PNG")
    return made.getvalue()


def upload(client: httpx.AsyncClient, key: str, colour: str = "red") -> Awaitable[httpx.Response]:
    """As a form: every one has a boundary of its own."""
    return client.post(
        "/v1/files", files={"file": ("a.png", picture(colour), "image/png")}, headers={"idempotency-key": key}
    )


def code_of(refused: httpx.Response) -> str:
    return str(refused.json()["detail"]["code"])


async def count(api: Api, table: sa.Table) -> int:
    async with api.services.database.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


def test_every_post_heeds_the_key_or_has_a_reason_not_to(api: Api) -> None:
    posts = {path: item["post"] for path, item in api.app.openapi()["paths"].items() if "post" in item}
    for path, operation in posts.items():
        names = [parameter["name"].lower() for parameter in operation.get("parameters", ())]
        assert names.count("idempotency-key") == (path not in CHANGES_NOTHING), path
    assert posts.keys() >= CHANGES_NOTHING


async def test_a_repeated_upload_is_the_same_file(each_api: Api) -> None:
    first, second = await upload(each_api.client, "one"), await upload(each_api.client, "one")
    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"]
    assert await count(each_api, files_table) == 1


async def test_many_at_once_are_done_once(each_api: Api) -> None:
    answered = await asyncio.gather(*(upload(each_api.client, "one") for _ in range(MANY)))
    assert {answer.status_code for answer in answered} == {200}
    assert len({answer.content for answer in answered}) == 1
    assert await count(each_api, files_table) == 1


async def test_the_same_json_may_be_written_in_other_words(each_api: Api) -> None:
    body = '{"url": "https://example.com/hooks", "description": "mine"}'
    other = '{ "description":"mine",\n"url":"https://example.com/hooks"}'
    headers = {"idempotency-key": "hooks"}
    first = await each_api.client.post("/v1/webhooks", content=body, headers=headers)
    assert first.status_code == 200, first.text
    again = await each_api.client.post("/v1/webhooks", content=other, headers=headers)
    assert again.content == first.content
    assert await count(each_api, endpoints) == 1


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: upload(client, "one", "blue"),
        lambda client: client.post("/v1/webhooks/secret", headers={"idempotency-key": "one"}),
        lambda client: client.post("/v1/files?again=1", content=picture(), headers={"idempotency-key": "one"}),
        lambda client: client.post("/v1/diffusion", json={"text": "a fox"}, headers={"idempotency-key": "one"}),
        lambda client: client.post(
            "/v1/batch",
            json={"requests": [{"task": "diffusion", "text": "a fox"}], "cap": 1000},
            headers={"idempotency-key": "one"},
        ),
    ],
    ids=["other body", "other path", "other query", "a job", "a batch"],
)
async def test_another_request_with_the_key_is_refused(
    each_api: Api, ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]]
) -> None:
    assert (await upload(each_api.client, "one")).status_code == 200
    refused = await ask(each_api.client)
    assert (refused.status_code, code_of(refused)) == (409, "conflict"), refused.text
    assert await count(each_api, files_table) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/diffusion", {"text": "a fox"}),
        ("/v1/batch", {"requests": [{"task": "diffusion", "text": "a fox"}], "cap": 1000}),
    ],
)
async def test_the_key_of_a_job_is_no_key_of_an_upload(each_api: Api, path: str, body: dict[str, Any]) -> None:
    made = await each_api.client.post(path, json=body, headers={"idempotency-key": "one"})
    assert made.status_code == 200, made.text
    assert (await upload(each_api.client, "one")).status_code == 409
    assert await count(each_api, files_table) == 0


async def test_what_was_refused_may_be_asked_better_with_the_same_key(each_api: Api) -> None:
    headers = {"idempotency-key": "one"}
    refused = await each_api.client.post(
        "/v1/files", content=b"no picture", headers=headers | {"content-type": "image/png"}
    )
    assert refused.status_code == 422
    assert await count(each_api, answers) == 0
    assert (await upload(each_api.client, "one")).status_code == 200


async def test_a_secret_is_not_shown_twice_and_not_kept(each_api: Api, operator: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "one"}
    first = await operator.post("/account/1/api_keys", json={"name": "shop"}, headers=headers)
    assert first.status_code == 200, first.text
    again = await operator.post("/account/1/api_keys", json={"name": "shop"}, headers=headers)
    assert again.status_code == 409
    assert "only once" in again.json()["message"]
    async with each_api.services.database.read() as tx:
        kept = (await tx.execute(sa.select(answers.c.status, answers.c.body))).one()
        named = sa.select(sa.func.count()).where(api_keys.c.name == "shop")
        assert (await tx.execute(named)).scalar_one() == 1
    assert tuple(kept) == (200, None)


async def test_an_account_is_opened_once(each_api: Api, operator: httpx.AsyncClient) -> None:
    body = {"name": "studio", "account_group": "user", "plan": "developer", "type": "ppu"}
    answered = await asyncio.gather(
        *(operator.post("/account", json=body, headers={"idempotency-key": "one"}) for _ in range(MANY))
    )
    assert sorted(answer.status_code for answer in answered) == [200] + [409] * (MANY - 1)
    async with each_api.services.database.read() as tx:
        noted = sa.select(sa.func.count()).where(audits.c.kind == "operator")
        assert (await tx.execute(noted)).scalar_one() == 1


async def test_a_key_that_may_less_is_told_nothing(each_api: Api) -> None:
    assert (await upload(each_api.client, "one")).status_code == 200
    async with each_api.services.database.write() as tx:
        _, reading = await create_key(tx, 1, name="reading", now=NOW, scopes=("read",))
    each_api.client.headers["x-api-key"] = reading
    assert (await upload(each_api.client, "one")).status_code == 409
    assert (await upload(each_api.client, "two")).status_code == 403


async def test_accounts_do_not_share_keys(each_api: Api) -> None:
    first = await upload(each_api.client, "one")
    each_api.client.headers["x-api-key"] = await each_api.key_of_new_account("other")
    second = await upload(each_api.client, "one")
    assert second.status_code == 200
    assert second.json()["id"] != first.json()["id"]


async def test_a_key_that_is_too_long_is_refused(api: Api) -> None:
    refused = await upload(api.client, "x" * 256)
    assert refused.status_code == 400
    assert "Idempotency-Key" in refused.json()["message"]


async def test_no_key_is_no_claim(each_api: Api) -> None:
    for _ in range(2):
        sent = await each_api.client.post("/v1/files", content=picture(), headers={"content-type": "image/png"})
        assert sent.status_code == 200
    assert (await count(each_api, files_table), await count(each_api, answers)) == (2, 0)


async def test_a_request_whose_server_died_is_done_again_after_a_while(each_api: Api) -> None:
    database = each_api.services.database
    begun = Claim(1, "one", "a" * 64, at=NOW)
    assert await claim(database, begun) is None
    waiting = await claim(database, Claim(1, "one", "a" * 64, at=NOW + LOST_SECONDS - 1))
    assert waiting is not None
    assert waiting.status is None
    taken = Claim(1, "one", "a" * 64, at=NOW + LOST_SECONDS + 1)
    assert await claim(database, taken) is None
    await settle(database, begun, 200, b"late")  # it was not dead, only slow: what it says is not kept
    assert (await look(database, taken)).status is None  # type: ignore[union-attr]  # it is there
    await settle(database, taken, 200, b"{}")
    assert (await look(database, taken)).body == b"{}"  # type: ignore[union-attr]  # it is there


async def test_an_answer_is_kept_for_a_day(each_api: Api, tmp_path: Path) -> None:
    database = each_api.services.database
    for key, age in (("old", REPLAYED_SECONDS + 60), ("young", REPLAYED_SECONDS - 60)):
        begun = Claim(1, key, "a" * 64, at=time.time() - age)
        assert await claim(database, begun) is None
        await settle(database, begun, 200, b"{}")
    house = Housekeeping(database, each_api.services.files, each_api.services.jobs.rules)
    await DUTIES["idempotency"][1](house)
    async with database.read() as tx:
        assert (await tx.execute(sa.select(answers.c.key))).scalars().all() == ["young"]


async def test_an_erased_job_leaves_its_receipt_only(each_api: Api) -> None:
    job_id = await each_api.submit("a lighthouse in a storm")
    headers = {"idempotency-key": "one"}
    first = await each_api.client.post(f"/v1/job/{job_id}/erase", headers=headers)
    assert first.status_code == 200, first.text
    assert (await each_api.client.post(f"/v1/job/{job_id}/erase", headers=headers)).content == first.content
    assert b"lighthouse" not in first.content


async def test_what_was_done_is_answered_though_the_answer_cannot_be_kept(each_api: Api) -> None:
    assert (await upload(each_api.client, "one")).status_code == 200
    async with each_api.services.database.write() as tx:  # no second answer can be written
        await tx.execute(sa.text("CREATE UNIQUE INDEX only_one ON answers (account_id) WHERE status IS NOT NULL"))
    assert (await upload(each_api.client, "two")).status_code == 200
    assert await count(each_api, files_table) == 2
