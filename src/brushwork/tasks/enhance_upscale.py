"""`POST /v1/enhance-upscale`: any picture at an exact, large size, up to 12288 pixels a side."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from brushwork.engines.base import Op, Row
from brushwork.errors import InvalidField
from brushwork.tasks.base import Kind, MadeFile, Outcome, Run, Task
from brushwork.tasks.fields import ImageNo, JobId, PictureUrl
from brushwork.tasks.followup import shown_without
from brushwork.tasks.prices import ENHANCE_UPSCALE
from brushwork.tasks.sources import MEGABYTE, FromJob, FromUrl, Given, Wanted

Resolution = Literal["HD", "FHD", "2K", "4K", "6K", "8K", "12K"]
LONG_EDGE: Mapping[Resolution, int] = {
    "HD": 1920, "FHD": 1920, "2K": 2560, "4K": 3840, "6K": 6144, "8K": 7680, "12K": 12288,
}  # fmt: skip
"""Pixels of the result's longer side."""

Content = Literal["standard", "photo", "illustration", "text", "low_res"]
Ratio = Literal["keep", "1:1", "16:9", "9:16", "4:5", "5:4", "3:2", "2:3", "4:3", "3:4"]
CropMode = Literal["letterbox", "crop", "stretch"]
Format = Literal["jpeg", "jpg", "png", "tiff", "tif"]
FORMATS: Mapping[Format, Literal["jpeg", "png", "tiff"]] = {
    "jpeg": "jpeg", "jpg": "jpeg", "png": "png", "tiff": "tiff", "tif": "tiff",
}  # fmt: skip
FaceLevel = Literal["off", "none", "subtle", "moderate", "strong"]
TREATED = frozenset({"subtle", "moderate", "strong"})
"""Levels that ask for what is not there: no network for faces ships with Brushwork. None is the client's silence."""

LARGEST_SOURCE = 151 * MEGABYTE
"""Pixels of a source: 12288 squared."""


def upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


class EnhanceUpscale(Task):
    """Enlarge a picture to an exact size, up to 12288 pixels a side."""

    name: ClassVar[str] = "enhance-upscale"
    needs: ClassVar[Op | None] = None
    takes: ClassVar[frozenset[Kind]] = frozenset({"grid", "image"})
    makes: ClassVar[Kind] = "image"
    example: ClassVar[dict[str, Any]] = {
        "image_url": "https://example.com/fox.png",
        "target_resolution": "4K",
        "content_type": "photo",
    }

    image_url: Annotated[
        PictureUrl | None,
        Field(alias="image_url", description="JPEG, PNG, WebP or TIFF of at most 100 MB; or a job and its picture"),
    ] = None
    job_id: JobId | None = None
    image_no: ImageNo | None = None
    target_resolution: Annotated[
        Resolution, BeforeValidator(upper), Field(alias="target_resolution", description="The longer side's pixels")
    ] = "2K"
    content_type: Annotated[
        Content, Field(alias="content_type", description="What it shows: how it is smoothed and sharpened")
    ] = "standard"
    aspect_ratio: Annotated[Ratio, Field(alias="aspect_ratio", description="keep, or a ratio")] = "keep"
    crop_mode: Annotated[
        CropMode, Field(alias="crop_mode", description="How another ratio is reached: black bars, cutting, stretching")
    ] = "letterbox"
    output_format: Annotated[Format, Field(alias="output_format", description="Of the file")] = "jpeg"
    face_enhancement_level: Annotated[
        FaceLevel | None, Field(alias="face_enhancement_level", description="Accepted, but no face is treated apart")
    ] = None

    def check(self) -> None:
        if self.image_url is None and self.job_id is None:
            raise InvalidField("image_url", "is required, unless jobId and imageNo say which picture is meant")
        if self.image_url is not None and self.job_id is not None:
            raise InvalidField("image_url", "cannot be given together with jobId")
        if self.job_id is not None and self.image_no is None:
            raise InvalidField("imageNo", "is required with jobId")

    def wanted(self) -> Sequence[Wanted]:
        if self.image_url is not None:
            most = 100 * MEGABYTE
            return (FromUrl(self.image_url, "image_url", max_bytes=most, max_pixels=LARGEST_SOURCE, tiff=True),)
        return (FromJob(self.job_id or "", self.image_no),)

    @property
    def is_shaped_by_picture(self) -> bool:
        return self.image_url is not None and self.aspect_ratio == "keep"

    def shown_prompt(self, given: Sequence[Given]) -> str:
        """The source's, as for other tasks; what has been enlarged is a draft no more."""
        return shown_without(given[0].parent, frozenset({"draft"})) if given else ""

    def price(self) -> int:
        return ENHANCE_UPSCALE[self.target_resolution]

    def run(self, job: Run) -> Outcome:
        from brushwork.engines.tools import enlarge  # only workers need networks and libvips
        from brushwork.engines.tools.toolbox import tools_of

        source = job.given[0]
        across, _, down = self.aspect_ratio.partition(":")
        frame = enlarge.frame_for(
            source.width,
            source.height,
            long_edge=LONG_EDGE[self.target_resolution],
            ratio=(int(across), int(down)) if down else None,
            crop=self.crop_mode,
        )
        row = Row(index=0, seed=job.seed, text="", width=frame.outer[0], height=frame.outer[1], op=Op.UPSCALE)
        job.expect([row])

        def ask() -> None:
            job.sink.step(row, 0, 1)

        ask()
        enlarger = tools_of(job.engine).enlarger_for(self.content_type)
        form = FORMATS[self.output_format]
        path = job.scratch / f"0.{form}"
        enlarge.enlarge_to(
            enlarge.pixels_of(job.picture().image, ask=ask),  # held by nobody else: a picture may have 600 MB
            frame,
            path,
            form=form,
            content=self.content_type,
            enlarger=enlarger,
            on_tile=lambda done, total: job.sink.step(row, done, total),
        )
        return Outcome(
            files=[MadeFile(path, f"image/{form}", *frame.outer)],
            applied={"target_resolution": "native", "content_type": "emulated"},
            degraded=["parameter:face_enhancement_level"] if self.face_enhancement_level in TREATED else [],
            recipe={"tool": enlarger.name},
        )
