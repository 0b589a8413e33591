import asyncio
import time

import pytest
from legnext.types.responses import BalanceResponse

from brushwork.accounts.credits import grant
from brushwork.accounts.directory import set_plan
from brushwork.accounts.keys import list_keys, revoke_key
from tests.api.conftest import Api

ENDPOINTS = [
    ("POST", "/v1/diffusion"),
    ("GET", "/v1/jobs"),
    ("GET", "/v1/job/00000000-0000-4000-8000-000000000000"),
    ("GET", "/v1/job/00000000-0000-4000-8000-000000000000/events"),
    ("POST", "/v1/job/00000000-0000-4000-8000-000000000000/cancel"),
    ("DELETE", "/v1/job/00000000-0000-4000-8000-000000000000"),
    ("GET", "/account/balance"),
    ("GET", "/account/info"),
    ("GET", "/account/active_tasks"),
]


@pytest.mark.parametrize("key", [None, b"", b"bw_wrong", b"\xff\xfe"], ids=["missing", "empty", "wrong", "not text"])
async def test_every_endpoint_asks_for_a_key_before_anything_else(api: Api, key: bytes | None) -> None:
    api.client.headers.pop("x-api-key")
    headers = [] if key is None else [(b"x-api-key", key)]

    for method, path in ENDPOINTS:
        answer = await api.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, 401), path


async def test_the_name_of_the_header_may_be_written_in_any_case(api: Api) -> None:
    api.client.headers.pop("x-api-key")

    for header in ["x-api-key", "X-API-KEY", "X-Api-Key"]:
        assert (await api.client.get("/account/balance", headers={header: api.key})).status_code == 200


async def test_the_key_may_come_as_a_bearer_token(api: Api) -> None:
    api.client.headers.pop("x-api-key")

    good = await api.client.get("/account/balance", headers={"authorization": f"bearer {api.key}"})
    bad = await api.client.get("/account/balance", headers={"authorization": f"Basic {api.key}"})

    assert (good.status_code, bad.status_code) == (200, 401)


async def test_a_revoked_key_is_refused_within_a_second(each_api: Api) -> None:
    key = {"x-api-key": await each_api.key_of_new_account("leaver")}
    assert (await each_api.client.get("/account/balance", headers=key)).status_code == 200

    async with each_api.services.database.write() as tx:
        newest = (await list_keys(tx))[-1]
        await revoke_key(tx, newest.id, now=time.time())
    await asyncio.sleep(1.0)

    assert (await each_api.client.get("/account/balance", headers=key)).status_code == 401


async def test_a_new_plan_counts_within_a_second(api: Api) -> None:
    key = {"x-api-key": await api.key_of_new_account("upgrader")}
    assert (await api.client.post("/v1/diffusion", json={"text": "a --v 8.1"}, headers=key)).status_code == 403

    async with api.services.database.write() as tx:
        await set_plan(tx, 2, "pro", now=time.time())
    await asyncio.sleep(1.0)

    assert (await api.client.post("/v1/diffusion", json={"text": "a --v 8.1"}, headers=key)).status_code == 200


async def test_using_a_key_is_remembered(each_api: Api) -> None:
    await each_api.client.get("/account/balance")

    async with each_api.services.database.read() as tx:
        used = (await list_keys(tx))[0].last_used_at

    assert used is not None
    assert abs(used - time.time()) < 60


async def test_who_only_reads_is_served_when_nothing_can_be_written(api: Api) -> None:
    key = await api.key_of_new_account("reader")
    async with api.services.database.write() as tx:
        await tx.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON api_keys BEGIN SELECT raise(FAIL, 'database or disk is full'); END"
        )

    answer = await api.client.get("/account/balance", headers={"x-api-key": key})

    assert answer.status_code == 200, answer.text


async def test_the_balance_counts_points_and_credits_and_not_what_is_held(each_api: Api) -> None:
    now = time.time()
    async with each_api.services.database.write() as tx:
        await grant(tx, 1, 5000, kind="credit", now=now)
        await grant(tx, 1, 7000, kind="credit", expires_at=now - 1, now=now - 10)
    await each_api.submit()

    body = (await each_api.client.get("/api/account/balance")).json()

    assert (body["code"], body["message"]) == (200, "success")
    assert body["data"] == {
        "account_id": 1,
        "balance_usd": 104.92,
        "available_credits": 5000,
        "available_points": 99_920,
        "alert_threshold": 10,
        "low_balance_alert": False,
        "updated_at": body["data"]["updated_at"],
    }
    assert BalanceResponse.model_validate(body["data"]).balance == 104.92


async def test_a_low_balance_says_so(api: Api) -> None:
    key = await api.key_of_new_account("poor", points=9999)

    body = (await api.client.get("/account/balance", headers={"x-api-key": key})).json()

    assert body["data"]["low_balance_alert"] is True


async def test_the_account_has_the_keys_of_both_descriptions(api: Api) -> None:
    await api.submit()

    data = (await api.client.get("/api/account/info")).json()["data"]

    assert (data["id"], data["account_id"], data["plan"], data["type"]) == (1, 1, "developer", "ppu")
    assert (data["balance"], data["used"], data["quota"]["remaining"]) == (99_920, 0, 99_920)
    assert (data["wallet"]["point_remain"], data["wallet"]["point_frozen"]) == (100_000, 80)
    assert data["max_concurrent_task_count"] == 6


async def test_active_tasks_are_those_that_have_not_ended(each_api: Api) -> None:
    ended, waiting = await each_api.submit(), await each_api.submit()
    await each_api.client.delete(f"/v1/job/{ended}")

    body = (await each_api.client.get("/api/account/active_tasks")).json()

    assert (body["account_id"], body["total_active"], body["concurrent_limit"]) == (1, 1, 6)
    task = body["tasks"][0]
    assert (task["job_id"], task["task_type"], task["status"]) == (waiting, "diffusion", "pending")
    assert (task["progress"], task["estimated_time"]) == (0, None)
