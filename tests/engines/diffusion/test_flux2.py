"""FLUX.2 klein: what the family computes is what its own pipeline computes, alone and beside others."""

from pathlib import Path

import pytest
import torch
from diffusers import Flux2KleinInpaintPipeline, Flux2KleinPipeline

from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.flux2 import Flux2Family, measured_mu
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.errors import Unavailable
from tests.engines.diffusion.stepping import (
    CLOSE,
    Asked,
    by_pipeline,
    drawn,
    far,
    model_of,
    noise_of,
    photograph,
    pipeline,
    stepped,
    tensor,
)
from tests.engines.diffusion.tiny_flux2 import save_flux2

LONG = "the lighthouse on the rock and the sea around it, painted in the evening with a broad brush and little water"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_flux2(tmp_path_factory.mktemp("models") / "klein", distilled=True)


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_flux2(tmp_path_factory.mktemp("models") / "klein-base")


@pytest.fixture(scope="module")
def klein(folder: Path) -> Flux2Family:
    return Flux2Family(ResidentParts(folder), model_of("flux2", distilled=True))


@pytest.fixture(scope="module")
def base(base_folder: Path) -> Flux2Family:
    return Flux2Family(ResidentParts(base_folder), model_of("flux2"))


@pytest.mark.parametrize("pictures", [0, 1, 2])
def test_a_picture_is_what_the_pipeline_draws(klein: Flux2Family, folder: Path, pictures: int) -> None:
    seen = (photograph(80, 64, seed=1), photograph(96, 112, seed=2))[:pictures]
    asked = Asked(LONG, 96, 64, steps=4, seed=5, guidance=1.0, seen=seen)

    picture = drawn(klein, asked)

    wanted = by_pipeline(
        pipeline(Flux2KleinPipeline, folder),
        image=list(seen) or None,
        prompt=LONG,
        width=96,
        height=64,
        num_inference_steps=4,
        guidance_scale=1.0,
        generator=noise_of(5),
    )
    assert wanted.std() > 0.05
    assert far(picture, wanted) <= CLOSE


@pytest.mark.parametrize(("pictures", "steps", "guidance"), [(0, 9, 4.0), (1, 5, 2.5), (2, 3, 4.0), (0, 4, 1.0)])
def test_the_base_model_is_guided_as_in_the_pipeline(
    base: Flux2Family, base_folder: Path, pictures: int, steps: int, guidance: float
) -> None:
    seen = (photograph(64, 64, seed=1), photograph(64, 80, seed=2))[:pictures]
    asked = Asked("the cat", 64, 96, steps=steps, seed=7, guidance=guidance, seen=seen)

    picture = drawn(base, asked)

    wanted = by_pipeline(
        pipeline(Flux2KleinPipeline, base_folder),
        image=list(seen) or None,
        prompt="the cat",
        width=64,
        height=96,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=noise_of(7),
    )
    assert far(picture, wanted) <= CLOSE


def test_a_negative_prompt_is_what_the_base_model_is_pushed_away_from(base: Flux2Family, base_folder: Path) -> None:
    asked = Asked("the cat", steps=4, seed=7, guidance=4.0, negative="a dog")

    picture = drawn(base, asked)

    pipe = pipeline(Flux2KleinPipeline, base_folder)
    negative = pipe.encode_prompt("a dog")[0].detach()
    wanted = by_pipeline(
        pipe,
        prompt="the cat",
        negative_prompt_embeds=negative,
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=4.0,
        generator=noise_of(7),
    )
    assert far(picture, wanted) <= CLOSE


def test_a_picture_goes_on_from_another_as_in_the_pipeline(klein: Flux2Family, folder: Path) -> None:
    before = photograph(64, 64)
    asked = Asked(LONG, steps=5, seed=5, start=2, init=before, seen=(before,))  # it is looked at as well

    picture = drawn(klein, asked)

    wanted = by_pipeline(
        pipeline(Flux2KleinInpaintPipeline, folder),
        image=before,
        mask_image=photograph(64, 64).point(lambda _: 255).convert("L"),
        prompt=LONG,
        width=64,
        height=64,
        strength=0.6,
        num_inference_steps=5,
        guidance_scale=1.0,
        generator=noise_of(5),
    )
    assert far(picture, wanted) <= CLOSE


def test_five_pictures_are_looked_at_at_most(klein: Flux2Family, folder: Path) -> None:
    assert FAMILIES["flux2"].references == 5
    seen = tuple(photograph(64, 64, seed=seed) for seed in range(5))

    picture = drawn(klein, Asked("the cat", steps=2, seed=5, seen=seen))

    wanted = by_pipeline(
        pipeline(Flux2KleinPipeline, folder),
        image=list(seen),
        prompt="the cat",
        width=64,
        height=64,
        num_inference_steps=2,
        guidance_scale=1.0,
        generator=noise_of(5),
    )
    assert far(picture, wanted) <= CLOSE


def test_pictures_of_other_lengths_steps_and_guidance_change_nothing(base: Flux2Family) -> None:
    asked = [
        Asked("the cat", steps=4, seed=1),
        Asked(LONG, steps=6, seed=2, guidance=4.0),
        Asked("a tree and a house", steps=3, seed=3, guidance=1.5, joins=2),
        Asked("the end", steps=5, seed=4, start=2, end=4, init=photograph(64, 64), joins=1),
    ]

    together = stepped(base, asked)

    for one, latents in zip(asked, together, strict=True):
        assert far(base.decode([latents])[0], drawn(base, one)) <= CLOSE


def test_rows_that_look_at_pictures_of_the_same_sizes_step_together(klein: Flux2Family) -> None:
    asked = [
        Asked("the cat", steps=4, seed=1, seen=(photograph(80, 64, seed=1), photograph(64, 64, seed=2))),
        Asked(LONG, steps=3, seed=2, seen=(photograph(80, 64, seed=3), photograph(64, 64, seed=4)), joins=1),
    ]

    together = stepped(klein, asked)

    for one, latents in zip(asked, together, strict=True):
        assert far(klein.decode([latents])[0], drawn(klein, one)) <= CLOSE


def test_rows_that_look_at_pictures_of_other_sizes_are_of_another_kind(klein: Flux2Family) -> None:
    wide, tall = [klein.extras([Seen(photograph(*size))], None, 64, 64) for size in ((80, 64), (64, 80))]

    assert wide.tensors["tokens"].shape == tall.tensors["tokens"].shape
    assert wide.kind != tall.kind
    assert klein.extras([], None, 64, 64).kind == ""
    with pytest.raises(ValueError, match="cannot share"):
        stepped(klein, [Asked("the cat", seen=(photograph(80, 64),)), Asked("the cat", seen=(photograph(64, 80),))])


def test_a_text_is_encoded_as_in_the_pipeline(klein: Flux2Family, folder: Path) -> None:
    texts = ["the cat", "", LONG * 12]

    encoded = klein.encode(texts)

    pipe = pipeline(Flux2KleinPipeline, folder)
    for text, own in zip(texts, encoded, strict=True):
        assert far(own.tensors["text"], pipe.encode_prompt(text)[0][0]) <= CLOSE


@pytest.mark.parametrize(("tokens", "steps"), [(16, 4), (4096, 4), (4096, 50), (4300, 28), (9216, 4)])
def test_the_schedule_is_shifted_as_in_the_pipeline(tokens: int, steps: int) -> None:
    from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu

    assert measured_mu(tokens, steps) == pytest.approx(compute_empirical_mu(tokens, steps), abs=1e-9)


def test_large_pictures_are_looked_at_in_the_size_of_the_pipeline(klein: Flux2Family) -> None:
    extras = klein.extras([Seen(photograph(1600, 1200))], None, 64, 64)

    assert extras.kind == "73x55"


def test_a_preview_is_a_view_of_what_the_decoder_would_get(klein: Flux2Family) -> None:
    pixels = tensor(photograph(128, 96))

    view = klein.preview(klein.encode_image(pixels))

    assert view.shape == (3, 12, 16)
    assert far(view, klein.pictures.preview(klein.pictures.encode(pixels))) <= CLOSE


def test_no_controlnet_is_promised(klein: Flux2Family) -> None:
    assert not FAMILIES["flux2"].controls
    with pytest.raises(Unavailable, match="no ControlNet"):
        klein.extras([], Control(photograph(64, 64), "canny", "any"), 64, 64)


def test_only_the_base_model_is_guided(klein: Flux2Family, base: Flux2Family) -> None:
    assert [klein.is_guided(value) for value in (0.0, 1.0, 4.0)] == [False, False, False]
    assert [base.is_guided(value) for value in (0.0, 1.0, 4.0)] == [False, False, True]
    unsaid = Flux2Family(klein.parts, model_of("flux2"))  # the catalog does not say, but the checkpoint does
    assert not unsaid.is_guided(4.0)


def test_nothing_is_left_of_a_cache_after_a_reset(klein: Flux2Family) -> None:
    from diffusers import TaylorSeerCacheConfig

    asked = Asked("the cat", steps=6, seed=1)
    with klein.parts.use("transformer") as transformer:
        transformer.enable_cache(TaylorSeerCacheConfig(cache_interval=3, disable_cache_before_step=1))
    try:
        first = stepped(klein, [asked])[0]
        klein.reset()
        stepped(klein, [Asked("the dog", steps=2, seed=2)])
        klein.reset()
        again = stepped(klein, [asked])[0]
    finally:
        transformer.disable_cache()

    assert torch.equal(first, again)
    assert far(first, stepped(klein, [asked])[0]) > 100 * CLOSE


def test_the_facts_are_true(klein: Flux2Family) -> None:
    facts = FAMILIES["flux2"]

    assert facts.solver == "flow"
    assert not facts.ragged
    assert facts.multiple == 2 * klein.pictures.cell == klein.multiple
