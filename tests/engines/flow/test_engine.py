"""The learned painter keeps the promises of an engine. Drawn with a tiny network that was trained for two minutes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from brushwork.engines.base import NullSink, Op, Place, Reference, Row, RowCancelled, Source
from brushwork.engines.flow.engine import FlowEngine
from brushwork.errors import Unavailable

MODEL = Path(__file__).parent / "model"
ROW = Row(index=0, seed=7, text="a lake at sunset", width=96, height=96)


class Notes:
    """A sink that writes everything down, and wants no more of some rows after a number of steps."""

    def __init__(self, *, unwanted: int | None = None, after: int = 0) -> None:
        self.unwanted, self.after = unwanted, after
        self.steps: list[tuple[int, int, int]] = []
        self.previews: list[Image.Image] = []

    def step(self, row: Row, done: int, total: int) -> None:
        self.steps.append((row.index, done, total))
        if row.index == self.unwanted and done >= self.after:
            raise RowCancelled

    def preview(self, row: Row, image: Image.Image) -> None:
        self.previews.append(image)

    def stage(self, name: str) -> None: ...


@pytest.fixture(scope="module")
def engine() -> FlowEngine:
    return FlowEngine(MODEL, threads=1, draft=0)


@pytest.fixture(scope="module")
def drafting() -> FlowEngine:
    return FlowEngine(MODEL, threads=1, draft=0.5)


def pixels(engine: FlowEngine, *rows: Row) -> list[np.ndarray]:
    return [np.asarray(result.image, np.float32) for result in engine.run(rows, NullSink())]


def picture() -> Image.Image:
    """Something with a sky, a ground and a thing on it."""
    image = Image.new("RGB", (96, 96), (120, 170, 230))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 56, 96, 96), fill=(70, 120, 60))
    draw.ellipse((34, 36, 62, 66), fill=(200, 60, 50))
    return image


VARY = replace(ROW, op=Op.VARY, source=Source(picture()), strength=0.5)


def test_same_row_same_bytes_in_another_engine_too(engine: FlowEngine) -> None:
    (first,) = pixels(engine, ROW)

    (again,) = pixels(FlowEngine(MODEL, threads=1, draft=0), ROW)

    assert (first == again).all()


def test_a_picture_does_not_depend_on_what_is_drawn_beside_it(engine: FlowEngine) -> None:
    others = [replace(ROW, index=index, text="a snowy forest", seed=3) for index in (1, 2)]
    (alone,) = pixels(engine, ROW)

    _, beside, _ = pixels(engine, others[0], ROW, others[1])

    assert (alone == beside).all()


def test_seed_and_place_in_the_grid_both_make_another_picture(engine: FlowEngine) -> None:
    first, other_seed, other_place = pixels(engine, ROW, replace(ROW, seed=8), replace(ROW, index=1))

    assert np.abs(first - other_seed).mean() > 2
    assert np.abs(first - other_place).mean() > 2
    assert np.abs(other_seed - other_place).mean() > 2


def test_words_weights_and_what_must_not_be_seen_change_the_picture(engine: FlowEngine) -> None:
    two = (("a lake at sunset", 1.0), ("snow", 1.0))
    plain, worded, both, heavier, without = pixels(
        engine,
        ROW,
        replace(ROW, text="a snowy forest at night"),
        replace(ROW, segments=two),
        replace(ROW, segments=(two[0], ("snow", 3.0))),
        replace(ROW, negative=("clouds",)),
    )

    assert min(np.abs(plain - other).mean() for other in (worded, both, without)) > 0.2
    assert np.abs(both - heavier).mean() > 0.1


def test_each_step_is_reported_and_early_views_are_shown(engine: FlowEngine) -> None:
    notes = Notes()

    engine.run([ROW, replace(ROW, index=1)], notes)

    (can,) = {each.passes for each in engine.capabilities()["7"]}
    assert can == engine.facts.steps + 1
    of_first = [done for index, done, total in notes.steps if index == 0 and total == can]
    assert sorted(set(of_first)) == list(range(1, can + 1))
    assert of_first == sorted(of_first)
    assert notes.steps[:4] == [(0, 1, can), (1, 1, can), (0, 2, can), (1, 2, can)]
    assert len(notes.previews) >= 6
    assert {view.size for view in notes.previews} == {(64, 64)}


@pytest.mark.parametrize("after", [1, 7, 21])
def test_a_cancelled_row_is_dropped_at_once_and_the_others_go_on(engine: FlowEngine, after: int) -> None:
    rows = [replace(ROW, index=index) for index in range(3)]
    notes = Notes(unwanted=1, after=after)

    results = engine.run(rows, notes)

    assert [result.index for result in results] == [0, 2]
    assert max(done for index, done, _ in notes.steps if index == 1) == after
    assert (np.asarray(results[1].image) == pixels(engine, rows[2])[0]).all()


def test_stopping_early_takes_fewer_steps_and_leaves_a_softer_picture(engine: FlowEngine) -> None:
    whole, notes = engine.run([ROW], NullSink())[0], Notes()

    (stopped,) = engine.run([replace(ROW, params={"stop": 20})], notes)

    assert stopped.recipe["steps"] == 4
    assert notes.steps[-1] == (0, 5, 5)
    assert roughness(stopped.image) < roughness(whole.image)


def roughness(image: Image.Image) -> float:
    return float(np.abs(np.diff(np.asarray(image, np.float32), axis=1)).mean())


def test_quality_and_draft_change_the_number_of_steps(engine: FlowEngine) -> None:
    rows = [replace(ROW, params=params) for params in ({}, {"quality": 2}, {"draft": True}, {"quality": 0.25})]

    steps = [result.recipe["steps"] for result in engine.run(rows, NullSink())]

    assert steps == [20, 40, 10, 5]
    assert [engine.cost(row).passes for row in rows] == [21, 41, 11, 6]


def test_stylize_is_how_strongly_the_words_are_followed(engine: FlowEngine) -> None:
    rows = [replace(ROW, params={"stylize": value}) for value in (0, 100, 1000)]

    results = engine.run(rows, NullSink())

    assert [result.recipe["guidance"] for result in results] == [1.5, 3.0, 6.0]
    low, usual, high = (np.asarray(result.image, np.float32) for result in results)
    assert np.abs(high - low).mean() > np.abs(usual - low).mean() > 0.1


@pytest.mark.parametrize(("width", "height"), [(96, 96), (160, 90), (90, 160), (300, 100), (257, 129)])
def test_a_picture_has_exactly_the_size_that_was_asked_for(engine: FlowEngine, width: int, height: int) -> None:
    (result,) = engine.run([replace(ROW, width=width, height=height, params={"draft": True})], NullSink())

    assert result.image.size == (width, height)
    assert result.image.mode == "RGB"
    wide, tall = result.recipe["drawn"]
    assert (wide > tall) == (width > height)


def test_a_variation_lies_the_farther_from_its_source_the_stronger_it_is(engine: FlowEngine) -> None:
    source = np.asarray(picture(), np.float32)

    varied = pixels(engine, *(replace(VARY, strength=strength) for strength in (0.0, 0.05, 0.2, 0.5, 1.0)))

    far = [float(np.abs(each - source).mean()) for each in varied]
    assert far == sorted(far)
    assert far[0] < 12
    assert far[-1] > 2 * far[0]


def test_what_is_not_repainted_stays_near_and_what_is_repainted_does_not(engine: FlowEngine) -> None:
    mask = Image.new("L", (96, 96))
    mask.paste(255, (48, 0, 96, 96))
    row = replace(ROW, op=Op.INPAINT, source=Source(picture()), mask=mask)

    (painted,) = pixels(engine, row)

    far = np.abs(painted - np.asarray(picture(), np.float32)).mean(2)
    assert far[:, :40].mean() < 8
    assert far[:, 52:].mean() > 2 * far[:, :40].mean()


def test_a_picture_is_gone_on_from_where_it_lies(engine: FlowEngine) -> None:
    mask = Image.new("L", (192, 96), 255)
    mask.paste(0, (0, 0, 96, 96))
    row = replace(ROW, op=Op.INPAINT, width=192, source=Source(picture()), place=Place(0, 0, 96, 96), mask=mask)

    (painted,) = pixels(engine, row)

    assert painted.shape == (96, 192, 3)
    (unrelated,) = pixels(engine, replace(ROW, width=192))
    near, far = (np.abs(each[:, :80] - np.asarray(picture())[:, :80]).mean() for each in (painted, unrelated))
    assert near < far / 2
    assert painted[:, 100:].std() > 2


def test_a_draft_of_the_embedded_painter_is_taken_over(engine: FlowEngine, drafting: FlowEngine) -> None:
    (result,) = drafting.run([ROW], NullSink())

    draft = drafting.painter.run([replace(ROW, width=128, height=128)], NullSink())[0].image
    near = np.asarray(draft.resize((96, 96)), np.float32)
    (pure,) = pixels(engine, ROW)
    assert np.abs(np.asarray(result.image, np.float32) - near).mean() < np.abs(pure - near).mean()
    assert result.recipe["from_level"] == 0.5
    assert result.recipe["steps"] < engine.facts.steps
    assert result.recipe["draft"]


def test_what_is_not_honoured_is_said(engine: FlowEngine, drafting: FlowEngine) -> None:
    asked = replace(
        ROW,
        text="a lake near the bureaucracy",
        params={"stylize": 300, "chaos": 20, "tile": True, "fast": True},
        references=(Reference("style", Source(picture())),),
        negative=("fog",),
    )

    (pure,) = engine.run([asked], NullSink())
    (drafted,) = drafting.run([asked], NullSink())

    assert pure.applied == {"stylize": "native", "no": "native"}
    assert {"parameter:chaos", "parameter:tile", "parameter:sref", "word:bureaucracy"} <= set(pure.degraded)
    assert "word:lake" not in pure.degraded
    assert drafted.applied == {"stylize": "native", "no": "native", "chaos": "emulated"}
    assert {"parameter:tile", "parameter:sref"} <= set(drafted.degraded)
    assert "parameter:chaos" not in drafted.degraded


def test_what_it_cannot_do_it_does_not_claim_and_refuses(engine: FlowEngine) -> None:
    claimed = {can.op for can in engine.capabilities()["7"]}

    assert claimed == {Op.TEXT_TO_IMAGE, Op.VARY, Op.INPAINT}
    with pytest.raises(Unavailable, match="upscale"):
        engine.run([replace(VARY, op=Op.UPSCALE)], NullSink())


def test_words_weigh_what_the_picture_loses_without_them(engine: FlowEngine) -> None:
    weights = engine.word_weights(["snowy", "mountains", "at", "night"])

    assert len(weights) == 4
    assert max(weights) == 1
    assert min(weights) >= 0
    assert engine.word_weights([]) == []


def test_a_folder_without_weights_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"text\.onnx"):
        FlowEngine(tmp_path).warm()


def test_weights_of_another_format_are_refused(tmp_path: Path) -> None:
    for file in MODEL.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    said = (MODEL / "model.json").read_text()
    (tmp_path / "model.json").write_text(said.replace('"format": 1', '"format": 2'))

    with pytest.raises(Unavailable, match="format 2"):
        FlowEngine(tmp_path).warm()
