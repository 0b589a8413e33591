"""`POST /v1/remix`: four pictures that follow a new prompt, from one of an earlier job."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.fields import RemixPrompt
from brushwork.tasks.followup import FollowUp
from brushwork.tasks.variation import vary

STRENGTH = (0.75, 0.4)
"""By mode: strong, subtle."""


class Remix(FollowUp):
    """Draw four pictures of a new prompt from one of an earlier job."""

    name: ClassVar[str] = "remix"
    needs: ClassVar[Op | None] = Op.VARY
    drops: ClassVar[frozenset[str]] = frozenset()
    action: ClassVar[str | None] = "remix"
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822",
        "imageNo": 0,
        "remixPrompt": "The same valley in deep winter, at dusk",
        "mode": 1,
    }

    remix_prompt: RemixPrompt
    mode: Annotated[int, Field(ge=0, le=1, description="0 strong, 1 subtle: keeps the composition")] = 0

    def run(self, job: Run) -> Outcome:
        return vary(self.settled(job.given), job, strength=STRENGTH[self.mode])
