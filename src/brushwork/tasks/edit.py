"""`POST /v1/edit`: one picture of an earlier job, laid on a canvas of any size."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.errors import InvalidField
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.fields import Canvas, CanvasImg, Mask, RemixPrompt
from brushwork.tasks.followup import FollowUp
from brushwork.tasks.painting import check_mask, check_place, fills, mask_wanted, place_of, repaint
from brushwork.tasks.sources import Given, Wanted

TRANSPARENT = frozenset({"remove-background"})
"""Tasks whose pictures have parts to be painted, wherever they lie."""


class Edit(FollowUp):
    """Lay a picture on a canvas, and paint what is new and what a mask covers."""

    name: ClassVar[str] = "edit"
    needs: ClassVar[Op | None] = Op.INPAINT
    action: ClassVar[str | None] = "edit"
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822",
        "imageNo": 1,
        "canvas": {"width": 1024, "height": 1024},
        "imgPos": {"width": 512, "height": 512, "x": 256, "y": 256},
        "remixPrompt": "A beautiful landscape with mountains",
        "mask": {"areas": [{"width": 500, "height": 500, "points": [10, 10, 10, 100, 100, 100, 100, 10]}]},
    }

    canvas: Canvas
    img_pos: Annotated[CanvasImg, Field(description="Where the picture lies on the canvas")]
    remix_prompt: RemixPrompt
    mask: Annotated[Mask | None, Field(description="What of the picture is repainted besides")] = None

    def check(self) -> None:
        super().check()
        check_place(self.canvas, self.img_pos)
        check_mask(self.mask)

    def works_on(self) -> Sequence[Wanted]:
        return (*super().works_on(), *mask_wanted(self.mask))

    def check_given(self, given: Sequence[Given]) -> None:
        parent = given[0].parent
        if self.mask or (parent and parent.task in TRANSPARENT) or not fills(self.canvas, self.img_pos):
            return
        raise InvalidField(
            "mask", "is required here: the picture covers the whole canvas, so nothing would be repainted"
        )

    def run(self, job: Run) -> Outcome:
        canvas = (self.canvas.width, self.canvas.height)
        return repaint(self, job, canvas=canvas, place=place_of(self.img_pos), mask=self.mask)
