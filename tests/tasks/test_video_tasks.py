"""The video tasks as values: what they cost, which sizes they have, what they refuse and what they ask an engine."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import NullSink, Op, Row, RowCancelled
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.motion.still import still_frames
from brushwork.engines.noop import NoopEngine
from brushwork.engines.tools.toolbox import Toolbox
from brushwork.engines.tools.video import Film, Reel
from brushwork.errors import InvalidField, PromptGrammarError
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome, Run, Task
from brushwork.tasks.filming import clip_size, fitted
from brushwork.tasks.sources import FromJob, FromUrl, Given, Parent
from brushwork.tasks.video_upscale import SIDE_BY_SIDE
from tests.tasks.running import given_from, noise, parent, png


def task_of(name: str, **fields: Any) -> Task:
    task = TASKS[name].model_validate(fields)
    task.check()
    return task


class Asked(NoopEngine):
    """Remembers its rows, and makes short clips."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []

    def run(self, rows: Any, sink: Any) -> Any:
        self.rows += rows
        return super().run(rows, sink)


def made(task: Task, given: list[Given], data: list[bytes], folder: Path) -> tuple[Outcome, list[Row]]:
    engine = Asked()
    outcome = task.run(Run(engine, 7, NullSink(), given=given, data=data, scratch=folder))
    return outcome, engine.rows


def clip(folder: Path, *, count: int = 12, size: tuple[int, int] = (64, 48)) -> bytes:
    with Film(folder / "given.mp4", width=size[0], height=size[1], fps=24) as film:
        for number in range(count):
            film.write(np.full((size[1], size[0], 3), 40 + 10 * number, np.uint8))
    return (folder / "given.mp4").read_bytes()


@pytest.mark.parametrize(
    ("fields", "points"),
    [
        ({"prompt": "a fox"}, 480),
        ({"prompt": "a fox --bs 2"}, 240),
        ({"prompt": "a fox --bs 1"}, 120),
        ({"prompt": "a fox --turbo"}, 960),
        ({"prompt": "a fox", "videoType": 1}, 1536),
        ({"prompt": "a fox --bs 1 --turbo", "videoType": 1}, 768),
    ],
)
def test_the_price_is_that_of_the_table_by_size_and_number(fields: dict[str, Any], points: int) -> None:
    assert task_of("video-diffusion", **fields).price() == points


def test_an_extension_costs_what_its_size_does_and_an_upscale_always_the_same() -> None:
    extend, upscale = (task_of(name, jobId="a", videoNo=0) for name in ("extend-video", "video-upscale"))
    small, large = (
        [Given("0", *size, parent=parent("a fox", task="video-diffusion"))] for size in ((854, 480), (720, 1280))
    )
    turbo = [Given("0", 854, 480, parent=parent("a fox --turbo", task="video-diffusion"))]

    assert [extend.settled(given).price() for given in (small, large, turbo)] == [480, 1536, 960]
    assert [upscale.settled(given).price() for given in (small, large, turbo)] == [480, 480, 960]


@pytest.mark.parametrize(
    ("shape", "short", "size"),
    [
        ((1024, 1024), 480, (480, 480)),
        ((16, 9), 480, (854, 480)),
        ((16, 9), 720, (1280, 720)),
        ((682, 1024), 480, (480, 720)),
        ((8, 8), 720, (720, 720)),
        ((14, 1), 480, (1920, 138)),
    ],
)
def test_the_shorter_side_is_as_promised_and_both_are_even(
    shape: tuple[int, int], short: int, size: tuple[int, int]
) -> None:
    assert clip_size(*shape, short=short) == size


def test_a_picture_of_another_shape_is_cut_and_what_is_transparent_is_white() -> None:
    assert fitted(noise(100, 40), (32, 32)).size == (32, 32)
    assert fitted(Image.new("RGBA", (8, 8)), (4, 4)).getpixel((0, 0)) == (255, 255, 255)


def test_what_it_starts_from_and_ends_on_is_wanted_in_this_order() -> None:
    end = "https://e.com/end.png"
    words = task_of("video-diffusion", prompt=f"https://e.com/a.png a fox --end {end}")
    job = task_of("video-diffusion", jobId="a", imageNo=2, prompt=f"--end {end}")

    assert words.wanted() == [FromUrl("https://e.com/a.png", "prompt"), FromUrl(end, "prompt")]
    assert job.wanted() == [FromJob("a", 2), FromUrl(end, "prompt")]
    assert task_of("video-diffusion", text="a fox").wanted() == []


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("video-diffusion", {}),
        ("video-diffusion", {"jobId": "a"}),
        ("video-diffusion", {"jobId": "a", "imageNo": 0, "prompt": "https://e.com/a.png a fox"}),
        ("extend-video", {"jobId": "a", "videoNo": 0, "prompt": "https://e.com/a.png a fox"}),
    ],
)
def test_what_contradicts_itself_is_refused(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        task_of(name, **fields)


def test_a_clip_cannot_both_loop_and_end_elsewhere() -> None:
    with pytest.raises(PromptGrammarError, match="--end"):
        task_of("video-diffusion", prompt="a fox --loop --end https://e.com/a.png")


def test_a_picture_is_animated_with_its_recipe_and_its_words(tmp_path: Path) -> None:
    image = noise(90, 60)
    task = task_of("video-diffusion", jobId="a", imageNo=0, prompt="--motion high --bs 2 --raw")

    outcome, rows = made(task, [given_from(image, parent("a fox --ar 3:2"))], [png(image)], tmp_path)

    assert [row.op for row in rows] == [Op.ANIMATE] * 2
    assert {(row.text, row.width, row.height, row.model) for row in rows} == {("a fox", 720, 480, "video")}
    assert rows[0].clip is not None
    assert rows[0].source is not None
    assert (rows[0].clip.motion, rows[0].clip.frames, rows[0].clip.fps) == ("high", 120, 24)
    assert (rows[0].source.image.size, rows[0].source.recipe) == ((720, 480), {"row": 0})
    assert [(file.role, file.content_type) for file in outcome.files] == [
        ("video", "video/mp4"), ("video", "video/mp4"), ("poster", "image/jpeg"), ("poster", "image/jpeg")
    ]  # fmt: skip
    assert Reel(outcome.files[0].path).count == 120


def test_words_alone_are_drawn_first(tmp_path: Path) -> None:
    outcome, rows = made(task_of("video-diffusion", prompt="a fox --ar 2:1 --bs 1"), [], [], tmp_path)

    assert [row.op for row in rows] == [Op.TEXT_TO_IMAGE, Op.ANIMATE]
    assert (rows[0].width, rows[0].height, rows[0].model) == (960, 480, "7")
    assert outcome.applied["ar"] == "native"


def test_a_cancelled_enlargement_of_a_clip_ends_within_a_frame(tmp_path: Path) -> None:
    class Counted(NoopEngine):
        """Counts the tiles that are enlarged."""

        name = "counted"
        margin = 8
        factors = (2,)
        tiles = 0

        def __call__(self, window: Any, factor: int, *, ask: Any = None) -> Any:
            self.tiles += 1
            return window.repeat(factor, 0).repeat(factor, 1)

        @property
        def tools(self) -> Toolbox:
            return Toolbox(enlarger=self)

    class Impatient(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            if engine.tiles >= 3:
                raise RowCancelled

    engine = Counted()
    data = clip(tmp_path, size=(1280, 720))
    task = task_of("video-upscale", jobId="a", videoNo=0)
    given = [Given("0", 1280, 720, recipe={}, parent=parent(task="video-diffusion"))]

    with pytest.raises(RowCancelled):
        task.run(Run(engine, 7, Impatient(), given=given, data=[data], scratch=tmp_path))

    assert engine.tiles <= 3 + SIDE_BY_SIDE  # of the 15 of each frame


def test_an_extension_holds_all_that_was_there_and_counts(tmp_path: Path) -> None:
    data = clip(tmp_path)
    given = [Given("0", 64, 48, recipe={"extensions": 1}, parent=parent("a fox", task="extend-video"))]

    outcome, rows = made(task_of("extend-video", jobId="a", videoNo=0, prompt="--bs 1"), given, [data], tmp_path)

    assert Reel(outcome.files[0].path).count == 12 + 96
    assert [(row.op, row.text) for row in rows] == [(Op.EXTEND, "a fox")]
    assert rows[0].clip is not None
    assert rows[0].clip.before is not None
    assert outcome.recipe["rows"][0]["extensions"] == 2


def test_a_clip_that_was_extended_four_times_is_not_extended_again() -> None:
    def after(times: int) -> Parent:
        return parent("a fox", task="extend-video", given=(Given("", recipe={"extensions": times - 1}),))

    extend = TASKS["extend-video"]

    assert extend.refusal(after(3)) is None
    assert "21 seconds" in (extend.refusal(after(4)) or "")
    assert extend.refusal(parent("a fox", task="video-diffusion")) is None
    assert extend.refusal(parent("a fox", task="video-upscale")) is not None
    assert TASKS["video-upscale"].refusal(parent("a fox", task="video-upscale")) is not None


def test_an_upscale_has_twice_the_sides_and_the_same_frames(tmp_path: Path) -> None:
    given = [Given("0", 64, 48, recipe={"extensions": 2}, parent=parent("a fox", task="extend-video"))]

    outcome, rows = made(task_of("video-upscale", jobId="a", videoNo=0), given, [clip(tmp_path)], tmp_path)

    reel = Reel(outcome.files[0].path)
    assert (reel.width, reel.height, reel.count, reel.fps) == (128, 96, 12, 24)
    assert rows == []
    for number, frame in enumerate(reel.frames()):
        assert abs(float(frame.mean()) - (40 + 10 * number)) < 3
    assert outcome.recipe["rows"][0]["extensions"] == 2


def test_the_prompt_of_a_follower_is_the_sources_words_and_lane() -> None:
    given = [Given("0", 64, 48, parent=parent("a fox --turbo --chaos 20"))]
    animate = task_of("video-diffusion", jobId="a", imageNo=0, prompt="--motion high")

    assert animate.shown_prompt(given) == "a fox --turbo"
    assert animate.settled(given).speed == "turbo"


def test_an_upscale_flickers_no_more_than_its_source(tmp_path: Path) -> None:
    (village,) = DioramaEngine(workers=1).run([Row(0, 7, "a village street", 192, 128, model="7")], NullSink())
    with Film(tmp_path / "given.mp4", width=192, height=128, fps=24) as film:
        for frame in still_frames(np.asarray(village.image), seconds=0.75, motion="high"):
            film.write(frame)
    given = [Given("0", 192, 128, parent=parent("a fox", task="video-diffusion"))]
    data = (tmp_path / "given.mp4").read_bytes()

    outcome, _ = made(task_of("video-upscale", jobId="a", videoNo=0), given, [data], tmp_path)

    before, after = (restlessness(Reel(path)) for path in (tmp_path / "given.mp4", outcome.files[0].path))
    assert after <= before


def restlessness(reel: Reel) -> float:
    """How far frames are from the middle of their neighbours: what moves evenly is not restless."""
    frames = np.stack([np.asarray(frame, np.float32) for frame in reel.frames()])
    return float(np.abs(frames[2:] - 2 * frames[1:-1] + frames[:-2]).mean())
