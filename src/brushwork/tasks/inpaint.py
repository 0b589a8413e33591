"""`POST /v1/inpaint`: one picture of an earlier job, repainted where a mask says."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op, Place
from brushwork.errors import InvalidField
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.fields import Mask, NewPrompt, Polygon
from brushwork.tasks.followup import FollowUp, refuse_large, shape_of, too_large
from brushwork.tasks.painting import check_mask, mask_wanted, repaint
from brushwork.tasks.sources import Given, Wanted


class Inpaint(FollowUp):
    """Repaint parts of a picture."""

    name: ClassVar[str] = "inpaint"
    needs: ClassVar[Op | None] = Op.INPAINT
    action: ClassVar[str | None] = "inpaint"
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822",
        "imageNo": 0,
        "mask": {"areas": [{"width": 1024, "height": 1024, "points": [300, 300, 300, 700, 700, 700, 700, 300]}]},
        "remixPrompt": "A red barn",
    }

    mask: Annotated[Mask | None, Field(description="What is repainted; required")] = None
    remix_prompt: NewPrompt = None
    area: Annotated[Polygon | None, Field(description="One more polygon; deprecated, use mask")] = None

    @property
    def whole_mask(self) -> Mask:
        """The mask, with the polygon that older clients send instead of it."""
        if self.mask is None and self.area is None:
            raise InvalidField("mask", "is required")
        areas = (*(self.mask.areas or () if self.mask else ()), *((self.area,) if self.area else ()))
        return Mask(areas=areas or None, url=self.mask.url if self.mask else None)

    def check(self) -> None:
        super().check()
        check_mask(self.whole_mask)

    def works_on(self) -> Sequence[Wanted]:
        return (*super().works_on(), *mask_wanted(self.mask))

    @classmethod
    def refusal_of_size(cls, width: int, height: int) -> str | None:
        return too_large((width, height))

    def check_given(self, given: Sequence[Given]) -> None:
        refuse_large(shape_of(given[0]))

    def run(self, job: Run) -> Outcome:
        canvas = shape_of(job.given[0])
        return repaint(self, job, canvas=canvas, place=Place(0, 0, *canvas), mask=self.whole_mask)
