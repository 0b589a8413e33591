"""Tasks that draw from words: what follows from the prompt is the same for all of them.

The multipliers of the price, the lane, the plan, the seed and the warnings come from the prompt, and so do the pictures
that it names. Those are wanted last, after the ones that the task works on.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, Literal, Self

from brushwork.engines.base import Reference
from brushwork.prompts.checks import cost
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt
from brushwork.prompts.versions import DEFAULT_VERSION, VERSIONS
from brushwork.tasks.base import Run, Speed, Task
from brushwork.tasks.prices import price
from brushwork.tasks.references import references_of, wanted_by
from brushwork.tasks.sources import Given, Wanted

NOTHING_SAID = Prompt(version=DEFAULT_VERSION, text="")
"""The prompt of a picture that was made without one."""

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

    @property
    def settles(self) -> dict[str, str]:
        """What of the client's prompt is honoured here, not by the engine."""
        return {"seed": "native"} if self.seed() is not None else {}

    @property
    def ignores(self) -> list[str]:
        """What of it is not honoured: the shape is the source's, or the canvas's."""
        return ["parameter:ar"] if self.words and "ar" in read(self.words).params else []
