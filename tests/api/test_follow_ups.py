"""Follow-ups over HTTP: what is listed is what is accepted, a stranger's job is not there, a mask may be a file."""

import asyncio
import io
from collections.abc import Mapping
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image

from brushwork.database.tables import jobs
from brushwork.engines.noop import NoopEngine
from brushwork.jobs.worker import Worker
from brushwork.tasks import TASKS
from tests.api.conftest import Api, client_of
from tests.jobs.test_worker import until

BODIES: Mapping[str, dict[str, Any]] = {
    "edit": {
        "canvas": {"width": 512, "height": 512},
        "imgPos": {"width": 64, "height": 64, "x": 0, "y": 0},
        "remixPrompt": "a barn",
    },
    "inpaint": {"mask": {"areas": [{"width": 500, "height": 500, "points": [0, 0, 0, 250, 250, 250]}]}},
    "outpaint": {"scale": 1.1},
    "pan": {"direction": 1, "scale": 1.1},
    "remix": {"remixPrompt": "a barn"},
    "upscale": {"type": 0},
    "variation": {"type": 1},
}
"""What each needs beside the job and the number of its picture."""


async def finished(api: Api, task: str = "diffusion", **body: Any) -> dict[str, Any]:
    """A job as its owner sees it when it has been drawn."""
    answer = await api.client.post(f"/api/v1/{task}", json=body or {"text": "a lighthouse"})
    assert answer.status_code == 200, answer.text
    services = api.services
    worker = Worker(database=services.database, files=services.files, engine=NoopEngine(), rules=services.jobs.rules)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        job = await until(lambda: ended(api, answer.json()["job_id"]))
    finally:
        stop.set()
        await running
    assert job["status"] == "completed", job["error"]
    return job  # type: ignore[no-any-return]  # JSON


async def ended(api: Api, job_id: str) -> dict[str, Any] | None:
    job = await seen(api, job_id)
    return job if job["status"] in ("completed", "failed") else None


async def seen(api: Api, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = (await api.client.get(f"/api/v1/job/{job_id}")).json()
    return job


@pytest.mark.parametrize(
    ("text", "side", "refused"),
    [
        ("a lighthouse", 1024, set()),
        ("a lighthouse --oref https://example.com/a.png --v 7", 1024, {"inpaint", "outpaint", "pan"}),
        ("a lighthouse", 3700, set()),
        ("a lighthouse", 4096, {"outpaint", "pan"}),
        ("a lighthouse", 8192, {"inpaint", "outpaint", "pan", "upscale"}),
    ],
)
async def test_what_is_listed_as_available_is_what_is_accepted(
    api: Api, text: str, side: int, refused: set[str]
) -> None:
    job = await finished(api)
    async with api.services.database.write() as tx:
        of_job = jobs.c.id == job["job_id"]
        output = (await tx.execute(sa.select(jobs.c.output).where(of_job))).scalar_one()
        files = [{**file, "width": side, "height": side} for file in output["files"]]
        await tx.execute(jobs.update().where(of_job).values(input={"text": text}, output={"files": files}))
    job = await seen(api, job["job_id"])
    actions = job["output"]["available_actions"]

    accepted: dict[str, Any] = {name: [] for name in BODIES}
    for name, body in BODIES.items():
        for number in range(6):
            answer = await api.client.post(f"/api/v1/{name}", json={"jobId": job["job_id"], "imageNo": number, **body})
            assert answer.status_code in (200, 400), answer.text
            accepted[name] += [number] * (answer.status_code == 200)
    answer = await api.client.post("/api/v1/reroll", json={"jobId": job["job_id"]})

    assert accepted | {"reroll": answer.status_code == 200} == actions
    assert {name for name in BODIES if not actions[name]} == refused


async def test_unknown_and_foreign_jobs_are_answered_byte_for_byte_the_same(each_api: Api) -> None:
    job = await finished(each_api)
    stranger = client_of(each_api.app, await each_api.key_of_new_account("bert"))

    async with stranger:
        answers = [
            await stranger.post(f"/api/v1/{name}", json={"jobId": job_id, "imageNo": 3, **BODIES.get(name, {})})
            for job_id in (job["job_id"], "5dd94ec3-7282-4f04-9445-59e850ef1822")
            for name in ("variation", "reroll", "enhance")
        ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


async def test_a_follow_up_names_its_parent_and_its_masks_picture_only_by_its_hash(each_api: Api) -> None:
    job = await finished(each_api)
    mask = io.BytesIO()
    Image.new("L", (8, 8), 255).save(mask, "PNG")

    answer = await each_api.client.post(
        "/api/v1/inpaint",
        data={"jobId": job["job_id"], "imageNo": "2", "remixPrompt": "a barn"},
        files={"mask": ("upload", mask.getvalue(), "application/octet-stream")},
    )

    assert answer.status_code == 200, answer.text
    made = await seen(each_api, answer.json()["job_id"])
    assert made["detail"]["parent"] == {"job_id": job["job_id"], "image_no": 2}
    assert made["input"]["mask"]["url"].startswith("data:sha256,")
    assert made["input"]["imageNo"] == 2


async def test_a_form_may_hold_the_picture_itself_and_objects_as_json(api: Api) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(picture, "JPEG")

    answer = await api.client.post(
        "/api/v1/upload-paint",
        data={
            "canvas": '{"width": 512, "height": 512}',
            "imgPos": '{"width": 64, "height": 48, "x": 10, "y": 20}',
            "mask": '{"areas": [{"width": 500, "height": 500, "points": [0, 0, 0, 250, 250, 250]}], "url": null}',
            "remixPrompt": "[a barn], in fog",
        },
        files={"imgUrl": ("castle.jpg", picture.getvalue(), "image/jpeg")},
    )

    assert answer.status_code == 200, answer.text
    made = await seen(api, answer.json()["job_id"])
    assert made["input"]["imgUrl"].startswith("data:sha256,")
    assert made["input"]["imgPos"] == {"width": 64, "height": 48, "x": 10, "y": 20}
    assert made["meta"]["usage"]["frozen"] > 0


async def test_a_mask_that_is_no_picture_is_a_422_that_names_it(api: Api) -> None:
    job = await finished(api)

    answer = await api.client.post(
        "/api/v1/inpaint",
        data={"jobId": job["job_id"], "imageNo": "2"},
        files={"mask": ("upload", b"hello", "image/png")},
    )

    assert answer.status_code == 422
    assert answer.json()["detail"]["field"].startswith("mask")


async def test_an_unfinished_job_is_refused_in_a_sentence(api: Api) -> None:
    job_id = await api.submit()

    answer = await api.client.post("/api/v1/reroll", json={"jobId": job_id})

    assert answer.status_code == 400
    assert answer.json()["detail"] == {"code": "follow_up_refused", "reason": "unfinished", "job_id": job_id}
    assert "completed" in answer.json()["message"]


def test_every_action_of_the_reference_is_some_tasks() -> None:
    assert {task.action for task in TASKS.values() if task.action} == {*BODIES, "reroll"}
