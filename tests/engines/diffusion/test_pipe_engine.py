"""A model without a step loop, behind the engine: an operator's folder, drawn by its own pipeline."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import NullSink, Op, Row, RowCancelled, Source
from brushwork.engines.catalog.model import VERSIONS
from brushwork.engines.diffusion.engine import DiffusionEngine
from brushwork.engines.diffusion.options import DiffusionOptions
from tests.engines.diffusion.tiny_sd import save_sd

ROW = Row(index=0, seed=11, text="a red barn", width=64, height=64, model="7", segments=(("a red barn", 1.0),))
PICTURE = Image.new("RGB", (64, 64), (200, 40, 40))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DiffusionEngine]:
    root = tmp_path_factory.mktemp("own")
    catalog = root / "own.toml"
    folder = save_sd(root / "sd")
    lines = [
        "[licences.tests]",
        "permissive = true",
        "[models.own]",
        'title = "Own"',
        'kind = "image"',
        'family = "pipe"',
        'licence = "tests"',
        "side = 64",
        "max_side = 128",
        "steps = [1, 14, 28]",
        "guidance = [1, 5, 9]",
        'negative = "native"',
        'ops = ["text_to_image", "vary", "inpaint"]',
        'params = ["ar", "seed", "no", "quality"]',
        f"checkpoint = {{ folder = {json.dumps(str(folder))} }}",
        "[models.own.profiles]",
        *(f"{json.dumps(version)} = {{ steps = 14, guidance = 5 }}" for version in VERSIONS),
    ]
    catalog.write_text("\n".join(lines))
    built = DiffusionEngine(
        DiffusionOptions(models_dir=root / "models", catalogs=(catalog,), only=("own",), offline=True)
    )
    yield built
    built.close()


def test_a_grid_is_drawn_and_is_the_same_again(engine: DiffusionEngine) -> None:
    rows = [replace(ROW, index=index, negative=("people",), params={"no": "people"}) for index in range(2)]

    first, again = engine.run(rows, NullSink()), engine.run(rows, NullSink())

    assert [result.image.tobytes() for result in first] == [result.image.tobytes() for result in again]
    assert first[0].image.tobytes() != first[1].image.tobytes()
    assert first[0].image.size == (64, 64)
    assert first[0].applied["no"] == "native"
    assert first[0].degraded == ()


def test_what_the_pipeline_cannot_do_is_told_and_not_claimed(engine: DiffusionEngine) -> None:
    [result] = engine.run([replace(ROW, params={"chaos": 50, "tile": True, "stop": 50, "weird": 500})], NullSink())

    lost = {"chaos", "tile", "stop", "weird"}
    assert {f"parameter:{name}" for name in lost} <= set(result.degraded)
    assert not lost & result.applied.keys()


def test_a_variation_and_a_repainting_are_drawn_by_its_relatives(engine: DiffusionEngine) -> None:
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (32, 0, 64, 64))
    source = Source(PICTURE)
    vary = replace(ROW, op=Op.VARY, source=source, strength=0.5)
    paint = replace(ROW, index=1, op=Op.INPAINT, source=source, mask=mask, strength=1.0)

    varied, painted = engine.run([vary, paint], NullSink())

    assert varied.image.size == painted.image.size == (64, 64)
    pixels = np.asarray(painted.image)
    assert (pixels[:, :16] == (200, 40, 40)).all()
    assert (pixels[:, 48:] != (200, 40, 40)).any()


def test_a_variation_of_an_own_picture_is_another_picture(engine: DiffusionEngine) -> None:
    [parent] = engine.run([ROW], NullSink())
    source = Source(parent.image, parent.recipe)

    [varied] = engine.run([replace(ROW, seed=12, op=Op.VARY, source=source, strength=0.3)], NullSink())

    difference = np.abs(np.asarray(varied.image, int) - np.asarray(parent.image, int))
    assert difference.mean() > 0
    assert varied.degraded == ()


def test_a_cancelled_row_is_left_out(engine: DiffusionEngine) -> None:
    class Cancels(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            if row.index == 1 and done == 2:
                raise RowCancelled

    results = engine.run([ROW, replace(ROW, index=1)], Cancels())

    assert [result.index for result in results] == [0]


def test_its_recipe_gives_the_same_picture(engine: DiffusionEngine) -> None:
    [result] = engine.run([ROW], NullSink())

    again = engine.replay(json.loads(json.dumps(result.recipe)), NullSink())

    assert again.image.tobytes() == result.image.tobytes()
