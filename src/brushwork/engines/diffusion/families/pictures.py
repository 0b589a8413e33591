"""A model's own picture decoder: pixels to latents and back, and a quick view of latents.

Latents here are the decoder's own, before any family scales, patches or packs them.
"""

from functools import cached_property
from typing import Any

import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.families.autoencoder import ready
from brushwork.engines.diffusion.parts import Parts

CHART = 24
"""Colours on a side of the chart from which quick views are learnt."""


class Pictures:
    """The "vae" of a model."""

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.model = model

    def encode(self, pixels: Tensor) -> Tensor:
        """(3, H, W) in -1..1 → (C, h, w): the mean of what the encoder sees."""
        with torch.inference_mode(), ready(self.parts, pixels=pixels[0].numel()) as vae:
            seen = vae.encode(pixels.to(self.parts.device, vae.dtype).unsqueeze(0)).latent_dist
            return torch.as_tensor(seen.mode())[0].float()

    def decode(self, latents: Tensor, *, tile: bool = False) -> Tensor:
        """(C, h, w) → (3, H, W) in 0..1. One at a time: a decoder gains nothing from batches, and they cost memory."""
        with torch.inference_mode(), ready(self.parts, pixels=latents[0].numel() * self.cell**2, tile=tile) as vae:
            drawn = vae.decode(latents.to(self.parts.device, vae.dtype).unsqueeze(0), return_dict=False)[0][0]
        return (torch.as_tensor(drawn).float() / 2 + 0.5).clamp(0.0, 1.0)

    def preview(self, latents: Tensor) -> Tensor:
        """(C, h, w) → (3, h, w) in 0..1, colours only."""
        matrix, base = self.colours
        seen = torch.einsum("rc,chw->rhw", matrix.to(latents.device), latents.float())
        return (seen + base.to(latents.device)[:, None, None]).clamp(0.0, 1.0)

    def sketched(self, latents: Tensor) -> Tensor | None:
        """(C, h, w) of the family's own latents → (3, H, W) in 0..1, by the model's tiny decoder if it has one."""
        if self.tiny is None:
            return None
        shown = latents.to(self.parts.device, self.tiny.dtype).unsqueeze(0)
        with torch.inference_mode():
            drawn = self.tiny.decode(shown, return_dict=False)[0][0]
        return (torch.as_tensor(drawn).float() / 2 + 0.5).clamp(0.0, 1.0)

    @cached_property
    def tiny(self) -> Any:
        """The tiny decoder in the model's catalog entry, when it is installed."""
        known = next((each for each in self.model.adapters.values() if each.kind == "tiny_vae"), None)
        if known is None or not known.checkpoint.folder:
            return None
        network = AutoencoderTiny.from_pretrained(
            known.checkpoint.folder, torch_dtype=self.parts.dtype, use_safetensors=True, local_files_only=True
        )
        return network.eval().requires_grad_(False).to(self.parts.device)

    @cached_property
    def cell(self) -> int:
        """Pixels of a side of one latent pixel."""
        with self.parts.use("vae") as vae:
            return int(2 ** (len(vae.config.block_out_channels) - 1))

    @cached_property
    def colours(self) -> tuple[Tensor, Tensor]:
        """(3, C) and (3,): the straight map from latents to colours that fits a chart best, by this very decoder."""
        cells = torch.rand(1, 3, CHART, CHART, generator=torch.Generator().manual_seed(0))
        chart = functional.interpolate(cells, scale_factor=16, mode="bilinear")
        latents = self.encode(chart[0] * 2 - 1).cpu().double()  # (C, h, w)
        wanted = functional.interpolate(chart, size=latents.shape[-2:], mode="area")[0].double()
        known = torch.cat([latents.flatten(1), torch.ones(1, latents[0].numel(), dtype=torch.float64)])  # (C + 1, n)
        squares = known @ known.T
        squares += 1e-4 * squares.diagonal().mean() * torch.eye(len(squares), dtype=torch.float64)
        fit = torch.linalg.solve(squares, known @ wanted.flatten(1).T).T.float()  # (3, C + 1)
        return fit[:, :-1], fit[:, -1]
