"""`POST /v1/diffusion`: four pictures from a prompt."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from brushwork.engines.base import Op, Row
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt
from brushwork.prompts.versions import VERSIONS
from brushwork.tasks.base import Kind, Outcome, Run, Speed, Task, draw, outcome_of
from brushwork.tasks.prices import price

PICTURES = 4

SIDE = {"draft": 512, "standard": 1024, "hd": 2048}
"""Side of a square picture in pixels; other aspect ratios keep its area."""

NOT_FOR_THE_ENGINE = frozenset({"ar", "seed", "fast", "turbo"})
"""Parameters that are settled here: by the size, by the row's seed, by the queue."""


class Diffusion(Task):
    """Draw four pictures from a text prompt."""

    name: ClassVar[str] = "diffusion"
    needs: ClassVar[Op] = Op.TEXT_TO_IMAGE
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {"text": "A red fox in a snowy forest at dawn --ar 3:2"}

    text: Annotated[str, Field(min_length=1, max_length=8192, description="The prompt, with its --parameters")]

    @cached_property
    def prompt(self) -> Prompt:
        return parse_prompt(self.text)

    def check(self) -> None:
        _ = self.prompt

    @property
    def prompt_text(self) -> str:
        return self.text

    def seed(self) -> int | None:
        return self.prompt.params.get("seed")

    def price(self) -> int:
        return price(self.name, self.prompt.cost_multiplier)

    @property
    def speed(self) -> Speed:
        return self.prompt.speed

    @property
    def plan(self) -> Literal["free", "pro"]:
        return VERSIONS[self.prompt.version].plan

    def batch_key(self) -> str:
        width, height = picture_size(self.prompt)
        return f"{self.needs}:{self.prompt.version}:{width}x{height}"

    def warnings(self) -> list[Mapping[str, Any]]:
        of_the_prompt = [{"code": w.code, "message": w.message, "param": w.param} for w in self.prompt.warnings]
        return [*super().warnings(), *of_the_prompt]

    def rows(self, seed: int) -> list[Row]:
        """The four rows of the grid, fully resolved."""
        width, height = picture_size(self.prompt)
        params = {name: value for name, value in self.prompt.params.items() if name not in NOT_FOR_THE_ENGINE}
        if self.prompt.image_urls:
            params["image_prompt"] = self.prompt.image_urls
        return [
            Row(
                index=index,
                seed=seed,
                text=self.prompt.text,
                width=width,
                height=height,
                segments=tuple((segment.text, segment.weight) for segment in self.prompt.segments),
                negative=self.prompt.no,
                model=self.prompt.version,
                params=params,
            )
            for index in range(PICTURES)
        ]

    def run(self, job: Run) -> Outcome:
        settled = {name: "native" for name in ("ar", "seed") if name in self.prompt.params}
        return outcome_of(draw(self.rows(job.seed), job), applied=settled)


def picture_size(prompt: Prompt) -> tuple[int, int]:
    """(width, height) in pixels: the area of the quality's square, even sides, the asked ratio to a pixel or two."""
    if prompt.params.get("draft"):
        side = SIDE["draft"]
    elif prompt.params.get("hd") or VERSIONS[prompt.version].always_hd:
        side = SIDE["hd"]
    else:
        side = SIDE["standard"]
    across, down = prompt.aspect_ratio
    height = 2 * round(side * math.sqrt(down / across) / 2)
    width = 2 * round(height * across / down / 2)
    return width, height
