"""The models of the GPU benchmark: their real configurations, or smaller ones of the same kind, with random weights.

Nothing is downloaded. Weights are normal with deviation 0.02 and never zeros, with which chips are quicker. Narrow
layers, of which small models are made, have larger ones: else their pictures would be grey, and equal for no reason.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2Transformer2DModel,
    UNet2DConditionModel,
    ZImageTransformer2DModel,
)
from torch import Tensor

from brushwork.engines.catalog.model import Checkpoint, Licence, Model
from brushwork.engines.diffusion.families.base import Conditioning, Family
from brushwork.engines.diffusion.families.table import family_of

SIZES = ("tiny", "reduced", "full")
DEVIATION = 0.02


@dataclass(frozen=True)
class Shape:
    """One model at one size."""

    denoiser: Mapping[str, Any]
    decoder: Mapping[str, Any]
    text: int
    """Width of a token of its text."""
    side: int
    """Pixels of a picture's side."""
    steps: int
    pooled: int = 0


@dataclass(frozen=True)
class Kind:
    """One model."""

    family: str
    denoiser_name: str
    denoiser: Any
    decoder: Any
    scheduler: Any
    schedule: Mapping[str, Any]
    guidance: float
    tokens: tuple[int, int]
    """Fewest and most tokens of a prompt."""
    shapes: Mapping[str, Shape]


SDXL_BLOCKS: Mapping[str, Any] = {
    "in_channels": 4,
    "out_channels": 4,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "addition_embed_type": "text_time",
    "use_linear_projection": True,
    "addition_time_embed_dim": 256,
}


def autoencoder(channels: Sequence[int], latents: int, **how: Any) -> dict[str, Any]:
    blocks = len(channels)
    return {
        "block_out_channels": tuple(channels),
        "down_block_types": ("DownEncoderBlock2D",) * blocks,
        "up_block_types": ("UpDecoderBlock2D",) * blocks,
        "layers_per_block": 2,
        "latent_channels": latents,
        **how,
    }


FLUX_DECODER: Mapping[str, Any] = {
    "scaling_factor": 0.3611,
    "shift_factor": 0.1159,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}
FULL, REDUCED, TINY = (128, 256, 512, 512), (32, 64, 128, 128), (16, 16, 32, 32)

SDXL = Kind(
    family="sdxl",
    denoiser_name="unet",
    denoiser=UNet2DConditionModel,
    decoder=AutoencoderKL,
    scheduler=EulerDiscreteScheduler,
    schedule={
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "beta_schedule": "scaled_linear",
        "timestep_spacing": "leading",
        "steps_offset": 1,
    },
    guidance=5.0,
    tokens=(77, 77),
    shapes={
        "full": Shape(
            {
                **SDXL_BLOCKS,
                "sample_size": 128,
                "block_out_channels": (320, 640, 1280),
                "transformer_layers_per_block": (1, 2, 10),
                "attention_head_dim": (5, 10, 20),
                "cross_attention_dim": 2048,
                "projection_class_embeddings_input_dim": 1280 + 6 * 256,
            },
            autoencoder(FULL, 4, scaling_factor=0.13025),
            text=2048,
            side=1024,
            steps=28,
            pooled=1280,
        ),
        "reduced": Shape(
            {
                **SDXL_BLOCKS,
                "sample_size": 32,
                "block_out_channels": (64, 128, 256),
                "transformer_layers_per_block": (1, 1, 2),
                "attention_head_dim": (1, 2, 4),
                "cross_attention_dim": 512,
                "projection_class_embeddings_input_dim": 320 + 6 * 256,
            },
            autoencoder(REDUCED, 4, scaling_factor=0.13025),
            text=512,
            side=256,
            steps=8,
            pooled=320,
        ),
        "tiny": Shape(
            {
                **SDXL_BLOCKS,
                "sample_size": 8,
                "block_out_channels": (32, 32, 64),
                "layers_per_block": 1,
                "transformer_layers_per_block": (1, 1, 1),
                "attention_head_dim": (1, 1, 2),
                "cross_attention_dim": 64,
                "projection_class_embeddings_input_dim": 32 + 6 * 256,
            },
            autoencoder(TINY, 4, scaling_factor=0.13025, norm_num_groups=8),
            text=64,
            side=64,
            steps=8,
            pooled=32,
        ),
    },
)

Z_IMAGE = Kind(
    family="zimage",
    denoiser_name="transformer",
    denoiser=ZImageTransformer2DModel,
    decoder=AutoencoderKL,
    scheduler=FlowMatchEulerDiscreteScheduler,
    schedule={"num_train_timesteps": 1000, "shift": 3.0},
    guidance=0.0,
    tokens=(64, 512),
    shapes={
        "full": Shape({}, autoencoder(FULL, 16, **FLUX_DECODER), text=2560, side=1024, steps=9),
        "reduced": Shape(
            {"dim": 768, "n_layers": 6, "n_refiner_layers": 1, "n_heads": 6, "n_kv_heads": 6, "cap_feat_dim": 640},
            autoencoder(REDUCED, 16, **FLUX_DECODER),
            text=640,
            side=256,
            steps=9,
        ),
        "tiny": Shape(
            {
                "dim": 64,
                "n_layers": 2,
                "n_refiner_layers": 1,
                "n_heads": 2,
                "n_kv_heads": 2,
                "cap_feat_dim": 64,
                "axes_dims": [8, 12, 12],
            },
            autoencoder(TINY, 16, norm_num_groups=8, **FLUX_DECODER),
            text=64,
            side=64,
            steps=9,
        ),
    },
)

KLEIN = Kind(
    family="flux2",
    denoiser_name="transformer",
    denoiser=Flux2Transformer2DModel,
    decoder=AutoencoderKLFlux2,
    scheduler=FlowMatchEulerDiscreteScheduler,
    schedule={"num_train_timesteps": 1000, "use_dynamic_shifting": True, "time_shift_type": "exponential"},
    guidance=1.0,
    tokens=(512, 512),
    shapes={
        "full": Shape(
            {
                "num_layers": 5,
                "num_single_layers": 20,
                "num_attention_heads": 24,
                "joint_attention_dim": 7680,
                "guidance_embeds": False,
            },
            {},
            text=7680,
            side=1024,
            steps=4,
        ),
        "reduced": Shape(
            {
                "num_layers": 2,
                "num_single_layers": 4,
                "num_attention_heads": 6,
                "joint_attention_dim": 1920,
                "guidance_embeds": False,
            },
            {"block_out_channels": REDUCED},
            text=1920,
            side=256,
            steps=4,
        ),
        "tiny": Shape(
            {
                "num_layers": 1,
                "num_single_layers": 2,
                "attention_head_dim": 32,
                "num_attention_heads": 2,
                "joint_attention_dim": 96,
                "axes_dims_rope": (8, 8, 8, 8),
                "guidance_embeds": False,
            },
            {"block_out_channels": TINY, "norm_num_groups": 8},
            text=96,
            side=64,
            steps=4,
        ),
    },
)

KINDS: Mapping[str, Kind] = {"sdxl": SDXL, "z-image": Z_IMAGE, "klein-4b": KLEIN}


@dataclass(frozen=True)
class Made:
    """A model with random weights, on the device."""

    name: str
    kind: Kind
    shape: Shape
    denoiser: Any
    decoder: Any
    scheduler: Any
    device: torch.device
    dtype: torch.dtype

    @property
    def parameters(self) -> int:
        return sum(weight.numel() for weight in self.denoiser.parameters())

    @property
    def model(self) -> Model:
        return Model(
            self.name,
            self.name,
            "image",
            self.kind.family,
            Checkpoint(),
            Licence("none"),
            side=self.shape.side,
            distilled=self.kind.family != "sdxl",
        )

    def told(self, text: str) -> Conditioning:
        """A random embedding, always the same for the same text, of a length that a text may have."""
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")
        generator = torch.Generator().manual_seed(seed)
        fewest, most = self.kind.tokens
        length = fewest + seed % (most - fewest + 1)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator).to(self.device, self.dtype)

        tensors = {"text": normal(length, self.shape.text)}
        if self.shape.pooled:
            tensors["pooled"] = normal(self.shape.pooled)
        return Conditioning(tensors)


def made(name: str, size: str, device: torch.device, dtype: torch.dtype) -> Made:
    """Build one model, without ever holding it twice."""
    kind = KINDS[name]
    shape = kind.shapes[size]
    return Made(
        name,
        kind,
        shape,
        built(kind.denoiser, shape.denoiser, device, dtype),
        built(kind.decoder, shape.decoder, device, dtype),
        kind.scheduler(**kind.schedule),
        device,
        dtype,
    )


def built(cls: Any, config: Mapping[str, Any], device: torch.device, dtype: torch.dtype) -> Any:
    with torch.device("meta"):
        module = cls(**config)
    module = module.to(dtype).to_empty(device=device).eval().requires_grad_(False)
    generator = torch.Generator(device).manual_seed(0)
    for name, weight in module.named_parameters():
        if weight.dim() > 1:
            width = weight[0].numel()  # numbers that each of its outputs is made from
            weight.normal_(std=max(DEVIATION, width**-0.5), generator=generator)
        else:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
    for name, buffer in module.named_buffers():
        buffer.fill_(1 if name.endswith("running_var") else 0)
    return module


class MadeParts:
    """The components of a made model, for a family; one that is not in it does not exist."""

    def __init__(self, model: Made, denoiser: Any, decoder: Any) -> None:
        self.device = model.device
        self.dtype = model.dtype
        self.parts = {model.kind.denoiser_name: denoiser, "vae": decoder, "scheduler": model.scheduler}

    def has(self, name: str) -> bool:
        return name in self.parts

    @contextmanager
    def use(self, name: str) -> Iterator[Any]:
        yield self.parts[name]

    @contextmanager
    def added(self, name: str, read: Callable[[], Any]) -> Iterator[Any]:
        if name not in self.parts:
            self.parts[name] = read().to(self.device)
        yield self.parts[name]


class Told:
    """A family whose texts are random embeddings: there is no text encoder here."""

    def __init__(self, model: Made, family: Family) -> None:
        self.made = model
        self.own = family

    def encode(self, texts: Sequence[str], seen: Any = (), **_: Any) -> list[Conditioning]:  # noqa: ARG002
        return [self.made.told(text) for text in texts]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)


def family(model: Made, denoiser: Any, decoder: Any) -> Family:
    """What the loop steps."""
    return cast("Family", Told(model, family_of(MadeParts(model, denoiser, decoder), model.model)))
