import time

import pytest

from brushwork.accounts.codes import create_code, withdraw_code
from brushwork.accounts.codes import redeem as redeem_code
from brushwork.accounts.keys import create_key
from brushwork.accounts.notifications import notify_account
from brushwork.errors import Conflict
from brushwork.jobs.audits import audit
from tests.api.manager.conftest import Office


async def test_the_history_tells_of_every_job_what_it_was_and_what_became_of_it(office: Office) -> None:
    waiting = await office.api.submit("a lighthouse")
    cancelled = await office.api.submit("a fox")
    await office.api.client.delete(f"/v1/job/{cancelled}")

    history = await office("GET", "/api/account/1/task_histories?page=1&page_size=10")

    assert (history["page"], history["size"], history["total"]) == (1, 10, 2)
    newest, oldest = history["data"]
    assert (newest["task_id"], newest["status"], newest["usage"]) == (cancelled, "failed", 0)
    assert "cancelled" in newest["detail"]["errorMessage"]
    assert (oldest["task_id"], oldest["status"], oldest["usage"]) == (waiting, "processing", 80)
    assert (oldest["action"], oldest["task_model"], oldest["usage_type"]) == ("diffusion", "midjourney", "point")
    assert oldest["detail"]["taskInput"] == {"prompt": "a lighthouse", "originTaskId": "", "index": None}
    assert (oldest["account_id"], oldest["api_key_id"]) == (1, 1)


async def test_a_page_beyond_the_last_is_empty(office: Office) -> None:
    await office.api.submit()

    assert (await office("GET", "/api/account/1/task_histories?page=7&page_size=2"))["data"] == []


@pytest.mark.parametrize("query", ["page=0", "page=x", "page_size=101", "page_size=1.5", "page=99999999999999999999"])
async def test_a_page_that_cannot_be_is_refused(office: Office, query: str) -> None:
    await office("GET", f"/api/account/1/task_histories?{query}", status=400)


async def test_notifications_are_listed_and_confirmed(office: Office) -> None:
    other = (await office.open())["id"]
    async with office.api.services.database.write() as tx:
        for account in (1, other):
            await notify_account(tx, account, type_="balance.low", message="Low", detail={"left": 5}, now=time.time())
    before = await office("GET", "/api/account/1/notifications?page=1&page_size=10")
    number = before["data"][0]["id"]

    after = await office("PATCH", f"/api/account/1/notification/{number}/confirm?page=1&page_size=null")

    assert (before["total"], before["data"][0]["is_confirmed"], before["data"][0]["detail"]) == (1, False, {"left": 5})
    assert (after["total"], after["data"][0]["is_confirmed"]) == (1, True)
    foreign = await office("PATCH", f"/api/account/{other}/notification/{number}/confirm", status=404)
    assert foreign == await office("PATCH", f"/api/account/{other}/notification/999/confirm", status=404)


async def test_codes_are_made_listed_and_redeemed(office: Office) -> None:
    made = await office("POST", "/v1/codes", {"amount": 1000, "max_uses": 2, "pack_days": 31})
    own = await office("POST", "/v1/codes", {"code": " Autumn-2026 ", "amount": 50})
    await office("POST", "/v1/codes", {"code": "AUTUMN-2026", "amount": 50}, status=409)
    await office("POST", "/v1/codes", {"code": "abc", "amount": 50}, status=400)

    answer = await office.api.client.post("/api/account/code/retrieve", json={"code": made["code"].upper()})

    assert answer.json()["data"]["credit_packs"][0]["capacity"] == 1000
    listed = await office("GET", "/v1/codes")
    assert [(code["code"], code["uses"]) for code in listed] == [("autumn-2026", 0), (made["code"], 1)]
    assert own["expires_at"] is None
    record = await office("GET", "/v1/audits?kind=operator")
    assert made["code"] not in str(record)


async def test_a_code_that_leaked_is_withdrawn_and_what_was_redeemed_stays(office: Office) -> None:
    made = await office("POST", "/v1/codes", {"code": "autumn-2026", "amount": 1000, "max_uses": 50})
    stranger = await office.api.key_of_new_account("stranger", points=0)

    async def redeem(key: str) -> tuple[int, str]:
        answer = await office.api.client.post(
            "/api/account/code/retrieve", json={"code": "autumn-2026"}, headers={"x-api-key": key}
        )
        return answer.status_code, answer.json()["message"]

    assert (await redeem(office.key))[0] == 200
    ended = await office("POST", f"/v1/codes/{made['id']}/withdraw")
    again = await office("POST", f"/v1/codes/{made['id']}/withdraw")

    assert (made["withdrawn_at"], ended["uses"], ended["expires_at"]) == (None, 1, None)
    assert ended["withdrawn_at"] is not None
    assert [again] == [ended] == await office("GET", "/v1/codes")
    assert await redeem(stranger) == (409, "This code has expired.")
    assert (await office("GET", "/api/account/1/wallet"))["credit_packs"][0]["capacity"] == 1000
    changes = [one["data"] for one in (await office("GET", "/v1/audits?kind=operator"))["data"]]
    assert [change["action"] for change in changes] == ["code.withdraw", "code.create"]
    assert "autumn" not in str(changes)


async def test_a_withdrawn_code_is_refused_by_a_server_whose_clock_is_behind(office: Office) -> None:
    async with office.api.services.database.write() as tx:
        await create_code(tx, "autumn-2026", amount=5, now=1000.0)
        await withdraw_code(tx, "Autumn-2026 ", now=2000.0)
        with pytest.raises(Conflict, match="expired"):
            await redeem_code(tx, 1, "autumn-2026", now=1999.0)


@pytest.mark.parametrize("code_id", ["999", "autumn-2026", "0x1", "9" * 30])
async def test_no_other_code_is_withdrawn(office: Office, code_id: str) -> None:
    await office("POST", f"/v1/codes/{code_id}/withdraw", status=404)


async def test_only_an_operator_withdraws_codes(office: Office) -> None:
    made = await office("POST", "/v1/codes", {"amount": 1000})

    answer = await office.api.client.post(f"/v1/codes/{made['id']}/withdraw")

    assert answer.status_code == 403


async def test_an_appeal_is_found_with_the_refusal_that_it_is_about(office: Office) -> None:
    account = (await office.open("author"))["id"]
    refusal = {"policy": "2026-11", "category": "violence", "rule": "gore", "task": "diffusion", "field": "text"}
    async with office.api.services.database.write() as tx:
        await tx.execute(audit(account, "moderation", refusal, now=time.time(), audit_id="refused"))
        _, key = await create_key(tx, account, name="k", now=time.time())

    said = await office.api.client.post(
        "/api/v1/moderation/refused/appeal", json={"note": "Gore is a village."}, headers={"x-api-key": key}
    )

    assert said.status_code == 200
    (found,) = (await office("GET", "/v1/audits?kind=appeal"))["data"]
    assert (found["account_id"], found["kind"]) == (account, "appeal")
    assert found["data"] == {**refusal, "of": "refused", "note": "Gore is a village."}


async def test_the_record_is_searched_by_kind_account_and_time(office: Office) -> None:
    async with office.api.services.database.write() as tx:
        for kind, account, moment in (("appeal", 1, 1_000.0), ("redeem", 1, 2_000.0), ("appeal", 2, 3_000.0)):
            await tx.execute(audit(account, kind, {}, now=moment))  # type: ignore[arg-type]  # one of the kinds

    async def times(query: str) -> list[str]:
        return [one["created_at"][14:19] for one in (await office("GET", f"/v1/audits?{query}"))["data"]]

    assert await times("") == ["50:00", "33:20", "16:40"]
    assert await times("kind=appeal") == ["50:00", "16:40"]
    assert await times("kind=redeem&account_id=1") == ["33:20"]
    assert await times("account_id=1&from=1970-01-01T00:20:00Z") == ["33:20"]
    assert await times("to=1970-01-01T00:33:20Z") == ["16:40"]
    assert await times("from=1970-01-01T00:33:20Z&to=1970-01-01T00:33:21Z") == ["33:20"]
    await office("GET", "/v1/audits?from=yesterday", status=400)
    await office("GET", "/v1/audits?kind=nonsense", status=400)
