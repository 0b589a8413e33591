"""One row's way from noise to picture: a scheduler of diffusers of its own, so that rows may be at different steps."""

from typing import Any

import torch
from torch import Tensor


class Solver:
    """Steps one row. `scheduler` is a fresh copy with its timesteps set, all of its tensors on the CPU."""

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler
        self.end: int | None = None

    @property
    def steps(self) -> int:
        return len(self.scheduler.timesteps)

    @property
    def sigmas(self) -> list[float]:
        """Noise levels of all steps and the last, 0."""
        return [float(sigma) for sigma in self.scheduler.sigmas]

    def timestep(self, step: int) -> float:
        return float(self.scheduler.timesteps[step])

    def begin(self, noise: Tensor, *, start: int = 0, end: int | None = None, init: Tensor | None = None) -> Tensor:
        """Latents before step `start`: pure noise, or `init` under it. Step `end - 1` will go to the clear picture."""
        self.scheduler.set_begin_index(start)
        if end is not None and end < self.steps:
            self.scheduler.sigmas[end] = 0.0
        if init is None:
            return noise * float(getattr(self.scheduler, "init_noise_sigma", 1.0))
        return self.under_noise(init, noise, start)

    def under_noise(self, clear: Tensor, noise: Tensor, step: int) -> Tensor:
        """`clear` as it looks before step `step`; clear at the end of the schedule."""
        sigma = float(self.scheduler.sigmas[step])
        if hasattr(self.scheduler, "scale_noise"):  # flow matching: a straight line from picture to noise
            return (1.0 - sigma) * clear + sigma * noise
        return clear + sigma * noise

    def scaled(self, latents: Tensor, step: int) -> Tensor:
        """What the denoiser is shown."""
        if not hasattr(self.scheduler, "scale_model_input"):
            return latents
        return self.scheduler.scale_model_input(latents, self.scheduler.timesteps[step])

    def step(self, prediction: Tensor, step: int, latents: Tensor, generator: torch.Generator | None) -> Tensor:
        """Latents after the step."""
        wanted = {"generator": generator} if generator is not None else {}
        timestep = self.scheduler.timesteps[step]
        return self.scheduler.step(prediction, timestep, latents, **wanted, return_dict=False)[0]

    def clear(self, prediction: Tensor, step: int, latents: Tensor) -> Tensor:
        """The picture that the denoiser expects at this step, for previews."""
        sigma = float(self.scheduler.sigmas[step])
        return latents - sigma * prediction
