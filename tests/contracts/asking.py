"""Asking a server for every task, whatever engine draws: bodies, waiting, and what a finished job has to show."""

import asyncio
import base64
import json
import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from brushwork.engines.base import Engine
from brushwork.jobs.worker import Worker
from brushwork.tasks.base import Kind, Task
from tests.api.conftest import Api

PICTURE = {"text": "a red fox --draft"}
CLIP = {"prompt": "a red fox --bs 1"}
ACTIONS = {"edit", "inpaint", "outpaint", "pan", "remix", "reroll", "upscale", "variation"}


def square() -> str:
    """A picture as a data: URL: a red square on white."""
    image = Image.new("RGB", (96, 96), "white")
    ImageDraw.Draw(image).rectangle((24, 24, 72, 72), fill="red")
    file = BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


SQUARE = square()


def check_output(output: dict[str, Any], makes: Kind) -> None:
    """What a job of this kind has to show."""
    if makes == "text":
        assert output["prompts"]
        assert output["promptEn"]
        assert "available_actions" not in output
        return
    if makes == "video":
        assert len(output["video_urls"]) == len(output["poster_urls"]) == 1
        assert output["seed"].isdecimal()
        assert set(output["video_actions"]) == {"extend", "upscale"}
        assert "available_actions" not in output
        return
    assert len(output["image_urls"]) == {"grid": 4, "image": 1}[makes]
    assert (output["image_url"] in output["image_urls"]) == (makes == "image")
    assert set(output["available_actions"]) == ACTIONS


async def offline(api: Api, task: type[Task], engine: Engine) -> dict[str, Any]:
    """The example of a task, with pictures of our own in place of those on the web, and a real job to follow."""
    body: dict[str, Any] = json.loads(re.sub(r"https://example\.com/[^\"]*", SQUARE, json.dumps(task.example)))
    if "jobId" in body:
        path, asked = ("video-diffusion", CLIP) if "video" in task.takes else ("diffusion", PICTURE)
        source = await api.client.post(f"/api/v1/{path}", json=asked)
        body["jobId"] = (await ended(api, source.json()["job_id"], engine))["job_id"]
    return body


async def ended(api: Api, job_id: str, engine: Engine) -> dict[str, Any]:
    """The job as its owner sees it, when a worker has ended it."""
    (job,) = await all_ended(api, [job_id], engine)
    return job


async def all_ended(api: Api, job_ids: Sequence[str], engine: Engine, *, seconds: float = 60) -> list[dict[str, Any]]:
    """The same of several jobs, which one worker draws side by side."""
    pause = 0.02 if engine.name == "noop" else 0.25  # asking often would slow down who draws in this process
    services = api.services
    worker = Worker(database=services.database, files=services.files, engine=engine, rules=services.jobs.rules)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    try:
        async with asyncio.timeout(seconds):
            return [await finished(api, job_id, pause) for job_id in job_ids]
    finally:
        stop.set()
        await running


async def finished(api: Api, job_id: str, pause: float) -> dict[str, Any]:
    """The job, once it has ended."""
    while True:
        job: dict[str, Any] = (await api.client.get(f"/api/v1/job/{job_id}")).json()
        if job["status"] in ("completed", "failed"):
            return job
        await asyncio.sleep(pause)
