from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from legnext.types.responses import TaskResponse

from brushwork.api.java import JOB, SUBMITTED, is_java, trim_job
from brushwork.api.job_view import JobView
from brushwork.engines.base import Op
from brushwork.jobs.job import Job, JobFile, Status
from brushwork.tasks import TASKS
from brushwork.tasks.base import Kind, Task
from brushwork.tasks.sources import Given, Parent

NOW = 1_760_408_600.0


class Upscale(Task):
    name: ClassVar[str] = "upscale"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    takes: ClassVar[frozenset[Kind]] = frozenset({"grid"})
    makes: ClassVar[Kind] = "image"
    action: ClassVar[str | None] = "upscale"
    example: ClassVar[dict[str, Any]] = {}


class Picky(Upscale):
    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        return "No foxes." if parent.prompt == "a fox" else None


class Reroll(Upscale):
    name: ClassVar[str] = "reroll"
    action: ClassVar[str | None] = "reroll"


class Animate(Upscale):
    name: ClassVar[str] = "video-diffusion"
    takes: ClassVar[frozenset[Kind]] = frozenset()
    makes: ClassVar[Kind] = "video"


class Describe(Upscale):
    name: ClassVar[str] = "describe"
    takes: ClassVar[frozenset[Kind]] = frozenset()
    makes: ClassVar[Kind] = "text"


FILES = tuple(
    JobFile(f"{n:032x}", "image" if n else "grid", "image/png", 1024, 1024)  # the grid first
    for n in range(5)
)


def job(task: str = "diffusion", status: Status = "queued", **changes: Any) -> Job:
    values: dict[str, Any] = {
        "id": "789320d3-4b20-46d3-a804-6165a079176a",
        "account_id": 1,
        "input": {"text": "a fox", "callback": None},
        "seed": 1904983176,
        "callback": None,
        "stage": "staged",
        "progress": 0,
        "attempts": 1,
        "cost": 80,
        "usage_type": "point",
        "created_at": NOW - 60,
    }
    return Job(task=task, status=status, **{**values, **changes})


def done(task: str = "diffusion", **changes: Any) -> Job:
    ended = {
        "started_at": NOW - 50.5,
        "ended_at": NOW - 10,
        "followup_until": NOW + 100,
        "files": FILES,
        "progress": 99,
    }
    return job(task, "done", **{**ended, **changes})


def view(job: Job, tasks: Mapping[str, type[Task]] = TASKS) -> dict[str, Any]:
    made = JobView.of(
        job, tasks=tasks, link=lambda file_id, _: f"http://b/files/{file_id}.png", now=NOW, links_expire_at=NOW + 3600
    )
    return made.plain()


def test_a_submitted_job_has_the_full_shape_of_the_reference() -> None:
    assert view(job()) == {
        "job_id": "789320d3-4b20-46d3-a804-6165a079176a",
        "task_id": "789320d3-4b20-46d3-a804-6165a079176a",
        "model": "midjourney",
        "task_type": "diffusion",
        "status": "pending",
        "progress": 0,
        "message": "Waiting in the queue.",
        "config": {"service_mode": "public", "webhook_config": {"endpoint": "", "secret": ""}},
        "input": {"text": "a fox"},
        "output": {"image_url": "", "image_urls": None, "seed": "1904983176"},
        "meta": {
            "created_at": "2025-10-14T02:22:20Z",
            "started_at": "0001-01-01T00:00:00Z",
            "ended_at": "0001-01-01T00:00:00Z",
            "usage": {"type": "point", "frozen": 80, "consume": 0},
        },
        "detail": None,
        "logs": [],
        "error": {"code": 0, "message": "", "raw_message": "", "detail": None},
    }


def test_a_completed_job_has_its_grid_its_pictures_and_what_it_cost() -> None:
    seen = view(done(callback="https://example.com/hook"))

    assert seen["status"] == "completed"
    assert seen["progress"] == 100
    assert seen["output"]["image_url"] == f"http://b/files/{FILES[0].id}.png"
    assert seen["output"]["image_urls"] == [f"http://b/files/{file.id}.png" for file in FILES[1:]]
    assert seen["meta"]["started_at"] == "2025-10-14T02:22:29Z"
    assert seen["meta"]["usage"] == {"type": "point", "frozen": 80, "consume": 80}
    assert seen["config"]["webhook_config"]["endpoint"] == "https://example.com/hook"
    assert seen["detail"]["expires_at"] == "2025-10-14T03:23:20Z"


def test_a_job_of_one_picture_shows_it_in_both_places() -> None:
    seen = view(done("upscale", files=FILES[1:2]), {"upscale": Upscale})

    assert [seen["output"]["image_url"]] == seen["output"]["image_urls"]


def test_actions_are_the_eight_of_the_reference_and_only_what_the_server_would_accept() -> None:
    none: dict[str, list[int]] = {
        name: [] for name in ("edit", "inpaint", "outpaint", "pan", "remix", "upscale", "variation")
    }

    alone: dict[str, type[Task]] = {"diffusion": TASKS["diffusion"]}
    assert view(done(), alone)["output"]["available_actions"] == {**none, "reroll": False}
    with_followups: dict[str, type[Task]] = {**alone, "upscale": Upscale, "reroll": Reroll}
    assert view(done(), with_followups)["output"]["available_actions"] == {
        **none,
        "upscale": [0, 1, 2, 3],
        "reroll": True,
    }
    too_late = done(followup_until=NOW - 1)
    assert view(too_late, with_followups)["output"]["available_actions"] == {**none, "reroll": False}
    picky: dict[str, type[Task]] = {**with_followups, "upscale": Picky}
    assert view(done(), picky)["output"]["available_actions"] == {**none, "reroll": True}


def test_a_follow_up_tells_which_picture_it_comes_from() -> None:
    parent = Parent("p", 2, "diffusion", {"text": "a fox"}, 7, "a fox")

    seen = view(done("upscale", given=(Given("jobs/x/source-0.png", 8, 8, parent=parent),)), {"upscale": Upscale})

    assert seen["detail"]["parent"] == {"job_id": "p", "image_no": 2}


@pytest.mark.parametrize("status", ["held", "queued", "running", "failed", "cancelled"])
def test_actions_are_left_out_until_a_job_has_completed(status: Status) -> None:
    assert "available_actions" not in view(job(status=status))["output"]


@pytest.mark.parametrize(
    ("status", "stage", "seen"),
    [
        ("held", "staged", "pending"),
        ("queued", "staged", "pending"),
        ("running", "staged", "staged"),
        ("running", "processing", "processing"),
        ("done", "processing", "completed"),
        ("failed", "processing", "failed"),
        ("cancelled", "staged", "failed"),
    ],
)
def test_clients_see_the_five_states_they_know(status: Status, stage: str, seen: str) -> None:
    assert view(job(status=status, stage=stage))["status"] == seen


def test_a_failed_job_tells_why_and_costs_nothing() -> None:
    error = {"code": 499, "message": "The job was cancelled.", "raw_message": "", "detail": {"code": "cancelled"}}

    seen = view(job(status="cancelled", error=error, ended_at=NOW))

    assert seen["error"] == error
    assert seen["message"] == "The job was cancelled."
    assert seen["meta"]["usage"]["consume"] == 0


def test_an_error_that_was_stored_in_pieces_still_has_a_code_and_a_message() -> None:
    error = view(job(status="failed", error={"detail": ["odd"]}))["error"]

    assert (error["code"], error["message"], error["detail"]) == (500, "The job failed.", None)


def test_a_waiting_job_tells_its_place() -> None:
    seen = view(job(queue_position=3))

    assert seen["detail"] == {"queue_position": 3}
    assert "3" in seen["message"]


def test_what_the_engine_reported_is_passed_on() -> None:
    detail = {"engine": "diorama", "applied": {"ar": "native"}, "degraded": [], "warnings": []}

    seen = view(done(detail=detail))["detail"]

    assert seen["engine"] == "diorama"
    assert seen["degraded"] == []
    assert "warnings" not in seen


def test_videos_and_texts_have_their_own_output() -> None:
    tasks: dict[str, type[Task]] = {"video-diffusion": Animate, "describe": Describe}
    clip = (JobFile("c" * 32, "image", "video/mp4", 832, 480),)

    video = view(done("video-diffusion", files=clip), tasks)
    text = view(done("describe", files=(), output={"prompts": ["a", "b"], "promptEn": "a"}), tasks)

    assert video["task_type"] == "video_diffusion"
    assert video["output"] == {"video_urls": [f"http://b/files/{'c' * 32}.png"], "seed": "1904983176"}
    assert text["output"] == {"promptEn": "a", "description": "", "finalPrompt": "", "prompts": ["a", "b"]}
    assert view(job("describe"), tasks)["output"]["prompts"] == []


@pytest.mark.parametrize("job", [job(), done(), job(status="failed", error={"code": 500, "message": "no"})])
def test_the_python_client_reads_every_job(job: Job) -> None:
    read = TaskResponse.model_validate(view(job))

    assert read.job_id == job.id
    assert read.meta is not None
    assert read.meta.created_at.year == 2025


def test_no_number_is_written_as_a_float() -> None:
    text = JobView.of(done(), tasks=TASKS, link=lambda *_: "http://x/y", now=NOW, links_expire_at=NOW).json_bytes()

    assert b'"frozen":80,' in text
    assert b'"progress":100,' in text


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("OpenAPI-Generator/1.0.0/java", True),
        ("openapi-generator/7.1/Java", True),
        ("OpenAPI-Generator/1.0.0/javascript", False),
        ("OpenAPI-Generator/1.0.0/python", False),
        ("legnext-python/0.3.0", False),
        ("", False),
    ],
)
def test_only_the_java_client_is_java(agent: str, expected: bool) -> None:
    assert is_java(agent) is expected


def test_java_gets_only_the_keys_its_models_have() -> None:
    submitted, ended = trim_job(view(job()), SUBMITTED), trim_job(view(done()), JOB)

    assert set(submitted) == {"job_id", "model", "task_type", "status", "config", "output", "meta"}
    assert set(submitted["meta"]) == {"created_at", "usage"}
    assert set(submitted["output"]) == {"image_url", "image_urls", "seed"}
    assert set(ended) == set(submitted) | {"input", "detail", "logs", "error"}
    assert set(ended["output"]) == {"image_url", "image_urls", "seed", "available_actions"}
    assert set(ended["meta"]) == {"created_at", "started_at", "ended_at", "usage"}


def test_java_finds_the_videos_where_pictures_would_be() -> None:
    clip = (JobFile("c" * 32, "image", "video/mp4", 832, 480),)
    animated = view(done("video-diffusion", files=clip), {"video-diffusion": Animate})

    output = trim_job(animated, JOB)["output"]

    assert output == {"image_url": "", "image_urls": [f"http://b/files/{'c' * 32}.png"], "seed": "1904983176"}
