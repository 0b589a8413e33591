"""`POST /v1/upscale`: one picture of a grid, larger."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.followup import FollowUp, flat, refuse_large, too_large
from brushwork.tasks.prices import CREATIVE_UPSCALE, price, times
from brushwork.tasks.rows import rows_of
from brushwork.tasks.sources import Given, Parent

CREATIVE = 1
STRENGTH = (0.0, 0.45, 0.0, 0.0)
"""By type: subtle, creative, and two times and four times as older versions had them."""
FACTOR = (2, 2, 2, 4)
LARGEST_RESULT = 8192
"""Pixels of a side: the largest canvas, twice."""
LARGE_ALREADY = frozenset({"upscale", "remove-background", "enhance-upscale"})
"""Tasks whose pictures are not upscaled again."""


class Upscale(FollowUp):
    """Redraw one picture at twice its size."""

    name: ClassVar[str] = "upscale"
    needs: ClassVar[Op | None] = Op.UPSCALE
    action: ClassVar[str | None] = "upscale"
    makes: ClassVar[Kind] = "image"
    drops: ClassVar[frozenset[str]] = frozenset({"draft"})
    example: ClassVar[dict[str, Any]] = {"jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822", "imageNo": 0, "type": 0}

    type: Annotated[
        int, Field(ge=0, le=3, description="0 subtle, 1 creative (160 points), 2 twice and 3 four times the size")
    ] = 0

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        if parent.task in LARGE_ALREADY:
            return f"What {parent.task} made is not upscaled; take the picture it came from."
        return super().refusal(parent)

    @classmethod
    def refusal_of_size(cls, width: int, height: int) -> str | None:
        return too_large((width * min(FACTOR), height * min(FACTOR)), most=LARGEST_RESULT)

    def check_given(self, given: Sequence[Given]) -> None:
        refuse_large(self.size(given[0]), most=LARGEST_RESULT)

    def size(self, source: Given) -> tuple[int, int]:
        return source.width * FACTOR[self.type], source.height * FACTOR[self.type]

    def price(self) -> int:
        return times(CREATIVE_UPSCALE, self.multiplier) if self.type == CREATIVE else price(self.name, self.multiplier)

    def run(self, job: Run) -> Outcome:
        source = job.given[0]
        rows = rows_of(
            self.settled(job.given).prompt,
            seed=job.seed,
            size=self.size(source),
            count=1,
            op=Op.UPSCALE,
            source=flat(job.picture(), (source.width, source.height)),
            strength=STRENGTH[self.type],
        )
        return self.drawn(rows, job)
