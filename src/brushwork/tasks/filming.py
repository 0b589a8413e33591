"""What the video tasks have in common: sizes, prompts, and clips that go to files frame by frame."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from PIL import Image, ImageOps
from pydantic import PrivateAttr

from brushwork.engines.base import Clip, Frame, Op, Row, RowResult, Source
from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.prompts.canonical import canonical
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt
from brushwork.prompts.versions import VIDEO
from brushwork.tasks.base import Kind, MadeFile, Outcome, Run
from brushwork.tasks.prompted import Prompted
from brushwork.tasks.rows import NOT_FOR_THE_ENGINE
from brushwork.tasks.sources import Given, Parent

if TYPE_CHECKING:  # only workers need a codec
    from brushwork.engines.tools.video import Reel

FPS = 24
FIRST_SECONDS = 5
MORE_SECONDS = 4
"""Of each extension."""
EXTENSIONS = 4
"""At most: 21 seconds in all."""
CLIPS = 4
"""Of one job, where `--bs` does not say."""
SHORT_SIDE = (480, 720)
"""By `videoType`."""
STEEPEST = 4
"""A clip's longer side is at most so many times the usual shorter one; what is flatter still becomes less high."""
POSTER_QUALITY = 88

read = lru_cache(maxsize=1024)(lambda text: parse_prompt(text, task="video"))
NO_WORDS = Prompt(version=VIDEO, text="", task="video")
IS_CLIP = frozenset({"motion", "loop", "end", "bs", "raw", "video"})
"""Parameters that say how a clip moves."""


class Filmed(Prompted):
    """Base of the tasks that make clips."""

    makes: ClassVar[Kind] = "video"

    _prompt: Prompt | None = PrivateAttr(default=None)
    """Settled: with what is inherited from the source."""

    @property
    def words(self) -> str:
        return (getattr(self, "prompt_", None) or "").strip()

    @property
    def prompt(self) -> Prompt:
        return self._prompt or (read(self.words) if self.words else NO_WORDS)

    @property
    def clips(self) -> int:
        return int(self.prompt.params.get("bs", CLIPS))

    def settled(self, given: Sequence[Given]) -> Self:
        """With the source's lane and, where there are no words of one's own, its words."""
        parent = given[0].parent if given else None
        if parent is None:
            return self
        copy, source, own = self.model_copy(), prompt_of(parent), self.prompt
        lanes = {name: True for name in ("fast", "turbo") if name in source.params}
        params = {**(lanes if not {"fast", "turbo"} & own.params.keys() else {}), **own.params}
        told = own if own.text else replace(own, text=source.text, segments=source.segments, no=source.no)
        copy._prompt = replace(told, params=params, cost_multiplier=2.0 if "turbo" in params else 1.0)
        return copy

    def shown_prompt(self, given: Sequence[Given]) -> str:
        """In words, and with the lane: how one clip moved is not the next one's business."""
        prompt = self.settled(given).prompt
        kept = {name: value for name, value in prompt.params.items() if name not in {*IS_CLIP, "seed", "ar"}}
        return canonical(replace(prompt, image_urls=(), params=kept))


def prompt_of(parent: Parent) -> Prompt:
    """What a picture or a clip shows; a clip's prompt has another grammar than a picture's."""
    is_clip = parent.task in VIDEO_TASKS
    try:
        return parse_prompt(parent.prompt, task="video" if is_clip else "image") if parent.prompt else NO_WORDS
    except (PromptGrammarError, PromptValueError):  # written when other rules held
        return NO_WORDS


VIDEO_TASKS = frozenset({"video-diffusion", "extend-video", "video-upscale"})


def clip_size(across: float, down: float, *, short: int) -> tuple[int, int]:
    """(width, height): the short side in pixels, the source's aspect ratio, even sides."""
    scale = min(short / min(across, down), STEEPEST * short / max(across, down))
    return max(16, 2 * round(across * scale / 2)), max(16, 2 * round(down * scale / 2))


def fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A picture that fills this size: what is too much of it is cut off, what is transparent is white."""
    if image.mode != "RGB":
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.size == size else ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def clip_rows(
    prompt: Prompt, op: Op, clip: Clip, *, seed: int, size: tuple[int, int], count: int, **what: Any
) -> list[Row]:
    """The rows of one job's clips."""
    return [
        Row(
            index=index,
            seed=seed,
            text=prompt.text,
            width=size[0],
            height=size[1],
            segments=tuple((segment.text, segment.weight) for segment in prompt.segments),
            negative=prompt.no,
            model=prompt.version,
            params={name: value for name, value in prompt.params.items() if name not in NOT_FOR_THE_ENGINE},
            op=op,
            clip=clip,
            **what,
        )
        for index in range(count)
    ]


def begun(row: Row, source: Source, write: Callable[[Frame], None]) -> Row:
    """A row with its first picture, and with where its frames go."""
    assert row.clip is not None
    return replace(row, source=source, clip=replace(row.clip, write=write))


def nowhere(_frame: Frame) -> None:
    """Takes what nobody keeps."""


@dataclass(frozen=True)
class Films:
    """The files of one job's clips, all open until its engine is through."""

    folder: Path
    size: tuple[int, int]
    fps: int = FPS
    count: int = 1

    def make(self, draw: Callable[[Sequence[Callable[[Frame], None]]], Sequence[RowResult]]) -> Sequence[RowResult]:
        """Give a writer for each clip to who draws them; close the files when that is done, or has failed."""
        from brushwork.engines.tools.video import Film

        width, height = self.size
        with ExitStack() as stack:
            films = [
                stack.enter_context(Film(self.path(number), width=width, height=height, fps=self.fps))
                for number in range(self.count)
            ]
            return draw([film.write for film in films])

    def path(self, number: int) -> Path:
        return self.folder / f"{number}.mp4"


Role = Literal["video", "poster"]


def files_of(paths: Sequence[Path], posters: Sequence[Image.Image]) -> list[MadeFile]:
    """The clips, then their posters."""
    made = [
        MadeFile(path, "video/mp4", *poster.size, role="video") for path, poster in zip(paths, posters, strict=True)
    ]
    for path, poster in zip(paths, posters, strict=True):
        still = path.with_suffix(".jpg")
        poster.convert("RGB").save(still, "JPEG", quality=POSTER_QUALITY)
        made.append(MadeFile(still, "image/jpeg", *poster.size, role="poster"))
    return made


def reel_of(job: Run) -> "Reel":
    """The clip that a job was given."""
    from brushwork.engines.tools.video import Reel

    return Reel(BytesIO(job.data[0]))


def filmed(paths: Sequence[Path], results: Sequence[RowResult], *, extensions: int, **told: Any) -> Outcome:
    """The outcome of a job whose clips lie in these files."""
    posters = [result.image for result in results]
    applied: dict[str, str] = dict(told.get("applied", {}))
    degraded = list(told.get("degraded", ()))
    for result in results:
        applied |= result.applied
        degraded += result.degraded
    return Outcome(
        files=files_of(paths, posters),
        applied=applied,
        degraded=list(dict.fromkeys(degraded)),
        recipe={"rows": [{**result.recipe, "extensions": extensions} for result in results]},
    )
