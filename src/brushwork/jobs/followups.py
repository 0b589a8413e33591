"""What may follow a job: decided here alone, for the request that asks and for the list of what may be asked.

A follow-up is of another task, of a picture of the job or of the job as a whole. Changes nothing and fetches nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from pydantic import ValidationError

from brushwork.errors import BrushworkError, FollowUpRefused, ImageNotInJob
from brushwork.jobs.job import Job, JobFile
from brushwork.tasks.base import Kind, Task
from brushwork.tasks.sources import Given, Parent

MADE: Mapping[Kind, str] = {
    "grid": "a grid of pictures",
    "image": "a single picture",
    "video": "a video",
    "text": "text",
}


@dataclass(frozen=True)
class FollowUps:
    """One job, seen as the source of others at the moment `now`."""

    job: Job
    tasks: Mapping[str, type[Task]]
    now: float

    def refusal(self, follower: type[Task]) -> FollowUpRefused | None:
        """Why a job of that task cannot follow this one, or None when it can."""
        reason, sentence = self.reason(follower)
        return FollowUpRefused(sentence, reason=reason, job_id=self.job.id) if reason else None

    def reason(self, follower: type[Task]) -> tuple[str, str]:
        job = self.job
        if not job.is_finished:
            return "unfinished", "The job has not finished yet; follow it up when it has completed."
        if job.status == "cancelled":
            return "cancelled", "The job was cancelled, so there is nothing to follow up."
        if job.status != "done":
            return "failed", "The job failed, so there is nothing to follow up."
        if not job.pinned and (job.followup_until is None or self.now >= job.followup_until):
            return "expired", f"The job could be followed up until {moment(job.followup_until or self.now)}."
        made = self.made
        if made not in follower.takes:
            taken = " or ".join(MADE[kind] for kind in MADE if kind in follower.takes) or "nothing"
            what = MADE[made] if made else "something unknown"
            return "wrong_kind", f"The job made {what}, but {follower.name} follows {taken}."
        sentence = follower.refusal(self.parent)
        return ("not_possible", sentence) if sentence else ("", "")

    def refusal_of(self, number: int, follower: type[Task]) -> FollowUpRefused | None:
        """Why that task cannot take this picture of a job that it can follow. Raises ImageNotInJob."""
        file = self.picture(number)
        sentence = follower.refusal_of_size(file.width or 0, file.height or 0)
        return FollowUpRefused(sentence, reason="not_possible", job_id=self.job.id) if sentence else None

    def numbers(self, follower: type[Task]) -> list[int]:
        """The pictures that a job of that task could start from."""
        if self.refusal(follower):
            return []
        return [number for number in range(len(self.pictures)) if self.refusal_of(number, follower) is None]

    @property
    def made(self) -> Kind | None:
        """What the job made; None for a task that is not there any more."""
        task = self.tasks.get(self.job.task)
        return task.makes if task else None

    @property
    def pictures(self) -> list[JobFile]:
        """What a picture number counts, or a clip's."""
        role = "video" if self.made == "video" else "image"
        return [file for file in self.job.files if file.role == role]

    def picture(self, number: int) -> JobFile:
        """The picture of that number. Raises ImageNotInJob."""
        if not 0 <= number < len(self.pictures):
            raise ImageNotInJob(number, available=len(self.pictures))
        return self.pictures[number]

    @cached_property
    def parent(self) -> Parent:
        """The job as a whole, as its followers see it. One that repeated another counts as that other one."""
        job = self.job
        repeated = job.given[0].parent if len(job.given) == 1 and not job.given[0].path else None
        if repeated is not None:
            return replace(repeated, job_id=job.id, number=None, seed=job.seed)
        return Parent(
            job_id=job.id,
            number=None,
            task=job.task,
            input=job.input,
            seed=job.seed,
            prompt=self.shown_prompt(),
            given=job.given,
        )

    def shown_prompt(self) -> str:
        try:
            return self.tasks[self.job.task].model_validate(self.job.input).shown_prompt(self.job.given)
        except (KeyError, ValidationError, BrushworkError):  # of an older version: what it shows is not known any more
            return ""

    def given(self, number: int | None) -> Given:
        """This job as the source of another: one picture of it, or the whole of it. The path is set by who copies."""
        if number is None:
            return Given("", parent=self.parent)
        file = self.picture(number)
        rows = ((self.job.detail or {}).get("recipe") or {}).get("rows") or []
        return Given(
            "",
            file.width or 0,
            file.height or 0,
            recipe=rows[number] if number < len(rows) else None,
            parent=replace(self.parent, number=number, given=()),
        )


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
