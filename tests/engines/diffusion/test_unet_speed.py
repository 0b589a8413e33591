"""Quicker ways to compute a UNet give the same pictures."""

from pathlib import Path

import pytest
import torch

from brushwork.engines.diffusion.families.base import NO_EXTRAS, Extras
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.families.unet import UnetFamily
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.plan import Seen
from brushwork.engines.diffusion.policies.fused import can_be_fused
from brushwork.engines.diffusion.policies.policy import Policy, prepare
from tests.engines.diffusion.tiny_adapters import adapter_of, save_ip_adapter
from tests.engines.diffusion.tiny_sd import save_sd
from tests.engines.diffusion.tiny_sdxl import save_sdxl
from tests.engines.diffusion.unet_drawing import LONG, NEAR, SIDE, Asked, apart, draw, model_of, picture


@pytest.mark.parametrize("name", ["sdxl", "sd"])
@pytest.mark.parametrize(
    "policy",
    [
        Policy("cpu", "float32", fused=True),
        Policy("cpu", "float32", channels_last=True),
        Policy("cpu", "float32", fused=True, channels_last=True),
    ],
    ids=["fused", "channels-last", "both"],
)
def test_a_prepared_network_draws_what_the_plain_one_draws(name: str, policy: Policy, tmp_path: Path) -> None:
    folder = {"sdxl": save_sdxl, "sd": save_sd}[name](tmp_path / name)
    eyes = save_ip_adapter(tmp_path / "eyes", folder / "unet", plus=True)
    drawn, sizes = [], []
    for is_quick in (False, True):
        parts = ResidentParts(folder)
        if is_quick:
            with parts.use("unet") as unet:
                prepare(unet, "unet", policy, device=parts.device, folder=tmp_path)
        family = family_of(parts, model_of(name, folder, adapters={"eyes": eyes}))
        assert isinstance(family, UnetFamily)
        extras = family.extras([Seen(picture(1), 0.6), Seen(picture(2), 0.5, role="style")], None, SIDE, SIDE)
        drawn.append(draw(family, *asked(NO_EXTRAS), *asked(extras)))
        with parts.use("unet") as unet:
            sizes.append(sum(parameter.numel() for parameter in unet.parameters()))
            assert not any(parameter.requires_grad for parameter in unet.parameters())

    assert all(apart(quick, plain) <= NEAR for plain, quick in zip(*drawn, strict=True))
    assert sizes[0] == sizes[1]


def asked(extras: Extras) -> list[Asked]:
    return [Asked("a cat", seed=1, extras=extras), Asked(LONG, seed=2, steps=3, extras=extras)]


def test_a_network_that_loras_are_put_into_is_not_fused(tmp_path: Path) -> None:
    lora = adapter_of("ink", "lora", tmp_path, file="ink.safetensors")
    control = adapter_of("union", "controlnet", tmp_path)

    assert can_be_fused(model_of("sdxl", tmp_path, adapters={"union": control}))
    assert not can_be_fused(model_of("sdxl", tmp_path, adapters={"union": control, "ink": lora}))
    assert not can_be_fused(model_of("zimage", tmp_path))


def test_half_precision_draws_nearly_the_same(tmp_path: Path) -> None:
    folder = save_sdxl(tmp_path / "sdxl")
    pictures = []
    for dtype in (torch.float32, torch.bfloat16):
        family = family_of(ResidentParts(folder, dtype=dtype), model_of("sdxl", folder))
        assert isinstance(family, UnetFamily)
        latents = draw(family, Asked(LONG, seed=1), Asked("a cat", seed=2))
        assert all(each.dtype == torch.float32 for each in latents)
        pictures.append(family.decode(latents))

    assert all(float((one - other).abs().mean()) < 0.02 for one, other in zip(*pictures, strict=True))
