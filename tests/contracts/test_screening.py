"""What holds for the words of every task: all are held against the policy, of quotes as of requests."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from brushwork.database.tables import api_keys, audits, jobs, ledger
from brushwork.engines.noop import NoopEngine
from brushwork.tasks import TASKS
from brushwork.tasks.base import PROMPT_FIELDS, Task
from tests.api.conftest import Api, running, settings_for
from tests.contracts.asking import ended

POLICY = 'version = "7"\n[[rule]]\ncategory = "violence"\nwords = ["gore"]\n'
NOT_WORDS = {"callback", "jobId", "imgUrl", "image_url", "imgUrls", "mask.url", "area.url"}
"""Texts that name something and are never drawn."""
SPELLINGS = [
    "a castle of gore",
    "🦊 e\u0301 a castle of g\u00ad0r\u0435",
    "a castle::2 gore::1 --ar 1:1",
    '"a castle --no gore" on a sign',
    "http://example.com/a.png go-re",
    "a castle\nof g.o.r.e --s 50",
]
WORDS = [(task, field) for task in TASKS.values() for field in task.model_fields if field in PROMPT_FIELDS]


@pytest.fixture
async def guarded(tmp_path: Path, database_url: str) -> AsyncIterator[Api]:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    settings = settings_for(tmp_path / "data", database_url).model_copy(update={"policy": str(path)})
    async with running(settings) as api:
        yield api


def texts_of(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, str]]:
    """(name, spelling) of all fields that take a text, those of objects inside included."""
    for name, field in model.model_fields.items():
        for kind in kinds_of(field.annotation):
            if kind is str:
                yield name, f"{before}{field.alias or name}"
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from texts_of(kind, f"{before}{field.alias or name}.")


def kinds_of(annotation: Any) -> set[Any]:
    if str(annotation).startswith("typing.Literal"):
        return set()
    inner = get_args(annotation)
    return {kind for one in inner for kind in kinds_of(one)} if inner else {annotation}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_every_text_of_a_task_is_words_to_be_drawn_or_known_not_to_be(task: type[Task]) -> None:
    texts = set(texts_of(task))

    assert {spelling for name, spelling in texts if name not in PROMPT_FIELDS} <= NOT_WORDS
    assert {name for name, _ in texts} & PROMPT_FIELDS == {name for kind, name in WORDS if kind is task}


@pytest.mark.parametrize(("task", "field"), WORDS, ids=[task.name for task, _ in WORDS])
async def test_a_listed_word_is_refused_in_every_task_before_anything_is_held(
    guarded: Api, task: type[Task], field: str
) -> None:
    spelling = task.model_fields[field].alias or field

    for text in SPELLINGS:
        body = {**task.example, spelling: text}
        answers = [await guarded.client.post(f"/v1/{task.name}{query}", json=body) for query in ("", "?dry_run=1")]
        detail = answers[0].json()["detail"]
        assert [answer.status_code for answer in answers] == [403, 403], answers[0].text
        assert answers[1].json() == answers[0].json()
        assert (detail["code"], detail["field"], detail["category"]) == ("moderation_refused", spelling, "violence")
        assert text[slice(*detail["span"])] == detail["matched"]

    async with guarded.services.database.read() as tx:
        assert (await tx.execute(sa.select(jobs.c.id))).all() == []
        assert (await tx.execute(sa.select(ledger.c.id).where(ledger.c.kind == "hold"))).all() == []
        refused = (await tx.execute(sa.select(audits.c.data, audits.c.api_key_id))).all()
    assert len(refused) == 2 * len(SPELLINGS)
    assert all(row.api_key_id is not None for row in refused)
    assert {name for row in refused for name in row.data} == {"policy", "category", "rule", "task", "field", "length"}
    assert "castle" not in str(refused)


async def test_permutations_are_looked_at_as_they_will_be_drawn(guarded: Api) -> None:
    requests = [{"task": "diffusion", "text": "a castle of {go, ca}re"}]

    answer = await guarded.client.post("/v1/batch", json={"requests": requests, "cap": 1000, "permutations": True})

    assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "moderation_refused")


@pytest.mark.parametrize("query", ["", "?dry_run=1"])
async def test_what_is_refused_uses_up_what_a_key_may_ask_for_in_a_minute(guarded: Api, query: str) -> None:
    async with guarded.services.database.write() as tx:
        await tx.execute(api_keys.update().values(per_minute=2))

    answers = [await guarded.client.post(f"/v1/diffusion{query}", json={"text": "gore"}) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [403, 403, 429]
    assert int(answers[2].headers["retry-after"]) >= 1


@pytest.mark.parametrize("task", ["reroll", "upscale", "variation", "enhance", "replay"])
async def test_words_that_are_inherited_from_a_job_count_as_asked(guarded: Api, task: str) -> None:
    old = guarded.services.jobs.policy
    guarded.services.jobs.policy = None  # of the day when it was drawn
    job_id = await guarded.submit("a castle of gore --draft")
    assert (await ended(guarded, job_id, NoopEngine()))["status"] == "completed"
    guarded.services.jobs.policy = old
    body = {**TASKS[task].example, "jobId": job_id} if task in TASKS else {}
    path = f"/v1/{task}" if task in TASKS else f"/v1/job/{job_id}/replay"

    refused = await guarded.client.post(path, json=body)

    detail = refused.json()["detail"]
    assert (refused.status_code, detail["code"]) == (403, "moderation_refused")
    assert (detail["field"], detail["matched"]) == ("text" if task == "replay" else "jobId", "gore")
    if task == "variation":  # with words of its own it does not inherit these
        assert (await guarded.client.post(path, json={**body, "remixPrompt": "a castle"})).status_code == 200
