"""`POST /v1/video-upscale`: a clip with doubled sides."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from brushwork.engines.base import Ask, Frame, Op, Row, RowResult
from brushwork.prompts.versions import VIDEO
from brushwork.tasks.base import Kind, Outcome, Run
from brushwork.tasks.extend_video import VideoNo
from brushwork.tasks.fields import JobId
from brushwork.tasks.filming import Filmed, Films, filmed, reel_of
from brushwork.tasks.prices import VIDEO_UPSCALE, times
from brushwork.tasks.sources import FromJob, Parent, Wanted

if TYPE_CHECKING:
    from brushwork.engines.tools.super_resolution import Enlarger
    from brushwork.engines.tools.video import Reel

FACTOR = 2
SIDE_BY_SIDE = 2
"""Frames that are enlarged at once."""


class VideoUpscale(Filmed):
    """Double the sides of a clip."""

    name: ClassVar[str] = "video-upscale"
    needs: ClassVar[Op | None] = None
    takes: ClassVar[frozenset[Kind]] = frozenset({"video"})
    video_action: ClassVar[str | None] = "upscale"
    example: ClassVar[dict[str, Any]] = {"jobId": "5dd94ec3-7282-4f04-9445-59e850ef1822", "videoNo": 0}

    job_id: JobId
    video_no: VideoNo

    def wanted(self) -> Sequence[Wanted]:
        return (FromJob(self.job_id, self.video_no),)

    @classmethod
    def refusal(cls, parent: Parent) -> str | None:
        if parent.task == cls.name:
            return "What video-upscale made is not upscaled again; take the clip it came from."
        return None

    def price(self) -> int:
        return times(VIDEO_UPSCALE, self.multiplier)

    def run(self, job: Run) -> Outcome:
        from brushwork.engines.tools.toolbox import SHIPPED_TOOLS, tools_of
        from brushwork.engines.tools.video import Reel

        reel, enlarger = reel_of(job), tools_of(job.engine).enlarger
        if FACTOR not in enlarger.factors:
            enlarger = SHIPPED_TOOLS.enlarger
        size = (FACTOR * reel.width, FACTOR * reel.height)
        row = Row(index=0, seed=job.seed, text="", width=size[0], height=size[1], model=VIDEO, op=Op.UPSCALE)
        job.expect([row])
        films = Films(job.scratch, size, fps=reel.fps)

        done = 0

        def ask() -> None:
            job.sink.step(row, done, reel.count)

        def enlarged(writers: Sequence[Any]) -> list[RowResult]:
            nonlocal done
            for frame in enlarged_frames(reel, enlarger, ask):
                ask()
                writers[0](frame)
                done += 1
            ask()
            return []

        films.make(enlarged)
        poster = Reel(films.path(0)).frame(0)
        before = job.given[0].recipe or {}
        recipe = {**before, "tool": enlarger.name}
        return filmed(
            [films.path(0)], [RowResult(0, poster, recipe=recipe)], extensions=int(before.get("extensions", 0))
        )


def enlarged_frames(reel: "Reel", enlarger: "Enlarger", ask: Ask) -> Iterator[Frame]:
    """The frames of a clip, larger, a few at a time side by side. Every frame is treated alike, so none stands out.

    Raises what `ask` raises, which is called from several threads.
    """
    from brushwork.engines.tools.super_resolution import enlarge

    def larger(frame: Frame) -> Frame:
        return np.asarray(enlarge(frame, FACTOR, enlarger, lambda _tile, _tiles: ask()), np.uint8)

    with ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="enlarge") as pool:
        waiting: deque[Future[Frame]] = deque()
        try:
            before, latest = None, None
            for frame in reel.frames():
                if latest is None or before is None or not np.array_equal(frame, before):
                    latest = pool.submit(larger, frame)  # where nothing moves, once is enough
                before = frame
                waiting.append(latest)
                if len(waiting) > SIDE_BY_SIDE:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
