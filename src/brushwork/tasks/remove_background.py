"""`POST /v1/remove-background`: what a picture shows, without what is behind it."""

from collections.abc import Sequence
from typing import Any, ClassVar

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run, Task
from brushwork.tasks.fields import PictureUrl
from brushwork.tasks.prices import price
from brushwork.tasks.sources import FromUrl, Wanted


class RemoveBackground(Task):
    """Cut out what a picture shows: a PNG with a soft alpha channel."""

    name: ClassVar[str] = "remove-background"
    needs: ClassVar[Op | None] = None
    makes: ClassVar[Kind] = "image"
    example: ClassVar[dict[str, Any]] = {"imgUrl": "https://example.com/fox.png"}

    img_url: PictureUrl

    def wanted(self) -> Sequence[Wanted]:
        return (FromUrl(self.img_url, "imgUrl"),)

    @property
    def is_shaped_by_picture(self) -> bool:
        return True

    def price(self) -> int:
        return price(self.name)

    def run(self, job: Run) -> Outcome:
        from brushwork.engines.tools.matting import cut_out  # only workers need the network
        from brushwork.engines.tools.toolbox import tools_of

        cutter, image = tools_of(job.engine).cutter, job.picture().image
        cut = cut_out(image, matting=cutter.matting, ask=job.asking(image.width, image.height))
        return Outcome(images=[cut], recipe={"tool": cutter.name})
