"""The shortest loop that drives a UNet, and what its pictures are compared with."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import EulerDiscreteScheduler
from PIL import Image
from torch import Tensor

from brushwork.engines.catalog.model import Checkpoint, Licence, Model
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call, Extras
from brushwork.engines.diffusion.families.unet import UnetFamily

NEAR = 1e-5
SIDE = 64
LONG = "the cat on the hot mat, " * 20
"""More than 77 tokens."""


def model_of(family: str, folder: Path, **named: Any) -> Model:
    licence = Licence("MIT")
    return Model("tiny", "Tiny", "image", family, Checkpoint(folder=str(folder)), licence, **named)


def open_pipe(cls: Any, folder: Path, **named: Any) -> Any:
    pipe = cls.from_pretrained(folder, local_files_only=True, use_safetensors=True, **named)
    pipe.scheduler = EulerDiscreteScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@dataclass(frozen=True)
class Asked:
    """One picture, as the plain loop below draws it."""

    text: str
    seed: int = 0
    steps: int = 4
    guidance: float = 5.0
    negative: str = ""
    start: int = 0
    end: int | None = None
    init: Tensor | None = None
    tile: bool = False
    extras: Extras = field(default=NO_EXTRAS)
    adapters: tuple[tuple[str, float], ...] = ()
    width: int = SIDE
    height: int = SIDE


def noise(seed: int, width: int = SIDE, height: int = SIDE) -> Tensor:
    return torch.randn(4, height // 8, width // 8, generator=torch.Generator().manual_seed(seed))


def draw(family: UnetFamily, *asked: Asked) -> list[Tensor]:
    """Latents of pictures that are stepped together, each with its own schedule, until the last one is done."""
    states = []
    for one in asked:
        solver = family.solver(one.steps, one.width, one.height)
        first = noise(one.seed, one.width, one.height)
        latents = solver.begin(first, start=one.start, end=one.end, init=one.init)
        positive, negative = family.encode([one.text, one.negative], adapters=one.adapters)
        states.append([one, solver, latents, one.start, positive, negative])
    while active := [state for state in states if state[3] < (state[0].end or state[0].steps)]:
        calls = []
        for one, solver, latents, step, positive, negative in active:
            seen = Call(
                solver.scaled(latents, step),
                solver.timestep(step),
                positive,
                extras=one.extras,
                share=step / one.steps,
                tile=one.tile,
                adapters=one.adapters,
            )
            calls.append(seen)
            if family.is_guided(one.guidance):
                calls.append(replace(seen, conditioning=negative, negative=True))
        predicted = iter(family.denoise(calls))
        for state in active:
            one, solver, latents, step, _, _ = state
            prediction = next(predicted)
            if family.is_guided(one.guidance):
                prediction = family.guide(prediction, next(predicted), one.guidance)
            state[2] = solver.step(prediction, step, latents, None)
            state[3] = step + 1
    return [state[2] for state in states]


def apart(one: Tensor, other: Tensor) -> float:
    """The largest difference; of latents, which are as large as their noise was, relative to their size."""
    assert one.shape == other.shape
    return float((one - other).detach().abs().max() / other.detach().abs().max().clamp(min=1))


def picture(seed: int = 0, side: int = SIDE) -> Image.Image:
    return Image.fromarray((np.random.default_rng(seed).random((side, side, 3)) * 255).astype(np.uint8))


def pixels(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(image, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)
