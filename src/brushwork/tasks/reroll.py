"""`POST /v1/reroll`: a grid once more, with another seed. Costs what it repeats."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from brushwork.engines.base import Op
from brushwork.errors import FollowUpRefused
from brushwork.tasks.base import Kind, Outcome, Run, Task
from brushwork.tasks.fields import JobId
from brushwork.tasks.prices import price
from brushwork.tasks.sources import FromJob, Given, Parent, Wanted


class Reroll(Task):
    """Do a job that made a grid once more, with another seed and at its price."""

    name: ClassVar[str] = "reroll"
    needs: ClassVar[Op | None] = None
    takes: ClassVar[frozenset[Kind]] = frozenset({"grid"})
    action: ClassVar[str | None] = "reroll"
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {"jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822"}

    job_id: JobId

    def wanted(self) -> Sequence[Wanted]:
        return (FromJob(self.job_id),)

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        if kind_of(parent) is None:
            return "This server does not know any more how to do such a job."
        return None

    def settled(self, given: Sequence[Given]) -> Task:
        parent = whole(given)
        return repeated(parent).settled(parent.given)

    def shown_prompt(self, given: Sequence[Given]) -> str:
        parent = whole(given)
        return repeated(parent).shown_prompt(parent.given)

    def price(self) -> int:
        return price(self.name)

    def run(self, job: Run) -> Outcome:
        parent = whole(job.given)
        outcome = repeated(parent).run(replace(job, given=parent.given))
        return replace(outcome, applied={name: how for name, how in outcome.applied.items() if name != "seed"})


def whole(given: Sequence[Given]) -> Parent:
    parent = given[0].parent
    if parent is None:
        raise FollowUpRefused("A reroll repeats a job, and there is none.")
    return parent


def kind_of(parent: Parent) -> type[Task] | None:
    """The task type of a job. It is looked up late, because this task is in the table itself."""
    from brushwork.tasks import TASKS

    return TASKS.get(parent.task)


def repeated(parent: Parent) -> Task:
    """The request of the job, as it was accepted."""
    kind = kind_of(parent)
    if kind is None:
        raise FollowUpRefused(f"A job of type {parent.task} cannot be repeated.")
    return kind.model_validate(dict(parent.input))
