"""Clips of tiny Wan pipelines are those of their own pipelines; what those ignore in silence is known to our table."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanVACEPipeline,
)
from diffusers.pipelines.wan import pipeline_wan, pipeline_wan_i2v, pipeline_wan_vace
from PIL import Image

from brushwork.engines.base import NullSink, Row, RowCancelled, Source
from brushwork.engines.diffusion.noise import generator_of
from brushwork.engines.diffusion.video.facts import FILM_FAMILIES
from brushwork.engines.diffusion.video.plan import FilmPlan
from brushwork.engines.diffusion.video.planning import plan_film
from tests.engines.diffusion.filming import SIZE, Footage, Set, Written, clip_row, film_model, saved
from tests.engines.diffusion.shelf import Watching, picture

CLOSE = 1e-5
TINY = 1.5 / 255
"""Of frames in bytes: rounding, and no more."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Set]:
    made = Set(tmp_path_factory.mktemp("wan"))
    yield made
    made.loop.close()


@pytest.fixture(autouse=True)
def plain_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipelines mend broken letters with a package that is not here, and that we have no use for."""
    for module in (pipeline_wan, pipeline_wan_i2v, pipeline_wan_vace):
        monkeypatch.setattr(module, "ftfy", SimpleNamespace(fix_text=str), raising=False)


def planned(family: str, row: Row, **how: Any) -> FilmPlan:
    return plan_film(row, film_model(family, **how))


def own_pipeline(root: Path, family: str, plan: FilmPlan) -> Any:
    cls = {"wan-i2v": WanImageToVideoPipeline, "wan-ti2v": WanImageToVideoPipeline, "wan-vace": WanVACEPipeline}[family]
    if family == "wan-ti2v" and not plan.head:
        cls = WanPipeline
    pipe = cls.from_pretrained(saved(root, family), local_files_only=True)
    if plan.shift:
        pipe.scheduler = UniPCMultistepScheduler.from_config(pipe.scheduler.config, flow_shift=plan.shift)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def said_to(family: str, plan: FilmPlan, **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "prompt": plan.text,
        "negative_prompt": plan.negative,
        "width": plan.width,
        "height": plan.height,
        "num_frames": plan.timing.drawn,
        "num_inference_steps": plan.steps,
        "guidance_scale": plan.guidance,
        "generator": generator_of(plan.seed),
        "output_type": "np",
    }
    if family == "wan-vace":
        grey = Image.new("RGB", (plan.width, plan.height), (128, 128, 128))
        known = [*plan.head, *[grey] * (plan.timing.drawn - len(plan.head) - bool(plan.last))]
        said["video"] = known + ([plan.last] if plan.last else [])
        free, kept = Image.new("L", grey.size, 255), Image.new("L", grey.size, 0)
        mask = [*[kept] * len(plan.head), *[free] * (plan.timing.drawn - len(plan.head) - bool(plan.last))]
        said["mask"] = mask + ([kept] if plan.last else [])
    elif plan.head:
        said["image"] = plan.head[0]
        if plan.last:
            said["last_image"] = plan.last
    return {**said, **more}


def drawn_by_pipeline(root: Path, family: str, plan: FilmPlan, **more: Any) -> Any:
    with torch.inference_mode():
        return own_pipeline(root, family, plan)(**said_to(family, plan, **more)).frames[0]


def latents_here(stage: Set, plan: FilmPlan) -> torch.Tensor:
    def act() -> torch.Tensor:
        shooting = stage.studio.begun(plan)
        shooting.read()
        shooting.look()
        shooting.take_steps(1e9, lambda: None)
        return shooting.latents

    return stage.loop.done(act)


def frames_here(stage: Set, plan: FilmPlan, sink: Any = None) -> list[Any]:
    """Of the row's size and number; the plan's row writes them."""
    written = plan.row.clip.write if plan.row.clip else None
    assert isinstance(written, Written)
    written.frames.clear()
    assert stage.studio.film(plan, sink or NullSink()) is not None
    return written.frames


BEGINNINGS: dict[str, dict[str, Any]] = {
    "first frame": {},
    "first and last frame": {"clip": {"end": Source(picture(2, SIZE))}},
    "loop": {"clip": {"loop": True}},
    "large movement, as it is": {"clip": {"motion": "high"}, "params": {"raw": True}},
}


@pytest.mark.parametrize("family", FILM_FAMILIES)
@pytest.mark.parametrize("how", BEGINNINGS)
def test_a_clip_is_what_its_own_pipeline_draws(stage: Set, family: str, how: str) -> None:
    plan = planned(family, clip_row(**BEGINNINGS[how]))
    latents = drawn_by_pipeline(stage.root, family, plan, output_type="latent")
    assert (latents_here(stage, plan)[0] - latents).abs().max() <= CLOSE


@pytest.mark.parametrize("family", FILM_FAMILIES)
def test_frames_are_those_that_its_own_pipeline_decodes(stage: Set, family: str) -> None:
    plan = planned(family, clip_row(Written(), fps=FILM_FAMILIES[family].fps))
    theirs = drawn_by_pipeline(stage.root, family, plan)[:, : SIZE[1], : SIZE[0]]
    ours = np.stack(frames_here(stage, plan)) / 255
    assert ours.shape == (9, SIZE[1], SIZE[0], 3)
    assert np.abs(ours - theirs).max() <= TINY


def test_a_clip_of_words_alone_is_what_its_own_pipeline_draws(stage: Set) -> None:
    plan = planned("wan-ti2v", clip_row(source=None))
    latents = drawn_by_pipeline(stage.root, "wan-ti2v", plan, output_type="latent")
    assert (latents_here(stage, plan)[0] - latents).abs().max() <= CLOSE


@pytest.mark.parametrize("family", FILM_FAMILIES)
def test_a_clip_goes_on_from_all_frames_that_its_model_can_look_at(stage: Set, family: str) -> None:
    plan = planned(family, clip_row(frames=8, clip={"before": Footage(40)}))
    assert len(plan.head) == FILM_FAMILIES[family].head
    latents = drawn_by_pipeline(stage.root, family, plan, output_type="latent")
    assert (latents_here(stage, plan)[0] - latents).abs().max() <= CLOSE


def test_ti2v_draws_the_same_with_and_without_a_last_frame(stage: Set) -> None:
    """Why our table says that it honours none."""
    plan = planned("wan-ti2v", clip_row())
    without = drawn_by_pipeline(stage.root, "wan-ti2v", plan, output_type="latent")
    given = Image.new("RGB", (plan.width, plan.height), "red")
    assert torch.equal(without, drawn_by_pipeline(stage.root, "wan-ti2v", plan, output_type="latent", last_image=given))
    assert not FILM_FAMILIES["wan-ti2v"].last
    row = clip_row(clip={"end": Source(given), "loop": False}, params={"end": "https://example.com/a.png"})
    assert "parameter:end" in planned("wan-ti2v", row).degraded
    assert "end" not in planned("wan-ti2v", row).applied


@pytest.mark.parametrize("family", [name for name, facts in FILM_FAMILIES.items() if facts.last])
def test_a_last_frame_changes_the_clip_of_models_that_honour_it(stage: Set, family: str) -> None:
    row = clip_row(params={"end": "https://example.com/a.png"}, clip={"end": Source(picture(9, SIZE))})
    without, plan = planned(family, clip_row()), planned(family, row)
    assert (latents_here(stage, plan) - latents_here(stage, without)).abs().max() > 100 * CLOSE
    assert plan.applied["end"] == "native"


def test_vace_cannot_draw_several_clips_with_seeds_of_their_own(stage: Set) -> None:
    """Why clips of one job are drawn one after the other."""
    plan = planned("wan-vace", clip_row())
    with pytest.raises(ValueError, match="list of generators"):
        drawn_by_pipeline(stage.root, "wan-vace", plan, generator=[generator_of(1)])


def test_an_earlier_frame_changes_only_what_goes_on_from_more_than_the_last(stage: Set) -> None:
    class Other(Footage):
        def frames(self, start: int, stop: int) -> Iterator[Any]:
            for number, frame in enumerate(super().frames(start, stop), start):
                yield frame if number == self.count - 1 else 255 - frame

    for family, facts in FILM_FAMILIES.items():
        one, other = (
            latents_here(stage, planned(family, clip_row(frames=8, clip={"before": before})))
            for before in (Footage(40), Other(40))
        )
        assert torch.equal(one, other) == (facts.head == 1)


@pytest.mark.parametrize("family", FILM_FAMILIES)
@pytest.mark.parametrize(
    "change",
    [
        {"text": "a blue whale"},
        {"negative": ("fog",)},
        {"seed": 6},
        {"index": 1},
        {"source": Source(picture(3, SIZE))},
        {"clip": {"motion": "high"}},
        {"params": {"raw": True}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_everything_that_is_honoured_changes_the_clip(stage: Set, family: str, change: dict[str, Any]) -> None:
    usual = latents_here(stage, planned(family, clip_row()))
    assert not torch.equal(usual, latents_here(stage, planned(family, clip_row(**change))))


def test_each_expert_draws_its_part(stage: Set) -> None:
    plan = planned("wan-i2v", clip_row())
    shooting = stage.loop.done(lambda: stage.studio.begun(plan))
    stage.loop.done(shooting.look)
    experts = [shooting.expert(float(moment)) for moment in shooting.scheduler.timesteps]
    assert set(experts) == {"transformer", "transformer_2"}
    assert experts == sorted(experts)


class Stopping(Watching):
    """Nobody wants the clip any more once so much is done."""

    def __init__(self, done: int) -> None:
        super().__init__()
        self.limit = done

    def step(self, row: Row, done: int, total: int) -> None:
        super().step(row, done, total)
        if done >= self.limit:
            raise RowCancelled


def test_progress_rises_from_nothing_to_all(stage: Set) -> None:
    sink = Watching()
    frames_here(stage, planned("wan-i2v", clip_row(Written())), sink)
    told = [done / total for _, done, total in sink.steps]
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert len(set(told)) >= 6
    assert len(sink.previews) == 1


@pytest.mark.parametrize("done", range(7))
@pytest.mark.parametrize("family", FILM_FAMILIES)
def test_nothing_of_a_cancelled_clip_is_seen_in_the_next(stage: Set, family: str, done: int) -> None:
    row = clip_row(Written())
    usual = list(frames_here(stage, planned(family, row)))
    other = planned(family, clip_row(Written(), seed=77, text="something else", source=Source(picture(8, SIZE))))
    assert stage.studio.film(other, Stopping(done)) is None
    again = frames_here(stage, planned(family, row))
    assert all(np.array_equal(one, two) for one, two in zip(usual, again, strict=True))
    with stage.parts[family].use("transformer") as transformer:
        assert not any(block._forward_pre_hooks for block in transformer.blocks)


def test_a_step_is_given_up_at_its_next_block(stage: Set) -> None:
    plan = planned("wan-i2v", clip_row())
    shooting = stage.loop.done(lambda: stage.studio.begun(plan))
    stage.loop.done(shooting.read)
    stage.loop.done(shooting.look)
    seen: list[int] = []
    with stage.parts["wan-i2v"].use("transformer") as transformer:

        def unwanted(_block: Any, _given: Any, _made: Any) -> None:
            seen.append(1)
            shooting.is_unwanted = True

        hook = transformer.blocks[0].register_forward_hook(unwanted)
        try:
            with pytest.raises(RowCancelled):
                stage.loop.done(shooting.take_step)
        finally:
            hook.remove()
    assert (seen, shooting.step) == ([1], 0)


def test_a_piece_that_ran_out_of_memory_is_done_again(stage: Set, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned("wan-vace", clip_row(Written()))
    usual = list(frames_here(stage, plan))
    failures = {"decoder": 2, "transformer": 1}
    with stage.parts["wan-vace"].use("vae") as vae, stage.parts["wan-vace"].use("transformer") as transformer:

        def stumble(name: str, at: int) -> Any:
            seen: list[int] = []

            def before(_module: Any, _given: Any) -> None:
                seen.append(1)
                if len(seen) == at:
                    raise torch.OutOfMemoryError("out of memory")

            return before

        hooks = [
            vae.decoder.conv_out.register_forward_pre_hook(stumble("decoder", failures["decoder"])),
            transformer.blocks[1].register_forward_pre_hook(stumble("transformer", failures["transformer"])),
        ]
        try:
            again = frames_here(stage, plan)
        finally:
            for hook in hooks:
                hook.remove()
    assert all(np.array_equal(one, two) for one, two in zip(usual, again, strict=True))


def test_words_are_encoded_once_for_all_clips_of_a_job(stage: Set) -> None:
    text = "words that nobody has said before"
    passes: list[int] = []
    with stage.parts_of("wan-i2v").use("text_encoder") as encoder:
        hook = encoder.register_forward_pre_hook(lambda *_: passes.append(1))
        for index in range(3):
            frames_here(stage, planned("wan-i2v", clip_row(Written(), text=text, index=index)))
        hook.remove()
    assert 1 <= len(passes) <= 2
