"""`POST /v1/upload-paint`: a picture from outside, laid on a canvas and repainted."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from brushwork.engines.base import Op
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.fields import Canvas, CanvasImg, Mask, PictureUrl, RemixPrompt
from brushwork.tasks.painting import check_mask, check_place, mask_wanted, place_of, repaint
from brushwork.tasks.prompted import Prompted
from brushwork.tasks.sources import FromUrl, Wanted


class UploadPaint(Prompted):
    """Lay a picture from outside on a canvas, and paint what is new and what a mask covers."""

    name: ClassVar[str] = "upload-paint"
    needs: ClassVar[Op | None] = Op.INPAINT
    makes: ClassVar[Kind] = "grid"
    example: ClassVar[dict[str, Any]] = {
        "imgUrl": "https://example.com/castle.png",
        "canvas": {"width": 1024, "height": 1024},
        "imgPos": {"width": 512, "height": 512, "x": 256, "y": 256},
        "mask": {"areas": [{"width": 500, "height": 500, "points": [10, 10, 10, 100, 100, 100, 100, 10]}]},
        "remixPrompt": "A beautiful mountain scene with trees",
    }

    img_url: PictureUrl
    canvas: Canvas
    img_pos: Annotated[CanvasImg, Field(description="Where the picture lies on the canvas")]
    remix_prompt: RemixPrompt
    mask: Annotated[Mask, Field(description="What of the picture is repainted besides")]

    def check(self) -> None:
        super().check()
        check_place(self.canvas, self.img_pos)
        check_mask(self.mask)

    def works_on(self) -> Sequence[Wanted]:
        return (FromUrl(self.img_url, "imgUrl"), *mask_wanted(self.mask))

    def run(self, job: Run) -> Outcome:
        canvas = (self.canvas.width, self.canvas.height)
        return repaint(self, job, canvas=canvas, place=place_of(self.img_pos), mask=self.mask)
