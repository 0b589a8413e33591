"""`--tile` with a UNet: the picture goes on at its opposite edges, and the next one does not."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from brushwork.engines.diffusion.families.base import Call
from brushwork.engines.diffusion.families.seamless import seamless
from brushwork.engines.diffusion.families.table import family_of
from brushwork.engines.diffusion.families.unet import UnetFamily
from brushwork.engines.diffusion.parts import ResidentParts
from brushwork.engines.diffusion.plan import Control
from tests.engines.diffusion.tiny_adapters import save_union
from tests.engines.diffusion.tiny_sdxl import save_sdxl
from tests.engines.diffusion.unet_drawing import NEAR, SIDE, apart, model_of, noise, picture

SHIFT = (4, 2)
"""Latents down and right: multiples of what the network halves."""
SHIFT_SHOWN = (32, 16)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> UnetFamily:
    root = tmp_path_factory.mktemp("tile")
    folder = save_sdxl(root / "sdxl")
    adapters = {"union": save_union(root / "union")}
    family = family_of(ResidentParts(folder), model_of("sdxl", folder, adapters=adapters))
    assert isinstance(family, UnetFamily)
    return family


def drawn(family: UnetFamily, first: Tensor, *, tile: bool, control: Control | None = None) -> Tensor:
    solver = family.solver(3, SIDE, SIDE)
    latents, text = solver.begin(first), family.encode(["a cat"])[0]
    extras = family.extras((), control, SIDE, SIDE)
    for step in range(3):
        call = Call(solver.scaled(latents, step), solver.timestep(step), text, extras=extras, tile=tile)
        latents = solver.step(family.denoise([call])[0], step, latents, None)
    return latents


def moved(picture: Tensor, shift: tuple[int, int]) -> Tensor:
    return torch.roll(picture, shift, (1, 2))


def test_moved_noise_gives_the_moved_picture(family: UnetFamily) -> None:
    one = drawn(family, noise(1), tile=True)
    other = drawn(family, moved(noise(1), SHIFT), tile=True)

    assert apart(moved(one, SHIFT), other) <= NEAR
    shown, shown_other = (family.decode([latents], tile=True)[0] for latents in (one, other))
    assert apart(moved(shown, SHIFT_SHOWN), shown_other) <= NEAR


def test_without_it_an_edge_is_an_edge(family: UnetFamily) -> None:
    one, other = (drawn(family, first, tile=False) for first in (noise(1), moved(noise(1), SHIFT)))
    tiled = drawn(family, noise(1), tile=True)
    shown, shown_other = (family.decode([latents])[0] for latents in (tiled, moved(tiled, SHIFT)))

    assert apart(moved(one, SHIFT), other) > 1e-3
    assert apart(moved(shown, SHIFT_SHOWN), shown_other) > 1e-3


def test_a_controlled_picture_tiles_too(family: UnetFamily) -> None:
    image = picture(3)
    rolled = picture(3)
    rolled.paste(image, (SHIFT_SHOWN[1], SHIFT_SHOWN[0]))
    rolled.paste(image, (SHIFT_SHOWN[1] - SIDE, SHIFT_SHOWN[0]))
    rolled.paste(image, (SHIFT_SHOWN[1], SHIFT_SHOWN[0] - SIDE))
    rolled.paste(image, (SHIFT_SHOWN[1] - SIDE, SHIFT_SHOWN[0] - SIDE))
    one = drawn(family, noise(1), tile=True, control=Control(image, "tile", "union"))
    other = drawn(family, moved(noise(1), SHIFT), tile=True, control=Control(rolled, "tile", "union"))

    assert apart(moved(one, SHIFT), other) <= NEAR


def test_the_next_picture_has_edges_again(family: UnetFamily, tmp_path: Path) -> None:
    fresh = family_of(ResidentParts(save_sdxl(tmp_path / "fresh")), family.model)
    assert isinstance(fresh, UnetFamily)
    tiled = drawn(family, noise(2), tile=True)
    family.decode([tiled], tile=True)

    plain = drawn(family, noise(2), tile=False)

    assert torch.equal(plain, drawn(fresh, noise(2), tile=False))
    assert torch.equal(family.decode([plain])[0], fresh.decode([plain])[0])


def test_padding_is_as_before_even_after_an_error() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1, padding_mode="reflect"), nn.Conv2d(3, 3, 3, padding=1))
    network.append(nn.Conv2d(3, 3, 1))

    def fail() -> None:
        with seamless(network):
            assert [layer.padding_mode for layer in network] == ["circular", "circular", "zeros"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [layer.padding_mode for layer in network] == ["reflect", "zeros", "zeros"]
