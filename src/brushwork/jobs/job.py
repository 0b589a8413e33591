"""A job as everyone outside this package sees it: a value. Rows never leave `jobs/`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from brushwork.tasks.sources import Given

Status = Literal["held", "queued", "running", "done", "failed", "cancelled"]
Stage = Literal["staged", "processing"]
ClientStatus = Literal["pending", "staged", "processing", "completed", "failed"]

OPEN: tuple[Status, ...] = ("held", "queued", "running")
CLIENT_STATUS: Mapping[Status, ClientStatus] = {
    "held": "pending",
    "queued": "pending",
    "done": "completed",
    "failed": "failed",
    "cancelled": "failed",
}


@dataclass(frozen=True)
class Forecast:
    """Seconds until a job should have ended: as likely sooner as later, and in nine cases of ten not later than."""

    p50: float
    p90: float


@dataclass(frozen=True)
class JobFile:
    """A finished file of a job, in order: the grid first when there is one."""

    id: str
    role: Literal["grid", "image", "video", "poster"]
    content_type: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Job:
    """One accepted request and what became of it. Times are seconds since 1970 in UTC, None when not reached."""

    id: str
    account_id: int
    task: str
    input: Mapping[str, Any]
    seed: int
    callback: str | None
    status: Status
    stage: Stage
    progress: int
    attempts: int
    cost: int
    usage_type: Literal["point", "credit"]
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    followup_until: float | None = None
    expires_at: float | None = None
    given: tuple[Given, ...] = ()
    expected: Mapping[str, Any] | None = None
    """What a recipe from elsewhere, which it was drawn from, says was made of it: `of`, `engine`, `files`."""
    """What it works on: pictures of other jobs and from outside, in its own folder of the store."""
    files: tuple[JobFile, ...] = ()
    output: Mapping[str, Any] | None = None
    """Extra output fields of text jobs."""
    detail: Mapping[str, Any] | None = None
    """engine, model, applied, degraded, warnings, recipe."""
    error: Mapping[str, Any] | None = None
    """As the client sees it: code (int), message, raw_message, detail."""
    queue_position: int | None = None
    """Jobs that will start before this one; None when it is not waiting."""
    pinned: bool = False
    """Kept until it is unpinned."""
    pool: str = "default"
    timing: str | None = None
    """Jobs with the same one take about as long."""
    eta: Forecast | None = None
    """When it should be done, counted from now; None when it has ended, or nobody knows."""

    @property
    def client_status(self) -> ClientStatus:
        if self.status == "running":
            return self.stage
        return CLIENT_STATUS[self.status]

    @property
    def is_finished(self) -> bool:
        return self.status not in OPEN
