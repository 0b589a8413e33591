"""Pictures as latents without any training: the main directions of 8 x 8 pixel blocks, weakest ones made louder.

`decoder.py` trains what turns latents back into a better picture than this can.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from training.flow.network import PATCH

EVEN = 0.25
"""0 leaves the directions as loud as they are, 1 makes all the same."""


@dataclass(frozen=True)
class Codec:
    """`mean` (D,), `basis` (D, C), `scale` (C,); D numbers of a block, in the order of torch's unfold."""

    mean: Tensor
    basis: Tensor
    scale: Tensor

    def encode(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W) of 0..1 → (B, C, H / 8, W / 8)."""
        height, width = pictures.shape[2:]
        blocks = functional.unfold(pictures, PATCH, stride=PATCH).transpose(1, 2)
        latents = ((blocks - self.mean) @ self.basis) / self.scale
        return latents.transpose(1, 2).unflatten(2, (height // PATCH, width // PATCH))

    def decode(self, latents: Tensor) -> Tensor:
        height, width = latents.shape[2:]
        blocks = (latents.flatten(2).transpose(1, 2) * self.scale) @ self.basis.T + self.mean
        colours = blocks.transpose(1, 2).unflatten(1, (3, PATCH, PATCH)).unflatten(4, (height, width))
        return colours.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)

    def state(self) -> dict[str, Tensor]:
        return {"mean": self.mean, "basis": self.basis, "scale": self.scale}

    def to(self, device: str) -> "Codec":
        return Codec(self.mean.to(device), self.basis.to(device), self.scale.to(device))


def fit(images: np.ndarray, channels: int) -> Codec:
    """The codec that loses least of these (N, H, W, 3) pictures."""
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    blocks = functional.unfold(pictures, PATCH, stride=PATCH).transpose(1, 2).flatten(0, 1).double()
    mean = blocks.mean(0)
    power, directions = torch.linalg.eigh((blocks - mean).T @ (blocks - mean) / len(blocks))
    loudness = power.flip(0)[:channels].clamp(min=1e-12).sqrt()
    basis = directions.flip(1)[:, :channels]
    basis = basis * torch.sign(basis.sum(0) + 1e-12)  # the same sign on every machine
    scale = loudness * (loudness[0] / loudness) ** EVEN
    return Codec(mean.float(), basis.float().contiguous(), scale.float())
