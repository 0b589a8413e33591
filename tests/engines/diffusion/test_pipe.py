"""Any pipeline of diffusers, as it comes: what it draws, what it would ignore, and how it is stopped."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DPMSolverMultistepScheduler,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    TaylorSeerCacheConfig,
)
from PIL import Image
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from brushwork.engines.base import NullSink, Op, Row, RowCancelled
from brushwork.engines.catalog.model import Checkpoint, Licence, Model
from brushwork.engines.diffusion.options import DiffusionOptions
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.pipe import PipeRunner
from brushwork.engines.diffusion.plan import Noise, Plan, Seen, Words
from brushwork.errors import Unavailable
from tests.engines.diffusion.tiny_qwen import save_qwen
from tests.engines.diffusion.tiny_sd import save_sd

MODEL = Model("tiny", "Tiny", "image", "pipe", Checkpoint(), Licence("Apache-2.0"))
OPTIONS = DiffusionOptions(precision="float32")
ROW = Row(index=0, seed=1, text="a cat", width=64, height=64)
PLAN = Plan(ROW, "tiny", (Words("a cat"),), 64, 64, steps=4, noise=Noise(7), guidance=5.0)


class Watch(NullSink):
    """Remembers progress; cancels at a step."""

    def __init__(self, *, cancel_at: int | None = None) -> None:
        self.cancel_at = cancel_at
        self.steps: list[tuple[int, int]] = []

    def step(self, row: Row, done: int, total: int) -> None:
        self.steps.append((done, total))
        if self.cancel_at is not None and done >= self.cancel_at:
            raise RowCancelled


def save_pixart(folder: Path) -> Path:
    """A pipeline without `callback_on_step_end`."""
    torch.manual_seed(5)
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((chr(97 + n), -3.0) for n in range(26))]
    transformer = PixArtTransformer2DModel(
        num_attention_heads=2, attention_head_dim=8, in_channels=4, out_channels=8, num_layers=1,
        cross_attention_dim=16, sample_size=8, patch_size=2, caption_channels=16, use_additional_conditions=False,
    )  # fmt: skip
    torch.nn.init.normal_(transformer.proj_out.weight, std=0.2)
    config = T5Config(vocab_size=len(pieces), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, latent_channels=4, norm_num_groups=4,
    )  # fmt: skip
    pipe = PixArtSigmaPipeline(
        tokenizer=T5Tokenizer(vocab=pieces, extra_ids=0),
        text_encoder=T5EncoderModel(config),
        vae=vae,
        transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(),
    )
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


SAVED: dict[str, Callable[[Path], Path]] = {"sd": save_sd, "qwen": save_qwen, "pixart": save_pixart}


@pytest.fixture(scope="module", params=list(SAVED))
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PipeRunner:
    return PipeRunner(SAVED[request.param](tmp_path_factory.mktemp("models") / request.param), MODEL, OPTIONS)


@pytest.fixture(scope="module")
def sd(tmp_path_factory: pytest.TempPathFactory) -> PipeRunner:
    return PipeRunner(save_sd(tmp_path_factory.mktemp("models") / "sd"), MODEL, OPTIONS)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> PipeRunner:
    return PipeRunner(save_qwen(tmp_path_factory.mktemp("models") / "qwen"), MODEL, OPTIONS)


def picture(seed: int = 3) -> Image.Image:
    grid = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(grid).resize((64, 64), Image.Resampling.BICUBIC)


def mask() -> Image.Image:
    image = Image.new("L", (64, 64), 0)
    image.paste(255, (32, 0, 64, 64))
    return image


def apart(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())


def test_the_picture_is_the_one_of_the_pipeline(runner: PipeRunner) -> None:
    pipe: Any = diffusers.DiffusionPipeline.from_pretrained(runner.folder, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    guidance = "true_cfg_scale" if runner.class_name == "QwenImagePipeline" else "guidance_scale"
    binning = {"use_resolution_binning": False} if "PixArt" in runner.class_name else {}

    drawn = runner.draw(replace(PLAN, negative="a dog"), NullSink())

    theirs = pipe("a cat", negative_prompt="a dog", num_inference_steps=4, width=64, height=64, **{guidance: 5.0},
                  **binning, generator=torch.Generator().manual_seed(7)).images[0]  # fmt: skip
    assert drawn.tobytes() == theirs.tobytes()


def test_every_step_is_reported(runner: PipeRunner) -> None:
    sink = Watch()

    runner.draw(PLAN, sink)

    done = [done for done, _ in sink.steps]
    assert sink.steps[0] == (0, 4)
    assert done == sorted(done)
    assert set(done) >= {0, 1, 2, 3}
    assert max(done) <= 4


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_cancelled_picture_ends_at_its_step_and_leaves_nothing_behind(runner: PipeRunner, at: int) -> None:
    before = runner.draw(PLAN, NullSink())
    sink = Watch(cancel_at=at)

    with pytest.raises(RowCancelled):
        runner.draw(replace(PLAN, texts=(Words("a house"),), noise=Noise(9)), sink)

    assert sink.steps[-1][0] == at
    assert runner.draw(PLAN, NullSink()).tobytes() == before.tobytes()


def test_words_seed_and_guidance_count(runner: PipeRunner) -> None:
    usual = runner.draw(PLAN, NullSink())

    assert apart(usual, runner.draw(replace(PLAN, noise=Noise(8)), NullSink())) > 0.1
    assert usual.tobytes() != runner.draw(replace(PLAN, texts=(Words("zzz yyy"),)), NullSink()).tobytes()
    changed = replace(PLAN, guidance=9.0, negative="a dog")
    assert usual.tobytes() != runner.draw(changed, NullSink()).tobytes()


def test_a_variation_is_the_nearer_the_fewer_steps_are_drawn(sd: PipeRunner) -> None:
    source = picture()

    near, far = (sd.draw(replace(PLAN, steps=8, start=start, init=source), NullSink()) for start in (7, 1))

    round_trip = sd.draw(replace(PLAN, steps=8, start=7, init=source, noise=Noise(1)), NullSink())
    assert apart(near, round_trip) < apart(far, round_trip)


def test_a_variation_draws_exactly_the_steps_that_are_left(tmp_path: Path) -> None:
    sd = PipeRunner(save_sd(tmp_path / "sd", velocity=True), MODEL, OPTIONS)
    for start in range(1, 7):
        sink = Watch()
        sd.draw(replace(PLAN, steps=7, start=start, init=picture()), sink)
        assert sink.steps[-1] == (7 - start, 7 - start)
        assert len(sink.steps) == 1 + 7 - start


def test_a_mask_keeps_what_it_does_not_cover(sd: PipeRunner) -> None:
    plan = replace(PLAN, steps=4, init=picture(), mask=mask())

    one, other = (np.asarray(sd.draw(replace(plan, noise=Noise(seed)), NullSink()), np.float32) for seed in (1, 2))

    difference = np.abs(one - other).mean(axis=(0, 2))
    assert difference[48:].mean() > 2 * difference[:16].mean()


def test_it_says_which_operations_its_pipeline_can_do(sd: PipeRunner, tmp_path: Path) -> None:
    pixart = PipeRunner(save_pixart(tmp_path / "pixart"), MODEL, OPTIONS)

    assert sd.ops == {Op.TEXT_TO_IMAGE, Op.VARY, Op.INPAINT}
    assert pixart.ops == {Op.TEXT_TO_IMAGE}
    with pytest.raises(Unavailable, match="vary"):
        pixart.draw(replace(PLAN, init=picture(), start=2), NullSink())


def test_nothing_is_ignored_in_silence(sd: PipeRunner) -> None:
    told = sd.unheard(
        replace(
            PLAN,
            texts=(Words("a cat", 2.0), Words("a dog")),
            stop=2,
            seen=(Seen(picture(), role="style"),),
            tile=True,
            conditioning_noise=0.1,
            push=0.2,
            adapters=(("film", 0.5),),
        )
    )

    assert set(told) == {
        "parameter:weights", "parameter:stop", "parameter:sref", "parameter:tile", "parameter:chaos", "parameter:weird",
        "lora:film",
    }  # fmt: skip
    assert sd.unheard(replace(PLAN, negative="a dog")) == ()


def test_a_negative_without_guidance_is_reported_and_changes_nothing(sd: PipeRunner, qwen: PipeRunner) -> None:
    for runner in (sd, qwen):
        plain = replace(PLAN, guidance=1.0)
        asked = replace(plain, negative="a dog")

        assert runner.unheard(asked) == ("negative:a dog",)
        assert runner.draw(asked, NullSink()).tobytes() == runner.draw(plain, NullSink()).tobytes()


def test_a_distilled_model_takes_no_negative(sd: PipeRunner) -> None:
    runner = PipeRunner(sd.parts, replace(MODEL, distilled=True), OPTIONS)

    assert runner.unheard(replace(PLAN, negative="a dog")) == ("negative:a dog",)


def test_components_are_held_only_while_they_draw(sd: PipeRunner) -> None:
    held: list[str] = []

    class Counted(ResidentParts):
        @contextmanager
        def use(self, name: str) -> Iterator[Any]:
            with super().use(name) as part:
                held.append(name)
                yield part
                held.remove(name)

    class Look(NullSink):
        def step(self, row: Row, done: int, total: int) -> None:
            assert {"unet", "vae", "text_encoder"} <= set(held)

    runner = PipeRunner(Counted(sd.folder), MODEL, OPTIONS)
    runner.draw(PLAN, Look())

    assert held == []


def test_nothing_of_a_cache_leaks_into_the_next_picture(tmp_path: Path) -> None:
    runner = PipeRunner(save_qwen(tmp_path / "qwen"), MODEL, OPTIONS)
    with runner.parts.use("transformer") as transformer:
        transformer.enable_cache(TaylorSeerCacheConfig(cache_interval=3, disable_cache_before_step=1))
    clean = runner.draw(PLAN, NullSink())

    with pytest.raises(RowCancelled):
        runner.draw(replace(PLAN, texts=(Words("a much longer prompt"),)), Watch(cancel_at=2))

    assert runner.draw(PLAN, NullSink()).tobytes() == clean.tobytes()


def test_only_pipelines_of_diffusers_are_built(sd: PipeRunner, tmp_path: Path) -> None:
    for class_name in ("OwnPipeline", "AutoencoderKL", None):
        (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": class_name}))
        with pytest.raises(Unavailable, match="no pipeline"):
            PipeRunner(tmp_path, MODEL, OPTIONS)
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "DDPMPipeline"}))
    with pytest.raises(Unavailable, match="from words"):
        PipeRunner(tmp_path, MODEL, OPTIONS)


def test_a_component_with_code_of_its_own_is_not_loaded(sd: PipeRunner, tmp_path: Path) -> None:
    index = json.loads((sd.folder / "model_index.json").read_text()) | {"unet": ["evil", "Unet"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))

    with pytest.raises(Unavailable, match="code of its own"):
        PipeRunner(tmp_path, MODEL, OPTIONS).draw(PLAN, NullSink())
