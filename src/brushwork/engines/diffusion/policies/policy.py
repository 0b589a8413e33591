"""Which policies a model is drawn with here, and why one that was asked for is not used.

`policy_of` decides once per model; `prepare` puts a freshly loaded component into that shape; `as_recipe` is what a
picture's recipe says of it. Skipped steps are a row's own affair: `forecast.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import structlog
import torch

from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.options import CachePolicy, DiffusionOptions
from brushwork.engines.diffusion.policies import attention, compiled, fp8, fused

log = structlog.get_logger(__name__)

UNETS = ("sd", "sdxl")
"""Families of convolutions: they like their channels last."""


@dataclass(frozen=True)
class Policy:
    """How one model is computed on one device."""

    device: str
    """Name of the chip."""
    precision: str
    attention: str = "native"
    channels_last: bool = False
    fused: bool = False
    """Whether a UNet's projections are computed together."""
    compile: bool = False
    fp8: bool = False
    cache: CachePolicy = "none"
    deterministic: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)
    """What was asked for and is not done → why."""

    def as_recipe(self) -> dict[str, Any]:
        """Everything that can change a pixel, as plain JSON."""
        return {
            "device": self.device,
            "torch": str(torch.__version__),
            "diffusers": str(diffusers.__version__),
            "precision": self.precision,
            "attention": self.attention,
            "channels_last": self.channels_last,
            "fused": self.fused,
            "compile": self.compile,
            "fp8": self.fp8,
            "cache": self.cache,
            "deterministic": self.deterministic,
        }


def policy_of(options: DiffusionOptions, model: Model) -> Policy:
    """What of the operator's wishes is done with this model. Raises Unavailable where a wish cannot be left out."""
    device = torch.device(options.device)
    dtype = precision_of(options)
    refused: dict[str, str] = {}
    backend, reason = ("native", "") if model.family in UNETS else chosen_attention(options, device, dtype)
    if reason:
        refused["attention"] = reason
    if options.compile and (reason := why_not_compile(options, model)):
        refused["compile"] = reason
    if options.cache != "none" and (reason := why_not_cache(options, model)):
        refused["cache"] = reason
    if options.fp8:
        fp8.check(device)
        if any(adapter.kind == "lora" for adapter in model.adapters.values()):
            refused["fp8"] = "LoRAs cannot be added to weights of eight bits"
    for option, why in refused.items():
        log.warning("policy_refused", option=option, model=model.name, reason=why)
    return Policy(
        device=chip(device),
        precision=str(dtype).removeprefix("torch."),
        attention=backend,
        channels_last=model.family in UNETS and device.type == "cuda",
        fused=fused.can_be_fused(model) and device.type == "cuda",
        compile=options.compile and "compile" not in refused,
        fp8=options.fp8 and "fp8" not in refused,
        cache="none" if "cache" in refused else options.cache,
        deterministic=options.deterministic,
        refused=refused,
    )


def chosen_attention(options: DiffusionOptions, device: torch.device, dtype: torch.dtype) -> tuple[str, str]:
    if options.deterministic and options.attention == "auto":
        return "native", ""
    return attention.choose(options.attention, device, dtype)


def why_not_compile(options: DiffusionOptions, model: Model) -> str:
    if options.deterministic:
        return "compiled blocks round differently from those that serve until they are ready"
    if model.family == "pipe":
        return "a model of an unknown family is drawn by its own pipeline"
    return ""


def why_not_cache(options: DiffusionOptions, model: Model) -> str:
    if options.deterministic:
        return "skipped steps change the picture"
    if model.distilled:
        return "a distilled model has no step to spare"
    if model.family == "pipe":
        return "a model of an unknown family is drawn by its own pipeline"
    return ""


def precision_of(options: DiffusionOptions) -> torch.dtype:
    """Numbers that models are computed in."""
    if options.precision != "auto":
        return getattr(torch, options.precision)
    device = torch.device(options.device)
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.bfloat16
    return torch.float32


def chip(device: torch.device) -> str:
    return str(torch.cuda.get_device_name(device)) if device.type == "cuda" else str(device.type)


def prepare(module: Any, name: str, policy: Policy, *, device: torch.device, folder: Path) -> None:
    """Put a component that was just loaded into shape; it is still on the host. `folder` keeps what was compiled."""
    is_denoiser = name in ("transformer", "transformer_2", "unet")
    if policy.fused and name == "unet":
        fused.fuse(module)
    if policy.channels_last and name in ("unet", "vae"):
        module.to(memory_format=torch.channels_last)
    if policy.fp8 and (is_denoiser or name.startswith("text_encoder")):
        fp8.shrink(module, device=device)
    if is_denoiser:
        attention.use(module, policy.attention)
    if is_denoiser and policy.compile:
        compiled.compile_when_warm(module, folder=folder)
