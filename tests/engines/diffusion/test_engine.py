"""The engine on tiny checkpoints: which model draws a row, what is told about it, and the same bytes again."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL.Image import Image

from brushwork.engines.base import (
    PICTURE_OPS,
    NullSink,
    Op,
    Reference,
    Row,
    RowCancelled,
    RowResult,
    Source,
    figures_of,
)
from brushwork.engines.catalog.model import VERSIONS
from brushwork.engines.diffusion.describe import Describer
from brushwork.engines.diffusion.engine import DiffusionEngine
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.peaks import kind_of
from brushwork.engines.diffusion.recipe import pictures_of
from brushwork.engines.tools.describe import describe as describe_plainly
from brushwork.errors import Unavailable
from tests.engines.diffusion.shelf import Watching, half_mask, picture
from tests.engines.diffusion.tiny_catalog import options_for

SINK = NullSink()
SIZE = (128, 128)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DiffusionEngine]:
    torch.set_num_threads(1)
    options = options_for(tmp_path_factory.mktemp("engine"), "sdxl", "zimage-turbo", "flux2")
    engine = DiffusionEngine(replace(options, deterministic=True, batch=8))
    engine.warm()
    yield engine
    engine.close()


def row_of(index: int = 0, **how: Any) -> Row:
    return Row(**{"index": index, "seed": 7, "text": "a red fox", "width": 128, "height": 128, "model": "7", **how})


def played(engine: DiffusionEngine, result: RowResult, **brought: Any) -> RowResult:
    """The picture again, from its recipe as a client would read it."""
    return engine.replay(json.loads(json.dumps(dict(result.recipe))), SINK, **brought)


def test_every_version_of_the_api_is_drawn_by_an_installed_model(engine: DiffusionEngine) -> None:
    can = engine.capabilities()

    assert set(can) == set(VERSIONS)
    for abilities in can.values():
        assert {one.op for one in abilities} == PICTURE_OPS
        assert all(one.joins and one.preview and one.batch_max == 8 for one in abilities)


def test_a_grid_is_drawn_with_progress_views_and_the_truth(engine: DiffusionEngine) -> None:
    sink = Watching()
    results = engine.run([row_of(index, params={"chaos": 30, "weird": 0, "sv": 4}) for index in range(4)], sink)

    assert [result.index for result in sorted(results, key=lambda one: one.index)] == [0, 1, 2, 3]
    assert {result.image.size for result in results} == {SIZE}
    assert len({result.image.tobytes() for result in results}) == 4
    assert results[0].applied["chaos"] == "emulated"
    assert max(done for _, done, _ in sink.steps) == max(total for _, _, total in sink.steps)
    assert {index for index, _ in sink.previews} == {0, 1, 2, 3}


def test_a_recipe_is_plain_json_and_gives_the_same_bytes(engine: DiffusionEngine) -> None:
    rows = [row_of(index, params={"chaos": 30, "stylize": 400, "stop": 60}, negative=("birds",)) for index in range(4)]
    results = engine.run(rows, SINK)

    for result in results:
        assert played(engine, result).image.tobytes() == result.image.tobytes()
    recipe = results[0].recipe
    assert len(recipe["sha256"]) == 64
    assert recipe["sigmas"][0] > recipe["sigmas"][-1] == 0.0
    assert {"torch", "diffusers", "precision", "device"} <= recipe["policy"].keys()
    assert (recipe["seed"], recipe["negative"].count("birds")) == (7, 1)


def test_a_recipe_with_pictures_wants_the_same_pictures(engine: DiffusionEngine) -> None:
    row = row_of(op=Op.INPAINT, source=Source(picture(size=SIZE)), mask=half_mask(SIZE), strength=0.7)
    (result,) = engine.run([row], SINK)
    plan = engine.planned(row, SINK)
    assert plan is not None

    again = played(engine, result, pictures=pictures_of(plan), row=row)

    assert again.image.tobytes() == result.image.tobytes()
    with pytest.raises(ValueError, match="not the pictures"):
        played(engine, result)


def test_a_recipe_of_another_model_is_refused(engine: DiffusionEngine) -> None:
    (result,) = engine.run([row_of()], SINK)
    with pytest.raises(Unavailable):
        engine.replay({**result.recipe, "sha256": "0" * 64}, SINK)


@pytest.mark.parametrize("op", sorted(PICTURE_OPS))
def test_every_operation_gives_a_picture_of_the_rows_size(engine: DiffusionEngine, op: Op) -> None:
    source = Source(picture(size=(64, 64) if op in (Op.UPSCALE, Op.ENHANCE) else SIZE))
    needs: dict[str, Any] = {} if op in (Op.TEXT_TO_IMAGE, Op.BLEND) else {"source": source, "strength": 0.5}
    if op is Op.INPAINT:
        needs["mask"] = half_mask(SIZE)
    if op is Op.BLEND:
        needs["references"] = tuple(Reference("blend", Source(picture(seed, SIZE))) for seed in range(2))

    (result,) = engine.run([row_of(op=op, **needs)], SINK)

    assert result.image.size == SIZE
    assert result.recipe["op"] == op.value


def test_a_cancelled_row_is_left_out(engine: DiffusionEngine) -> None:
    sink = Watching()
    sink.cancelled.add(1)

    assert [one.index for one in engine.run([row_of(0), row_of(1)], sink)] == [0]
    sink.cancelled.add(0)
    assert engine.run([row_of(0), row_of(1)], sink) == []


def test_jobs_of_several_threads_are_drawn_as_if_each_were_alone(engine: DiffusionEngine) -> None:
    rows = [row_of(seed=seed, params={"tile": seed == 2}) for seed in range(3)]
    alone = [engine.run([row], SINK)[0].image.tobytes() for row in rows]

    with ThreadPoolExecutor(3) as jobs:
        together = list(jobs.map(lambda row: engine.run([row], SINK)[0].image.tobytes(), rows))

    assert together == alone


def test_batch_keys_tell_models_sizes_and_tiles_apart(engine: DiffusionEngine) -> None:
    keys = [engine.batch_key(row) for row in (row_of(), row_of(width=256), row_of(params={"tile": True}))]

    assert len(set(keys)) == 3
    assert engine.batch_key(row_of(text="another", seed=3)) == keys[0]


def test_cost_grows_with_the_picture(engine: DiffusionEngine) -> None:
    small, large = engine.cost(row_of()), engine.cost(row_of(width=256, height=256))

    assert large.seconds > small.seconds > 0
    assert small.passes == 14


def test_more_quality_costs_more_steps(engine: DiffusionEngine) -> None:
    plain, better = engine.cost(row_of(model="6")), engine.cost(row_of(model="6", params={"quality": 2}))

    assert better.passes > plain.passes
    assert better.seconds > plain.seconds


class Short(Describer):
    """On a device that is full at first."""

    tries = 0

    def describe(self, image: Image, **_: Any) -> tuple[str, str, str, str]:
        self.tries += 1
        if self.tries == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        first, second, third, fourth = describe_plainly(image)
        return first, second, third, fourth


def test_models_make_way_for_the_one_that_describes(engine: DiffusionEngine, tmp_path: Path) -> None:
    engine.warm()
    before = engine.shelf.residency.stats().evictions
    describer = Short(tmp_path)
    engine.describer = describer
    image = picture(1)

    assert engine.describe(Source(image)) == tuple(describe_plainly(image))
    assert describer.tries == 2
    assert engine.shelf.residency.stats().evictions > before
    del engine.describer


def test_words_weigh_as_much_as_the_model_would_miss_them(engine: DiffusionEngine) -> None:
    weights = engine.word_weights(["a", "red", "fox"])

    assert len(weights) == 3
    assert max(weights) == 1.0


def test_a_picture_is_described_even_without_a_language_model(engine: DiffusionEngine) -> None:
    assert len(set(engine.describe(Source(picture(size=SIZE))))) == 4


def test_without_fixed_batches_a_row_is_the_same_but_for_the_last_digit(
    engine: DiffusionEngine, tmp_path_factory: pytest.TempPathFactory
) -> None:
    free = DiffusionEngine(replace(engine.options, deterministic=False))
    rows = [row_of(index) for index in range(4)]
    together = {one.index: np.asarray(one.image, int) for one in free.run(rows, SINK)}

    for row in rows:
        (alone,) = free.run([row], SINK)
        assert np.abs(np.asarray(alone.image, int) - together[row.index]).max() <= 1
    free.close()


def test_a_closed_loop_starts_again(engine: DiffusionEngine) -> None:
    loop = engine.loop
    assert isinstance(loop, Loop)
    engine.close()

    assert len(engine.run([row_of()], SINK)) == 1


def test_a_replay_that_nobody_wants_is_cancelled(engine: DiffusionEngine) -> None:
    (result,) = engine.run([row_of()], SINK)
    sink = Watching()
    sink.cancelled.add(0)
    with pytest.raises(RowCancelled):
        engine.replay(result.recipe, sink)


def test_what_was_loaded_and_stepped_is_told(engine: DiffusionEngine) -> None:
    asleep = DiffusionEngine(engine.options)
    assert figures_of(asleep) == []

    (result,) = engine.run([row_of(model="6")], SINK)

    told = {(one.name, *one.labels.values()): one.value for one in figures_of(engine)}
    stats = engine.shelf.residency.stats()
    assert told["model_bytes", "device"] == stats.device_bytes > 0
    assert told["models_resident",] >= 1
    assert told["model_steps_total", result.recipe["model"]] >= 1
    assert told["model_step_seconds_total", result.recipe["model"]] > 0


def test_room_follows_what_a_gpu_was_seen_to_take(engine: DiffusionEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    (result,) = engine.run([row_of()], SINK)
    shelf = DiffusionEngine(engine.options).shelf
    model, residency = result.recipe["model"], shelf.residency
    shelf.__dict__["device"] = torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda _device: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _device: residency.stats().device_bytes + 1000)

    with shelf.drawing(model, 4096):
        shelf.warm(model)  # weights came: what was taken beside them is not known
    assert kind_of(model, 4096) not in shelf.peaks.known
    with shelf.drawing(model, 4096):
        pass
    with shelf.drawing(model, 4096):
        assert residency.stats().reserve == 1100
