"""`POST /v1/outpaint`: one picture of an earlier job, going on at all sides."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.canvas import outpaint_layout
from brushwork.tasks.fields import NewPrompt
from brushwork.tasks.followup import FollowUp, refuse_large, shape_of, too_large
from brushwork.tasks.painting import repaint
from brushwork.tasks.sources import Given

LEAST = 1.1
"""Of `scale`."""


class Outpaint(FollowUp):
    """Go on with a picture at all of its sides."""

    name: ClassVar[str] = "outpaint"
    needs: ClassVar[Op | None] = Op.INPAINT
    action: ClassVar[str | None] = "outpaint"
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822",
        "imageNo": 0,
        "scale": 1.5,
    }

    scale: Annotated[float, Field(ge=LEAST, le=2.0, description="How many times as long both sides become")]
    remix_prompt: NewPrompt = None

    @classmethod
    def refusal_of_size(cls, width: int, height: int) -> str | None:
        return too_large(outpaint_layout((width, height), scale=LEAST)[0])

    def check_given(self, given: Sequence[Given]) -> None:
        refuse_large(outpaint_layout(shape_of(given[0]), scale=self.scale)[0])

    def run(self, job: Run) -> Outcome:
        canvas, place = outpaint_layout(shape_of(job.given[0]), scale=self.scale)
        return repaint(self, job, canvas=canvas, place=place)
