"""The tasks with the embedded painter, at small sizes: exact canvases, kept bytes, and pictures that differ."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import NullSink, Place, Row, RowResult
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome
from brushwork.tasks.canvas import fill, inside, lay, outpaint_layout, pan_layout
from brushwork.tasks.sources import Given, Parent
from tests.tasks.running import pixels, run

TEXT = "a lighthouse by the sea at sunset"
SIZE = (168, 112)
AREA = {"width": 500, "height": 500, "points": [150, 100, 420, 100, 300, 450]}


@pytest.fixture(scope="module")
def engine() -> DioramaEngine:
    return DioramaEngine(workers=1)


@pytest.fixture(scope="module")
def source(engine: DioramaEngine) -> RowResult:
    return engine.run([Row(index=0, seed=11, text=TEXT, width=SIZE[0], height=SIZE[1], model="7")], NullSink())[0]


def done(engine: DioramaEngine, source: RowResult, name: str, **more: Any) -> Outcome:
    task = TASKS[name].model_validate({**TASKS[name].example, "jobId": "a", "imageNo": 0, **more})
    parent = Parent("a", 0, "diffusion", {"text": TEXT}, 11, TEXT)
    given = [Given("0", *SIZE, recipe=source.recipe, parent=parent)]
    if name == "upload-paint":
        given = [Given("0", *SIZE)]
    return run(task, [source.image], engine=engine, given=given, seed=5)


@pytest.mark.parametrize(("direction", "scale"), [(0, 1.5), (1, 2.0), (2, 1.25), (3, 1.1)])
def test_a_pan_keeps_the_source(engine: DioramaEngine, source: RowResult, direction: int, scale: float) -> None:
    canvas, place = pan_layout(SIZE, direction=direction, scale=scale)

    outcome = done(engine, source, "pan", direction=direction, scale=scale)

    check_kept(outcome, source.image, canvas, inside(place, canvas), place.left, place.top)


def test_an_outpaint_keeps_the_source(engine: DioramaEngine, source: RowResult) -> None:
    canvas, place = outpaint_layout(SIZE, scale=1.5)

    outcome = done(engine, source, "outpaint", scale=1.5)

    check_kept(outcome, source.image, canvas, inside(place, canvas), place.left, place.top)


@pytest.mark.parametrize("name", ["edit", "upload-paint"])
def test_a_canvas_keeps_what_the_mask_leaves(engine: DioramaEngine, source: RowResult, name: str) -> None:
    canvas = {"width": 201, "height": 150}
    position = {"width": SIZE[0], "height": SIZE[1], "x": 21, "y": -13}

    outcome = done(engine, source, name, canvas=canvas, imgPos=position, mask={"areas": [AREA]}, remixPrompt=TEXT)

    place = lay(source.image, (201, 150), Place(21, -13, *SIZE)).place
    kept = inside(place, (201, 150)) & ~fill(AREA["points"], (500, 500), (201, 150), place)  # type: ignore[arg-type]  # JSON
    check_kept(outcome, source.image, (201, 150), kept, 21, -13)


def test_an_inpaint_keeps_what_the_mask_leaves(engine: DioramaEngine, source: RowResult) -> None:
    outcome = done(engine, source, "inpaint", mask={"areas": [AREA]}, remixPrompt="a red boat")

    place = Place(0, 0, *SIZE)
    kept = ~fill(AREA["points"], (500, 500), SIZE, place)  # type: ignore[arg-type]  # JSON
    check_kept(outcome, source.image, SIZE, kept, 0, 0)


def check_kept(outcome: Outcome, source: Image.Image, size: tuple[int, int], kept: Any, left: int, top: int) -> None:
    """Four pictures of this size, which have the source's bytes where it is kept and something new elsewhere."""
    on_canvas = Image.new("RGB", size)
    on_canvas.paste(source, (left, top))
    assert 0 < kept.sum() < kept.size
    assert [image.size for image in outcome.images] == [size] * 4
    for image in outcome.images:
        assert (pixels(image)[kept] == pixels(on_canvas)[kept]).all()
        assert pixels(image)[~kept].std() > 5
    assert len({image.tobytes() for image in outcome.images}) == 4


def test_a_subtle_variation_is_nearer_to_its_source_than_a_strong_one(engine: DioramaEngine, source: RowResult) -> None:
    subtle, strong = (done(engine, source, "variation", type=kind).images for kind in (0, 1))

    assert [image.size for image in (*subtle, *strong)] == [SIZE] * 8
    assert len({image.tobytes() for image in (*subtle, *strong)}) == 8
    assert distance(subtle, source.image) < distance(strong, source.image)


def distance(images: Any, source: Image.Image) -> float:
    return float(np.mean([np.abs(pixels(image).astype(int) - pixels(source)).mean() for image in images]))
