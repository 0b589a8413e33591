"""`POST /v1/enhance`: the finished picture of which one is the draft."""

from typing import Any, ClassVar

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.diffusion import SIDE, picture_size
from brushwork.tasks.followup import FollowUp, drawn_size, flat, prompt_of, shape_of, without
from brushwork.tasks.rows import rows_of
from brushwork.tasks.sources import Given, Parent


class Enhance(FollowUp):
    """Finish a picture that was drawn with --draft."""

    name: ClassVar[str] = "enhance"
    needs: ClassVar[Op | None] = Op.ENHANCE
    makes: ClassVar[Kind] = "image"
    drops: ClassVar[frozenset[str]] = frozenset({"draft"})
    example: ClassVar[dict[str, Any]] = {"jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822", "imageNo": 0}

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        if "draft" not in prompt_of(parent).params:
            return "Only pictures whose prompt has --draft can be enhanced."
        return super().refusal(parent)

    def run(self, job: Run) -> Outcome:
        shape = shape_of(job.given[0])
        rows = rows_of(
            self.settled(job.given).prompt,
            seed=job.seed,
            size=finished_size(job.given[0]),
            count=1,
            op=Op.ENHANCE,
            source=flat(job.picture(), shape),
        )
        return self.drawn(rows, job)


def finished_size(draft: Given) -> tuple[int, int]:
    """The size that the prompt would have had without --draft."""
    prompt = prompt_of(draft.parent)
    if shape_of(draft) == picture_size(prompt):
        return picture_size(without(prompt, frozenset({"draft"})))
    factor = SIDE["standard"] // SIDE["draft"]
    return drawn_size((draft.width * factor, draft.height * factor))
