"""Stable Diffusion and SDXL draw what their own pipelines draw, alone and together."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import (
    StableDiffusionImg2ImgPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)

from brushwork.engines.diffusion.families.base import Call, Conditioning
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.families.unet import UnetFamily
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.errors import Unavailable
from tests.engines.diffusion.tiny_sd import UNET, save_sd
from tests.engines.diffusion.tiny_sdxl import save_sdxl
from tests.engines.diffusion.unet_drawing import (
    LONG,
    NEAR,
    SIDE,
    Asked,
    apart,
    draw,
    model_of,
    noise,
    open_pipe,
    picture,
    pixels,
)

LIBRARIES = {"sdxl": StableDiffusionXLPipeline, "sd": StableDiffusionPipeline, "velocity": StableDiffusionPipeline}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {
        "sdxl": save_sdxl(root / "sdxl"),
        "sd": save_sd(root / "sd"),
        "velocity": save_sd(root / "velocity", velocity=True),
    }


@pytest.fixture(scope="module")
def families(folders: dict[str, Path]) -> dict[str, UnetFamily]:
    made: dict[str, UnetFamily] = {}
    for name, folder in folders.items():
        family = family_of(ResidentParts(folder), model_of("sdxl" if name == "sdxl" else "sd", folder))
        assert isinstance(family, UnetFamily)
        made[name] = family
    return made


@pytest.fixture(scope="module")
def pipes(folders: dict[str, Path]) -> dict[str, Any]:
    return {name: open_pipe(LIBRARIES[name], folder) for name, folder in folders.items()}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_picture_is_that_of_the_models_own_pipeline(
    name: str, families: dict[str, UnetFamily], pipes: dict[str, Any]
) -> None:
    rescale = {"guidance_rescale": 0.7} if name == "velocity" else {}
    named = {"negative_prompt": "a mat", "num_inference_steps": 5, "guidance_scale": 6.0, **rescale}
    latents = noise(3)[None]
    theirs = pipes[name]("a cat", height=SIDE, width=SIDE, latents=latents, output_type="latent", **named).images[0]
    shown = pipes[name]("a cat", height=SIDE, width=SIDE, latents=latents, output_type="pt", **named).images[0]

    ours = draw(families[name], Asked("a cat", seed=3, steps=5, guidance=6.0, negative="a mat"))[0]

    assert apart(ours, theirs) <= NEAR
    assert apart(families[name].decode([ours])[0], shown) <= NEAR
    assert float(shown.std()) > 0.05


@pytest.mark.parametrize("guidance", [0.0, 1.0, 5.0])
def test_no_negative_prompt_is_what_the_pipeline_takes_for_none(
    guidance: float, families: dict[str, UnetFamily], pipes: dict[str, Any]
) -> None:
    named = {"num_inference_steps": 3, "guidance_scale": guidance, "output_type": "latent"}
    theirs = pipes["sdxl"]("the cat", height=SIDE, width=96, latents=noise(1, 96)[None], **named).images[0]

    ours = draw(families["sdxl"], Asked("the cat", seed=1, steps=3, guidance=guidance, width=96))[0]

    assert apart(ours, theirs) <= NEAR


def test_sizes_that_are_no_multiple_of_the_networks_own_are_drawn(
    families: dict[str, UnetFamily], pipes: dict[str, Any]
) -> None:
    named = {"num_inference_steps": 2, "output_type": "latent", "height": 72, "width": 88}
    theirs = pipes["sdxl"]("the cat", latents=noise(1, 88, 72)[None], **named).images[0]

    ours = draw(families["sdxl"], Asked("the cat", seed=1, steps=2, width=88, height=72))[0]

    assert apart(ours, theirs) <= NEAR
    assert families["sdxl"].latent_shape(88, 72) == (4, 9, 11)


@pytest.mark.parametrize("name", LIBRARIES)
def test_rows_of_different_jobs_draw_together_what_they_draw_alone(name: str, families: dict[str, UnetFamily]) -> None:
    family = families[name]
    asked = [
        Asked("a cat", seed=1, steps=6, guidance=5.0, negative="a mat"),
        Asked(LONG, seed=2, steps=3, guidance=0.0),
        Asked("", seed=3, steps=5, guidance=9.0, end=3),
        Asked("a hot cat", seed=4, steps=4, guidance=2.0, start=2, init=noise(9)),
    ]

    together = draw(family, *asked)

    for one, latents, shown in zip(asked, together, family.decode(together), strict=True):
        alone = draw(family, one)[0]
        assert apart(latents, alone) <= NEAR
        assert apart(shown, family.decode([alone])[0]) <= NEAR


@pytest.mark.parametrize(
    ("name", "cls"), [("sdxl", StableDiffusionXLImg2ImgPipeline), ("sd", StableDiffusionImg2ImgPipeline)]
)
def test_a_picture_from_a_picture_is_that_of_the_pipeline(
    name: str, cls: Any, families: dict[str, UnetFamily], folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    family, pipe = families[name], open_pipe(cls, folders[name])
    source = picture(2)
    init = family.encode_image(pixels(source))
    monkeypatch.setattr(pipe.vae.__class__, "encode", lambda vae, image: pytest.fail("The pipeline was given latents."))
    named = {"strength": 0.5, "num_inference_steps": 6, "guidance_scale": 4.0, "output_type": "latent"}
    theirs = pipe("a cat", image=init[None], generator=torch.Generator().manual_seed(5), **named).images[0]

    ours = draw(family, Asked("a cat", seed=5, steps=6, guidance=4.0, start=3, init=init))[0]

    assert apart(ours, theirs) <= NEAR


def test_latents_of_a_picture_are_the_mean_that_the_autoencoder_expects(
    families: dict[str, UnetFamily], pipes: dict[str, Any]
) -> None:
    vae = pipes["sdxl"].vae
    source = pixels(picture(4))
    with torch.no_grad():
        expected = vae.encode(source[None]).latent_dist.mode()[0] * vae.config.scaling_factor

    latents = families["sdxl"].encode_image(source)

    assert apart(latents, expected) <= NEAR
    assert latents.shape == families["sdxl"].latent_shape(SIDE, SIDE)


def test_a_part_of_a_picture_is_repainted_as_by_the_pipeline(
    families: dict[str, UnetFamily], folders: dict[str, Path]
) -> None:
    family, pipe = families["sdxl"], open_pipe(StableDiffusionXLInpaintPipeline, folders["sdxl"])
    init, mask = family.encode_image(pixels(picture(2))), torch.zeros(1, 1, SIDE, SIDE)
    mask[..., SIDE // 2 :] = 1
    theirs = pipe(
        "a cat",
        image=init[None],
        mask_image=mask,
        strength=0.99,
        num_inference_steps=4,
        guidance_scale=4.0,
        height=SIDE,
        width=SIDE,
        generator=torch.Generator().manual_seed(5),
        output_type="latent",
    ).images[0]

    solver, latent_mask = family.solver(4, SIDE, SIDE), mask[0, :, ::8, ::8]
    first = noise(5)
    positive, negative = family.encode(["a cat", ""])
    start = 1  # the pipeline leaves out a step below full strength
    latents = solver.begin(first, start=start, init=init)
    for step in range(start, 4):
        seen = Call(solver.scaled(latents, step), solver.timestep(step), positive)
        said, unsaid = family.denoise([seen, replace(seen, conditioning=negative, negative=True)])
        latents = solver.step(family.guide(said, unsaid, 4.0), step, latents, None)
        kept = solver.under_noise(init, first, step + 1)
        latents = latent_mask * latents + (1 - latent_mask) * kept

    assert apart(latents, theirs) <= NEAR


@pytest.mark.parametrize("name", ["sdxl", "sd"])
def test_texts_are_encoded_as_by_the_pipeline(
    name: str, families: dict[str, UnetFamily], pipes: dict[str, Any]
) -> None:
    texts = ["a cat on the mat", "the", "a cat, " * 18]
    encoded = families[name].encode(texts)

    for text, conditioning in zip(texts, encoded, strict=True):
        named = {"device": "cpu", "num_images_per_prompt": 1, "do_classifier_free_guidance": False}
        words, _, *pooled = pipes[name].encode_prompt(text, **named)
        assert apart(conditioning.tensors["text"], words[0]) <= NEAR
        if name == "sdxl":
            assert apart(conditioning.tensors["pooled"], pooled[0][0]) <= NEAR


@pytest.mark.parametrize("name", ["sdxl", "sd"])
def test_the_end_of_a_long_text_is_read(name: str, families: dict[str, UnetFamily]) -> None:
    family = families[name]
    one, other, short = family.encode([LONG + "a cat", LONG + "a mat", "a cat"])

    assert one.tensors["text"].shape[0] % 77 == 0
    assert one.tensors["text"].shape[0] > 77
    assert apart(one.tensors["text"], other.tensors["text"]) > 0.01
    assert short.tensors["text"].shape[0] == 77
    drawn = draw(family, Asked(LONG + "a cat", steps=2), Asked(LONG + "a mat", steps=2))
    assert apart(*drawn) > 1e-3


def test_the_clear_picture_of_a_step_is_where_the_last_step_would_go(families: dict[str, UnetFamily]) -> None:
    for family in families.values():
        solver = family.solver(4, SIDE, SIDE)
        latents = solver.begin(noise(1), end=1)
        positive = family.encode(["a cat"])[0]
        predicted = family.denoise([Call(solver.scaled(latents, 0), solver.timestep(0), positive)])[0]

        clear = solver.clear(predicted, 0, latents)

        # Both subtract numbers as large as the noise, so they agree to its precision.
        assert apart(clear, solver.step(predicted, 0, latents, None)) <= 1e-6 * float(latents.abs().max())


def test_a_network_that_needs_more_than_latents_is_refused(tmp_path: Path) -> None:
    folder = save_sd(tmp_path / "inpainting")
    UNet2DConditionModel(**{**UNET, "in_channels": 9}).save_pretrained(folder / "unet")

    with pytest.raises(Unavailable, match="one operation"):
        family_of(ResidentParts(folder), model_of("sd", folder))


def test_noise_on_a_text_changes_the_picture_and_keeps_its_shape(families: dict[str, UnetFamily]) -> None:
    positive = families["sdxl"].encode(["a cat"])[0]
    changed = positive.noised(torch.Generator().manual_seed(1), 0.5)

    assert isinstance(changed, Conditioning)
    assert changed.tensors["pooled"].shape == positive.tensors["pooled"].shape
    assert apart(changed.tensors["text"], positive.tensors["text"]) > 0.1
