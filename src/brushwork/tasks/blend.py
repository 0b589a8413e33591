"""`POST /v1/blend`: four pictures out of two to five."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from brushwork.engines.base import Op, Reference
from brushwork.tasks.base import Kind, Outcome, Run, Task, draw, outcome_of
from brushwork.tasks.fields import PictureUrl
from brushwork.tasks.prices import price
from brushwork.tasks.prompted import NOTHING_SAID
from brushwork.tasks.references import modest
from brushwork.tasks.rows import rows_of
from brushwork.tasks.sources import FromUrl, Wanted

Ratio = Literal["2:3", "1:1", "3:2"]
SIZES: dict[Ratio, tuple[int, int]] = {"2:3": (836, 1254), "1:1": (1024, 1024), "3:2": (1254, 836)}
"""As diffusion draws them."""


class Blend(Task):
    """Blend two to five pictures into new ones."""

    name: ClassVar[str] = "blend"
    needs: ClassVar[Op | None] = Op.BLEND
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "imgUrls": ["https://example.com/castle.png", "https://example.com/forest.png"],
        "aspect_ratio": "1:1",
    }

    img_urls: Annotated[tuple[PictureUrl, ...], Field(min_length=2, max_length=5, description="Two to five pictures")]
    aspect_ratio: Annotated[Ratio, Field(alias="aspect_ratio", description="Of the new pictures")]

    def wanted(self) -> Sequence[Wanted]:
        return [FromUrl(url, f"imgUrls[{number}]") for number, url in enumerate(self.img_urls)]

    def price(self) -> int:
        return price(self.name)

    def run(self, job: Run) -> Outcome:
        parts = [Reference("blend", modest(job.picture(index))) for index in range(len(self.img_urls))]
        rows = rows_of(NOTHING_SAID, seed=job.seed, size=SIZES[self.aspect_ratio], references=parts, op=Op.BLEND)
        return outcome_of(draw(rows, job))
