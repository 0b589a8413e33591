"""Qwen-Image, and Qwen-Image-Edit with up to three pictures to look at: packed latents, true guidance, its own VAE.

An edit model looks at each picture twice: its text encoder reads a small copy along with the words, and its transformer
has the picture's latents behind its own in one sequence. Rows share a forward pass when these sequences have the same
shapes; texts of different lengths are padded and masked.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import torch
from diffusers.image_processor import VaeImageProcessor
from PIL.Image import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call, Conditioning, Extras
from brushwork.engines.diffusion.families.flow import configured_mu, flow_solver
from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.engines.diffusion.solver import Solver
from brushwork.errors import Unavailable

TURN = "<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{{}}<|im_end|>\n<|im_start|>assistant\n"
DRAWING = TURN.format(
    system="Describe the image by detailing the color, shape, size, texture, quantity, text, spatial relationships of "
    "the objects and background:"
)
EDITING = TURN.format(
    system="Describe the key features of the input image (color, shape, size, texture, objects, background), then "
    "explain how the user's text instruction should alter or modify the image. Generate a new image that meets the "
    "user's requirements while maintaining consistency with the original input where appropriate."
)
DRAWING_BEGINS, EDITING_BEGINS = 34, 64
"""Tokens of a template before the prompt; what is encoded of them is left out."""
LONGEST = 512
"""Tokens of a prompt; an edit model takes it as long as it is."""
READ_AT_MOST = 1024
"""Tokens of a prompt that are read at all, before the cut."""
PICTURE, PICTURE_MARK = "Picture {}: <|vision_start|>{}<|vision_end|>", "<|image_pad|>"
PICTURE_SIDE, GLANCE_SIDE = 1024, 384
"""Of the squares whose areas a picture is scaled to: for the transformer, and for the text encoder."""
GRAIN = 32
"""Pixels of which a picture's sides are multiples then."""
PATCH = 2
"""Latent pixels of a token's side."""
TILED_ABOVE = 2048 * 2048
"""Pixels; larger pictures go through the VAE in pieces."""
PREVIEW_SIDE = 32
"""Latent pixels at most of a preview's longer side."""
WRAP = 8
"""Latent pixels that are decoded beyond the edges of a picture without edges."""


class QwenFamily:
    """A loaded Qwen-Image, or Qwen-Image-Edit when the checkpoint has a processor of pictures."""

    def __init__(self, parts: Parts, model: Model) -> None:
        self.parts = parts
        self.name = model.name
        self.edits = parts.has("processor")
        self.picture_side = min(PICTURE_SIDE, model.side)
        self.glance_side = min(GLANCE_SIDE, model.side)
        with parts.use("vae") as vae:
            self.scale = 2 ** len(vae.temperal_downsample)
            self.channels = int(vae.config.z_dim)
            self.mean = torch.tensor(vae.config.latents_mean).view(-1, 1, 1)
            self.deviation = torch.tensor(vae.config.latents_std).view(-1, 1, 1)
        self.multiple = self.scale * PATCH
        self.pictures = VaeImageProcessor(vae_scale_factor=self.multiple)

    # ── words ──

    def encode(
        self,
        texts: Sequence[str],
        seen: Sequence[Seen] = (),
        *,
        adapters: tuple[tuple[str, float], ...] = (),  # noqa: ARG002
    ) -> list[Conditioning]:
        """One by one: what a text becomes does not depend on its neighbours, and the caller keeps it anyway."""
        if not self.edits:
            return [self.read(self.tokens(DRAWING.format(text)), DRAWING_BEGINS, LONGEST) for text in texts]
        glances = self.glances([one.image for one in seen if one.how == "reference"])
        marks = [
            PICTURE.format(place + 1, PICTURE_MARK * count) for place, count in enumerate(glances.pop("counts", ()))
        ]
        asked = [EDITING.format("".join(marks) + text) for text in texts]
        return [self.read(self.tokens(text, cut=False) | glances, EDITING_BEGINS, None) for text in asked]

    def tokens(self, text: str, *, cut: bool = True) -> dict[str, Tensor]:
        limit = {"truncation": True, "max_length": READ_AT_MOST + DRAWING_BEGINS} if cut else {}
        with self.parts.use("tokenizer") as tokenizer:
            read = tokenizer([text], return_tensors="pt", **limit)
        return {name: read[name] for name in ("input_ids", "attention_mask")}

    def glances(self, images: Sequence[Image]) -> dict[str, Any]:
        """What the text encoder sees of the pictures, and how many tokens each of them takes."""
        if not images:
            return {}
        small = [self.pictures.resize(image, *reversed(area_of(image, self.glance_side))) for image in images]
        with self.parts.use("processor") as processor:
            seen = processor(images=small, return_tensors="pt")
            counts = [int(grid.prod()) // processor.merge_size**2 for grid in seen["image_grid_thw"]]
        return {"counts": counts, "pixel_values": seen["pixel_values"], "image_grid_thw": seen["image_grid_thw"]}

    def read(self, tokens: dict[str, Tensor], begins: int, longest: int | None) -> Conditioning:
        with self.parts.use("text_encoder") as encoder:
            given = {name: value.to(self.parts.device) for name, value in tokens.items()}
            if "pixel_values" in given:  # tells it where the patches of a picture are, which it then sees side by side
                given["mm_token_type_ids"] = (given["input_ids"] == encoder.config.image_token_id).int()
            states = encoder(**given, output_hidden_states=True).hidden_states[-1]
        end = None if longest is None else begins + longest
        return Conditioning({"text": states[0, begins:end].to(self.parts.dtype)})

    # ── the schedule ──

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        return (self.channels, height // self.multiple * PATCH, width // self.multiple * PATCH)

    def solver(self, steps: int, width: int, height: int) -> Solver:
        tokens = (height // self.multiple) * (width // self.multiple)
        return flow_solver(self.parts, steps, mu=configured_mu(self.parts, tokens))

    # ── pictures to look at ──

    def extras(self, seen: Sequence[Seen], control: Control | None, width: int, height: int) -> Extras:  # noqa: ARG002
        """Their latents. `control` is left aside: the family has no ControlNets, as its facts say."""
        images = [one.image for one in seen if one.how == "reference"]
        if not images:
            return NO_EXTRAS
        if not self.edits:
            raise Unavailable(f"The model {self.name!r} draws from words alone; it cannot look at pictures.")
        found = {f"picture {place}": self.picture(image) for place, image in enumerate(images)}
        return Extras(found, kind=" ".join(f"{one.shape[1]}x{one.shape[2]}" for one in found.values()))

    def picture(self, image: Image) -> Tensor:
        width, height = area_of(image, self.picture_side)
        return self.encode_image(self.pictures.preprocess(image, height, width)[0])

    # ── one step ──

    def denoise(self, calls: Sequence[Call]) -> list[Tensor]:
        first = calls[0]
        height, width = first.latents.shape[1:]
        looked_at = list(first.extras.tensors.values())
        shapes = [
            (1, height // PATCH, width // PATCH),
            *((1, h // PATCH, w // PATCH) for _, h, w in map(shape_of, looked_at)),
        ]
        text, mask = side_by_side([call.conditioning.tensors["text"] for call in calls])
        sequences = [
            torch.cat([packed(one) for one in (call.latents, *call.extras.tensors.values())]) for call in calls
        ]
        device, dtype = self.parts.device, self.parts.dtype
        with self.parts.use("transformer") as transformer, transformer.cache_context("rows"):
            answers = transformer(
                hidden_states=torch.stack(sequences).to(device, dtype),
                timestep=torch.tensor([call.timestep / 1000 for call in calls], device=device),
                encoder_hidden_states=text.to(device, dtype),
                encoder_hidden_states_mask=None if mask is None else mask.to(device),
                img_shapes=[shapes] * len(calls),
                return_dict=False,
            )[0]
        own = (height // PATCH) * (width // PATCH)
        return [unpacked(answer[:own].float(), height, width) for answer in answers]

    def is_guided(self, guidance: float) -> bool:
        return guidance > 1

    def guide(self, positive: Tensor, negative: Tensor, guidance: float) -> Tensor:
        """Further from the negative, but no token louder than without guidance."""
        height, width = positive.shape[1:]
        own, other = packed(positive), packed(negative)
        mixed = other + guidance * (own - other)
        mixed = mixed * (own.norm(dim=-1, keepdim=True) / mixed.norm(dim=-1, keepdim=True))
        return unpacked(mixed, height, width)

    # ── pixels ──

    def encode_image(self, pixels: Tensor) -> Tensor:
        with self.parts.use("vae") as vae:
            vae.use_tiling = pixels.shape[1] * pixels.shape[2] > TILED_ABOVE
            video = pixels[None, :, None].to(self.parts.device, self.parts.dtype)  # (1, 3, 1, H, W)
            latents = vae.encode(video).latent_dist.mode()[0, :, 0].float()
        return (latents - self.mean.to(latents)) / self.deviation.to(latents)

    def decode(self, latents: Sequence[Tensor], *, tile: bool = False) -> list[Tensor]:
        """One by one: a large picture fills the device alone, and none depends on its neighbours."""
        return [self.decode_one(one, tile=tile) for one in latents]

    def decode_one(self, latents: Tensor, *, tile: bool) -> Tensor:
        clear = latents * self.deviation.to(latents) + self.mean.to(latents)
        wrap = min(WRAP, *latents.shape[1:]) if tile else 0
        if wrap:
            clear = pad(clear[None], (wrap, wrap, wrap, wrap), mode="circular")[0]
        pixels = clear.shape[1] * clear.shape[2] * self.scale**2
        with self.parts.use("vae") as vae:
            vae.use_tiling = pixels > TILED_ABOVE
            video = clear[None, :, None].to(self.parts.device, self.parts.dtype)
            picture = vae.decode(video, return_dict=False)[0][0, :, 0].float()
        beyond = wrap * self.scale
        if beyond:
            picture = picture[:, beyond:-beyond, beyond:-beyond]
        return (picture / 2 + 0.5).clamp(0, 1)

    def preview(self, latents: Tensor) -> Tensor:
        """The latents, made smaller, through the VAE: quick, and without another network."""
        scale = min(1.0, PREVIEW_SIDE / max(latents.shape[1:]))
        height, width = (max(1, round(side * scale)) for side in latents.shape[1:])
        return self.decode_one(interpolate(latents[None], (height, width), mode="area")[0], tile=False)

    def reset(self) -> None:
        with self.parts.use("transformer") as transformer:
            if transformer.is_cache_enabled:
                transformer._reset_stateful_cache()


def area_of(image: Image, side: int) -> tuple[int, int]:
    """(width, height) of the picture when it has the area of that square, in whole grains."""
    width = sqrt(side * side * (image.width / image.height))
    height = width / (image.width / image.height)
    return max(1, round(width / GRAIN)) * GRAIN, max(1, round(height / GRAIN)) * GRAIN


def packed(latents: Tensor) -> Tensor:
    """(C, h, w) → one token of C * 4 for each patch of 2 by 2."""
    channels, height, width = latents.shape
    patches = latents.reshape(channels, height // PATCH, PATCH, width // PATCH, PATCH)
    return patches.permute(1, 3, 0, 2, 4).reshape(-1, channels * PATCH * PATCH)


def unpacked(tokens: Tensor, height: int, width: int) -> Tensor:
    """The tokens as (C, h, w)."""
    patches = tokens.reshape(height // PATCH, width // PATCH, -1, PATCH, PATCH)
    return patches.permute(2, 0, 3, 1, 4).reshape(-1, height, width)


def shape_of(latents: Tensor) -> tuple[int, int, int]:
    channels, height, width = latents.shape
    return channels, height, width


def side_by_side(texts: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """(B, L, D), and which tokens are real, or None when all are."""
    longest = max(len(text) for text in texts)
    batch = torch.stack([pad(text, (0, 0, 0, longest - len(text))) for text in texts])
    if all(len(text) == longest for text in texts):
        return batch, None
    lengths = torch.tensor([len(text) for text in texts])
    return batch, torch.arange(longest)[None] < lengths[:, None]
