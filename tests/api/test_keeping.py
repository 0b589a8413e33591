"""Pinned jobs outlive their time; erased ones leave no byte in the store or the database, only a receipt."""

import hashlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from brushwork.accounts.credits import check_ledger
from brushwork.database.tables import audits, jobs, ledger, metadata
from brushwork.jobs.retention import remove_expired
from tests.api.conftest import Api
from tests.api.drawing import drawn, ended, working
from tests.files.hostile import png

CANARY = "xyzzyplugh"
DAY = 86_400.0


async def patch(api: Api, job_id: str, **body: Any) -> httpx.Response:
    return await api.client.patch(f"/api/v1/job/{job_id}", json=body)


async def test_a_pinned_job_outlives_its_time_and_can_be_followed_up(each_api: Api) -> None:
    job = await drawn(each_api, "a lighthouse")
    services, later = each_api.services, time.time() + 400 * DAY

    told = (await patch(each_api, job["job_id"], pinned=True)).json()
    await remove_expired(services.database, services.files, now=later)

    assert told["detail"]["pinned"] is True
    kept = await services.jobs.get(1, job["job_id"])
    link = services.files.link(kept.files[1].id, kept.files[1].content_type, now=later)
    file = await services.files.open_link(link, now=later)
    assert file is not None
    assert b"".join([part async for part in file.read()]).startswith(b"\x89PNG")
    from brushwork.jobs.followups import FollowUps

    assert FollowUps(kept, services.tasks, later).refusal(services.tasks["upscale"]) is None
    await patch(each_api, job["job_id"], pinned=False)
    await remove_expired(services.database, services.files, now=later)
    assert (await each_api.client.get(f"/api/v1/job/{job['job_id']}")).status_code == 404


async def test_unpinning_a_job_past_its_time_leaves_it_a_day(each_api: Api) -> None:
    job = await drawn(each_api, "a lighthouse")
    services, database = each_api.services, each_api.services.database
    await patch(each_api, job["job_id"], pinned=True)
    async with database.write() as tx:
        await tx.execute(jobs.update().values(expires_at=time.time() - 10))

    await patch(each_api, job["job_id"], pinned=False)

    assert await remove_expired(database, services.files, now=time.time() + 0.9 * DAY) == 0
    assert await remove_expired(database, services.files, now=time.time() + 1.1 * DAY) > 0


async def test_a_job_can_be_given_less_time_but_not_more_than_the_server_gives(each_api: Api) -> None:
    job = await drawn(each_api, "a lighthouse")
    services = each_api.services

    assert (await patch(each_api, job["job_id"], ttl_days=2)).status_code == 200
    assert (await patch(each_api, job["job_id"], ttl_days=31)).status_code == 400
    assert (await patch(each_api, job["job_id"])).status_code == 400
    assert await remove_expired(services.database, services.files, now=time.time() + 1.9 * DAY) == 0
    await remove_expired(services.database, services.files, now=time.time() + 2.1 * DAY)
    assert (await each_api.client.get(f"/api/v1/job/{job['job_id']}")).status_code == 404


async def test_an_open_job_can_be_pinned_but_has_no_time_yet(api: Api) -> None:
    job_id = await api.submit()

    assert (await patch(api, job_id, ttl_days=2)).status_code == 409
    assert (await patch(api, job_id, pinned=True)).status_code == 200
    assert (await patch(api, "unknown", pinned=True)).status_code == 404


def everything_in(api: Api) -> bytes:
    """Every byte of the store and of the database, and of SQLite's own files."""
    found = [path.read_bytes() for path in api.settings.data_dir.rglob("*") if path.is_file()]
    url = api.settings.resolved_database_url
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        found += [file.read_bytes() for file in path.parent.glob(f"{path.name}*")]
        with sqlite3.connect(path) as connection:
            found += [repr(connection.execute(f"SELECT * FROM {name}").fetchall()).encode() for name in metadata.tables]
    else:
        with psycopg.connect(url) as connection:
            for name in metadata.tables:
                found.append(repr(connection.execute(f"SELECT * FROM {name}").fetchall()).encode())
    return b"\n".join(found)


async def test_nothing_of_an_erased_job_is_left_but_its_receipt(each_api: Api) -> None:
    async with working(each_api):
        body = {"text": f"a {CANARY} lighthouse", "callback": f"https://example.com/{CANARY}"}
        told = (await each_api.client.post("/api/v1/diffusion", json=body)).json()
        job = await ended(each_api, told["job_id"])
    pictures = [(await each_api.client.get(url)).content for url in job["output"]["image_urls"]]
    before = everything_in(each_api)
    assert CANARY.encode() in before
    assert pictures[0] in before

    receipt = (await each_api.client.delete(f"/api/v1/job/{job['job_id']}?erase=1")).json()

    left = everything_in(each_api)
    assert CANARY.encode() not in left
    for picture in pictures:
        assert picture not in left
        assert hashlib.sha256(picture).hexdigest().encode() not in left
    assert not [path for path in each_api.settings.data_dir.rglob("*") if job["job_id"] in str(path) and path.is_file()]
    assert receipt["jobs"] == [job["job_id"]]
    assert receipt["files"] == 5
    assert receipt["bytes"] >= sum(map(len, pictures))
    assert receipt["deliveries"] == 1
    assert (await each_api.client.get(f"/api/v1/job/{job['job_id']}")).status_code == 404
    assert (await each_api.client.get(job["output"]["image_urls"][0])).status_code == 404
    async with each_api.services.database.read() as tx:
        row = (await tx.execute(sa.select(audits).where(audits.c.id == receipt["id"]))).one()
        assert (row.kind, row.data["jobs"]) == ("erase", [job["job_id"]])
        kinds = (await tx.execute(sa.select(ledger.c.kind).where(ledger.c.job_id == job["job_id"]))).scalars().all()
        assert sorted(kinds) == ["capture", "hold"]
        assert await check_ledger(tx) == []


async def test_an_open_job_is_cancelled_and_refunded_before_it_is_erased(each_api: Api) -> None:
    before = (await each_api.client.get("/api/account/balance")).json()["data"]["available_points"]
    job_id = await each_api.submit(f"a {CANARY}")

    answer = await each_api.client.post(f"/api/v1/job/{job_id}/erase")

    assert answer.status_code == 200, answer.text
    assert CANARY.encode() not in everything_in(each_api)
    assert (await each_api.client.get("/api/account/balance")).json()["data"]["available_points"] == before


async def test_what_came_of_an_erased_job_is_named_and_stays_or_goes_with_it(each_api: Api) -> None:
    async with working(each_api):
        grid = await ended(each_api, await each_api.submit(f"a {CANARY} lighthouse"))
        follow = {"jobId": grid["job_id"], "imageNo": 0}
        first = (await each_api.client.post("/api/v1/upscale", json=follow)).json()
        child = await ended(each_api, first["job_id"])

        receipt = (await each_api.client.post(f"/api/v1/job/{grid['job_id']}/erase")).json()
        assert receipt["kept"] == [child["job_id"]]
        assert (await each_api.client.get(child["output"]["image_urls"][0])).status_code == 200
        replayed = (await each_api.client.post(f"/api/v1/job/{child['job_id']}/replay")).json()
        again = await ended(each_api, replayed["job_id"])

    receipt = (await each_api.client.post(f"/api/v1/job/{child['job_id']}/erase", json={"descendants": True})).json()
    assert receipt["jobs"] == [child["job_id"], again["job_id"]]
    assert receipt["kept"] == []
    assert CANARY.encode() not in everything_in(each_api)


async def test_a_batch_goes_with_the_last_of_its_jobs_and_so_does_its_key(each_api: Api) -> None:
    requests = [{"task": "diffusion", "text": "a fox"}, {"task": "diffusion", "text": "an owl"}]
    body, headers = {"requests": requests, "cap": 160}, {"idempotency-key": CANARY}
    batch = (await each_api.client.post("/api/v1/batch", json=body, headers=headers)).json()
    path = f"/api/v1/batch/{batch['batch_id']}"
    first, second = [job["job_id"] for job in batch["jobs"]]

    await each_api.client.post(f"/api/v1/job/{first}/erase")
    between = (await each_api.client.get(path)).json()
    await each_api.client.post(f"/api/v1/job/{second}/erase")

    assert [job["job_id"] for job in between["jobs"]] == [second]
    assert (await each_api.client.get(path)).status_code == 404
    assert CANARY.encode() not in everything_in(each_api)


async def test_an_upload_is_erased_with_a_receipt(each_api: Api) -> None:
    told = (await each_api.client.post("/api/v1/files", files={"file": ("a.png", png())})).json()
    kept = (await each_api.client.get(told["url"])).content
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger")}

    assert (await each_api.client.delete(f"/api/v1/files/{told['id']}", headers=stranger)).status_code == 404
    receipt = (await each_api.client.delete(f"/api/v1/files/{told['id']}")).json()

    for unknown in ("0" * 32, "%00", "%ff", "x" * 65):
        assert (await each_api.client.delete(f"/api/v1/files/{unknown}")).status_code == 404
    assert receipt["uploads"] == [told["id"]]
    assert kept not in everything_in(each_api)
    assert (await each_api.client.get(told["url"])).status_code == 404


async def test_the_job_of_another_account_cannot_be_kept_or_erased(each_api: Api) -> None:
    job_id = await each_api.submit()
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger")}

    for answer in (
        await each_api.client.patch(f"/api/v1/job/{job_id}", json={"pinned": True}, headers=stranger),
        await each_api.client.post(f"/api/v1/job/{job_id}/erase", headers=stranger),
        await each_api.client.delete(f"/api/v1/job/{job_id}?erase=1", headers=stranger),
    ):
        assert answer.status_code == 404
    assert (await each_api.client.get(f"/api/v1/job/{job_id}")).json()["status"] == "pending"


@pytest.mark.parametrize("body", [{"pinned": "maybe"}, {"ttl_days": 0}, {"ttl_days": "soon"}])
async def test_a_wrong_wish_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert (await patch(api, await api.submit(), **body)).status_code == 400
