"""Z-Image, base and Turbo: a single-stream transformer that takes lists, so that rows of any size and any length of
prompt share one forward pass.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.adapters import Loras
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call, Conditioning, Extras
from brushwork.engines.diffusion.families.flow import configured_mu, flow_solver
from brushwork.engines.diffusion.families.pictures import Pictures
from brushwork.engines.diffusion.families.qwen3 import hidden_layers
from brushwork.engines.diffusion.families.zimage_control import ZImageControls
from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.pixels import tensor_of
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.engines.diffusion.solver import Solver
from brushwork.errors import Unavailable

CHANNELS = 16
PATCH = 2
"""Latent pixels of a side of one token."""


class ZImageFamily:
    """One loaded Z-Image."""

    multiple = FAMILIES["zimage"].multiple

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.model = model
        self.pictures = Pictures(parts, model)
        self.controls = ZImageControls(parts, model)
        self.loras = Loras(parts, model)

    def encode(
        self,
        texts: Sequence[str],
        seen: Sequence[Seen] = (),  # noqa: ARG002
        *,
        adapters: tuple[tuple[str, float], ...] = (),  # noqa: ARG002
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

    def extras(self, seen: Sequence[Seen], control: Control | None, width: int, height: int) -> Extras:
        if seen:
            raise Unavailable(f"The model {self.model.name!r} looks at no pictures beside its prompt.")
        if control is None:
            return NO_EXTRAS
        return Extras({"control": self.encode_image(tensor_of(control.image.resize((width, height))))}, control)

    def denoise(self, calls: Sequence[Call]) -> list[Tensor]:
        with (
            torch.inference_mode(),
            self.loras.active(calls[0].adapters, among=("transformer",)),
            self.parts.use("transformer") as transformer,
        ):
            device, dtype = self.parts.device, transformer.dtype
            shown = [call.latents.to(device, dtype).unsqueeze(1) for call in calls]  # (C, 1, h, w), one frame
            timesteps = torch.tensor([call.timestep for call in calls], dtype=torch.float32, device=device)
            times = (1000 - timesteps) / 1000  # this model counts from noise to picture
            texts = [call.conditioning.tensors["text"].to(device, dtype) for call in calls]
            followed = self.controls.residuals(transformer, calls, shown, times, texts)
            drawn = transformer(shown, times, texts, controlnet_block_samples=followed, return_dict=False)[0]
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
        # A tiny decoder has no scale of its own
        small = self.pictures.sketched(latents)
        return self.pictures.preview(self.unscaled(latents)) if small is None else small

    def reset(self) -> None:
        """Nothing is kept between steps: diffusers has no cache for this transformer."""

    def unscaled(self, latents: Tensor) -> Tensor:
        scale, shift = self.statistics()
        return latents / scale + shift

    def statistics(self) -> tuple[float, float]:
        """Scale and shift of latents."""
        with self.parts.use("vae") as vae:
            return float(vae.config.scaling_factor), float(vae.config.shift_factor or 0.0)
