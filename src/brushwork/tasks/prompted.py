"""Tasks that draw from words: what follows from the prompt is the same for all of them.

The multipliers of the price, the lane, the plan, the seed and the warnings come from the prompt, and so do the pictures
that it names. Those are wanted last, after the ones that the task works on.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self

from brushwork.engines.base import Reference, Row
from brushwork.prompts.checks import cost
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt
from brushwork.prompts.versions import DEFAULT_VERSION, VERSIONS
from brushwork.tasks.base import Outcome, Run, Speed, Task, draw, outcome_of
from brushwork.tasks.prices import price
from brushwork.tasks.references import references_of, wanted_by, weighed
from brushwork.tasks.sources import Given, Wanted

NOTHING_SAID = Prompt(version=DEFAULT_VERSION, text="")
"""The prompt of a picture that was made without one."""

SAME_SHAPE = 0.02
"""How far an aspect ratio may be off."""

read = lru_cache(maxsize=1024)(parse_prompt)


class Prompted(Task):
    """Base of the tasks that have a prompt, or may have one, or inherit one."""

    cheaper_as_draft: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """The prompt of the client; "" when there is none."""
        return getattr(self, "remix_prompt", None) or ""

    @property
    def prompt(self) -> Prompt:
        return read(self.words) if self.words else NOTHING_SAID

    def check(self) -> None:
        _ = self.prompt

    def works_on(self) -> Sequence[Wanted]:
        """The pictures besides those that the prompt names: a source, a mask."""
        return ()

    def wanted(self) -> Sequence[Wanted]:
        named = wanted_by(read(self.words), field="remixPrompt") if self.words else ()
        return (*self.works_on(), *named)

    def references(self, job: Run) -> tuple[Reference, ...]:
        """What the prompt wants the rows to be like."""
        if not self.words:
            return ()
        return references_of(self.prompt, [job.picture(index) for index in range(len(self.works_on()), len(job.data))])

    def settled(self, given: Sequence[Given]) -> Self:  # noqa: ARG002
        return self

    @property
    def prompt_text(self) -> str:
        return self.words

    def seed(self) -> int | None:
        return self.prompt.params.get("seed")

    def price(self) -> int:
        return price(self.name, self.multiplier)

    @property
    def multiplier(self) -> float:
        """Of the price."""
        prompt = self.prompt
        counted = {name: value for name, value in prompt.params.items() if name != "draft" or self.cheaper_as_draft}
        return cost(counted, VERSIONS[prompt.version])

    @property
    def speed(self) -> Speed:
        return self.prompt.speed

    @property
    def plan(self) -> Literal["free", "pro"]:
        return self.prompt.plan

    def warnings(self) -> list[Mapping[str, Any]]:
        of_the_prompt = [{"code": w.code, "message": w.message, "param": w.param} for w in self.prompt.warnings]
        return [*super().warnings(), *of_the_prompt]

    def drawn(self, rows: Sequence[Row], job: Run) -> Outcome:
        """Draw the rows, and say what of the client's own prompt was settled here, not by the engine."""
        params = read(self.words).params if self.words else {}
        applied = {"seed": "native"} if "seed" in params else {}
        degraded = []
        if "ar" in params and has_shape(rows[0], params["ar"]):
            applied["ar"] = "native"
        elif "ar" in params:  # the shape is the source's, or the canvas's
            degraded.append("parameter:ar")
        return weighed(outcome_of(draw(rows, job), applied=applied, degraded=degraded), params)


def has_shape(row: Row, ratio: str) -> bool:
    """Whether a row has the aspect ratio `across:down`, as nearly as whole pixels can."""
    across, _, down = ratio.partition(":")
    return math.isclose(row.width * int(down), row.height * int(across), rel_tol=SAME_SHAPE)
