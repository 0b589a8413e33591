"""Z-Image: what the family computes is what its own pipelines compute, alone and beside others."""

from pathlib import Path

import pytest
import torch
from diffusers import ZImageImg2ImgPipeline, ZImagePipeline

from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.zimage import ZImageFamily
from brushwork.engines.diffusion.parts import ResidentParts
from tests.engines.diffusion.stepping import (
    CLOSE,
    Asked,
    by_pipeline,
    drawn,
    far,
    likeness,
    model_of,
    noise_of,
    photograph,
    pipeline,
    stepped,
    tensor,
)
from tests.engines.diffusion.tiny_zimage import save_zimage

LONG = "the lighthouse on the rock and the sea around it, painted in the evening with a broad brush and little water"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_zimage(tmp_path_factory.mktemp("models") / "zimage")


@pytest.fixture(scope="module")
def family(folder: Path) -> ZImageFamily:
    return ZImageFamily(ResidentParts(folder), model_of("zimage"))


@pytest.mark.parametrize(("guidance", "steps"), [(0.0, 4), (3.5, 7)])
def test_a_picture_is_what_the_pipeline_draws(family: ZImageFamily, folder: Path, guidance: float, steps: int) -> None:
    asked = Asked("the cat", 96, 64, steps=steps, seed=5, guidance=guidance, negative="a dog")

    picture = drawn(family, asked)

    wanted = by_pipeline(
        pipeline(ZImagePipeline, folder),
        prompt="the cat",
        negative_prompt="a dog",
        width=96,
        height=64,
        num_inference_steps=steps,
        guidance_scale=guidance,
        generator=noise_of(5),
    )
    assert wanted.std() > 0.05
    assert far(picture, wanted) <= CLOSE


@pytest.mark.parametrize(("guidance", "strength", "start"), [(0.0, 0.6, 2), (2.0, 0.8, 1)])
def test_a_picture_goes_on_from_another_as_in_the_pipeline(
    family: ZImageFamily, folder: Path, guidance: float, strength: float, start: int
) -> None:
    before = photograph(64, 96)
    asked = Asked(LONG, 64, 96, steps=5, seed=5, skip=1, guidance=guidance, start=start, init=before)

    picture = drawn(family, asked)

    wanted = by_pipeline(
        pipeline(ZImageImg2ImgPipeline, folder),
        prompt=LONG,
        image=before,
        strength=strength,
        num_inference_steps=5,
        guidance_scale=guidance,
        generator=noise_of(5),
    )
    assert far(picture, wanted) <= CLOSE


def test_pictures_of_other_sizes_lengths_steps_and_guidance_change_nothing(family: ZImageFamily) -> None:
    asked = [
        Asked("the cat", 64, 64, steps=4, seed=1),
        Asked(LONG, 96, 64, steps=6, seed=2, guidance=4.0, negative="the dog"),
        Asked("a tree and a house", 48, 112, steps=3, seed=3, guidance=1.5, joins=2),
        Asked("the end", 64, 64, steps=5, seed=4, start=2, end=4, init=photograph(64, 64), joins=1),
    ]

    together = stepped(family, asked)

    for one, latents in zip(asked, together, strict=True):
        assert far(family.decode([latents])[0], drawn(family, one)) <= CLOSE


def test_a_pass_of_fixed_size_gives_the_same_bytes_whoever_shares_it(family: ZImageFamily) -> None:
    asked = Asked("the cat", guidance=3.0, seed=1)
    others = [Asked("the dog", seed=2, steps=3), Asked("a tree", seed=3, joins=1)]

    alone = stepped(family, [asked], bucket=4)[0]
    together = stepped(family, [asked, *others], bucket=4)[0]

    assert torch.equal(alone, together)


def test_a_text_is_encoded_as_in_the_pipeline(family: ZImageFamily, folder: Path) -> None:
    texts = ["the cat", "", LONG * 12]

    encoded = family.encode(texts)

    pipe = pipeline(ZImagePipeline, folder)
    for text, own in zip(texts, encoded, strict=True):
        wanted = pipe.encode_prompt(text, do_classifier_free_guidance=False)[0][0]
        assert own.tensors["text"].shape == wanted.shape
        assert far(own.tensors["text"], wanted) <= CLOSE
    assert len(encoded[2].tensors["text"]) == 512


def test_a_decoded_picture_is_what_the_encoder_saw(family: ZImageFamily) -> None:
    pixels = tensor(photograph(64, 48))

    latents = family.encode_image(pixels)

    assert latents.shape == family.latent_shape(64, 48)
    with family.parts.use("vae") as vae:
        wanted = vae.encode(pixels.unsqueeze(0)).latent_dist.mode()
        seen = vae.decode(wanted).sample[0] / 2 + 0.5
    assert far(family.decode([latents])[0], seen.clamp(0, 1)) <= CLOSE


def test_a_picture_that_tiles_is_decoded_alike_wherever_it_is_cut(family: ZImageFamily) -> None:
    latents = torch.randn(family.latent_shape(64, 64), generator=noise_of(3))
    rolled = torch.roll(latents, (3, 5), (1, 2))

    tiled = [family.decode([one], tile=True)[0] for one in (latents, rolled)]
    plain = [family.decode([one])[0] for one in (latents, rolled)]

    assert far(torch.roll(tiled[0], (24, 40), (1, 2)), tiled[1]) <= CLOSE
    assert far(torch.roll(plain[0], (24, 40), (1, 2)), plain[1]) > 100 * CLOSE


def test_a_preview_has_the_colours_of_the_picture(family: ZImageFamily) -> None:
    pixels = tensor(photograph(128, 128)) / 2 + 0.5

    view = family.preview(family.encode_image(pixels * 2 - 1))

    assert view.shape == (3, 16, 16)
    small = torch.nn.functional.interpolate(pixels.unsqueeze(0), size=(16, 16), mode="area")[0]
    assert likeness(view, small) > 0.3  # of a decoder that has learnt nothing


def test_guidance_is_on_above_nothing(family: ZImageFamily) -> None:
    assert [family.is_guided(value) for value in (0.0, 0.5, 4.0)] == [False, True, True]


def test_the_facts_are_true(family: ZImageFamily) -> None:
    facts = FAMILIES["zimage"]

    assert facts.ragged
    assert facts.solver == "flow"
    assert facts.references == 0
    assert facts.multiple == 2 * family.pictures.cell == family.multiple
