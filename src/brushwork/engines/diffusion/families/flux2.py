"""FLUX.2 klein, distilled and base: pictures that are looked at are more tokens of the same sequence, each set back in
time, so that the model can copy from them.

Its latents are the decoder's, 2×2 to one, brought to the mean and deviation that its batch normalisation has learnt.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache

import torch
from diffusers.pipelines.flux2.image_processor import Flux2ImageProcessor
from PIL.Image import Image
from torch import Tensor
from torch.nn import functional

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.adapters import Loras
from brushwork.engines.diffusion.facts import FAMILIES
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call, Conditioning, Extras
from brushwork.engines.diffusion.families.flow import flow_solver
from brushwork.engines.diffusion.families.pictures import Pictures
from brushwork.engines.diffusion.families.qwen3 import hidden_layers
from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.engines.diffusion.solver import Solver
from brushwork.errors import Unavailable

LAYERS = (9, 18, 27)
"""Of the text encoder: what they say is laid side by side."""
LARGEST_SEEN = 1024 * 1024
"""Pixels of a picture that is looked at; larger ones are scaled down, as its own pipeline does."""
BACK = 10
"""From the drawn picture to the first that is looked at, and from one to the next, on the axis of time."""
PATCH = 2
"""Latent pixels of the decoder in a side of one of ours, which is one token."""


class Flux2Family:
    """One loaded FLUX.2 klein."""

    multiple = FAMILIES["flux2"].multiple

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.model = model
        self.distilled = model.distilled or bool(getattr(parts, "index", {}).get("is_distilled"))
        self.pictures = Pictures(parts, model)
        self.loras = Loras(parts, model)

    def encode(
        self,
        texts: Sequence[str],
        seen: Sequence[Seen] = (),  # noqa: ARG002
        *,
        adapters: tuple[tuple[str, float], ...] = (),  # noqa: ARG002
    ) -> list[Conditioning]:
        return [Conditioning({"text": self.read(text)}) for text in texts]

    def read(self, text: str) -> Tensor:
        """(512, D): the model was trained to look at the empty places after a short text too."""
        return torch.cat(hidden_layers(self.parts, text, LAYERS, thinking=False, filled=True), dim=-1)

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        return self.channels, height // self.multiple, width // self.multiple

    def solver(self, steps: int, width: int, height: int) -> Solver:
        tokens = (height // self.multiple) * (width // self.multiple)
        return flow_solver(self.parts, steps, mu=measured_mu(tokens, steps))

    def extras(self, seen: Sequence[Seen], control: Control | None, width: int, height: int) -> Extras:  # noqa: ARG002
        if control is not None:
            raise Unavailable("FLUX.2 follows no ControlNet.")
        if not seen:
            return NO_EXTRAS
        looks = [self.encode_image(look(one.image)) for one in seen]
        places = [
            grid(*one.shape[1:], self.parts.device, time=BACK * number) for number, one in enumerate(looks, start=1)
        ]
        return Extras(
            {"tokens": torch.cat([packed(one) for one in looks]), "places": torch.cat(places)},
            kind="+".join(f"{one.shape[2]}x{one.shape[1]}" for one in looks),
        )

    def denoise(self, calls: Sequence[Call]) -> list[Tensor]:
        first = calls[0]
        if any((call.extras.kind, call.latents.shape) != (first.extras.kind, first.latents.shape) for call in calls):
            # The transformer has one set of places for a whole batch
            raise ValueError("Rows with pictures of different sizes cannot share a forward pass of FLUX.2.")
        device = self.parts.device
        places = grid(*first.latents.shape[1:], device)
        if "places" in first.extras.tensors:
            places = torch.cat([places, first.extras.tensors["places"]])
        own = first.latents[0].numel()
        with (
            torch.inference_mode(),
            self.loras.active(first.adapters, among=("transformer",)),
            self.parts.use("transformer") as transformer,
        ):
            tokens = torch.stack([sequence(call) for call in calls]).to(device, transformer.dtype)
            texts = torch.stack([call.conditioning.tensors["text"] for call in calls]).to(device, transformer.dtype)
            told = [call.guidance for call in calls] if transformer.config.guidance_embeds else None
            with transformer.cache_context("rows"):
                drawn = transformer(
                    hidden_states=tokens,  # (B, own + seen, C)
                    encoder_hidden_states=texts,
                    timestep=torch.tensor([call.timestep for call in calls], device=device) / 1000,
                    img_ids=places,
                    txt_ids=line(texts.shape[1], device),
                    guidance=None if told is None else torch.tensor(told, device=device),
                    return_dict=False,
                )[0]
        velocity = drawn[:, :own].float().transpose(1, 2)  # (B, C, own)
        return list(velocity.reshape(len(calls), *first.latents.shape))

    def is_guided(self, guidance: float) -> bool:
        return guidance > 1.0 and not self.distilled

    def guide(self, positive: Tensor, negative: Tensor, guidance: float) -> Tensor:
        return negative + guidance * (positive - negative)

    def encode_image(self, pixels: Tensor) -> Tensor:
        mean, deviation = self.statistics()
        return (functional.pixel_unshuffle(self.pictures.encode(pixels), PATCH) - mean) / deviation

    def decode(self, latents: Sequence[Tensor], *, tile: bool = False) -> list[Tensor]:
        return [self.pictures.decode(self.unscaled(one), tile=tile) for one in latents]

    def preview(self, latents: Tensor) -> Tensor:
        return self.pictures.preview(self.unscaled(latents))

    def reset(self) -> None:
        with self.parts.use("transformer") as transformer:
            if transformer.is_cache_enabled:
                transformer._reset_stateful_cache()

    def unscaled(self, latents: Tensor) -> Tensor:
        """Ours → the decoder's own."""
        mean, deviation = (one.to(latents.device) for one in self.statistics())
        return functional.pixel_shuffle(latents * deviation + mean, PATCH)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of our latents, (C, 1, 1)."""
        with self.parts.use("vae") as vae:
            variance = vae.bn.running_var + vae.config.batch_norm_eps
            return vae.bn.running_mean.float().view(-1, 1, 1), variance.float().sqrt().view(-1, 1, 1)

    @cached_property
    def channels(self) -> int:
        with self.parts.use("transformer") as transformer:
            return int(transformer.config.in_channels)


def measured_mu(tokens: int, steps: int) -> float:
    """The shift of the schedule, which Black Forest Labs measured: a plane over tokens and steps, a line far out."""
    at_200 = 0.00016927 * tokens + 0.45666666
    if tokens > 4300:
        return at_200
    at_10 = 8.73809524e-05 * tokens + 1.89833333
    return at_200 + (at_200 - at_10) / 190.0 * (steps - 200.0)


def sequence(call: Call) -> Tensor:
    """The tokens of the drawn picture, then of those that are looked at."""
    own = packed(call.latents)
    return torch.cat([own, call.extras.tensors["tokens"].to(own)]) if "tokens" in call.extras.tensors else own


def packed(latents: Tensor) -> Tensor:
    """(C, h, w) → (h * w, C)."""
    return latents.flatten(1).T


@lru_cache(maxsize=32)
def grid(height: int, width: int, device: torch.device, *, time: int = 0) -> Tensor:
    """(h * w, 4): where the tokens of a picture are, on the axes of time, height, width and text."""
    axes = torch.tensor([time]), torch.arange(height), torch.arange(width), torch.tensor([0])
    return torch.cartesian_prod(*axes).to(device)


@lru_cache(maxsize=4)
def line(length: int, device: torch.device) -> Tensor:
    """(length, 4): where the tokens of a text are."""
    return functional.pad(torch.arange(length).unsqueeze(1), (3, 0)).to(device)


def look(image: Image) -> Tensor:
    """(3, H, W) in -1..1, as the model's own pipeline prepares a picture to be looked at."""
    processor = Flux2ImageProcessor(vae_scale_factor=Flux2Family.multiple)
    if image.width * image.height > LARGEST_SEEN:
        image = processor._resize_to_target_area(image, LARGEST_SEEN)
    width, height = (side // Flux2Family.multiple * Flux2Family.multiple for side in image.size)
    return torch.as_tensor(processor.preprocess(image, height=height, width=width, resize_mode="crop"))[0]
