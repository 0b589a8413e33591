"""A job as a client sees it, written so that every known client can decode it.

Strings and objects that clients cannot take as null are never null; times that are not reached are the zero time; keys
that have no value yet are left out rather than null. Knows neither requests nor tables.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic import Field

from brushwork.api.views import ZERO_TIME, ErrorDetails, View, moment
from brushwork.files.store import Files
from brushwork.jobs.followups import FollowUps
from brushwork.jobs.job import ClientStatus, Job
from brushwork.tasks.base import Kind, Task

Link = Callable[[str, str], str]
"""(file id, content type) → an absolute, signed URL."""

NO_ERROR = ErrorDetails(code=0, raw_message="", message="", detail=None)


class WebhookConfig(View):
    endpoint: str = Field(description="The callback URL, or an empty string")
    secret: str = Field(description="Always empty: a secret is never shown")


class JobConfig(View):
    service_mode: Literal["public", "private"]
    webhook_config: WebhookConfig


class AvailableActions(View):
    """Which follow-ups the server would accept: picture numbers from 0, and whether the job can be drawn anew."""

    edit: list[int]
    inpaint: list[int]
    outpaint: list[int]
    pan: list[int]
    remix: list[int]
    reroll: bool
    upscale: list[int]
    variation: list[int]


def no_actions() -> AvailableActions:
    return AvailableActions(**{name: [] for name in PICTURE_ACTIONS}, reroll=False)


class VideoActions(View):
    """Which follow-ups of its clips the server would accept: clip numbers from 0."""

    extend: list[int] = Field(default_factory=list)
    upscale: list[int] = Field(default_factory=list)


Actions = AvailableActions | VideoActions | None


class JobOutput(View):
    """What a job made. Which keys there are depends on the kind of job."""

    image_url: str = Field(
        default="", description="The grid of a four-picture job, else the picture; empty until completed"
    )
    image_urls: list[str] | None = Field(default=None, description="Each picture; null until completed")
    seed: str = Field(default="", description="The seed, in digits")
    available_actions: AvailableActions = Field(default_factory=no_actions, description="Completed image jobs only")
    video_urls: list[str] | None = Field(default=None, description="Video jobs only; null until completed")
    poster_urls: list[str] = Field(default_factory=list, description="The first frame of each clip, once completed")
    video_actions: VideoActions = Field(default_factory=VideoActions, description="Completed video jobs only")
    promptEn: str = Field(default="", description="Text jobs only")  # noqa: N815  # the reference's own spelling
    description: str = Field(default="", description="Text jobs only")
    finalPrompt: str = Field(default="", description="Text jobs only")  # noqa: N815
    prompts: list[str] = Field(default_factory=list, description="Text jobs only")


class Usage(View):
    type: Literal["point", "credit"]
    frozen: int = Field(description="What was put aside when the job was accepted")
    consume: int = Field(description="What was charged; 0 unless the job completed")


class JobMeta(View):
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    started_at: str = Field(json_schema_extra={"format": "date-time"}, description=f"{ZERO_TIME} until reached")
    ended_at: str = Field(json_schema_extra={"format": "date-time"}, description=f"{ZERO_TIME} until reached")
    usage: Usage


class JobView(View):
    """A job: what was asked, how far it is, what it made and what it cost."""

    job_id: str
    task_id: str = Field(description="The same as job_id")
    model: str
    task_type: str = Field(description="The name of the endpoint, with underscores")
    status: ClientStatus
    progress: int = Field(ge=0, le=100, description="Per cent, from the engine's own steps")
    message: str = Field(description="What is happening, for people")
    config: JobConfig
    input: dict[str, Any] | None = Field(description="The request, as it was understood")
    output: JobOutput
    meta: JobMeta
    detail: dict[str, Any] | None = Field(
        description="engine, applied, degraded, warnings, recipe, parent, queue_position, eta, expires_at; or null"
    )
    logs: list[str] = Field(description="Always empty")
    error: ErrorDetails

    @classmethod
    def of(
        cls, job: Job, *, tasks: Mapping[str, type[Task]], link: Link, now: float, links_expire_at: float
    ) -> "JobView":
        kind: Kind = tasks[job.task].makes if job.task in tasks else "image"
        return cls(
            job_id=job.id,
            task_id=job.id,
            model="midjourney",
            task_type=job.task.replace("-", "_"),
            status=job.client_status,
            progress=100 if job.status == "done" else job.progress,
            message=message_of(job),
            config=JobConfig(
                service_mode="public", webhook_config=WebhookConfig(endpoint=job.callback or "", secret="")
            ),
            input=input_of(job, tasks),
            output=OUTPUTS[kind](job, link, actions_of(job, kind, tasks, now=now)),
            meta=meta_of(job),
            detail=detail_of(job, links_expire_at=links_expire_at),
            logs=[],
            error=error_of(job),
        )


def seen_by_owner(job: Job, files: Files, tasks: Mapping[str, type[Task]], *, now: float) -> JobView:
    """A job as its owner sees it now, with fresh links."""
    return JobView.of(
        job,
        tasks=tasks,
        link=lambda file_id, content_type: files.link(file_id, content_type, now=now),
        now=now,
        links_expire_at=files.links.expires_at(now),
    )


class JobsView(View):
    """One page of an account's jobs, newest first."""

    data: list[JobView]
    next_cursor: str | None = Field(description="Give it as `cursor` to get the next page; null on the last one")
    has_more: bool


def message_of(job: Job) -> str:
    if job.error is not None:
        return str(job.error.get("message", ""))
    if job.queue_position is not None:
        return "Next in the queue." if job.queue_position == 0 else f"Waiting; {job.queue_position} ahead."
    return MESSAGES[job.client_status]


MESSAGES: Mapping[ClientStatus, str] = {
    "pending": "Waiting in the queue.",
    "staged": "Getting ready.",
    "processing": "Drawing.",
    "completed": "Completed.",
    "failed": "Failed.",
}


def input_of(job: Job, tasks: Mapping[str, type[Task]]) -> dict[str, Any]:
    """The task's fields in the spelling of the reference; the callback is in `config`."""
    fields = tasks[job.task].model_fields if job.task in tasks else {}
    return {
        (fields[name].alias or name) if name in fields else name: value
        for name, value in job.input.items()
        if value is not None and name != "callback"
    }


def meta_of(job: Job) -> JobMeta:
    return JobMeta(
        created_at=moment(job.created_at),
        started_at=moment(job.started_at),
        ended_at=moment(job.ended_at),
        usage=Usage(type=job.usage_type, frozen=job.cost, consume=job.cost if job.status == "done" else 0),
    )


def error_of(job: Job) -> ErrorDetails:
    if job.error is None:
        return NO_ERROR
    detail = job.error.get("detail")
    return ErrorDetails(
        code=int(job.error.get("code") or 500),
        message=str(job.error.get("message") or "The job failed."),
        raw_message=str(job.error.get("raw_message") or ""),
        detail=detail if isinstance(detail, dict) else None,
    )


def detail_of(job: Job, *, links_expire_at: float) -> dict[str, Any] | None:
    detail = {name: value for name, value in (job.detail or {}).items() if value or name != "warnings"}
    parents = [given.parent for given in job.given if given.parent]
    if parents:
        detail["parent"] = {"job_id": parents[0].job_id, "image_no": parents[0].number}
    if job.queue_position is not None:
        detail["queue_position"] = job.queue_position
    if job.eta is not None:
        detail["eta"] = {"p50": round(job.eta.p50, 1), "p90": round(job.eta.p90, 1)}
    if job.files:
        ends = None if job.pinned else job.expires_at
        detail["expires_at"] = moment(min(links_expire_at, ends or links_expire_at))
    if job.pinned:
        detail["pinned"] = True
    return detail or None


PICTURE_ACTIONS = ("edit", "inpaint", "outpaint", "pan", "remix", "upscale", "variation")


def actions_of(job: Job, kind: Kind, tasks: Mapping[str, type[Task]], *, now: float) -> Actions:
    """What may follow this job right now, by the same decision that a request meets. None where nothing can."""
    if job.status != "done" or kind == "text":
        return None
    source = FollowUps(job, tasks, now)
    if kind == "video":
        clips = {task.video_action: source.numbers(task) for task in tasks.values() if task.video_action}
        return VideoActions(**clips) if clips else None
    numbers = {task.action: source.numbers(task) for task in tasks.values() if task.action}
    pictures = {name: numbers.get(name, []) for name in PICTURE_ACTIONS}
    can_reroll = any(task.action == "reroll" and source.refusal(task) is None for task in tasks.values())
    return AvailableActions(**pictures, reroll=can_reroll)


def image_output(job: Job, link: Link, actions: Actions) -> JobOutput:
    urls = [link(file.id, file.content_type) for file in job.files if file.role == "image"]
    grid = [link(file.id, file.content_type) for file in job.files if file.role == "grid"]
    cover = (grid or urls or [""])[0]
    if not isinstance(actions, AvailableActions):
        return JobOutput(image_url=cover, image_urls=urls or None, seed=str(job.seed))
    return JobOutput(image_url=cover, image_urls=urls, seed=str(job.seed), available_actions=actions)


def video_output(job: Job, link: Link, actions: Actions) -> JobOutput:
    urls = [link(file.id, file.content_type) for file in job.files if file.role != "poster"]
    posters = [link(file.id, file.content_type) for file in job.files if file.role == "poster"]
    shown: dict[str, Any] = {"poster_urls": posters} if posters else {}
    if isinstance(actions, VideoActions):
        shown["video_actions"] = actions
    return JobOutput(video_urls=urls or None, seed=str(job.seed), **shown)


def text_output(job: Job, _link: Link, _actions: Actions) -> JobOutput:
    output = job.output or {}
    return JobOutput(
        promptEn=str(output.get("promptEn", "")),
        description=str(output.get("description", "")),
        finalPrompt=str(output.get("finalPrompt", "")),
        prompts=[str(prompt) for prompt in output.get("prompts", ())],
    )


OUTPUTS: Mapping[Kind, Callable[[Job, Link, Actions], JobOutput]] = {
    "grid": image_output,
    "image": image_output,
    "video": video_output,
    "text": text_output,
}
"""The shape of `output` for each kind of job."""
