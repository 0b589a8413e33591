"""`POST /v1/retexture`: the shapes of a picture from outside, of other materials."""

from collections.abc import Sequence
from typing import Any, ClassVar

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.diffusion import SIDE, shaped
from brushwork.tasks.fields import PictureUrl, RemixPrompt
from brushwork.tasks.followup import drawn_size, flat, shape_of
from brushwork.tasks.prompted import Prompted
from brushwork.tasks.rows import rows_of
from brushwork.tasks.sources import FromUrl, Wanted


class Retexture(Prompted):
    """Keep the shapes of a picture and change what they are made of."""

    name: ClassVar[str] = "retexture"
    needs: ClassVar[Op | None] = Op.RETEXTURE
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "imgUrl": "https://example.com/castle.png",
        "remixPrompt": "Carved from white marble",
    }

    img_url: PictureUrl
    remix_prompt: RemixPrompt

    def works_on(self) -> Sequence[Wanted]:
        return (FromUrl(self.img_url, "imgUrl"),)

    @property
    def is_shaped_by_picture(self) -> bool:
        return True

    def run(self, job: Run) -> Outcome:
        size = standard_size(shape_of(job.given[0]))
        rows = rows_of(
            self.prompt,
            seed=job.seed,
            size=size,
            references=self.references(job),
            op=Op.RETEXTURE,
            source=flat(job.picture(), size),
        )
        return self.drawn(rows, job)


def standard_size(shape: tuple[int, int]) -> tuple[int, int]:
    """As many pixels as a standard picture, in the shape of this one; even sides."""
    width, height = drawn_size(shaped(*shape, side=SIDE["standard"]))
    return 2 * max(1, round(width / 2)), 2 * max(1, round(height / 2))
