"""Z-Image: what the family computes is what its own pipelines compute, alone and beside others."""

from pathlib import Path

import pytest
import torch
from diffusers import ZImageControlNetModel, ZImageControlNetPipeline, ZImageImg2ImgPipeline, ZImagePipeline

from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.base import Call, Extras
from brushwork.engines.diffusion.families.zimage import ZImageFamily
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.errors import Unavailable
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
from tests.engines.diffusion.tiny_zimage import save_control, save_sketcher, save_zimage

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


def test_a_text_is_encoded_as_in_the_pipeline(family: ZImageFamily, folder: Path) -> None:
    texts = ["the cat", "", LONG * 12]

    encoded = family.encode(texts)

    pipe = pipeline(ZImagePipeline, folder)
    for text, own in zip(texts, encoded, strict=True):
        wanted = pipe.encode_prompt(text, do_classifier_free_guidance=False)[0][0]
        assert own.tensors["text"].shape == wanted.shape
        assert far(own.tensors["text"], wanted) <= CLOSE
    assert len(encoded[2].tensors["text"]) == 512


def test_a_preview_has_the_colours_of_the_picture(family: ZImageFamily) -> None:
    pixels = tensor(photograph(128, 128)) / 2 + 0.5

    view = family.preview(family.encode_image(pixels * 2 - 1))

    assert view.shape == (3, 16, 16)
    small = torch.nn.functional.interpolate(pixels.unsqueeze(0), size=(16, 16), mode="area")[0]
    assert likeness(view, small) > 0.3  # of a decoder that has learnt nothing


def test_a_tiny_decoder_makes_the_previews_when_there_is_one(folder: Path, tmp_path: Path) -> None:
    small = ZImageFamily(ResidentParts(folder), model_of("zimage", save_sketcher(tmp_path)))

    view = small.preview(small.encode_image(tensor(photograph(64, 48))))

    assert view.shape == (3, 48, 64)
    assert 0 <= view.min() < view.max() <= 1


def followed(seed: int = 3, *, width: int = 64, scale: float = 0.7, until: float = 1.0) -> Control:
    return Control(photograph(width, 96, seed=seed), "canny", "union", scale, until)


@pytest.fixture(scope="module")
def guided(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> ZImageFamily:
    return ZImageFamily(ResidentParts(folder), model_of("zimage", save_control(tmp_path_factory.mktemp("control"))))


@pytest.mark.parametrize("guidance", [0.0, 3.0])
def test_a_structure_is_followed_as_in_the_pipeline(guided: ZImageFamily, folder: Path, guidance: float) -> None:
    control = followed()
    asked = Asked("the cat", 64, 96, seed=5, guidance=guidance, control=control)

    picture = drawn(guided, asked)

    plain = pipeline(ZImagePipeline, folder)
    network = ZImageControlNetModel.from_pretrained(guided.model.adapters["union"].checkpoint.folder)
    pipe = ZImageControlNetPipeline(**plain.components, controlnet=network)
    pipe.set_progress_bar_config(disable=True)
    wanted = by_pipeline(
        pipe,
        prompt="the cat",
        control_image=control.image,
        controlnet_conditioning_scale=0.7,
        width=64,
        height=96,
        num_inference_steps=4,
        guidance_scale=guidance,
        generator=noise_of(5),
    )
    assert far(picture, wanted) <= CLOSE
    assert far(picture, drawn(guided, Asked("the cat", 64, 96, seed=5, guidance=guidance))) > 100 * CLOSE


def test_rows_with_and_without_a_structure_step_together(guided: ZImageFamily) -> None:
    asked = [
        Asked(LONG, 64, 96, seed=1, control=followed()),
        Asked("the cat", 64, 64, seed=2, guidance=2.0),
        Asked("a tree", 96, 96, steps=6, seed=3, guidance=2.0, control=followed(4, width=96, scale=1.0, until=0.5)),
    ]

    together = stepped(guided, asked)

    for one, latents in zip(asked, together, strict=True):
        assert far(guided.decode([latents])[0], drawn(guided, one)) <= CLOSE


def test_another_row_whose_structure_has_ended_changes_no_byte_in_passes_of_fixed_size(guided: ZImageFamily) -> None:
    asked = Asked("the cat", 64, 96, seed=1, control=followed())
    other = Asked("the dog", 64, 96, seed=2, control=followed(4, until=0.3))

    alone = stepped(guided, [asked], bucket=4)[0]

    assert torch.equal(alone, stepped(guided, [asked, other], bucket=4)[0])
    ended = stepped(guided, [other], bucket=4)[0]
    assert torch.equal(ended, stepped(guided, [other, asked], bucket=4)[0])


def test_a_structure_acts_until_its_share_of_the_steps(guided: ZImageFamily) -> None:
    half, whole, none = (
        drawn(guided, Asked("the cat", 64, 96, seed=1, control=control))
        for control in (followed(until=0.5), followed(), followed(until=0.0))
    )

    assert far(none, drawn(guided, Asked("the cat", 64, 96, seed=1))) == 0
    assert min(far(half, whole), far(half, none)) > 100 * CLOSE


def test_a_pane_follows_its_own_part_of_a_structure(guided: ZImageFamily) -> None:
    pane = (2, 4, 4, 4)
    upper, lower = (guided.extras([], followed(seed), 64, 96) for seed in (3, 4))
    mixed = upper.tensors["control"].clone()
    mixed[:, 2:6, 4:8] = lower.tensors["control"][:, 2:6, 4:8]
    latents = torch.randn(16, 4, 4, generator=noise_of(1))
    text = guided.encode(["the cat"])[0]

    answers = [
        guided.denoise([Call(latents, 500.0, text, extras=extras, window=pane)])[0]
        for extras in (upper, lower, Extras({"control": mixed}, upper.control))
    ]

    assert torch.equal(answers[1], answers[2])
    assert far(answers[0], answers[1]) > 100 * CLOSE


def test_only_structures_that_the_model_has_a_net_for_are_followed(family: ZImageFamily) -> None:
    with pytest.raises(Unavailable, match="no ControlNet"):
        drawn(family, Asked("the cat", 64, 96, control=followed()))


def test_pictures_beside_the_prompt_are_refused(family: ZImageFamily) -> None:
    with pytest.raises(Unavailable, match="looks at no pictures"):
        family.extras([Seen(photograph(64, 64))], None, 64, 64)


def test_guidance_is_on_above_nothing(family: ZImageFamily) -> None:
    assert [family.is_guided(value) for value in (0.0, 0.5, 4.0)] == [False, True, True]


def test_the_facts_are_true(family: ZImageFamily) -> None:
    facts = FAMILIES["zimage"]

    assert facts.ragged
    assert facts.solver == "flow"
    assert facts.references == 0
    assert facts.controls
    assert facts.multiple == 2 * family.pictures.cell == family.multiple
