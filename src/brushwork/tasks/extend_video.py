"""`POST /v1/extend-video`: a clip, four seconds longer."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, PrivateAttr

from brushwork.engines.base import Clip, Frame, Op, Row, RowResult, Source
from brushwork.errors import InvalidField
from brushwork.tasks.base import Kind, Outcome, Run, draw
from brushwork.tasks.fields import JobId
from brushwork.tasks.filming import (
    CLIPS,
    EXTENSIONS,
    MORE_SECONDS,
    Filmed,
    Films,
    begun,
    clip_rows,
    filmed,
    fitted,
    nowhere,
    reel_of,
)
from brushwork.tasks.prices import VIDEO_PRICES, times
from brushwork.tasks.sources import FromJob, FromUrl, Given, Parent, Wanted

if TYPE_CHECKING:
    from brushwork.engines.tools.video import Reel

VideoNo = Annotated[int, Field(ge=0, le=3, description="Which of its clips, from 0")]
LARGE_SIDE = 600
"""Pixels of the shorter side from which on a clip is charged as 720p."""


class ExtendVideo(Filmed):
    """Go on with a clip for four seconds."""

    name: ClassVar[str] = "extend-video"
    needs: ClassVar[Op | None] = Op.EXTEND
    takes: ClassVar[frozenset[Kind]] = frozenset({"video"})
    video_action: ClassVar[str | None] = "extend"
    example: ClassVar[dict[str, Any]] = {
        "jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822",
        "videoNo": 0,
        "prompt": "Night falls --bs 1",
    }

    job_id: JobId
    video_no: VideoNo
    prompt_: Annotated[
        str | None, Field(alias="prompt", max_length=8192, description="What happens next; optional")
    ] = None

    _is_large: bool = PrivateAttr(default=False)

    def check(self) -> None:
        if self.prompt.image_urls:
            raise InvalidField("prompt", "cannot begin with a URL: a clip goes on from its last frame")

    def wanted(self) -> Sequence[Wanted]:
        end = self.prompt.params.get("end")
        return (FromJob(self.job_id, self.video_no), *([FromUrl(end, "prompt")] if end else ()))

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        if parent.task == "video-upscale":
            return "What video-upscale made is not extended; take the clip it came from."
        if extensions_of(parent) >= EXTENSIONS:
            return f"The clip has been extended {EXTENSIONS} times, to 21 seconds; it cannot become longer."
        return None

    def settled(self, given: Sequence[Given]) -> Self:
        copy = super().settled(given)
        copy._is_large = min(given[0].width, given[0].height) >= LARGE_SIDE
        return copy

    def price(self) -> int:
        return times(VIDEO_PRICES[int(self._is_large)], self.multiplier * self.clips / CLIPS)

    def run(self, job: Run) -> Outcome:
        return self.settled(job.given).made(job)

    def made(self, job: Run) -> Outcome:
        from brushwork.engines.tools.video import Reel, join

        reel = reel_of(job)
        key, size = reel.last_key(), (reel.width, reel.height)
        last = Source(reel.frame(reel.count - 1), job.given[0].recipe)
        end = job.picture(1) if "end" in self.prompt.params else None
        rows = self.rows(job.seed, reel, last, end=Source(fitted(end.image, size), end.recipe) if end else None)
        films = Films(job.scratch, size, fps=reel.fps, count=len(rows))

        def drawn(writers: Sequence[Callable[[Frame], None]]) -> Sequence[RowResult]:
            writing = [Following(write, reel, key) for write in writers]
            return draw([begun(row, last, one.write) for row, one in zip(rows, writing, strict=True)], job)

        results = films.make(drawn)
        paths = []
        for number in range(len(rows)):
            paths.append(job.scratch / f"{number}-whole.mp4")
            join(reel, key, Reel(films.path(number)), paths[-1])
        first = reel.frame(0)
        told = int((job.given[0].recipe or {}).get("extensions", 0)) + 1
        return filmed(
            paths,
            [replace(result, image=first) for result in results],
            extensions=told,
            applied={"seed": "native"} if "seed" in self.prompt.params else {},
            degraded=["parameter:ar"] if "ar" in self.prompt.params else [],
        )

    def rows(self, seed: int, reel: "Reel", last: Source, *, end: Source | None) -> list[Row]:
        prompt = self.prompt
        clip = Clip(
            frames=MORE_SECONDS * reel.fps,
            write=nowhere,
            fps=reel.fps,
            motion=prompt.params.get("motion", "low"),
            loop=bool(prompt.params.get("loop")),
            end=end,
            before=reel,
        )
        return clip_rows(
            prompt, Op.EXTEND, clip, seed=seed, size=(reel.width, reel.height), count=self.clips, source=last
        )


class Following:
    """Writes what comes after the last key frame of a clip, and then what is new.

    So the join lies within what is encoded together, where one frame follows from the other; a new beginning would be
    seen in quiet clips.
    """

    def __init__(self, write: Callable[[Frame], None], reel: "Reel", key: int) -> None:
        self.inner = write
        self.before: tuple[Reel, int] | None = (reel, key)

    def write(self, frame: Frame) -> None:
        if self.before:
            reel, key = self.before
            self.before = None
            for earlier in reel.frames(key):
                self.inner(earlier)
        self.inner(frame)


def extensions_of(parent: Parent | None) -> int:
    """How often the clips of a job have been extended."""
    if parent is None or parent.task != "extend-video":
        return 0
    before = parent.given[0].recipe if parent.given else None
    return int((before or {}).get("extensions", 0)) + 1
