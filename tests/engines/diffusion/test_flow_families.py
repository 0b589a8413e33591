"""What holds of every flow transformer that pictures share a pass in: bytes, precision, decoding, tiles, LoRAs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import Flux2KleinPipeline, ZImagePipeline

from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.flux2 import Flux2Family
from brushwork.engines.diffusion.families.zimage import ZImageFamily
from brushwork.engines.diffusion.parts import ResidentParts
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
from tests.engines.diffusion.tiny_adapters import save_lora
from tests.engines.diffusion.tiny_flux2 import save_flux2
from tests.engines.diffusion.tiny_zimage import save_zimage


@dataclass(frozen=True)
class Kind:
    """A family, its own pipeline, and what a LoRA may change in it."""

    cls: type[Flux2Family] | type[ZImageFamily]
    save: Callable[[Path], Path]
    pipeline: Any
    targets: tuple[str, ...]
    unguided: float


KINDS = {
    "flux2": Kind(Flux2Family, save_flux2, Flux2KleinPipeline, ("to_q", "to_qkv_mlp_proj"), 1.0),
    "zimage": Kind(ZImageFamily, save_zimage, ZImagePipeline, ("to_q", "to_v", "w1"), 0.0),
}


@pytest.fixture(scope="module", params=KINDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def kind(name: str) -> Kind:
    return KINDS[name]


@pytest.fixture(scope="module")
def folder(kind: Kind, name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return kind.save(tmp_path_factory.mktemp("models") / name)


@pytest.fixture(scope="module")
def family(kind: Kind, name: str, folder: Path) -> Flux2Family | ZImageFamily:
    return kind.cls(ResidentParts(folder), model_of(name))


def test_a_pass_of_fixed_size_gives_the_same_bytes_whoever_shares_it(family: Flux2Family | ZImageFamily) -> None:
    asked = Asked("the cat", guidance=3.0, seed=1)
    others = [Asked("the dog and the house", seed=2, steps=3), Asked("a tree", seed=3, joins=1)]

    alone = stepped(family, [asked], bucket=4)[0]
    together = stepped(family, [asked, *others], bucket=4)[0]

    assert torch.equal(alone, together)


def test_half_precision_draws_the_same_picture_a_little_coarser(
    family: Flux2Family | ZImageFamily, kind: Kind, name: str, folder: Path
) -> None:
    coarse = kind.cls(ResidentParts(folder, dtype=torch.bfloat16), model_of(name))
    seen = (photograph(64, 80),) if FAMILIES[name].references else ()
    asked = Asked("the cat", guidance=2.0, seed=1, start=1, init=photograph(64, 64), seen=seen)

    picture = drawn(coarse, asked)

    assert picture.dtype == coarse.preview(stepped(coarse, [asked])[0]).dtype == torch.float32
    assert float((picture - drawn(family, asked)).abs().mean()) < 0.02


def test_a_decoded_picture_is_what_the_encoder_saw(family: Flux2Family | ZImageFamily) -> None:
    pixels = tensor(photograph(64, 48))

    latents = family.encode_image(pixels)

    assert latents.shape == family.latent_shape(64, 48)
    with family.parts.use("vae") as vae:
        wanted = vae.encode(pixels.unsqueeze(0)).latent_dist.mode()
        seen = vae.decode(wanted).sample[0] / 2 + 0.5
    assert far(family.decode([latents])[0], seen.clamp(0, 1)) <= CLOSE


def test_a_picture_that_tiles_is_decoded_alike_wherever_it_is_cut(family: Flux2Family | ZImageFamily) -> None:
    latents = torch.randn(family.latent_shape(64, 64), generator=noise_of(3))
    cell = 64 // latents.shape[1]
    rolled = torch.roll(latents, (1, 2), (1, 2))

    tiled = [family.decode([one], tile=True)[0] for one in (latents, rolled)]
    plain = [family.decode([one])[0] for one in (latents, rolled)]

    assert far(torch.roll(tiled[0], (cell, 2 * cell), (1, 2)), tiled[1]) <= CLOSE
    assert far(torch.roll(plain[0], (cell, 2 * cell), (1, 2)), plain[1]) > 100 * CLOSE


def test_a_lora_acts_as_in_the_pipeline_and_leaves_no_trace(
    kind: Kind, name: str, folder: Path, tmp_path: Path
) -> None:
    pipe = pipeline(kind.pipeline, folder)
    lora = save_lora(tmp_path, "ink", {"transformer": pipe.transformer}, targets=kind.targets, seed=4)
    family = kind.cls(ResidentParts(folder), model_of(name, lora))
    before = drawn(family, Asked("the cat", seed=5, guidance=kind.unguided))

    picture = drawn(family, Asked("the cat", seed=5, guidance=kind.unguided, adapters=(("ink", 0.6),)))
    after = drawn(family, Asked("the cat", seed=5, guidance=kind.unguided))

    pipe.load_lora_weights(tmp_path, weight_name="ink.safetensors", adapter_name="ink")
    pipe.set_adapters(["ink"], [0.6])
    wanted = by_pipeline(
        pipe,
        prompt="the cat",
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=kind.unguided,
        generator=noise_of(5),
    )
    assert far(picture, wanted) <= CLOSE
    assert far(picture, before) > 100 * CLOSE
    assert torch.equal(before, after)
