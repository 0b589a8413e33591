"""`POST /v1/diffusion`: four pictures from a prompt."""

import math
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op, Reference, Row
from brushwork.prompts.prompt import Prompt
from brushwork.prompts.versions import VERSIONS
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.prompted import Prompted
from brushwork.tasks.references import wanted_by
from brushwork.tasks.rows import rows_of
from brushwork.tasks.sources import Wanted

SIDE = {"draft": 512, "standard": 1024, "hd": 2048}
"""Side of a square picture in pixels; other aspect ratios keep its area."""


class Diffusion(Prompted):
    """Draw four pictures from a text prompt."""

    name: ClassVar[str] = "diffusion"
    needs: ClassVar[Op | None] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "grid"
    cheaper_as_draft: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {"text": "A red fox in a snowy forest at dawn --ar 3:2"}

    text: Annotated[str, Field(min_length=1, max_length=8192, description="The prompt, with its --parameters")]

    @property
    def words(self) -> str:
        return self.text

    def wanted(self) -> Sequence[Wanted]:
        return wanted_by(self.prompt, field="text")

    def batch_key(self) -> str:
        width, height = picture_size(self.prompt)
        return f"{self.needs}:{self.prompt.version}:{width}x{height}"

    def rows(self, seed: int, references: Sequence[Reference] = ()) -> list[Row]:
        """The four rows of the grid, fully resolved."""
        return rows_of(self.prompt, seed=seed, size=picture_size(self.prompt), references=references)

    def run(self, job: Run) -> Outcome:
        return self.drawn(self.rows(job.seed, self.references(job)), job)


def picture_size(prompt: Prompt) -> tuple[int, int]:
    """(width, height) in pixels: the area of the quality's square, even sides, the asked ratio to a pixel or two."""
    if prompt.params.get("draft"):
        side = SIDE["draft"]
    elif prompt.params.get("hd") or VERSIONS[prompt.version].always_hd:
        side = SIDE["hd"]
    else:
        side = SIDE["standard"]
    return shaped(*prompt.aspect_ratio, side=side)


def shaped(across: int, down: int, *, side: int) -> tuple[int, int]:
    """(width, height) of this ratio with the area of a square."""
    height = 2 * round(side * math.sqrt(down / across) / 2)
    width = 2 * round(height * across / down / 2)
    return width, height
