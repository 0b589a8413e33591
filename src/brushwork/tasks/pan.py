"""`POST /v1/pan`: one picture of an earlier job, going on at one side."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.canvas import pan_layout
from brushwork.tasks.fields import NewPrompt
from brushwork.tasks.followup import FollowUp, refuse_large, shape_of, too_large
from brushwork.tasks.painting import repaint
from brushwork.tasks.sources import Given

LEAST = 1.1
"""Of `scale`."""


class Pan(FollowUp):
    """Go on with a picture at one of its sides."""

    name: ClassVar[str] = "pan"
    needs: ClassVar[Op | None] = Op.INPAINT
    action: ClassVar[str | None] = "pan"
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822",
        "imageNo": 0,
        "direction": 1,
        "scale": 1.5,
    }

    direction: Annotated[int, Field(ge=0, le=3, description="0 down, 1 right, 2 up, 3 left")]
    scale: Annotated[
        float, Field(ge=LEAST, le=3.0, description="How many times as long the picture becomes in that direction")
    ]
    remix_prompt: NewPrompt = None

    @classmethod
    def refusal_of_size(cls, width: int, height: int) -> str | None:
        sizes = [pan_layout((width, height), direction=direction, scale=LEAST)[0] for direction in (0, 1)]
        return too_large(min(sizes, key=max))

    def check_given(self, given: Sequence[Given]) -> None:
        refuse_large(pan_layout(shape_of(given[0]), direction=self.direction, scale=self.scale)[0])

    def run(self, job: Run) -> Outcome:
        canvas, place = pan_layout(shape_of(job.given[0]), direction=self.direction, scale=self.scale)
        return repaint(self, job, canvas=canvas, place=place)
