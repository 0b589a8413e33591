"""A policy at the door: refused before anything is held, explained, and written down without the prompt."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from brushwork.app import create_app
from brushwork.database.tables import audits, jobs, ledger
from brushwork.errors import Unavailable
from tests.api.conftest import Api, running, settings_for
from tests.conftest import NewDatabase

POLICY = 'version = "2026-11"\n[[rule]]\ncategory = "violence"\nwords = ["gore"]\n'


@pytest.fixture(params=["sqlite", "postgresql"])
async def guarded(
    request: pytest.FixtureRequest, tmp_path: Path, new_sqlite: NewDatabase, new_postgres: NewDatabase
) -> AsyncIterator[Api]:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    url = new_sqlite() if request.param == "sqlite" else new_postgres()
    settings = settings_for(tmp_path / "data", url).model_copy(update={"policy": str(path)})
    async with running(settings) as api:
        yield api


@pytest.mark.parametrize(
    ("task", "body", "field"),
    [
        ("diffusion", {"text": "a castle, g0re everywhere"}, "text"),
        ("shorten", {"prompt": "a castle, g.o.r.e everywhere"}, "prompt"),
        ("retexture", {"imgUrl": "https://e.com/a.png", "remixPrompt": "a castle of gore"}, "remixPrompt"),
    ],
)
async def test_a_prompt_against_the_policy_is_refused_and_nothing_is_held(
    guarded: Api, task: str, body: dict[str, str], field: str
) -> None:
    answer = await guarded.client.post(f"/api/v1/{task}", json=body)

    error = answer.json()
    assert answer.status_code == 403
    assert error["detail"]["code"] == "moderation_refused"
    assert (error["detail"]["field"], error["detail"]["category"]) == (field, "violence")
    assert error["detail"]["policy"] == "2026-11"
    first, last = error["detail"]["span"]
    assert body[field][first:last] == error["detail"]["matched"]
    async with guarded.services.database.read() as tx:
        assert (await tx.execute(sa.select(jobs.c.id))).all() == []
        assert (await tx.execute(sa.select(ledger.c.id).where(ledger.c.kind == "hold"))).all() == []
        refused = (await tx.execute(sa.select(audits))).one()
    assert refused.data == {
        "policy": "2026-11",
        "category": "violence",
        "rule": "gore",
        "task": task,
        "field": field,
        "length": last - first,
    }


async def test_lint_tells_what_the_policy_has_against_a_prompt_and_writes_it_down(guarded: Api) -> None:
    found = (await guarded.client.post("/api/v1/prompts/lint", json={"prompt": "a castle of gore"})).json()
    fine = (await guarded.client.post("/api/v1/prompts/lint", json={"prompt": "a castle --no gore"})).json()

    assert not found["ok"]
    assert [problem["code"] for problem in found["problems"]] == ["moderation_refused"]
    assert "'gore' (violence)" in found["problems"][0]["message"]
    assert found["prompt"]["text"] == "a castle of gore"
    assert (fine["ok"], fine["problems"]) == (True, [])
    async with guarded.services.database.read() as tx:
        (noted,) = (await tx.execute(sa.select(audits.c.data))).scalars().all()
    assert (noted["task"], noted["field"], noted["category"]) == ("lint", "prompt", "violence")
    assert "castle" not in str(noted)


async def test_other_prompts_pass(guarded: Api) -> None:
    answer = await guarded.client.post("/api/v1/diffusion", json={"text": "Gorey's gorge --no gore"})

    assert answer.status_code == 200


def test_a_policy_that_cannot_be_read_stops_the_server(tmp_path: Path, new_sqlite: NewDatabase) -> None:
    settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"policy": str(tmp_path / "none.toml")})

    with pytest.raises(Unavailable, match="BRUSHWORK_POLICY"):
        create_app(settings)


async def test_the_log_says_what_was_refused_and_takes_one_appeal(guarded: Api) -> None:
    await guarded.client.post("/api/v1/diffusion", json={"text": "a castle of gore and xyzzyplugh"})

    (refused,) = (await guarded.client.get("/api/v1/moderation/log")).json()["data"]
    assert (refused["category"], refused["rule"], refused["policy"]) == ("violence", "gore", "2026-11")
    assert refused["appeal"] is None
    assert "xyzzyplugh" not in str(refused)
    path, note = f"/api/v1/moderation/{refused['id']}/appeal", {"note": "Gore is a village."}
    assert (await guarded.client.post(path, json=note)).json()["appeal"] == "Gore is a village."
    assert (await guarded.client.post(path, json=note)).status_code == 409
    (again,) = (await guarded.client.get("/api/v1/moderation/log")).json()["data"]
    assert again == refused | {"appeal": "Gore is a village."}
    stranger = {"x-api-key": await guarded.key_of_new_account("stranger")}
    assert (await guarded.client.get("/api/v1/moderation/log", headers=stranger)).json()["data"] == []
    assert (await guarded.client.post(path, json=note, headers=stranger)).status_code == 404
    assert (await guarded.client.post(path, json={})).status_code == 400


@pytest.mark.parametrize("note", ["a\x00b", "\x1b[31m red", "\ud800", "x" * 1001])
async def test_an_appeal_takes_what_can_be_stored_and_refuses_the_rest(guarded: Api, note: str) -> None:
    await guarded.client.post("/api/v1/diffusion", json={"text": "gore"})
    (refused,) = (await guarded.client.get("/api/v1/moderation/log")).json()["data"]

    path, content = f"/api/v1/moderation/{refused['id']}/appeal", json.dumps({"note": note})
    answer = await guarded.client.post(path, content=content, headers={"content-type": "application/json"})

    assert answer.status_code in (200, 400)
    assert (await guarded.client.get("/api/v1/moderation/log")).status_code == 200


async def test_a_batch_with_a_prompt_against_the_policy_starts_nothing(guarded: Api) -> None:
    requests = [{"task": "diffusion", "text": "a castle"}, {"task": "diffusion", "text": "a castle of gore"}]

    answer = await guarded.client.post("/api/v1/batch", json={"requests": requests, "cap": 1000})

    assert answer.status_code == 403
    assert answer.json()["detail"]["request"] == 1
    async with guarded.services.database.read() as tx:
        assert (await tx.execute(sa.select(jobs.c.id))).all() == []
