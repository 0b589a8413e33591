import csv
import io
import time
from typing import Any

import pytest

from brushwork.accounts.credits import capture
from brushwork.accounts.keys import create_key
from brushwork.database.tables import jobs
from brushwork.jobs.lifecycle import cancel
from tests.api.conftest import NOW, Api


async def statement(api: Api, query: str = "", *, key: str = "") -> Any:
    answer = await api.client.get(f"/api/v1/account/statement?{query}", headers={"x-api-key": key or api.key})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def cancel_job(api: Api, job: str) -> None:
    await cancel(api.services.database, api.services.jobs.rules, 1, job)


async def test_a_statement_has_every_move_and_the_balance_after_it(each_api: Api) -> None:
    kept, gone = await each_api.submit(), await each_api.submit()
    await cancel_job(each_api, gone)

    found = await statement(each_api)

    moves = [
        (line["kind"], line["amount"], line["after"]["available"], line["after"]["held"]) for line in found["lines"]
    ]
    assert moves == [
        ("grant", 100_000, 100_000, 0),
        ("hold", 80, 99_920, 80),
        ("hold", 80, 99_840, 160),
        ("release", 80, 99_920, 80),
    ]
    assert [line["job_id"] for line in found["lines"]] == [None, kept, gone, gone]
    assert {line["task"] for line in found["lines"][1:]} == {"diffusion"}
    assert found["opening"] == {"available": 0, "held": 0, "spent": 0, "expired": 0}
    assert found["closing"] == found["lines"][-1]["after"]


async def test_pages_of_a_statement_follow_on_from_each_other(each_api: Api) -> None:
    for _ in range(4):
        await each_api.submit()
    whole = await statement(each_api)

    first = await statement(each_api, "limit=3")
    second = await statement(each_api, f"limit=3&after={first['next_after']}")

    assert (whole["next_after"], second["next_after"]) == (None, None)
    assert first["lines"] + second["lines"] == whole["lines"]
    assert (first["closing"], second["closing"]) == (second["opening"], whole["closing"])


async def test_the_opening_of_a_period_is_what_was_before_it(each_api: Api) -> None:
    await each_api.submit()

    later = await statement(each_api, "from=2999-01-01&to=2999-02-01")
    earlier = await statement(each_api, "from=2001-01-01&to=2001-02-01")

    assert (later["lines"], later["opening"]["available"], later["opening"]["held"]) == ([], 99_920, 80)
    assert later["closing"] == later["opening"]
    assert (earlier["lines"], earlier["closing"]["available"]) == ([], 0)


async def test_the_statement_of_a_key_has_what_its_jobs_did(each_api: Api) -> None:
    async with each_api.services.database.write() as tx:
        number, key = await create_key(tx, 1, name="laptop", now=NOW)
    await each_api.submit()
    answer = await each_api.client.post("/v1/diffusion", json={"text": "a"}, headers={"x-api-key": key})

    found = await statement(each_api, f"key_id={number}")

    assert [(line["job_id"], line["key_id"]) for line in found["lines"]] == [(answer.json()["job_id"], number)]
    assert found["closing"] == {"available": None, "held": 80, "spent": 0, "expired": 0}


async def test_a_statement_is_a_table_too(api: Api) -> None:
    await api.submit()

    answer = await api.client.get("/v1/account/statement?format=csv")

    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["kind"] for row in rows] == ["opening", "grant", "hold", "closing"]
    assert [row["available"] for row in rows] == ["0", "100000", "99920", "99920"]


async def test_other_accounts_keys_and_lines_say_nothing(each_api: Api) -> None:
    await each_api.submit()
    key = await each_api.key_of_new_account("stranger", points=0)

    found = await statement(each_api, "key_id=1&after=1", key=key)

    assert (found["lines"], found["closing"]["spent"]) == ([], 0)


@pytest.mark.parametrize(
    "query", ["from=yesterday", "from=2026-02-01&to=2026-01-01", "limit=0", "format=xml", "key_id=x"]
)
async def test_a_statement_that_makes_no_sense_is_refused(api: Api, query: str) -> None:
    assert (await api.client.get(f"/v1/account/statement?{query}")).status_code == 400


async def test_usage_is_told_by_day_key_and_task_when_the_jobs_are_gone(each_api: Api) -> None:
    key = await each_api.key_of_new_account("=cmd()")
    paid = [await each_api.submit() for _ in range(2)]
    await cancel_job(each_api, await each_api.submit())
    await each_api.client.post("/v1/diffusion", json={"text": "a"}, headers={"x-api-key": key})
    await settle(each_api, paid)
    async with each_api.services.database.write() as tx:
        await tx.execute(jobs.delete())

    report = (await each_api.client.get("/api/v1/account/usage")).json()
    total = (await each_api.client.get("/api/v1/account/usage?by=")).json()

    assert report["by"] == ["day", "key", "task"]
    assert len(report["data"]) == 1
    row = report["data"][0]
    assert (row["key_id"], row["key_name"], row["task"]) == (1, "first", "diffusion")
    assert (row["jobs"], row["points"], row["refunded_jobs"]) == (2, 160, 1)
    assert len(row["day"]) == 10
    assert total["data"] == [{"jobs": 2, "points": 160, "refunded_jobs": 1}]
    assert (await each_api.client.get("/api/v1/account/usage?by=colour")).status_code == 400


async def test_operators_see_the_usage_of_all_accounts(each_api: Api) -> None:
    key = await each_api.key_of_new_account("=cmd()")
    theirs = await each_api.client.post("/v1/diffusion", json={"text": "a"}, headers={"x-api-key": key})
    await settle(each_api, [await each_api.submit(), theirs.json()["job_id"]])
    async with each_api.services.database.write() as tx:
        _, office = await create_key(tx, 1, name="office", now=NOW, scopes=("admin",))

    answer = await each_api.client.get("/v1/usage?by=account&format=csv", headers={"API-KEY": office, "x-api-key": ""})
    refused = await each_api.client.get("/v1/usage")

    assert answer.text.split() == [
        "account_id,account_name,jobs,points,refunded_jobs",
        "1,first,1,80,0",
        "2,'=cmd(),1,80,0",
    ]
    assert refused.status_code == 403


async def settle(api: Api, paid: list[str]) -> None:
    """As a worker does that finished these jobs."""
    async with api.services.database.write() as tx:
        await capture(tx, paid, time.time())
