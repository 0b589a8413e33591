"""Z-Image, base and Turbo: a single-stream transformer that takes lists, so that rows of any size and any length of
prompt share one forward pass.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call, Conditioning, Extras
from brushwork.engines.diffusion.families.flow import configured_mu, flow_solver
from brushwork.engines.diffusion.families.pictures import Pictures
from brushwork.engines.diffusion.families.qwen3 import hidden_layers
from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.engines.diffusion.solver import Solver

CHANNELS = 16
PATCH = 2
"""Latent pixels of a side of one token."""


class ZImageFamily:
    """One loaded Z-Image."""

    multiple = FAMILIES["zimage"].multiple

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.model = model
        self.pictures = Pictures(parts)

    def encode(
        self,
        texts: Sequence[str],
        seen: Sequence[Seen] = (),
        *,
        adapters: tuple[tuple[str, float], ...] = (),
    ) -> list[Conditioning]:
        return [
            Conditioning({"text": hidden_layers(self.parts, text, [-2], thinking=True, filled=False)[0]})
            for text in texts
        ]

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        return CHANNELS, PATCH * (height // self.multiple), PATCH * (width // self.multiple)

    def solver(self, steps: int, width: int, height: int) -> Solver:
        tokens = (height // self.multiple) * (width // self.multiple)
        return flow_solver(self.parts, steps, mu=configured_mu(self.parts, tokens))

    def extras(self, seen: Sequence[Seen], control: Control | None, width: int, height: int) -> Extras:  # noqa: ARG002
        return NO_EXTRAS

    def denoise(self, calls: Sequence[Call]) -> list[Tensor]:
        with self.parts.use("transformer") as transformer:
            device, dtype = self.parts.device, transformer.dtype
            times = torch.tensor([call.timestep for call in calls], dtype=torch.float32, device=device)
            drawn = transformer(
                [call.latents.to(device, dtype).unsqueeze(1) for call in calls],  # (C, 1, h, w), one frame
                (1000 - times) / 1000,  # this model counts from noise to picture
                [call.conditioning.tensors["text"].to(device, dtype) for call in calls],
                return_dict=False,
            )[0]
        return [-velocity.squeeze(1).float() for velocity in drawn]

    def is_guided(self, guidance: float) -> bool:
        return guidance > 0.0

    def guide(self, positive: Tensor, negative: Tensor, guidance: float) -> Tensor:
        return positive + guidance * (positive - negative)  # 0 is none here, where others say 1

    def encode_image(self, pixels: Tensor) -> Tensor:
        scale, shift = self.statistics()
        return (self.pictures.encode(pixels) - shift) * scale

    def decode(self, latents: Sequence[Tensor], *, tile: bool = False) -> list[Tensor]:
        return [self.pictures.decode(self.unscaled(one), tile=tile) for one in latents]

    def preview(self, latents: Tensor) -> Tensor:
        return self.pictures.preview(self.unscaled(latents))

    def reset(self) -> None:
        """Nothing is kept between steps: diffusers has no cache for this transformer."""

    def unscaled(self, latents: Tensor) -> Tensor:
        scale, shift = self.statistics()
        return latents / scale + shift

    def statistics(self) -> tuple[float, float]:
        """Scale and shift of latents."""
        with self.parts.use("vae") as vae:
            return float(vae.config.scaling_factor), float(vae.config.shift_factor or 0.0)
