"""A job's family, its recipe, and drawing it again to the same bytes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from brushwork.database.tables import follows, jobs
from brushwork.jobs.lineage import MOST, descendants
from brushwork.jobs.replay import ELSEWHERE
from tests.api.conftest import Api, running, settings_for
from tests.api.drawing import drawn, ended, working
from tests.conftest import NewDatabase


async def post(api: Api, path: str, **body: Any) -> dict[str, Any]:
    answer = await api.client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


async def get(api: Api, path: str) -> dict[str, Any]:
    answer = await api.client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_family_is_told_from_every_member(each_api: Api) -> None:
    async with working(each_api):
        grid = await ended(each_api, await each_api.submit("a lighthouse"))
        single = await ended(each_api, (await post(each_api, "upscale", jobId=grid["job_id"], imageNo=2))["job_id"])
        wide = await ended(
            each_api, (await post(each_api, "outpaint", jobId=single["job_id"], imageNo=0, scale=1.5))["job_id"]
        )
        again = await ended(each_api, (await post(each_api, "reroll", jobId=grid["job_id"]))["job_id"])
        await ended(each_api, await each_api.submit("a stranger"))

    told = await get(each_api, f"job/{single['job_id']}/lineage")

    assert {node["job_id"]: node["generation"] for node in told["nodes"]} == {
        grid["job_id"]: -1,
        single["job_id"]: 0,
        wide["job_id"]: 1,
    }
    assert told["edges"] == sorted(told["edges"], key=lambda edge: (edge["child"], edge["parent"]))
    edges = {(edge["parent"], edge["child"]): (edge["image_no"], edge["kind"]) for edge in told["edges"]}
    assert edges == {
        (grid["job_id"], single["job_id"]): (2, "follow-up"),
        (single["job_id"], wide["job_id"]): (0, "follow-up"),
    }
    assert told["nodes"][0]["engine"] == "noop"
    assert told["nodes"][0]["status"] == "completed"
    root = await get(each_api, f"job/{grid['job_id']}/lineage")
    assert {node["job_id"]: node["generation"] for node in root["nodes"]} == {
        grid["job_id"]: 0,
        single["job_id"]: 1,
        again["job_id"]: 1,
        wide["job_id"]: 2,
    }
    assert {"parent": grid["job_id"], "child": again["job_id"], "image_no": None, "kind": "follow-up"} in root["edges"]


async def test_the_family_of_others_is_not_there(each_api: Api) -> None:
    job_id = await each_api.submit()
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger")}

    for path in ("lineage", "recipe"):
        foreign = await each_api.client.get(f"/api/v1/job/{job_id}/{path}", headers=stranger)
        unknown = await each_api.client.get(f"/api/v1/job/unknown/{path}", headers=stranger)
        assert foreign.status_code == 404
        assert foreign.content == unknown.content
    assert (await each_api.client.post(f"/api/v1/job/{job_id}/replay", headers=stranger)).status_code == 404


@pytest.fixture
async def painting(tmp_path: Path, new_sqlite: NewDatabase) -> AsyncIterator[Api]:
    settings = settings_for(tmp_path / "data", new_sqlite())
    async with running(settings.model_copy(update={"engine": "diorama"})) as api:
        yield api


async def test_a_replay_gives_the_same_bytes(painting: Api) -> None:
    async with working(painting):
        grid = await ended(painting, await painting.submit("a red boat on a lake at dusk --draft"))
        single = await ended(painting, (await post(painting, "variation", jobId=grid["job_id"], imageNo=1))["job_id"])
        again = await ended(painting, (await post(painting, f"job/{grid['job_id']}/replay"))["job_id"])
        recipe = await get(painting, f"job/{single['job_id']}/recipe")
        single_again = await ended(painting, (await post(painting, "replay", recipe=recipe))["job_id"])

    for before, after in ((grid, again), (single, single_again)):
        assert after["job_id"] != before["job_id"]
        assert after["output"]["seed"] == before["output"]["seed"]
        for number in range(4):
            pictures = [
                (await painting.client.get(job["output"]["image_urls"][number])).content for job in (before, after)
            ]
            assert pictures[0] == pictures[1]
        outcome = (await get(painting, f"job/{after['job_id']}/recipe"))["replay"]
        assert outcome == {"of": before["job_id"], "same_files": True, "differences": []}
    family = await get(painting, f"job/{grid['job_id']}/lineage")
    assert {edge["kind"] for edge in family["edges"]} == {"follow-up", "replay"}


async def test_a_replay_whose_files_differ_says_what_may_be_the_reason(each_api: Api) -> None:
    async with working(each_api):
        first = await drawn_here(each_api)
    now_full = replace(each_api, settings=each_api.settings.model_copy(update={"provenance": "full"}))
    async with working(now_full):
        again = await ended(each_api, (await post(each_api, f"job/{first['job_id']}/replay"))["job_id"])

    outcome = (await get(each_api, f"job/{again['job_id']}/recipe"))["replay"]

    assert (outcome["of"], outcome["same_files"]) == (first["job_id"], False)
    assert "provenance" in outcome["differences"][0]


async def test_a_recipe_from_elsewhere_is_drawn_and_warned_of(each_api: Api) -> None:
    recipe = {
        "task": "diffusion",
        "request": {"text": "a lighthouse"},
        "seed": 77,
        "job_id": "of-another-server",
        "engine": {"name": "diffusers", "version": "0.0.1"},
    }
    async with working(each_api):
        first = await drawn_here(each_api)
        job = await post(each_api, "replay", recipe=recipe)

    assert job["output"]["seed"] == "77"
    codes = {warning["code"] for warning in job["detail"]["warnings"]}
    assert codes == {"replay_engine", "replay_version"}
    assert first["job_id"] != job["job_id"]


SAID_NOTHING = "the recipe does not say which files were made of it"


@pytest.mark.parametrize(
    ("changed", "same", "differences"),
    [
        ({}, True, []),
        ({"files": [{"role": "image", "sha256": "0" * 64}]}, False, [ELSEWHERE]),
        ({"files": [], "engine": {"name": "diffusers"}}, None, [SAID_NOTHING]),
        ({"files": [{"role": "image", "sha256": None}]}, None, [SAID_NOTHING]),
    ],
)
async def test_what_is_drawn_from_a_recipe_from_elsewhere_is_compared_with_it(
    each_api: Api, changed: dict[str, Any], same: bool | None, differences: list[str]
) -> None:
    stranger = {"x-api-key": await each_api.key_of_new_account("stranger")}
    async with working(each_api):
        first = await drawn_here(each_api)
        recipe = {**await get(each_api, f"job/{first['job_id']}/recipe"), **changed}
        each_api.client.headers.update(stranger)
        again = await post(each_api, "replay", recipe=recipe)
        await ended(each_api, again["job_id"])

    outcome = (await get(each_api, f"job/{again['job_id']}/recipe"))["replay"]

    assert outcome == {"of": first["job_id"], "same_files": same, "differences": differences}
    await post(each_api, f"job/{again['job_id']}/erase")
    async with each_api.services.database.read() as tx:
        assert (await tx.execute(sa.select(jobs.c.id).where(jobs.c.expected.is_not(None)))).all() == []


async def test_a_replay_of_what_another_engine_drew_elsewhere_says_so(each_api: Api) -> None:
    engine = {"name": "diffusers", "version": "0.0.1", "sha256": "1" * 64}
    recipe = {"task": "diffusion", "request": {"text": "a lighthouse"}, "seed": 7, "job_id": "there", "engine": engine}
    files = [{"role": "image", "sha256": "0" * 64}]
    async with working(each_api):
        waiting = await post(each_api, "replay", recipe={**recipe, "files": files})
        await ended(each_api, waiting["job_id"])

    outcome = (await get(each_api, f"job/{waiting['job_id']}/recipe"))["replay"]

    assert (outcome["of"], outcome["same_files"]) == ("there", False)
    assert outcome["differences"] == ["another engine", "another version of Brushwork", "another engine recipe"]


async def test_a_replay_that_waits_tells_what_it_repeats_and_no_more(each_api: Api) -> None:
    files = [{"role": "image", "sha256": "0" * 64}]
    recipe = {"task": "diffusion", "request": {"text": "a lighthouse"}, "seed": 7, "job_id": "there", "files": files}

    job = await post(each_api, "replay", recipe=recipe)

    outcome = (await get(each_api, f"job/{job['job_id']}/recipe"))["replay"]
    assert outcome == {"of": "there", "same_files": None, "differences": []}


@pytest.mark.parametrize(
    "claimed",
    [
        {"files": [{"sha256": "0" * 64}] * 65},
        {"files": [{"sha256": "0" * 63}]},
        {"files": [{"sha256": "g" * 64}]},
        {"files": "many"},
        {"job_id": "a\u0000b"},
        {"engine": {"name": "e" * 65}},
        {"engine": {"name": "a\u0000b"}},
        {"engine": {"version": 7}},
        {"engine": {"sha256": "short"}},
    ],
)
async def test_what_a_recipe_claims_of_itself_is_bounded(each_api: Api, claimed: dict[str, Any]) -> None:
    recipe = {"task": "diffusion", "request": {"text": "a lighthouse"}, "seed": 7, **claimed}

    answer = await each_api.client.post("/api/v1/replay", json={"recipe": recipe})

    assert answer.status_code == 400, answer.text


async def drawn_here(api: Api) -> dict[str, Any]:
    return await ended(api, await api.submit())


@pytest.mark.parametrize(
    ("recipe", "status"),
    [
        ({"task": "nonsense", "request": {}, "seed": 1}, 400),
        ({"task": "diffusion", "request": {"text": 7}, "seed": 1}, 400),
        ({"task": "diffusion", "request": {"text": "a cat --nonsense"}, "seed": 1}, 400),
        ({"task": "diffusion", "request": {"text": "a cat"}, "seed": -1}, 400),
        ({"task": "upscale", "request": {"jobId": "unknown", "imageNo": 0}, "seed": 1}, 404),
    ],
)
async def test_a_recipe_that_cannot_be_drawn_is_refused(api: Api, recipe: dict[str, Any], status: int) -> None:
    answer = await api.client.post("/api/v1/replay", json={"recipe": recipe})

    assert answer.status_code == status, answer.text


async def test_a_replay_is_asked_for_once_per_key(api: Api) -> None:
    job = await drawn(api, "a lighthouse")
    path, key = f"/api/v1/job/{job['job_id']}/replay", {"idempotency-key": "again"}

    answers = [(await api.client.post(path, headers=key)).json()["job_id"] for _ in range(2)]

    assert answers[0] == answers[1]
    async with api.services.database.read() as tx:
        assert len((await tx.execute(sa.select(jobs.c.id))).all()) == 2


async def test_an_idempotency_key_stands_for_one_seed(api: Api) -> None:
    recipe = {"task": "diffusion", "request": {"text": "a lighthouse"}, "seed": 5}
    key = {"idempotency-key": "once"}

    first, same = [await api.client.post("/api/v1/replay", json={"recipe": recipe}, headers=key) for _ in range(2)]
    other = await api.client.post("/api/v1/replay", json={"recipe": {**recipe, "seed": 6}}, headers=key)

    assert (first.status_code, same.json()["job_id"]) == (200, first.json()["job_id"])
    assert other.status_code == 409


@pytest.mark.parametrize("path", ["batch", "replay", "job/{job_id}/replay"])
async def test_nobody_is_charged_who_asks_for_a_quote_where_there_is_none(api: Api, path: str) -> None:
    job_id = await api.submit("a lighthouse")
    recipe = {"task": "diffusion", "request": {"text": "a lighthouse"}, "seed": 5}
    body = {"recipe": recipe, "requests": [{"task": "diffusion", "text": "a lighthouse"}], "cap": 100}

    answer = await api.client.post(f"/api/v1/{path.format(job_id=job_id)}?dry_run=1", json=body)

    assert (answer.status_code, answer.json()["detail"]["field"]) == (400, "dry_run")
    async with api.services.database.read() as tx:
        assert (await tx.execute(sa.select(sa.func.count()).select_from(jobs))).scalar_one() == 1


async def test_all_that_came_of_a_job_is_found_however_much_it_is(api: Api) -> None:
    job_id = await api.submit("a lighthouse")
    children = [f"child-{number:03}" for number in range(MOST + 20)]
    async with api.services.database.write() as tx:
        row = (await tx.execute(sa.select(jobs))).one()._mapping
        await tx.execute(jobs.insert(), [{**row, "id": child} for child in [*children, "grandchild"]])
        edges = [{"job_id": child, "parent_id": job_id, "number": 0, "kind": "follow-up"} for child in children]
        grand = {"job_id": "grandchild", "parent_id": children[-1], "number": 0, "kind": "follow-up"}
        await tx.execute(follows.insert(), [*edges, grand])

    async with api.services.database.read() as tx:
        found = await descendants(tx, 1, job_id)
        assert await descendants(tx, 2, job_id) == []

    assert found == [*children, "grandchild"]
    assert (await get(api, f"job/{job_id}/lineage"))["is_cut"] is True
