"""Schedules of flow matching: how noise levels lie between 1 and 0 for a number of steps and a size of picture."""

from typing import Any

import torch

from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.solver import Solver


def flow_solver(parts: Parts, steps: int, *, mu: float) -> Solver:
    """A solver over the checkpoint's own scheduler, with `steps` even levels, which it shifts as it is configured."""
    with parts.use("scheduler") as scheduler:
        # One step begins at pure noise and ends at the picture: there is no last level that could be stretched.
        single = {"shift_terminal": None} if steps == 1 and scheduler.config.get("shift_terminal") else {}
        own = type(scheduler).from_config(scheduler.config, **single)
    levels = None if own.config.get("use_flow_sigmas") else torch.linspace(1.0, 1 / steps, steps).tolist()
    own.set_timesteps(steps if levels is None else None, device="cpu", sigmas=levels, mu=mu)
    return Solver(own)


def configured_mu(parts: Parts, tokens: int) -> float:
    """The shift for a picture of so many tokens, on the straight line that the scheduler's configuration draws."""
    with parts.use("scheduler") as scheduler:
        config: Any = scheduler.config
    short, long = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    slope = (high - low) / (long - short)
    return float(tokens * slope + (low - slope * short))
