"""`POST /v1/variation`: four pictures like one of an earlier job."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.fields import NewPrompt
from brushwork.tasks.followup import FollowUp, drawn_size, flat, shape_of
from brushwork.tasks.rows import rows_of

STRENGTH = (0.15, 0.5)
"""By type: subtle, strong."""


class Variation(FollowUp):
    """Draw four pictures like one of an earlier job."""

    name: ClassVar[str] = "variation"
    needs: ClassVar[Op | None] = Op.VARY
    drops: ClassVar[frozenset[str]] = frozenset()
    action: ClassVar[str | None] = "variation"
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {"jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822", "imageNo": 0, "type": 1}

    type: Annotated[int, Field(ge=0, le=1, description="0 subtle, 1 strong")] = 0
    remix_prompt: NewPrompt = None

    def run(self, job: Run) -> Outcome:
        return vary(self.settled(job.given), job, strength=STRENGTH[self.type])


def vary(task: FollowUp, job: Run, *, strength: float) -> Outcome:
    """Four pictures of the source's size, as far from it as `strength` says."""
    size = drawn_size(shape_of(job.given[0]))
    rows = rows_of(
        task.prompt,
        seed=job.seed,
        size=size,
        references=task.references(job),
        op=Op.VARY,
        source=flat(job.picture(), size),
        strength=strength,
    )
    return task.drawn(rows, job)
