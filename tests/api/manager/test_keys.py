import time
from datetime import UTC, datetime

from tests.api.manager.conftest import Office

MONTH = 31 * 86400


async def test_a_key_has_the_limits_it_was_made_with(office: Office) -> None:
    account = (await office.open())["id"]
    until = datetime.fromtimestamp(time.time() + MONTH, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    made = await office(
        "POST",
        f"/api/account/{account}/api_keys",
        {"name": "laptop", "scopes": ["read"], "expires_at": until, "budget": 500, "per_minute": 3},
    )

    facts = {name: made[name] for name in ("name", "scopes", "expires_at", "budget", "per_minute", "revoked", "spent")}
    assert facts == {
        "name": "laptop",
        "scopes": ["read"],
        "expires_at": until,
        "budget": 500,
        "per_minute": 3,
        "revoked": False,
        "spent": 0,
    }
    headers = {"x-api-key": made["value"]}
    assert (await office.api.client.get("/account/balance", headers=headers)).status_code == 200
    assert (await office.api.client.post("/v1/diffusion", json={"text": "a"}, headers=headers)).status_code == 403


async def test_dashboards_need_say_no_more_than_the_name(office: Office) -> None:
    made = await office("POST", "/api/account/1/api_keys", {"name": "laptop"})

    assert (made["scopes"], made["expires_at"], made["budget"], made["per_minute"]) == (
        ["read", "generate"],
        None,
        None,
        None,
    )


async def test_any_key_can_be_revoked_the_first_one_too(office: Office) -> None:
    opened = await office.open()
    first = opened["api_keys"][0]
    path = f"/api/account/{opened['id']}/api_keys/{first['id']}/revoke"
    headers = {"x-api-key": first["value"]}
    assert (await office.api.client.get("/account/balance", headers=headers)).status_code == 200

    revoked = await office("PATCH", path)
    again = await office("PATCH", path)

    assert (revoked["revoked"], again) == (True, revoked)
    assert (await office.api.client.get("/account/balance", headers=headers)).status_code == 401
    record = await office("GET", f"/v1/audits?account_id={opened['id']}")
    assert [entry["data"]["action"] for entry in record["data"]].count("key.revoke") == 1


async def test_a_key_is_found_only_under_its_own_account(office: Office) -> None:
    a, b = await office.open("a"), await office.open("b")
    foreign, missing = a["api_keys"][0]["id"], 999

    answers = [
        await office("PATCH", f"/api/account/{b['id']}/api_keys/{key}/revoke", status=404) for key in (foreign, missing)
    ]

    assert answers[0] == answers[1]
    assert (await office("GET", f"/api/account/{a['id']}/api_keys"))[0]["revoked"] is False


async def test_what_makes_no_sense_is_refused(office: Office) -> None:
    for body in (
        {},
        {"name": "a", "scopes": ["root"]},
        {"name": "a", "scopes": []},
        {"name": "a", "expires_at": "2001-01-01T00:00:00Z"},
        {"name": "a", "budget": -1},
        {"name": "a", "per_minute": 0},
    ):
        await office("POST", "/api/account/1/api_keys", body, status=400)
    await office("POST", "/api/account/999/api_keys", {"name": "a"}, status=404)
