"""`POST /v1/shorten`: what the words of a prompt are worth, and shorter prompts."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.prompts.shortening import analysis, shortenings, written
from brushwork.tasks.base import Kind, Outcome, Run, Task
from brushwork.tasks.prices import price
from brushwork.tasks.prompted import read


class Shorten(Task):
    """Weigh the words of a prompt, and write shorter and shorter ones."""

    name: ClassVar[str] = "shorten"
    needs: ClassVar[Op | None] = None
    makes: ClassVar[Kind] = "text"
    example: ClassVar[dict[str, Any]] = {
        "prompt": "A very beautiful and truly amazing red fox in a snowy forest at golden hour --ar 3:2"
    }

    prompt: Annotated[
        str, Field(min_length=1, max_length=8192, description="The prompt; image URLs and --parameters are kept")
    ]

    def check(self) -> None:
        read(self.prompt)

    def price(self) -> int:
        return price(self.name)

    def run(self, job: Run) -> Outcome:
        parts = written(self.prompt)
        weights = list(job.engine.word_weights(parts.words))
        prompts = list(dict.fromkeys(shortenings(parts, weights)))
        return Outcome(
            output={
                "prompts": prompts,
                "description": analysis(parts, weights),
                "promptEn": self.prompt,
                "finalPrompt": prompts[0],
            },
            recipe={"weights": [[word, weight] for word, weight in zip(parts.words, weights, strict=True)]},
        )
