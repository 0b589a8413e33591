"""What the three families of Wan models are shown beside the noise, and how their denoisers are called.

The same numbers as in their own pipelines, one after the other: a clip that is drawn here is the one they draw.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL.Image import Image
from torch import Tensor

from brushwork.engines.diffusion.pixels import tensor_of
from brushwork.engines.diffusion.video.plan import FilmPlan

GREY = 128 / 127.5 - 1.0
"""What stands where a frame is not known, in -1..1: the value that VACE has learnt for it."""

Encode = Callable[[Iterator[Tensor]], Tensor]
"""Frames (3, H, W), one after the other → their latents (1, C, T, h, w)."""


@dataclass(frozen=True)
class Shown:
    """What stays the same at all steps of a clip. On the device, float32."""

    beside: Tensor | None = None
    """Channels that are put beside the noise."""
    control: Tensor | None = None
    """What VACE's own blocks look at."""
    fixed: Tensor | None = None
    """Latents that are not drawn, where `free` is 0."""
    free: Tensor | None = None


@dataclass(frozen=True)
class Step:
    """One call of a denoiser."""

    latents: Tensor
    moment: Tensor
    text: Tensor
    shown: Shown = field(default_factory=Shown)


# ── what is shown ──


def known_frames(plan: FilmPlan) -> dict[int, Image]:
    """Number of a drawn frame → what it has to be."""
    known = dict(enumerate(plan.head))
    if plan.last is not None:
        known[plan.timing.drawn - 1] = plan.last
    return known


def filled(plan: FilmPlan, known: Mapping[int, Image], otherwise: float) -> Iterator[Tensor]:
    """All frames of a clip; those that are not known are of one colour."""
    empty = torch.full((3, plan.height, plan.width), otherwise)
    for number in range(plan.timing.drawn):
        yield tensor_of(known[number]) if number in known else empty


def beside_noise(plan: FilmPlan, shape: tuple[int, ...], encode: Encode) -> Shown:
    """I2V: the first and the last frame with nothing between, and four channels that say which those are."""
    known = known_frames(plan)
    latents = encode(filled(plan, known, 0.0))
    said = torch.zeros(1, 4, *shape[2:], device=latents.device)
    said[:, :, 0] = 1.0
    if plan.last is not None:
        said[:, 3, -1] = 1.0  # the last of the four frames of the last latent
    return Shown(beside=torch.cat([said, latents], dim=1))


def in_place(plan: FilmPlan, shape: tuple[int, ...], encode: Encode) -> Shown:
    """TI2V: the first latent is the picture's, at every step, and its place in time is the end of the schedule."""
    free = torch.ones(1, 1, *shape[2:])
    if not plan.head:
        latents = torch.zeros(1, 1, 1, 1, 1)
    else:
        latents = encode(iter([tensor_of(plan.head[0])]))
        free[:, :, 0] = 0.0
    return Shown(fixed=latents, free=free.to(latents.device))


def by_control(plan: FilmPlan, shape: tuple[int, ...], encode: Encode) -> Shown:
    """VACE: what is kept, what is drawn, and a mask of both, each frame of it folded into the pixels of a latent."""
    known = known_frames(plan)
    kept = encode(filled(plan, known, 0.0))
    drawn = encode(unknown(plan, known))
    across = plan.height // shape[3]
    mask = torch.ones(1, across * across, plan.timing.drawn, *shape[3:], device=kept.device)
    mask[:, :, list(known)] = 0.0
    mask = torch.nn.functional.interpolate(mask, size=shape[2:], mode="nearest-exact")
    return Shown(control=torch.cat([kept, drawn, mask], dim=1))


def unknown(plan: FilmPlan, known: Mapping[int, Image]) -> Iterator[Tensor]:
    """Grey where frames are drawn, nothing where they are kept."""
    nothing = torch.zeros(3, plan.height, plan.width)
    grey = torch.full_like(nothing, GREY)
    for number in range(plan.timing.drawn):
        yield nothing if number in known else grey


SHOWN: Mapping[str, Callable[[FilmPlan, tuple[int, ...], Encode], Shown]] = {
    "wan-i2v": beside_noise,
    "wan-ti2v": in_place,
    "wan-vace": by_control,
}
"""Family → what its denoiser is shown."""


# ── a step ──


def denoised(transformer: Any, step: Step) -> Tensor:
    """The velocity that the denoiser sees, (1, C, T, h, w)."""
    shown, dtype = step.shown, transformer.dtype
    latents, moment = step.latents, step.moment.expand(1)
    more: dict[str, Tensor] = {}
    if shown.free is not None and shown.fixed is not None:
        latents = kept_in_place(latents, shown)
        patch = transformer.config.patch_size
        moment = (shown.free[0][0][:, :: patch[1], :: patch[2]] * step.moment).flatten()[None]
    if shown.beside is not None:
        latents = torch.cat([latents, shown.beside], dim=1)
    if shown.control is not None:
        more["control_hidden_states"] = shown.control.to(dtype)
        more["control_hidden_states_scale"] = torch.ones(
            len(transformer.config.vace_layers), device=latents.device, dtype=dtype
        )
    velocity: Tensor = transformer(
        hidden_states=latents.to(dtype),
        timestep=moment,
        encoder_hidden_states=step.text.to(dtype),
        return_dict=False,
        **more,
    )[0]
    return velocity


def kept_in_place(latents: Tensor, shown: Shown) -> Tensor:
    """The latents, with what is not drawn put back."""
    if shown.fixed is None or shown.free is None:
        return latents
    return (1 - shown.free) * shown.fixed + shown.free * latents
