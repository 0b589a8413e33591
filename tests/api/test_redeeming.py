import asyncio
import time

import pytest
import sqlalchemy as sa

from brushwork.accounts.codes import create_code
from brushwork.accounts.credits import check_ledger
from brushwork.database.tables import audits, codes
from tests.api.conftest import Api


async def make_code(api: Api, code: str = "autumn-2026", *, max_uses: int = 1, expires_at: float | None = None) -> None:
    async with api.services.database.write() as tx:
        now = time.time() - 10
        await create_code(tx, code, amount=500, max_uses=max_uses, pack_days=31, expires_at=expires_at, now=now)


async def redeem(api: Api, code: str, key: str = "") -> tuple[int, str]:
    answer = await api.client.post(
        "/api/account/code/retrieve", json={"code": code}, headers={"x-api-key": key or api.key}
    )
    assert answer.json()["code"] == answer.status_code
    return answer.status_code, answer.json()["message"]


async def test_a_code_brings_a_pack_that_ends(each_api: Api) -> None:
    await make_code(each_api)

    wallet = (await each_api.client.post("/api/account/code/retrieve", json={"code": "AUTUMN-2026"})).json()["data"]

    pack = wallet["credit_packs"][0]
    assert (pack["capacity"], pack["active"], pack["account_id"], wallet["point_remain"]) == (500, True, 1, 100_000)
    assert pack["expired_at"] is not None


@pytest.mark.parametrize("code", ["nothing-like-it", "x", "'; --", "ａ" * 6])
async def test_an_unknown_code_is_not_found(api: Api, code: str) -> None:
    status, message = await redeem(api, code)

    assert status == 404
    assert "record not found" in message


async def test_an_account_redeems_a_code_once(each_api: Api) -> None:
    await make_code(each_api, max_uses=5)
    await redeem(each_api, "autumn-2026")

    status, message = await redeem(each_api, "autumn-2026")

    assert status == 409
    assert "already used" in message


async def test_a_code_that_ended_says_expired(api: Api) -> None:
    await make_code(api, expires_at=time.time() - 1)

    status, message = await redeem(api, "autumn-2026")

    assert status == 409
    assert "expired" in message


async def test_a_code_is_used_exactly_as_often_as_it_may_be(each_api: Api) -> None:
    await make_code(each_api, max_uses=3)
    keys = [await each_api.key_of_new_account(f"account {number}", points=0) for number in range(8)]

    answers = await asyncio.gather(*(redeem(each_api, "autumn-2026", key) for key in keys))

    assert sorted(status for status, _ in answers) == [200] * 3 + [409] * 5
    assert all("already used" in message for status, message in answers if status == 409)
    async with each_api.services.database.read() as tx:
        assert await check_ledger(tx) == []


async def test_one_account_that_asks_many_times_at_once_gets_it_once(each_api: Api) -> None:
    await make_code(each_api, max_uses=100)
    key = await each_api.key_of_new_account("greedy", points=0)

    answers = await asyncio.gather(*(redeem(each_api, "autumn-2026", key) for _ in range(10)))

    assert sorted(status for status, _ in answers) == [200] + [409] * 9
    info = await each_api.client.get("/account/info", headers={"x-api-key": key})
    assert info.json()["data"]["balance"] == 500


async def test_guessing_codes_ends_after_ten_failures_until_time_has_passed(each_api: Api) -> None:
    await make_code(each_api)
    for number in range(10):
        assert (await redeem(each_api, f"guess-{number}"))[0] == 404

    blocked = await each_api.client.post("/api/account/code/retrieve", json={"code": "autumn-2026"})

    assert (blocked.status_code, blocked.json()["detail"]["code"]) == (429, "too_many_requests")
    seconds = int(blocked.headers["retry-after"])
    assert 500 < seconds <= 600
    other = await each_api.key_of_new_account("other")
    assert (await redeem(each_api, "guess-11", other))[0] == 404
    async with each_api.services.database.write() as tx:
        await tx.execute(audits.update().values(created_at=audits.c.created_at - seconds))
    assert (await redeem(each_api, "autumn-2026"))[0] == 200


async def test_failures_are_written_down_without_the_code(each_api: Api) -> None:
    await make_code(each_api, max_uses=5)
    for code in ("secret-guess", "autumn-2026", "autumn-2026"):
        await redeem(each_api, code)

    async with each_api.services.database.read() as tx:
        rows = (await tx.execute(sa.select(audits).order_by(audits.c.created_at))).all()
        uses = (await tx.execute(sa.select(codes.c.uses))).scalar_one()
        assert await check_ledger(tx) == []
    assert [(row.kind, row.account_id, row.api_key_id) for row in rows] == [("redeem", 1, 1)] * 2
    assert [row.data["problem"].partition(":")[0] for row in rows] == [
        "record not found",
        "This code was already used by this account.",
    ]
    assert "guess" not in str([row.data for row in rows])
    assert uses == 1


async def test_guesses_at_the_same_moment_are_no_more(each_api: Api) -> None:
    answers = await asyncio.gather(*(redeem(each_api, f"guess-{number}") for number in range(25)))

    assert sorted(status for status, _ in answers) == [404] * 10 + [429] * 15


async def test_the_alert_threshold_is_set_and_read(each_api: Api) -> None:
    usual = (await each_api.client.get("/account/alert_threshold")).json()["data"]

    set_to = (await each_api.client.put("/account/alert_threshold", json={"threshold": 100_500})).json()["data"]

    assert (usual["threshold"], usual["is_low"]) == (0, False)
    assert set_to == {"threshold": 100_500, "available": 100_000, "is_low": True}
    assert (await each_api.client.get("/account/alert_threshold")).json()["data"] == set_to
    balance = (await each_api.client.get("/account/balance")).json()["data"]
    assert (balance["alert_threshold"], balance["low_balance_alert"]) == (101, True)
    assert (await each_api.client.put("/account/alert_threshold", json={"threshold": -1})).status_code == 400
