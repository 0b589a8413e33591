"""From latents to pictures: precision, large pictures, many pictures, quick views."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from PIL import Image

from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families import autoencoder
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.families.unet import UnetFamily
from brushwork.engines.diffusion.parts import ResidentParts
from tests.engines.diffusion.tiny_adapters import save_tiny_vae
from tests.engines.diffusion.tiny_sdxl import save_sdxl
from tests.engines.diffusion.unet_drawing import NEAR, SIDE, apart, model_of, noise, pixels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_sdxl(tmp_path_factory.mktemp("decoding") / "sdxl")


@pytest.fixture
def family(folder: Path) -> UnetFamily:
    made = family_of(ResidentParts(folder), model_of("sdxl", folder))
    assert isinstance(made, UnetFamily)
    return made


@pytest.fixture
def vae(folder: Path) -> AutoencoderKL:
    return AutoencoderKL.from_pretrained(folder / "vae", local_files_only=True).eval().requires_grad_(False)


def test_half_precision_is_not_used_where_the_checkpoint_says_that_it_overflows(
    folder: Path, vae: AutoencoderKL
) -> None:
    parts = ResidentParts(folder, dtype=torch.float16)
    made = family_of(parts, model_of("sdxl", folder))
    with parts.use("vae") as half:
        assert half.dtype == torch.float16

        shown = made.decode([noise(1)])[0]

        assert half.dtype == torch.float16
    full = vae.half().float()  # the same rounded weights, in full precision
    expected = full.decode(noise(1)[None] / full.config.scaling_factor).sample[0] / 2 + 0.5
    assert shown.dtype == torch.float32
    assert apart(shown, expected.clamp(0, 1)) <= NEAR


def test_a_large_picture_is_decoded_in_pieces_but_not_one_that_tiles(
    family: UnetFamily, vae: AutoencoderKL, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents = noise(1, 2 * SIDE, 2 * SIDE)
    scaled = latents[None] / vae.config.scaling_factor
    whole = family.decode([latents])[0]
    tiled = family.decode([latents], tile=True)[0]
    monkeypatch.setattr(autoencoder, "WHOLE", SIDE * SIDE)
    vae.enable_tiling()
    expected = (vae.decode(scaled).sample[0] / 2 + 0.5).clamp(0, 1)

    in_pieces = family.decode([latents])[0]

    assert apart(in_pieces, expected) <= NEAR
    assert apart(in_pieces, whole) > 1e-3
    assert torch.equal(family.decode([latents], tile=True)[0], tiled)
    with family.parts.use("vae") as own:
        assert not own.use_tiling


def test_many_pictures_are_decoded_a_few_at_a_time(family: UnetFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    latents = [noise(seed) for seed in range(5)]
    together = family.decode(latents)
    monkeypatch.setattr(autoencoder, "TOGETHER", 2 * SIDE * SIDE)
    sizes = []
    with family.parts.use("vae") as vae:
        vae.decoder.register_forward_pre_hook(lambda _decoder, given: sizes.append(len(given[0])))

        few = family.decode(latents)

    assert sizes == [2, 2, 1]
    assert all(apart(one, other) <= NEAR for one, other in zip(few, together, strict=True))


def test_latents_with_their_own_mean_and_deviation_are_scaled_there_and_back(
    family: UnetFamily, vae: AutoencoderKL
) -> None:
    mean, deviation = [0.5, -1.0, 0.2, 2.0], [2.0, 0.5, 1.5, 3.0]
    with family.parts.use("vae") as own:
        own.register_to_config(latents_mean=mean, latents_std=deviation)
    image = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    raw = vae.encode(image[None]).latent_dist.mode()
    expected = (raw - torch.tensor(mean).view(1, 4, 1, 1)) / torch.tensor(deviation).view(1, 4, 1, 1)

    latents = family.encode_image(image)

    assert apart(latents, expected[0] * vae.config.scaling_factor) <= NEAR
    assert apart(family.decode([latents])[0], (vae.decode(raw).sample[0] / 2 + 0.5).clamp(0, 1)) <= NEAR


def test_a_quick_view_guesses_colours_better_than_grey(family: UnetFamily) -> None:
    """Random weights keep little of a colour, but more than nothing."""
    colours = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    image = Image.fromarray(colours).resize((4 * SIDE, 4 * SIDE), Image.Resampling.NEAREST)

    view = family.preview(family.encode_image(pixels(image)))

    known = torch.from_numpy(colours / 255).permute(2, 0, 1).float()
    centres = view.unflatten(2, (8, 4)).unflatten(1, (8, 4))[:, :, 1:3, :, 1:3].mean(dim=(2, 4))
    assert float((centres - known).square().sum()) < 0.85 * float((known - 0.5).square().sum())
    assert view.shape == (3, 4 * SIDE // 8, 4 * SIDE // 8)
    assert 0 <= float(view.min()) <= float(view.max()) <= 1


def test_a_tiny_decoder_gives_the_quick_view_where_there_is_one(folder: Path, tmp_path: Path) -> None:
    adapter = save_tiny_vae(tmp_path / "small")
    made = family_of(ResidentParts(folder), model_of("sdxl", folder, adapters={"small": adapter}))
    network = AutoencoderTiny.from_pretrained(tmp_path / "small", local_files_only=True).eval()
    with torch.no_grad():
        expected = (network.decode(noise(1)[None]).sample[0] / 2 + 0.5).clamp(0, 1)

    view = made.preview(noise(1))

    assert view.shape == (3, SIDE, SIDE)
    assert apart(view, expected) <= NEAR


@pytest.mark.parametrize("name", ["sd", "sdxl"])
def test_what_is_said_about_the_family_is_so(name: str, family: UnetFamily) -> None:
    facts = FAMILIES[name]

    assert facts.solver == "epsilon"
    assert facts.multiple == family.multiple == autoencoder.SIDE
    assert facts.tile == "exact"  # test_unet_tile.py
    assert facts.controls  # test_unet_pictures.py
    assert facts.image_prompts  # test_unet_pictures.py
    assert not facts.ragged
    assert facts.references == 0
