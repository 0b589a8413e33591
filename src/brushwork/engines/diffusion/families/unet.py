"""Stable Diffusion 1.x and 2.x, and SDXL: a UNet whose attention reads the text, one row per picture.

Rows of different prompts, steps, controls and image prompts share one forward pass.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny, EulerDiscreteScheduler
from torch import Tensor

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.adapters import Loras
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families import autoencoder
from brushwork.engines.diffusion.families.autoencoder import SIDE
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call, Conditioning, Extras
from brushwork.engines.diffusion.families.clip import encode_one, encode_two, padded
from brushwork.engines.diffusion.families.control import Controls, Shown, folder_of
from brushwork.engines.diffusion.families.image_prompt import ImagePrompts
from brushwork.engines.diffusion.families.seamless import seamless
from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.engines.diffusion.solver import Solver
from brushwork.errors import Unavailable

RESCALE = 0.7
"""Of guidance, for models whose noise ends in pure noise (arXiv:2305.08891): without it they are too bright."""


class VelocitySolver(Solver):
    """A solver of a model that predicts a mixture of noise and picture, `v_prediction`."""

    def clear(self, prediction: Tensor, step: int, latents: Tensor) -> Tensor:
        variance = float(self.scheduler.sigmas[step]) ** 2
        return latents / (variance + 1) - prediction * (variance / (variance + 1)) ** 0.5


class UnetFamily:
    """One loaded model. Not safe to use from two threads: the loop owns it."""

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.model = model
        self.multiple = FAMILIES[model.family].multiple
        self.controls = Controls(parts, model)
        self.image_prompts = ImagePrompts(parts, model)
        self.loras = Loras(parts, model)
        self.colours: Tensor | None = None
        self.tiny: Any = None
        with parts.use("scheduler") as scheduler:
            self.schedule = dict(scheduler.config)
        with parts.use("unet") as unet:
            self.channels = int(unet.config.in_channels)
            if self.channels != int(unet.config.out_channels):
                raise Unavailable(f"The model {model.name!r} is made for one operation, and cannot draw from a prompt.")

    def encode(
        self,
        texts: Sequence[str],
        seen: Sequence[Seen] = (),  # noqa: ARG002
        *,
        adapters: tuple[tuple[str, float], ...] = (),
    ) -> list[Conditioning]:
        with torch.inference_mode(), self.loras.active(adapters, among=("text_encoder", "text_encoder_2")):
            return self.read(texts)

    def read(self, texts: Sequence[str]) -> list[Conditioning]:
        """The texts through the family's encoders."""
        return encode_one(self.parts, texts)

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        return self.channels, height // SIDE, width // SIDE

    def solver(self, steps: int, width: int, height: int) -> Solver:  # noqa: ARG002  # the same for all sizes
        scheduler = EulerDiscreteScheduler.from_config(self.schedule)
        scheduler.set_timesteps(steps, device="cpu")
        return (VelocitySolver if scheduler.config.prediction_type == "v_prediction" else Solver)(scheduler)

    def extras(self, seen: Sequence[Seen], control: Control | None, width: int, height: int) -> Extras:
        tensors: dict[str, Tensor] = {}
        with torch.inference_mode():
            if seen:
                tensors |= self.image_prompts.encode(seen)
        if control is not None:
            picture = np.asarray(control.image.convert("RGB").resize((width, height)), dtype=np.float32) / 255
            tensors["control"] = torch.from_numpy(picture).permute(2, 0, 1).to(self.parts.device)
        return Extras(tensors, control) if tensors else NO_EXTRAS

    def denoise(self, calls: Sequence[Call]) -> list[Tensor]:
        text, seen = padded([call.conditioning.tensors["text"] for call in calls])
        with (
            torch.inference_mode(),
            self.loras.active(calls[0].adapters, among=("unet",)),
            self.parts.use("unet") as unet,
            seamless(unet, wanted=calls[0].tile),
            self.image_prompts.shown(unet, calls),
        ):
            shown = Shown(
                torch.stack([call.latents for call in calls]).to(self.parts.device, self.parts.dtype),
                torch.tensor([call.timestep for call in calls], device=self.parts.device),
                text.to(self.parts.dtype),
                {name: value.to(self.parts.dtype) for name, value in self.added(calls).items()},
                [len(call.conditioning.tensors["text"]) for call in calls],
            )
            predicted = unet(
                shown.latents,
                shown.timesteps,
                encoder_hidden_states=shown.text,
                encoder_attention_mask=seen,
                added_cond_kwargs=dict(shown.added),
                return_dict=False,
                **self.controls.residuals(calls, shown),
            )[0]
        return list(predicted.float())

    def added(self, calls: Sequence[Call]) -> dict[str, Tensor]:  # noqa: ARG002  # nothing here, but in SDXL
        """What the denoiser is told beside the text."""
        return {}

    def is_guided(self, guidance: float) -> bool:
        return guidance > 1

    def guide(self, positive: Tensor, negative: Tensor, guidance: float) -> Tensor:
        guided = negative + guidance * (positive - negative)
        if not self.schedule.get("rescale_betas_zero_snr"):
            return guided
        return guided * (RESCALE * positive.std() / guided.std() + 1 - RESCALE)

    def encode_image(self, pixels: Tensor) -> Tensor:
        with torch.inference_mode():
            return autoencoder.encode(self.parts, pixels)

    def decode(self, latents: Sequence[Tensor], *, tile: bool = False) -> list[Tensor]:
        with torch.inference_mode():
            return autoencoder.decode(self.parts, latents, tile=tile)

    def preview(self, latents: Tensor) -> Tensor:
        with torch.inference_mode():
            small = self.small_decoder()
            if small is not None:
                picture = small.decode(latents[None].to(self.parts.device, small.dtype), return_dict=False)[0][0]
                return (picture.float() / 2 + 0.5).clamp(0, 1)
            if self.colours is None:
                self.colours = autoencoder.colours_of_latents(self.parts)
            return autoencoder.coloured(latents, self.colours)

    def small_decoder(self) -> Any:
        """The tiny decoder in the model's catalog entry, when it is installed."""
        known = next((each for each in self.model.adapters.values() if each.kind == "tiny_vae"), None)
        if self.tiny is None and known is not None and known.checkpoint.folder:
            with torch.inference_mode(mode=False):
                network = AutoencoderTiny.from_pretrained(
                    folder_of(known), torch_dtype=self.parts.dtype, use_safetensors=True, local_files_only=True
                )
                self.tiny = network.eval().requires_grad_(False).to(self.parts.device)
        return self.tiny

    def reset(self) -> None:
        self.image_prompts.gaze.tokens = None


class SdFamily(UnetFamily):
    """Stable Diffusion 1.x and 2.x."""


class SdxlFamily(UnetFamily):
    """SDXL and its descendants: two text encoders, and the size of the picture."""

    def __init__(self, parts: Parts, model: Model) -> None:
        super().__init__(parts, model)
        # An empty text was all zeros when such a model was trained without text.
        self.zero_when_empty = bool(getattr(parts, "index", {}).get("force_zeros_for_empty_prompt", True))

    def read(self, texts: Sequence[str]) -> list[Conditioning]:
        return encode_two(self.parts, texts, zero_when_empty=self.zero_when_empty)

    def added(self, calls: Sequence[Call]) -> dict[str, Tensor]:
        pooled = torch.stack([call.conditioning.tensors["pooled"] for call in calls])
        sides = [(SIDE * call.latents.shape[-2], SIDE * call.latents.shape[-1]) for call in calls]
        # Height and width before it was cut, where it was cut, and what was wanted.
        sizes = torch.tensor([[*side, 0, 0, *side] for side in sides], device=pooled.device, dtype=pooled.dtype)
        return {"text_embeds": pooled, "time_ids": sizes}
