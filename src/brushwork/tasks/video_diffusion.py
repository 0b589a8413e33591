"""`POST /v1/video-diffusion`: clips of five seconds, from a picture or from words alone."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from PIL.Image import Image
from pydantic import Field, model_validator

from brushwork.engines.base import Clip, Frame, Op, Row, RowResult, Sink, Source
from brushwork.errors import InvalidField
from brushwork.prompts.versions import DEFAULT_VERSION
from brushwork.tasks.base import Kind, Outcome, Run, draw, refuse_unable
from brushwork.tasks.fields import ImageNo, JobId
from brushwork.tasks.filming import (
    CLIPS,
    FIRST_SECONDS,
    FPS,
    SHORT_SIDE,
    Filmed,
    Films,
    begun,
    clip_rows,
    clip_size,
    filmed,
    fitted,
    nowhere,
)
from brushwork.tasks.prices import VIDEO_PRICES, times
from brushwork.tasks.prompted import has_shape
from brushwork.tasks.sources import FromJob, FromUrl, Given, Wanted

FIELD = "prompt"


class VideoDiffusion(Filmed):
    """Make clips of five seconds, from a picture or from words alone."""

    name: ClassVar[str] = "video-diffusion"
    needs: ClassVar[Op | None] = Op.ANIMATE
    takes: ClassVar[frozenset[Kind]] = frozenset({"grid", "image"})
    example: ClassVar[dict[str, Any]] = {
        "jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822",
        "imageNo": 0,
        "prompt": "The camera moves to the left --motion low --bs 1",
        "videoType": 0,
    }

    prompt_: Annotated[
        str | None,
        Field(
            alias="prompt",
            max_length=8192,
            description="What happens, after the URL of the first frame if there is one; optional with jobId",
        ),
    ] = None
    job_id: JobId | None = None
    image_no: ImageNo | None = None
    video_type: Annotated[int, Field(ge=0, le=1, description="Pixels of the shorter side: 0 for 480, 1 for 720")] = 0

    def check(self) -> None:
        if not self.words and self.job_id is None:
            raise InvalidField(FIELD, "is required, unless jobId and imageNo say which picture moves")
        if self.job_id is not None and self.image_no is None:
            raise InvalidField("imageNo", "is required with jobId")
        if self.prompt.image_urls and self.job_id is not None:
            raise InvalidField(FIELD, "cannot begin with a URL when jobId says which picture moves")

    def wanted(self) -> Sequence[Wanted]:
        found: list[Wanted] = []
        if self.job_id is not None:
            found.append(FromJob(self.job_id, self.image_no))
        found += [FromUrl(url, FIELD) for url in self.prompt.image_urls]
        if "end" in self.prompt.params:
            found.append(FromUrl(self.prompt.params["end"], FIELD))
        return found

    @model_validator(mode="before")
    @classmethod
    def from_other_spellings(cls, fields: Any) -> Any:
        """The C# documentation calls the prompt `text`."""
        if isinstance(fields, dict) and fields.get("text") and not (fields.get("prompt") or fields.get("prompt_")):
            return {**fields, "prompt": fields["text"]}
        return fields

    @property
    def begins_with_picture(self) -> bool:
        return self.job_id is not None or bool(self.prompt.image_urls)

    @property
    def is_shaped_by_picture(self) -> bool:
        return bool(self.prompt.image_urls)

    def price(self) -> int:
        return times(VIDEO_PRICES[self.video_type], self.multiplier * self.clips / CLIPS)

    def size(self, given: Sequence[Given]) -> tuple[int, int]:
        """Of the clips: the shape of the picture, or the one that is asked for."""
        shape = (given[0].width, given[0].height) if self.begins_with_picture else self.prompt.aspect_ratio
        return clip_size(*shape, short=SHORT_SIDE[self.video_type])

    def run(self, job: Run) -> Outcome:
        return self.settled(job.given).made(job)

    def made(self, job: Run) -> Outcome:
        size = self.size(job.given)
        pictures = [job.picture(index) for index in range(len(job.data))]
        end = pictures.pop() if "end" in self.prompt.params else None
        rows = self.rows(job.seed, size, end=Source(fitted(end.image, size), end.recipe) if end else None)
        refuse_unable(job.engine, rows)
        job.expect(rows)
        source = Source(fitted(pictures[0].image, size), pictures[0].recipe) if pictures else None
        firsts = [source] * len(rows) if source else self.first_frames(rows, job)
        films = Films(job.scratch, size, count=len(rows))

        def drawn(writers: Sequence[Callable[[Frame], None]]) -> Sequence[RowResult]:
            return draw([begun(*each) for each in zip(rows, firsts, writers, strict=True)], job)

        results = films.make(drawn)
        params = self.prompt.params
        shaped = "ar" in params and has_shape(rows[0], params["ar"])
        return filmed(
            [films.path(number) for number in range(len(rows))],
            results,
            extensions=0,
            applied={**({"seed": "native"} if "seed" in params else {}), **({"ar": "native"} if shaped else {})},
            degraded=["parameter:ar"] if "ar" in params and not shaped else [],
        )

    def rows(self, seed: int, size: tuple[int, int], *, end: Source | None) -> list[Row]:
        """The rows of the clips; their first frames and their writers come later."""
        prompt = self.prompt
        clip = Clip(
            frames=FIRST_SECONDS * FPS,
            write=nowhere,
            fps=FPS,
            motion=prompt.params.get("motion", "low"),
            loop=bool(prompt.params.get("loop")),
            end=end,
        )
        return clip_rows(prompt, Op.ANIMATE, clip, seed=seed, size=size, count=self.clips)

    def first_frames(self, rows: Sequence[Row], job: Run) -> list[Source]:
        """Pictures of the words, one for each clip, drawn as any other picture is."""
        stills = [replace(row, op=Op.TEXT_TO_IMAGE, model=DEFAULT_VERSION, params={}, clip=None) for row in rows]
        results = draw(stills, replace(job, sink=Beforehand(job.sink), expect=unheard))
        size = (rows[0].width, rows[0].height)
        return [Source(fitted(result.image, size), result.recipe) for result in results]


def unheard(_rows: Sequence[Row]) -> None:
    """The rows of the clips are those that count."""


class Beforehand:
    """A sink for what is drawn before the first frame: it can be cancelled, but is no progress yet."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def step(self, row: Row, done: int, total: int) -> None:  # noqa: ARG002
        self.sink.step(row, 0, total)

    def preview(self, row: Row, image: Image) -> None:
        self.sink.preview(row, image)

    def stage(self, name: str) -> None:
        self.sink.stage(name)
