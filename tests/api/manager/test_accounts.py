import asyncio
import time
from datetime import UTC, datetime

import httpx
import pytest

from brushwork.accounts.credits import check_ledger
from brushwork.accounts.keys import create_key
from tests.api.conftest import NOW, Api
from tests.api.manager.conftest import Office

MONTH = 31 * 86400


async def test_an_account_is_opened_with_a_key_and_the_pack_of_its_plan(office: Office) -> None:
    made = await office.open("studio", plan="hobbyist")
    packs = await office("GET", f"/api/account/{made['id']}/wallet")

    assert (made["name"], made["plan"], made["type"], made["account_group"]) == ("studio", "hobbyist", "ppu", "user")
    assert (made["is_enable"], made["status"], made["deleted_at"]) == (True, "active", None)
    assert (made["balance"], made["wallet"]["point_remain"], packs["point_remain"]) == (200, 200, 200)
    first = made["api_keys"][0]
    balance = await office.api.client.get("/api/account/balance", headers={"x-api-key": first["value"]})
    assert balance.json()["data"]["available_points"] == 200


async def test_the_pack_of_the_pro_plan_is_its_month(office: Office) -> None:
    made = await office.open(plan="developer")
    statement = await office.api.client.get(f"/account/{made['id']}/statement", headers={"x-api-key": office.key})

    assert (made["plan"], made["balance"]) == ("developer", 33_000)
    assert [line["description"] for line in statement.json()["lines"]] == ["Monthly pack"]


async def test_a_key_is_readable_in_the_answer_that_makes_it_and_never_again(office: Office) -> None:
    made = await office.open()
    secret = made["api_keys"][0]["value"]

    seen = await office("GET", f"/api/account/{made['id']}")
    listed = await office("GET", f"/api/account/{made['id']}/api_keys")

    assert secret.startswith("bw_")
    assert secret not in str(seen) + str(listed)
    assert seen["api_keys"][0]["value"] == secret[:11] + "…"


async def test_a_name_is_taken_once_however_many_ask(office: Office) -> None:
    body = {"name": "studio", "plan": "free"}
    asked = [office.api.client.post("/api/account", json=body, headers={"x-api-key": office.key}) for _ in range(5)]

    answers = await asyncio.gather(*asked)

    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "\x1b[31m"}, "name"),
        ({"name": "a", "plan": "gold"}, "plan"),
        ({"name": "a", "type": "subscription"}, "type"),
    ],
)
async def test_what_cannot_be_opened_is_said_so(office: Office, body: dict[str, str], field: str) -> None:
    refused = await office("POST", "/api/account", body, status=400)

    assert refused["message"].startswith(f"{field}:")


async def test_another_plan_counts_at_once_and_brings_no_points(office: Office) -> None:
    made = await office.open()
    headers = {"x-api-key": made["api_keys"][0]["value"]}
    before = await office.api.client.post("/v1/diffusion", json={"text": "a fox --v 8.1"}, headers=headers)

    changed = await office("PATCH", f"/api/account/{made['id']}/plan", {"plan": "developer"})

    after = await office.api.client.post("/v1/diffusion", json={"text": "a fox --v 8.1"}, headers=headers)
    assert (before.status_code, after.status_code) == (403, 200)
    assert (changed["plan"], changed["balance"]) == ("developer", 200)


async def test_a_disabled_account_is_refused_at_once_and_served_again_when_enabled(office: Office) -> None:
    made = await office.open()
    headers = {"x-api-key": made["api_keys"][0]["value"]}
    path = f"/api/account/{made['id']}"
    assert (await office.api.client.get("/account/balance", headers=headers)).status_code == 200

    off = await office("PATCH", path, {"is_enable": False})
    refused = await office.api.client.get("/account/balance", headers=headers)
    await office("PATCH", path, {"is_enable": True})
    served = await office.api.client.get("/account/balance", headers=headers)

    assert (off["is_enable"], off["status"]) == (False, "disabled")
    assert (refused.status_code, served.status_code) == (403, 200)


async def test_operators_cannot_lock_themselves_out(office: Office) -> None:
    assert "own key" in (await office("PATCH", "/api/account/1", {"is_enable": False}, status=409))["message"]


async def test_limits_are_changed_one_by_one(office: Office) -> None:
    path = f"/api/account/{(await office.open())['id']}"

    await office("PATCH", path, {"max_concurrent_task_count": 2})
    await office("PATCH", path, {"share": 2.5, "alert_threshold": 500})

    seen = await office("GET", path)
    limits = (seen["max_concurrent_task_count"], seen["share"], seen["alert_threshold"])
    assert limits == (2, 2.5, 500)


async def test_accounts_are_listed_by_page(office: Office) -> None:
    for name in ("a", "b", "c"):
        await office.open(name)

    first = await office("GET", "/api/account?page=1&page_size=3")
    second = await office("GET", "/api/account?page=2&page_size=3")
    usual = await office("GET", "/api/account?page=&page_size=null")

    assert [account["name"] for account in first["data"]] == ["first", "a", "b"]
    assert [account["name"] for account in second["data"]] == ["c"]
    assert (first["total"], first["size"], usual["size"], len(usual["data"])) == (4, 3, 10, 4)


async def test_what_operators_change_is_written_down_without_keys(office: Office) -> None:
    made = await office.open()
    path = f"/api/account/{made['id']}"
    await office("PATCH", f"{path}/plan", {"plan": "pro"})
    secret = (await office("POST", f"{path}/api_keys", {"name": "laptop"}))["value"]
    await office("POST", f"{path}/wallet/credit_pack", {"capacity": 70, "description": "Gift"})

    record = await office("GET", f"/v1/audits?kind=operator&account_id={made['id']}")

    actions = [entry["data"]["action"] for entry in record["data"]]
    assert sorted(actions) == ["account.change", "account.open", "credits.add", "key.create"]
    change = next(entry["data"] for entry in record["data"] if entry["data"]["action"] == "account.change")
    assert (change["before"], change["after"], change["by"]) == ({"plan": "free"}, {"plan": "pro"}, "api")
    assert {entry["api_key_id"] for entry in record["data"]} == {2}
    assert secret[3:] not in str(record)


@pytest.mark.parametrize("header", ["API-KEY", "api-key", "x-api-key"])
async def test_operators_may_send_their_key_in_either_header(office: Office, header: str) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(office.api.app), base_url="http://brushwork.test"
    ) as client:
        answer = await client.get("/api/account/1", headers={header: office.key})

    assert answer.status_code == 200


async def test_an_ordinary_key_is_refused_before_anything_is_looked_at(office: Office) -> None:
    for path in ("/api/account/1", "/api/account/999", "/api/account/1/api_keys", "/api/account/x/api_keys"):
        answer = await office.api.client.get(path)

        assert (answer.status_code, answer.json()["detail"]) == (403, {"code": "scope_required", "scope": "admin"})


@pytest.mark.parametrize("given", ["999", "0", "99999999999999999999", "0000000000000000000000001"])
async def test_an_account_that_is_not_there_is_the_same_404_however_it_is_named(office: Office, given: str) -> None:
    missing = await office("GET", "/api/account/998", status=404)

    assert await office("GET", f"/api/account/{given}", status=404) == missing


async def test_what_is_no_number_is_no_account(office: Office) -> None:
    for path in ("x", "1e3", "-1", "%00", "\u0663"):
        assert (await office("GET", f"/api/account/{path}", status=404))["detail"]["code"] == "route_not_found"
    wrong_method = await office.api.client.patch("/api/account/info", headers={"x-api-key": office.key})
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET")


async def test_an_admin_key_is_enough(each_api: Api) -> None:
    async with each_api.services.database.write() as tx:
        _, key = await create_key(tx, 1, name="only", now=NOW, scopes=("admin",))

    looked = await each_api.client.get("/account/1", headers={"x-api-key": key})
    asked = await each_api.client.post("/v1/diffusion", json={"text": "a fox"}, headers={"x-api-key": key})

    assert (looked.status_code, asked.status_code) == (200, 403)


async def test_packs_end_when_they_are_to_and_the_books_agree(office: Office) -> None:
    account = (await office.open())["id"]
    path = f"/api/account/{account}/wallet"
    until = datetime.fromtimestamp(time.time() + 86400, UTC).isoformat()

    pack = await office(
        "POST",
        f"{path}/credit_pack?return_credit_pack=true",
        {"capacity": 5000, "description": "Top-up", "expired_at": until},
    )
    wallet = await office("POST", f"{path}/credit_pack", {"capacity": 100, "description": "Gift"})
    listed = await office("GET", f"{path}/credit_packs")

    assert (pack["capacity"], pack["active"], pack["wallet_id"], pack["account_id"]) == (5000, True, account, account)
    assert pack["expired_at"].endswith("Z")
    assert [one["description"] for one in wallet["credit_packs"]] == ["Gift", "Top-up"]
    totals = ("credit_packs_count", "total_credits", "available_credits", "inactive_credits")
    assert [listed[name] for name in totals] == [2, 5100, 5100, 0]
    assert (listed["credit_packs"], wallet["point_remain"]) == (wallet["credit_packs"], 200)
    async with office.api.services.database.read() as tx:
        assert await check_ledger(tx) == []


async def test_a_pack_is_added_once_however_often_its_request_is_sent(office: Office) -> None:
    account = (await office.open())["id"]
    path, headers = (
        f"/api/account/{account}/wallet/credit_pack",
        {"api-key": office.key, "idempotency-key": "invoice-7"},
    )

    async def add(capacity: int) -> httpx.Response:
        return await office.api.client.post(path, json={"capacity": capacity}, headers={"x-api-key": "", **headers})

    answers = await asyncio.gather(*(add(5000) for _ in range(5)))
    other = await add(5001)

    assert [answer.status_code for answer in answers] == [200] * 5
    assert other.status_code == 409
    assert (await office("GET", f"/api/account/{account}/wallet/credit_packs"))["total_credits"] == 5000
    async with office.api.services.database.read() as tx:
        assert await check_ledger(tx) == []


async def test_the_last_second_of_time_and_beyond_can_be_shown(office: Office) -> None:
    account = (await office.open())["id"]
    until = "9999-12-31T23:59:59-14:00"

    pack = await office(
        "POST",
        f"/api/account/{account}/wallet/credit_pack?return_credit_pack=true",
        {"capacity": 10, "expired_at": until},
    )
    ever = await office.api.client.get(
        f"/api/account/{account}/statement",
        params={"from": "0001-01-01T00:00:00+14:00", "to": until},
        headers={"x-api-key": office.key},
    )
    beginning = await office.api.client.get("/api/v1/account/statement", params={"to": "0001-01-02"})

    assert pack["expired_at"] == "9999-12-31T23:59:59Z"
    assert (ever.json()["since"], ever.json()["until"]) == ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
    assert beginning.json()["since"] == "0001-01-01T00:00:00Z"
    await office("GET", f"/api/account/{account}/wallet")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"capacity": 0, "description": "x"},
        {"capacity": "many"},
        {"capacity": 5, "expired_at": "2001-01-01T00:00:00Z"},
        {"capacity": 5, "expired_at": "tomorrow"},
    ],
)
async def test_a_pack_that_makes_no_sense_is_refused(office: Office, body: dict[str, object]) -> None:
    await office("POST", "/api/account/1/wallet/credit_pack", body, status=400)
