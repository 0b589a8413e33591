"""Erasing while something is made of it, drawn, downloaded, told or kept in another house: all of it, or a refusal."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import obstore
import pytest
import sqlalchemy as sa

from brushwork.accounts.books import check_books
from brushwork.database.tables import attempts, deliveries, follows, ledger
from brushwork.database.tables import jobs as jobs_table
from brushwork.errors import FileNotFound
from brushwork.jobs.receipts import seal
from brushwork.jobs.webhooks.sender import Sender
from tests.api.conftest import Api, running, settings_for
from tests.api.drawing import drawn, ended, worker_of, working
from tests.api.test_keeping import CANARY, everything_in
from tests.conftest import NewDatabase
from tests.files.hostile import png
from tests.jobs.webhooks.receiver import LOOPBACK, receiving, send_due

Post = Callable[[Api, dict[str, Any]], Coroutine[Any, Any, httpx.Response]]


def paths_in(api: Api) -> list[str]:
    return [str(file["path"]) for some in obstore.list(api.services.files.store) for file in some]


async def erase(api: Api, job_id: str, **body: Any) -> dict[str, Any]:
    answer = await api.client.post(f"/api/v1/job/{job_id}/erase", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def count(api: Api, table: sa.Table) -> int:
    async with api.services.database.read() as tx:
        return int((await tx.execute(sa.select(sa.func.count()).select_from(table))).scalar_one())


# ── something is made of it ──


async def replay(api: Api, job: dict[str, Any]) -> httpx.Response:
    return await api.client.post(f"/api/v1/job/{job['job_id']}/replay")


async def follow(api: Api, job: dict[str, Any]) -> httpx.Response:
    return await api.client.post("/api/v1/upscale", json={"jobId": job["job_id"], "imageNo": 0})


async def use_link(api: Api, job: dict[str, Any]) -> httpx.Response:
    body = {"text": f"{job['output']['image_urls'][0]} a fox"}
    return await api.client.post("/api/v1/diffusion", json=body)


async def ask_for_both(api: Api, job: dict[str, Any]) -> httpx.Response:
    one = {"task": "upscale", "jobId": job["job_id"], "imageNo": 0}
    return await api.client.post("/api/v1/batch", json={"requests": [one, {**one, "imageNo": 1}], "cap": 1000})


MAKING: dict[str, Post] = {"replay": replay, "follow": follow, "link": use_link, "batch": ask_for_both}


@asynccontextmanager
async def slow_to_be_accepted(
    api: Api, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """What a request works on is in its folder: `there` is set, and nothing goes on before `may` is."""
    there, may = asyncio.Event(), asyncio.Event()
    files = api.services.files
    put, copy = files.put, files.copy

    async def pause(writing: Awaitable[None]) -> None:
        await writing
        there.set()
        await may.wait()

    with patch.context() as patched:
        patched.setattr(files, "put", lambda *given: pause(put(*given)))
        patched.setattr(files, "copy", lambda *given: pause(copy(*given)))
        yield there, may


async def with_picture(api: Api) -> dict[str, Any]:
    """A job that worked on a picture, so that its replay copies one."""
    upload = (await api.client.post("/api/v1/files", files={"file": ("a.png", png())})).json()
    return await drawn(api, f"{upload['url']} a {CANARY}")


@pytest.mark.parametrize("name", MAKING)
async def test_what_is_made_of_a_job_while_it_is_erased_is_refused_and_leaves_nothing(
    each_api: Api, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    job = await with_picture(each_api)
    before = await count(each_api, ledger)

    async with slow_to_be_accepted(each_api, monkeypatch) as (there, may):
        making = asyncio.create_task(MAKING[name](each_api, job))
        await there.wait()
        receipt = await erase(each_api, job["job_id"])
        may.set()
        answer = await making

    assert (answer.status_code, answer.json()["detail"]["reason"]) == (400, "expired")
    assert receipt["kept"] == []
    assert await count(each_api, jobs_table) == await count(each_api, follows) == 0
    assert await count(each_api, ledger) == before
    assert [path for path in paths_in(each_api) if path.startswith("jobs/")] == []
    assert CANARY.encode() not in everything_in(each_api)


@pytest.mark.parametrize("name", MAKING)
async def test_what_was_made_of_a_job_before_it_is_erased_has_its_own_copies_and_is_named(
    each_api: Api, name: str
) -> None:
    job = await with_picture(each_api)

    answer = await MAKING[name](each_api, job)
    receipt = await erase(each_api, job["job_id"])
    made = [one["job_id"] for one in answer.json().get("jobs", [answer.json()])]
    async with working(each_api):
        states = [(await ended(each_api, one))["status"] for one in made]

    assert set(receipt["kept"]) == set(made)
    assert set(states) == {"completed"}


async def test_making_and_erasing_at_once_is_always_one_or_the_other(each_api: Api) -> None:
    for name in [*MAKING, *MAKING]:
        job = await with_picture(each_api)
        answer, receipt = await asyncio.gather(MAKING[name](each_api, job), erase(each_api, job["job_id"]))
        if answer.status_code == 200:
            made = {one["job_id"] for one in answer.json().get("jobs", [answer.json()])}
            assert set(receipt["kept"]) == made
            async with working(each_api):
                assert {(await ended(each_api, one))["status"] for one in made} == {"completed"}
        else:
            assert answer.status_code in (400, 404, 422)
            assert receipt["kept"] == []
    known = await listed(each_api)
    assert {path.split("/")[1] for path in paths_in(each_api) if path.startswith("jobs/")} <= known


async def listed(api: Api) -> set[str]:
    async with api.services.database.read() as tx:
        return set((await tx.execute(sa.select(jobs_table.c.id))).scalars())


# ── copies ──


async def test_a_family_is_erased_whole_even_when_a_job_in_its_middle_was_erased_before(each_api: Api) -> None:
    job = await with_picture(each_api)
    async with working(each_api):
        second = await ended(each_api, (await follow(each_api, job)).json()["job_id"])
        third = await ended(each_api, (await replay(each_api, second)).json()["job_id"])
    between = await erase(each_api, second["job_id"])
    tree = (await each_api.client.get(f"/api/v1/job/{third['job_id']}/lineage")).json()

    receipt = await erase(each_api, job["job_id"], descendants=True)

    assert between["kept"] == [third["job_id"]]
    edge = {"parent": job["job_id"], "child": third["job_id"], "image_no": None, "kind": "descent"}
    assert tree["edges"] == [edge]
    assert receipt["jobs"] == [job["job_id"], third["job_id"]]
    assert CANARY.encode() not in everything_in(each_api)


async def test_jobs_that_were_made_of_an_upload_are_named_or_go_with_it(each_api: Api) -> None:
    uploads = [(await each_api.client.post("/api/v1/files", files={"file": ("a.png", png())})).json() for _ in range(2)]
    first, second = [await drawn(each_api, f"{upload['url']} a {CANARY}") for upload in uploads]
    async with working(each_api):
        child = await ended(each_api, (await follow(each_api, second)).json()["job_id"])

    alone = (await each_api.client.delete(f"/api/v1/files/{uploads[0]['id']}")).json()
    whole = (await each_api.client.delete(f"/api/v1/files/{uploads[1]['id']}?descendants=1")).json()

    assert (alone["jobs"], alone["kept"], alone["uploads"]) == ([], [first["job_id"]], [uploads[0]["id"]])
    assert (whole["jobs"], whole["kept"]) == ([second["job_id"], child["job_id"]], [])
    assert (alone["files"], whole["files"]) == (1, 1 + 5 + 1)
    assert {path.split("/")[1] for path in paths_in(each_api)} == {first["job_id"]}


async def test_what_other_accounts_made_of_it_by_a_link_is_counted_and_not_named(each_api: Api) -> None:
    job = await drawn(each_api, "a lighthouse")
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger")}
    body = {"text": f"{job['output']['image_urls'][0]} a fox"}
    answer = await each_api.client.post("/api/v1/diffusion", json=body, headers=stranger)
    assert answer.status_code == 200, answer.text

    receipt = await erase(each_api, job["job_id"], descendants=True)

    assert (receipt["jobs"], receipt["kept"], receipt["kept_elsewhere"]) == ([job["job_id"]], [], 1)
    assert receipt["sha256"] == seal(receipt)
    path = f"/api/v1/job/{answer.json()['job_id']}"
    assert (await each_api.client.get(path, headers=stranger)).status_code == 200


# ── it is drawn, downloaded, told ──


async def test_a_job_that_is_being_drawn_is_erased_with_all_that_its_worker_stores(
    each_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = worker_of(each_api)
    stored, may = asyncio.Event(), asyncio.Event()
    put = worker.files.put

    async def put_slowly(path: str, data: bytes, content_type: str) -> None:
        stored.set()
        await may.wait()
        await put(path, data, content_type)

    monkeypatch.setattr(worker.files, "put", put_slowly)
    stop = asyncio.Event()
    drawing = asyncio.create_task(worker.run(stop))
    job_id = await each_api.submit(f"a {CANARY}")
    await stored.wait()

    receipt = await erase(each_api, job_id)
    may.set()
    await asyncio.sleep(0.5)  # it puts what it had drawn in the store, and learns that nobody wants it
    stop.set()
    await drawing

    assert (receipt["jobs"], receipt["files"]) == ([job_id], 0)
    assert paths_in(each_api) == []
    assert CANARY.encode() not in everything_in(each_api)
    async with each_api.services.database.read() as tx:
        assert await check_books(tx) == []


async def test_a_download_that_has_begun_gets_no_more_of_an_erased_file(
    each_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await drawn(each_api, "a lighthouse")
    monkeypatch.setattr("brushwork.files.store.CHUNK", 50)
    file = await each_api.services.files.open_link(job["output"]["image_urls"][0], now=time.time())
    assert file is not None
    parts = file.read()
    first = await anext(parts)

    await erase(each_api, job["job_id"])

    assert len(first) == 50
    with pytest.raises(FileNotFound):
        await anext(parts)
    for link in job["output"]["image_urls"]:
        assert (await each_api.client.get(link)).status_code == 404


async def test_links_are_dead_while_the_store_is_still_being_asked(
    each_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await drawn(each_api, "a lighthouse")
    asked, may = asyncio.Event(), asyncio.Event()
    delete_folder = each_api.services.files.delete_folder

    async def delete_slowly(prefix: str) -> None:
        if job["job_id"] in prefix:
            asked.set()
            await may.wait()
        await delete_folder(prefix)

    monkeypatch.setattr(each_api.services.files, "delete_folder", delete_slowly)
    erasing = asyncio.create_task(erase(each_api, job["job_id"]))
    await asked.wait()

    assert (await each_api.client.get(job["output"]["image_urls"][0])).status_code == 404
    assert (await each_api.client.patch(f"/api/v1/job/{job['job_id']}", json={"pinned": True})).status_code == 404
    assert (await follow(each_api, job)).status_code == 400
    may.set()
    assert (await erasing)["files"] == 5


async def test_an_erasing_that_the_store_refused_goes_on_when_it_is_asked_again(
    each_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await drawn(each_api, f"a {CANARY}")

    async def refuse(_: str) -> None:
        raise OSError("the store is away")

    with monkeypatch.context() as patched:
        patched.setattr(each_api.services.files, "delete_folder", refuse)
        answer = await each_api.client.post(f"/api/v1/job/{job['job_id']}/erase")
    receipt = await erase(each_api, job["job_id"])

    assert answer.status_code == 503
    assert (receipt["jobs"], receipt["files"]) == ([job["job_id"]], 5)
    assert CANARY.encode() not in everything_in(each_api)


async def test_a_webhook_that_is_on_its_way_while_its_job_is_erased_is_not_sent_again_and_not_remembered(
    each_api: Api,
) -> None:
    services = each_api.services
    there, may = asyncio.Event(), asyncio.Event()

    async def answer_late(writer: asyncio.StreamWriter) -> None:
        there.set()
        await may.wait()
        writer.write(b"HTTP/1.1 500 Oh no\r\ncontent-length: 0\r\n\r\n")

    async with receiving(behave=answer_late) as receiver:
        services.jobs.judge_callback = None
        async with working(each_api):
            body = {"text": f"a {CANARY}", "callback": receiver.url(f"/{CANARY}")}
            job_id = (await each_api.client.post("/api/v1/diffusion", json=body)).json()["job_id"]
            await ended(each_api, job_id)
        sender = Sender(services.database, lambda job: services.view(job).plain(), LOOPBACK)
        sending = asyncio.create_task(send_due(sender))
        await there.wait()

        receipt = await erase(each_api, job_id)
        may.set()
        await sending
        await send_due(sender)

    (received,) = receiver.received
    link = json.loads(received.body)["data"]["output"]["image_urls"][0]
    assert (await each_api.client.get(link)).status_code == 404
    assert receipt["deliveries"] == 1
    assert await count(each_api, deliveries) == await count(each_api, attempts) == 0
    assert CANARY.encode() not in everything_in(each_api)


# ── the store is in another house ──


async def test_nothing_is_left_in_a_bucket(
    tmp_path: Path, new_sqlite: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.journeys.test_scale_out import serving_bucket

    with serving_bucket() as bucket:
        store_url = bucket.pop("store_url")
        for name, value in bucket.items():
            monkeypatch.setenv(name, value)
        settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"store_url": store_url})
        async with running(settings) as api:
            job = await with_picture(api)
            async with working(api):
                child = await ended(api, (await follow(api, job)).json()["job_id"])
            before = paths_in(api)

            receipt = await erase(api, job["job_id"], descendants=True)

            assert len([path for path in before if path.startswith("jobs/")]) == 5 + 1 + 1 + 1
            assert receipt["jobs"] == [job["job_id"], child["job_id"]]
            assert [path.partition("/")[0] for path in paths_in(api)] == ["uploads"]
            assert (await api.client.get(job["output"]["image_urls"][0])).status_code == 404
