"""The painter behind the engine interface: passes, previews, cancelling, what was honoured, same bytes."""

import hashlib
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import CLIP_OPS, PICTURE_OPS, NullSink, Op, Row, RowCancelled, RowResult
from brushwork.engines.diorama.engine import PASSES, DioramaEngine, as_image, paint
from brushwork.engines.diorama.noise import draw_textures
from brushwork.engines.diorama.recipe import scene_of

ROOT = Path(__file__).parents[3]

SIZE = 128


class Watcher:
    """A sink that remembers, and cancels a row at a given step."""

    def __init__(self, *, cancel: int | None = None, at: int = 3) -> None:
        self.steps: dict[int, list[int]] = {}
        self.previews: dict[int, tuple[int, int]] = {}
        self.stages: list[str] = []
        self.cancel, self.at, self.lock = cancel, at, threading.Lock()

    def step(self, row: Row, done: int, total: int) -> None:
        assert total == PASSES
        with self.lock:
            self.steps.setdefault(row.index, []).append(done)
        if row.index == self.cancel and done >= self.at:
            raise RowCancelled

    def preview(self, row: Row, image: Image.Image) -> None:
        with self.lock:
            assert row.index not in self.steps, "the preview comes before any step"
            self.previews[row.index] = image.size

    def stage(self, name: str) -> None:
        self.stages.append(name)


def row(text: str, *, index: int = 0, seed: int = 7, size: tuple[int, int] = (SIZE, SIZE), **changes: Any) -> Row:
    return Row(index, seed, text, *size, model=changes.pop("model", "7"), **changes)


def drawn(text: str, **changes: Any) -> RowResult:
    (result,) = DioramaEngine().run([row(text, **changes)], NullSink())
    return result


def pixels(text: str, **changes: Any) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    return np.asarray(np.asarray(drawn(text, **changes).image, np.float32) / 255, np.float32)


def saturation(picture: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
    return float((picture.max(2) - picture.min(2)).mean())


def sharpness(picture: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]") -> float:
    return float(np.abs(np.diff(picture, axis=0)).mean() + np.abs(np.diff(picture, axis=1)).mean())


def difference(a: Any, b: Any) -> float:
    return float(np.abs(a - b).mean())


def test_a_grid_is_four_different_pictures_with_previews_and_growing_progress() -> None:
    watcher = Watcher()

    results = DioramaEngine(workers=2).run([row("a fox in a meadow", index=i) for i in range(4)], watcher)

    assert [result.index for result in results] == [0, 1, 2, 3]
    assert len({result.image.tobytes() for result in results}) == 4
    assert all(result.image.size == (SIZE, SIZE) and result.image.mode == "RGB" for result in results)
    assert set(watcher.previews) == {0, 1, 2, 3}
    for steps in watcher.steps.values():
        assert steps == sorted(steps)
        assert steps[0] == 1
        assert steps[-1] == PASSES
        assert len(set(steps)) >= 5
    assert watcher.stages == ["drawing"]


@pytest.mark.parametrize("at", [1, 3, PASSES - 1])
def test_a_cancelled_row_is_left_out_and_the_others_go_on(at: int) -> None:
    watcher = Watcher(cancel=1, at=at)

    results = DioramaEngine(workers=2).run([row("a fox in a meadow", index=i) for i in range(3)], watcher)

    assert [result.index for result in results] == [0, 2]
    assert max(watcher.steps[1]) <= at + 1


def test_the_same_rows_give_the_same_bytes_alone_or_together() -> None:
    rows = [row("three red balloons over a lake, watercolor", index=i) for i in range(3)]

    together = DioramaEngine(workers=2).run(rows, NullSink())

    for one, result in zip(rows, together, strict=True):
        (alone,) = DioramaEngine(workers=1).run([one], NullSink())
        assert alone.image.tobytes() == result.image.tobytes()


def test_another_process_paints_the_same_bytes() -> None:
    script = (
        "import hashlib; from tests.engines.diorama.test_engine import drawn;"
        "print(hashlib.sha256(drawn('a wizard next to a castle, oil painting').image.tobytes()).hexdigest())"
    )

    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()

    assert other == hashlib.sha256(drawn("a wizard next to a castle, oil painting").image.tobytes()).hexdigest()


def test_the_recipe_paints_the_same_bytes() -> None:
    result = drawn("two blue cats in a forest, anime", params={"exp": 40})

    again = paint(scene_of(result.recipe), SIZE, SIZE, exp=result.recipe["exp"])

    assert as_image(again).tobytes() == result.image.tobytes()


@pytest.mark.parametrize("size", [(192, 64), (64, 192), (96, 144)])
def test_any_shape_is_painted(size: tuple[int, int]) -> None:
    assert drawn("a sailboat at sunset", size=size).image.size == size


def test_what_was_not_understood_or_supported_is_told() -> None:
    result = drawn(
        "a fox quaffing in a meadow",
        params={"sref": ("x",), "iw": 2, "chaos": 10, "turbo": True},
        negative=("glorp", "trees"),
    )

    assert set(result.degraded) == {"parameter:sref", "parameter:iw", "word:quaffing", "negative:glorp"}
    assert result.applied == {"chaos": "native", "no": "native"}


def test_capabilities_promise_what_the_other_tests_show() -> None:
    capabilities = dict(DioramaEngine().capabilities())

    assert set(capabilities) == {"6", "6.1", "7", "8", "8.1", "niji 6", "video"}
    assert {can.op for can in capabilities.pop("video")} == CLIP_OPS
    for offered in capabilities.values():
        assert {can.op for can in offered} == PICTURE_OPS
        assert all(can.preview and can.step_cancel and can.max_side == 4096 for can in offered)
        new = next(can for can in offered if can.op is Op.TEXT_TO_IMAGE)
        assert new.negative == "native"
        assert {"chaos", "stylize", "weird", "stop", "quality", "tile", "exp", "raw"} <= new.params
        assert {"sref", "sw", "cref", "oref", "iw"} <= new.params
        assert "p" not in new.params


def test_cost_grows_with_pixels_and_quality() -> None:
    engine = DioramaEngine()
    small, large = engine.cost(row("x", size=(512, 512))), engine.cost(row("x", size=(2048, 2048)))

    assert small.seconds < large.seconds
    assert large.bytes < 800e6
    assert engine.cost(row("x", params={"quality": 4})).seconds > engine.cost(row("x")).seconds


def test_as_many_rows_are_drawn_at_once_as_memory_allows() -> None:
    engine = DioramaEngine(workers=4)

    at_once = [engine.side_by_side([row("x", index=i, size=(side, side)) for i in range(4)]) for side in (512, 2048)]

    assert at_once == [4, 1]
    assert engine.side_by_side([row("x", size=(512, 512))]) == 1


# ---------------------------------------------------------------- every parameter does what it promises


def test_seed_changes_the_picture() -> None:
    assert difference(pixels("a meadow", seed=1), pixels("a meadow", seed=2)) > 0.02


def test_stylize_makes_colours_richer() -> None:
    low, high = (pixels("a fox in a meadow", params={"stylize": value}) for value in (0, 1000))

    assert saturation(high) > saturation(low) * 1.1


def test_weird_leaves_the_usual_colours_the_farther_the_weirder() -> None:
    plain = pixels("a meadow", params={"weird": 0})

    assert (
        difference(plain, pixels("a meadow", params={"weird": 3000}))
        > difference(plain, pixels("a meadow", params={"weird": 300}))
        > 0.005
    )


def test_stop_leaves_the_picture_softer() -> None:
    early, half, done = (sharpness(pixels("a fox in a meadow", params={"stop": value})) for value in (10, 50, 100))

    assert early < half < done


def test_quality_adds_fine_detail() -> None:
    low, high = (pixels("a meadow", size=(256, 256), params={"quality": value}) for value in (0.25, 4))

    assert difference(low, high) > 0.002
    assert sharpness(high) >= sharpness(low)


@pytest.mark.parametrize("text", ["mushrooms", "a mountain lake", "waves, ukiyo-e", "roses, watercolor"])
def test_a_tile_repeats_without_a_seam(text: str) -> None:
    tile = pixels(text, params={"tile": True}, size=(192, 192))

    for picture in (tile, tile.transpose(1, 0, 2)):
        seam = np.abs(picture[0] - picture[-1]).mean()
        inside = np.abs(np.diff(picture, axis=0)).mean(axis=(1, 2))
        assert seam < max(2.0 * inside.mean(), 0.02)


def test_no_removes_what_the_place_brings() -> None:
    def green_blobs(picture: Any) -> float:
        return sharpness(picture[: SIZE // 2])

    full, bare = pixels("a forest"), pixels("a forest", negative=("trees",))

    assert green_blobs(bare) < green_blobs(full)


def test_no_removes_a_subject() -> None:
    assert drawn("a cat and a dog", negative=("dog",)).recipe["scene"]["subjects"][0]["concept"] == "cat"


def test_chaos_spreads_the_grid() -> None:
    def spread(chaos: int) -> float:
        rows = [row("a horse", index=i, params={"chaos": chaos}, size=(64, 64)) for i in range(6)]
        pictures = [np.asarray(result.image, np.float32) / 255 for result in DioramaEngine().run(rows, NullSink())]
        return float(np.std(pictures, axis=0).mean())

    assert spread(100) > spread(0) > 0.01


def test_exp_adds_contrast_and_colour() -> None:
    low, high = (pixels("a fox in a meadow", params={"exp": value}) for value in (0, 100))

    assert high.std() > low.std()
    assert saturation(high) > saturation(low)


def test_niji_is_anime_unless_the_words_name_a_style() -> None:
    assert drawn("a fox", model="niji 6").recipe["scene"]["style"] == "anime"
    assert drawn("a fox, oil painting", model="niji 6").recipe["scene"]["style"] == "oil"
    assert difference(pixels("a fox", model="niji 6"), pixels("a fox")) > 0.02


def test_raw_leaves_out_defaults_of_style() -> None:
    raw, styled = (pixels("a fox in a meadow", params={"raw": flag, "stylize": 600}) for flag in (True, None))

    assert saturation(raw) < saturation(styled)


def test_a_draft_has_less_detail() -> None:
    assert (
        difference(pixels("a meadow", params={"draft": True}, size=(256, 256)), pixels("a meadow", size=(256, 256)))
        > 0.001
    )


def test_weights_shift_the_picture() -> None:
    def boat(weight: float) -> float:
        result = drawn("sea sailboat", segments=(("sea", 1.0), ("sailboat", weight)))
        (subject,) = result.recipe["scene"]["subjects"]
        return float(subject["height"] / subject["z"])

    assert boat(0.2) < boat(1.0)


def test_large_pictures_side_by_side_need_less_than_seven_hundred_megabytes() -> None:
    script = (
        "from brushwork.engines.base import NullSink, Row; from tests.peak import peak_bytes;"
        "from brushwork.engines.diorama.engine import DioramaEngine;"
        "rows = [Row(i, 7, 'a fox in a forest, oil painting', 1024, 1024) for i in range(2)];"
        "DioramaEngine(workers=2).run(rows, NullSink());"
        "print(peak_bytes())"
    )

    command = [sys.executable, "-c", script]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout

    assert 100 * 2**20 < int(out) < 700 * 2**20


def test_warming_up_leaves_nothing_to_prepare() -> None:
    DioramaEngine().warm()

    assert not draw_textures()
