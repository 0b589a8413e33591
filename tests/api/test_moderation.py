"""A policy at the door: refused before anything is held, explained, and written down without the prompt."""

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
    }


async def test_other_prompts_pass(guarded: Api) -> None:
    answer = await guarded.client.post("/api/v1/diffusion", json={"text": "Gorey's gorge --no gore"})

    assert answer.status_code == 200


def test_a_policy_that_cannot_be_read_stops_the_server(tmp_path: Path, new_sqlite: NewDatabase) -> None:
    settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"policy": str(tmp_path / "none.toml")})

    with pytest.raises(Unavailable, match="BRUSHWORK_POLICY"):
        create_app(settings)
