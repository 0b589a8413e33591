"""`POST /v1/describe`: prompts for a picture."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run, Task
from brushwork.tasks.fields import PictureUrl
from brushwork.tasks.prices import price
from brushwork.tasks.sources import FromUrl, Wanted

COMMON = tuple(
    Fraction(*ratio)
    for wide in ((1, 1), (5, 4), (4, 3), (7, 5), (3, 2), (5, 3), (16, 9), (2, 1), (21, 9), (3, 1))
    for ratio in {wide, wide[::-1]}
)
"""Aspect ratios that people write."""
NEARLY = 0.015
"""A picture of 1366 by 768 is 16:9 for whoever asks for it."""
STEEPEST = 14


class Describe(Task):
    """Write four prompts that would give such a picture."""

    name: ClassVar[str] = "describe"
    needs: ClassVar[Op | None] = None
    makes: ClassVar[Kind] = "text"
    example: ClassVar[dict[str, Any]] = {"imgUrl": "https://example.com/castle.png"}

    img_url: PictureUrl

    def wanted(self) -> Sequence[Wanted]:
        return (FromUrl(self.img_url, "imgUrl"),)

    def price(self) -> int:
        return price(self.name)

    def run(self, job: Run) -> Outcome:
        from brushwork.engines.tools.toolbox import tools_of  # only workers need networks

        source, tools = job.picture(), tools_of(job.engine)
        shape = f"--ar {aspect_ratio(source.image.width, source.image.height)}"
        ask = job.asking(source.image.width, source.image.height)
        prompts = [f"{prompt} {shape}" for prompt in job.engine.describe(source, ask=ask)]
        return Outcome(
            output={
                "prompts": prompts,
                "description": "\n\n".join(f"{number}. {prompt}" for number, prompt in enumerate(prompts, start=1)),
                "promptEn": prompts[0],
                "finalPrompt": prompts[0],
            },
            degraded=["tool:describe"] if "describe" in tools.missing else [],
            recipe={"tool": tools.describer},
        )


def aspect_ratio(width: int, height: int) -> str:
    """As a prompt would say it: a common ratio when it is nearly one, else the simplest that is as near."""
    exact = min(max(Fraction(width, height), Fraction(1, STEEPEST)), Fraction(STEEPEST))
    nearest = min(COMMON, key=lambda ratio: abs(ratio / exact - 1))
    if abs(nearest / exact - 1) > NEARLY:
        nearest = next(
            ratio
            for ratio in (exact.limit_denominator(most) for most in range(1, 10_000))
            if ratio and abs(ratio / exact - 1) <= NEARLY
        )
    return f"{nearest.numerator}:{nearest.denominator}"
