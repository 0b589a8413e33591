"""Pictures to latents and back, through the AutoencoderKL of Stable Diffusion and SDXL; and a quick view of latents."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any

import torch
from torch import Tensor

from brushwork.engines.diffusion.families.seamless import seamless
from brushwork.engines.diffusion.parts import Parts

SIDE = 8
"""Pixels of a side of one latent, in every Stable Diffusion."""
WHOLE = 1536 * 1536
"""Pixels of the largest picture that is decoded in one piece: above it the decoder needs more than the denoiser."""
TOGETHER = 2 * 1024 * 1024
"""Pixels that are decoded in one pass at most."""


@contextmanager
def ready(parts: Parts, *, pixels: int = 0, tile: bool = False) -> Iterator[Any]:
    """The autoencoder, in the precision it needs, in pieces when the picture is large; as it was afterwards."""
    with parts.use("vae") as vae:
        half = vae.dtype == torch.float16 and bool(vae.config.get("force_upcast"))
        in_pieces = vae.use_tiling
        try:
            if half:  # it overflows: the checkpoint says so
                vae.to(torch.float32)
            # Pieces overlap, but know nothing of the opposite edge.
            vae.use_tiling = pixels > WHOLE and not tile
            with seamless(vae, wanted=tile):
                yield vae
        finally:
            vae.use_tiling = in_pieces
            if half:
                vae.to(torch.float16)


def encode(parts: Parts, pixels: Tensor) -> Tensor:
    """(3, H, W) in -1..1 → latents in the solver's scale: the mean of the distribution."""
    with ready(parts, pixels=pixels.shape[-1] * pixels.shape[-2]) as vae:
        mean = vae.encode(pixels[None].to(parts.device, vae.dtype)).latent_dist.mode().float()
        shift, scale = scaling(vae, mean)
    return ((mean - shift) * scale)[0]


def decode(parts: Parts, latents: Sequence[Tensor], *, tile: bool = False) -> list[Tensor]:
    """Latents of equal shapes → pictures (3, H, W) in 0..1."""
    pixels = latents[0].shape[-1] * latents[0].shape[-2] * SIDE**2
    pictures: list[Tensor] = []
    with ready(parts, pixels=pixels, tile=tile) as vae:
        for some in torch.stack(list(latents)).split(max(1, TOGETHER // pixels)):
            shift, scale = scaling(vae, some)
            clear = (some / scale + shift).to(parts.device, vae.dtype)
            pictures += (vae.decode(clear, return_dict=False)[0].float() / 2 + 0.5).clamp(0, 1)
    return pictures


def scaling(vae: Any, like: Tensor) -> tuple[Tensor, Tensor]:
    """What is taken from the autoencoder's latents, and by what they are multiplied then."""
    mean, deviation = vae.config.get("latents_mean"), vae.config.get("latents_std")
    scale = torch.tensor(float(vae.config.scaling_factor), device=like.device)
    if mean is None or deviation is None:
        return torch.zeros((), device=like.device), scale
    shift = torch.tensor(mean, device=like.device).view(1, -1, 1, 1)
    return shift, scale / torch.tensor(deviation, device=like.device).view(1, -1, 1, 1)


def colours_of_latents(parts: Parts) -> Tensor:
    """(C + 1, 3): a linear guess at the colour of a latent, and a constant, in 0..1.

    Fitted to what this autoencoder makes of a chart of 64 colours, so that it needs no table and fits every checkpoint.
    """
    shades = torch.tensor(list(product((0.0, 1 / 3, 2 / 3, 1.0), repeat=3)))
    shades = shades[torch.randperm(64, generator=torch.Generator().manual_seed(0))]  # mixed, as in a picture
    chart = shades.T.reshape(3, 8, 8).repeat_interleave(4 * SIDE, dim=1).repeat_interleave(4 * SIDE, dim=2)
    latents = encode(parts, chart * 2 - 1).cpu()
    # Of the 4 x 4 latents of a colour, those inside, which see little of its neighbours.
    centres = latents.unflatten(2, (8, 4)).unflatten(1, (8, 4))[:, :, 1:3, :, 1:3].mean(dim=(2, 4))
    known = torch.cat([centres.flatten(1).T, torch.ones(64, 1)], dim=1).double()
    return (torch.linalg.pinv(known) @ shades.double()).float()


def coloured(latents: Tensor, colours: Tensor) -> Tensor:
    """(3, h, w) in 0..1."""
    colours = colours.to(latents.device)
    return (torch.einsum("chw,cr->rhw", latents.float(), colours[:-1]) + colours[-1].view(3, 1, 1)).clamp(0, 1)
