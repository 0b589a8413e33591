"""The diffusers engine with tiny video models, as tasks use it: clips to files, sizes, rates, cancelling, memory."""

import gc
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from brushwork.engines.base import CLIP_OPS, NullSink, Op, Row, RowCancelled, Source
from brushwork.engines.catalog.model import FILM
from brushwork.engines.diffusion.engine import DiffusionEngine
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.video.shooting import Shooting
from brushwork.errors import Unavailable
from tests.engines.diffusion.filming import SIZE, Footage, Written, clip_row, saved
from tests.engines.diffusion.shelf import Holding, Watching, picture
from tests.engines.diffusion.tiny_catalog import options_for

SHIPPED = {"wan-i2v": "wan-i2v-a14b", "wan-ti2v": "wan-ti2v-5b", "wan-vace": "wan-vace-14b"}


def options(root: Path, *families: str, **more: Any) -> DiffusionOptions:
    """Each model is the shipped one, but for its files and its steps; pictures are drawn by a tiny Z-Image."""
    entries = "\n".join(
        f'[models.tiny-{family}]\nextends = "{SHIPPED[family]}"\nlicence = "tests"\nside = 512\nmax_side = 640\n'
        "steps = [1, 2, 60]\n"
        f"checkpoint = {{ folder = {json.dumps(str(saved(root, family)))} }}\n"
        f'[models.tiny-{family}.profiles]\n"video" = {{ steps = 2, guidance = 3, negative = "dull" }}\n'
        for family in families
    )
    made = options_for(root, "zimage-turbo", steps=4, more=entries)
    catalog = made.catalogs[0].rename(root / f"{'-'.join(families) or 'none'}.toml")
    only = (*made.only, *(f"tiny-{family}" for family in families))
    return DiffusionOptions(models_dir=made.models_dir, catalogs=(catalog,), only=only, offline=True, **more)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def engine(root: Path) -> Iterator[DiffusionEngine]:
    made = DiffusionEngine(options(root, *SHIPPED))
    yield made
    made.close()


def made(engine: DiffusionEngine, row: Row, sink: Any = None) -> Any:
    (result,) = engine.run([row], sink or NullSink())
    return result


def test_it_says_what_it_can_film(engine: DiffusionEngine) -> None:
    abilities = {one.op: one for one in engine.capabilities()[FILM]}
    assert abilities.keys() == CLIP_OPS
    assert {"motion", "loop", "end", "raw", "no"} <= abilities[Op.ANIMATE].params
    assert all(one.batch_max == 1 and one.step_cancel for one in abilities.values())
    assert not any(
        one.op in CLIP_OPS for version, able in engine.capabilities().items() if version != FILM for one in able
    )


def test_without_a_video_model_it_promises_no_clips_and_says_what_to_pull(root: Path) -> None:
    engine = DiffusionEngine(options(root))
    assert FILM not in engine.capabilities()
    with pytest.raises(Unavailable, match=r"wan-i2v-a14b"):
        engine.run([clip_row()], NullSink())
    engine.close()


@pytest.mark.parametrize(
    ("how", "family"),
    [
        ({}, "wan-i2v"),
        ({"clip": {"loop": True}}, "wan-i2v"),
        ({"clip": {"before": Footage(40)}}, "wan-vace"),
        ({"source": None}, "wan-ti2v"),
    ],
    ids=["a picture", "a loop", "going on", "words alone"],
)
def test_the_model_that_can_do_most_of_it_makes_the_clip(engine: DiffusionEngine, how: Any, family: str) -> None:
    result = made(engine, clip_row(Written(), **how))
    assert result.recipe["family"] == family
    assert result.recipe["model"] == f"tiny-{family}"
    assert json.loads(json.dumps(result.recipe)) == result.recipe


@pytest.mark.parametrize("before", [None, Footage(72, (58, 38))], ids=["five seconds", "four more"])
@pytest.mark.parametrize("family", SHIPPED)
def test_a_clip_has_the_promised_frames_and_size(root: Path, family: str, before: Any) -> None:
    engine = DiffusionEngine(options(root, family))
    written, wanted = Written(), 96 if before else 120
    result = made(engine, clip_row(written, frames=wanted, fps=24, size=(58, 38), clip={"before": before}))
    engine.close()
    assert len(written.frames) == wanted
    assert {frame.shape for frame in written.frames} == {(38, 58, 3)}
    assert result.image.size == (58, 38)
    assert np.array_equal(np.asarray(result.image), written.frames[0])
    drawn = result.recipe["timing"]["drawn"]
    assert drawn == {"wan-i2v": (81, 65), "wan-ti2v": (121, 97), "wan-vace": (81, 81)}[family][before is not None]
    assert ("frames_blended" in result.degraded) == (family != "wan-ti2v")
    assert ("motion_not_continued" in result.degraded) == (before is not None and family != "wan-vace")


def test_what_a_model_draws_too_small_is_enlarged_and_said(root: Path) -> None:
    engine = DiffusionEngine(options(root, "wan-vace"))
    written = Written()
    result = made(engine, clip_row(written, frames=1, size=(960, 48)))
    engine.close()
    assert written.frames[0].shape == (48, 960, 3)
    assert "frames_enlarged" in result.degraded
    assert result.recipe["width"] == 640


def test_a_replay_gives_the_same_frames(engine: DiffusionEngine) -> None:
    first, second, other = Written(), Written(), Written()
    how: dict[str, Any] = {"clip": {"end": Source(picture(4, SIZE)), "motion": "high"}, "frames": 12, "fps": 24}
    result = made(engine, clip_row(first, index=3, **how))
    engine.run([clip_row(other, text="in between")], NullSink())
    again = engine.replay(result.recipe, NullSink(), row=clip_row(second, **how))
    assert all(np.array_equal(one, two) for one, two in zip(first.frames, second.frames, strict=True))
    assert again.recipe == result.recipe
    with pytest.raises(ValueError, match="not the pictures"):
        engine.replay(result.recipe, NullSink(), row=clip_row(**{**how, "source": Source(picture(5, SIZE))}))


def test_clips_of_one_job_differ_and_are_the_same_alone(engine: DiffusionEngine) -> None:
    together, alone = [Written(), Written()], Written()
    results = engine.run([clip_row(one, index=index) for index, one in enumerate(together)], NullSink())
    engine.run([clip_row(alone, index=1)], NullSink())
    assert [result.index for result in results] == [0, 1]
    assert not np.array_equal(together[0].frames[-1], together[1].frames[-1])
    assert all(np.array_equal(one, two) for one, two in zip(together[1].frames, alone.frames, strict=True))


class Unwanted(Watching):
    def step(self, row: Row, done: int, total: int) -> None:
        super().step(row, done, total)
        if row.index == 0 and done >= 2:
            raise RowCancelled


def test_a_cancelled_clip_is_left_out_and_holds_nothing(engine: DiffusionEngine) -> None:
    gone, kept = Written(), Written()
    results = engine.run([clip_row(gone), clip_row(kept, index=1)], Unwanted())
    assert [result.index for result in results] == [1]
    assert (gone.frames, len(kept.frames)) == ([], 9)
    engine.loop.done(gc.collect)
    held = [one for one in gc.get_objects() if type(one) is Shooting]
    assert not any(one.latents.numel() or one.remembered or one.words for one in held)


def test_frames_are_written_one_by_one_and_none_is_kept(
    engine: DiffusionEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two frames that are written, at most one latent is decoded ahead."""
    decoded: list[int] = []
    ahead: list[int] = []
    develop = Shooting.develop

    def counted(self: Shooting) -> Any:
        frames = develop(self)
        decoded.append(len(frames))
        return frames

    monkeypatch.setattr(Shooting, "develop", counted)
    written = Written()

    def write(frame: Any) -> None:
        written(frame)
        ahead.append(sum(decoded) - len(written.frames))

    engine.run([clip_row(write, frames=33)], NullSink())  # type: ignore[arg-type]
    assert len(written.frames) == 33
    assert max(ahead) <= 4


def test_pictures_are_drawn_while_a_clip_is(engine: DiffusionEngine) -> None:
    """And neither notices the other."""
    text = Row(index=0, seed=3, text="a red fox", width=64, height=64, model="7")
    alone = made(engine, text).image
    sink = Holding(0, 2)
    usual, written = Written(), Written()
    engine.run([clip_row(usual)], NullSink())
    clip = threading.Thread(target=engine.run, args=([clip_row(written)], sink))
    clip.start()
    assert sink.reached.wait(20)
    sink.release.set()
    together = made(engine, text).image
    clip.join(30)
    assert np.array_equal(np.asarray(alone), np.asarray(together))
    assert all(np.array_equal(one, two) for one, two in zip(usual.frames, written.frames, strict=True))


def test_experts_take_turns_on_a_small_device(root: Path, engine: DiffusionEngine) -> None:
    """With room for little more than the largest component, and the same frames."""
    usual, tight = Written(), Written()
    made(engine, clip_row(usual))
    small = DiffusionEngine(options(root, "wan-i2v"))
    sizes = {}
    with torch.inference_mode():
        for name in ("transformer", "transformer_2", "text_encoder", "vae"):
            with small.shelf.film_parts("tiny-wan-i2v").use(name) as part:
                sizes[name] = sum(one.nelement() * one.element_size() for one in part.parameters())
    small.close()
    room = (max(sizes.values()) + min(sizes.values()) / 2) / 1e9
    scarce = DiffusionEngine(options(root, "wan-i2v", memory_gb=room))
    scarce.shelf.residency.reserve = 0
    made(scarce, clip_row(tight))
    evictions = scarce.shelf.residency.stats().evictions
    scarce.close()
    assert evictions >= 2
    assert all(np.array_equal(one, two) for one, two in zip(usual.frames, tight.frames, strict=True))


def test_cost_and_key_are_known_before_it_is_drawn(engine: DiffusionEngine) -> None:
    short, long = (clip_row(frames=frames, fps=24, size=(854, 480)) for frames in (24, 120))
    assert engine.cost(short).seconds < engine.cost(long).seconds
    sink = Watching()
    row = clip_row(Written(), frames=24, fps=24)
    made(engine, row, sink)
    assert engine.cost(row).passes == sink.steps[-1][2]
    assert engine.batch_key(row) == "tiny-wan-i2v|film"


def test_a_picture_with_an_edge_that_suits_no_model_keeps_its_pixels_in_place(engine: DiffusionEngine) -> None:
    """What is added to reach the model's size is cut off again, and nothing is scaled."""
    from brushwork.engines.diffusion.video.planning import plan_film

    row = clip_row(size=(58, 38))
    plan = plan_film(row, engine.films.model_of(row))
    assert (plan.width, plan.height) == (64, 48)
    assert row.source is not None
    assert plan.head[0].crop((0, 0, 58, 38)).tobytes() == row.source.image.tobytes()
    assert plan.head[0].getpixel((63, 47)) == row.source.image.getpixel((57, 37))
    assert isinstance(plan.head[0], Image.Image)
