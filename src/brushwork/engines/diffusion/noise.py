"""Everything that is drawn by chance, from a picture's own seed, on the CPU: the same on every machine, in every batch.

No generator lives longer than one use: what a step draws depends on the seed and the step, not on what came before.
"""

import hashlib
import math

import torch
from torch import Tensor

from brushwork.engines.diffusion.plan import Noise

SHAPE = tuple[int, int, int]


def first_noise(noise: Noise, shape: SHAPE) -> Tensor:
    """The noise a picture begins as."""
    own = normal(noise.seed, shape)
    if noise.towards is None or noise.amount <= 0:
        return own
    return turned(own, normal(noise.towards, shape), noise.amount)


def normal(seed: int, shape: SHAPE) -> Tensor:
    return torch.randn(shape, generator=generator_of(seed), dtype=torch.float32)


def turned(start: Tensor, end: Tensor, amount: float) -> Tensor:
    """From one noise to another along the sphere, so that what lies between is as strong as both."""
    cosine = float(torch.dot(start.flatten(), end.flatten()) / (start.norm() * end.norm()))
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if math.sin(angle) < 1e-6:
        return torch.lerp(start, end, amount)
    return (math.sin((1 - amount) * angle) * start + math.sin(amount * angle) * end) / math.sin(angle)


def generator_of(seed: int, *use: str | int) -> torch.Generator:
    """A generator of its own for each use that one seed is put to."""
    return torch.Generator("cpu").manual_seed(mixed(seed, *use) if use else seed)


def mixed(seed: int, *use: str | int) -> int:
    """Another seed, 0 to 2**63 - 1, for another use."""
    text = "/".join(map(str, (seed, *use)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def roll_of(seed: int, step: int, height: int, width: int) -> tuple[int, int]:
    """How far the latents of a picture without edges are rolled at this step, down and to the right."""
    number = mixed(seed, "roll", step)
    return number % height, (number >> 24) % width
