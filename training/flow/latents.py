"""Pictures as what the network sees: latents, captions as numbers, and batches of both in all shapes."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from brushwork.engines.flow.shapes import places, shapes
from brushwork.engines.flow.words import ids_of
from training.flow.codec import Codec
from training.flow.pictures import Pictures

OBLONG = 0.3
"""Share of batches that are not square: cut out of square ones."""
CHUNK = 128


@dataclass(frozen=True)
class Batch:
    latents: Tensor
    """(B, C, H, W)."""
    ids: Tensor
    """(B, WORDS, PARTS)."""
    places: Tensor
    """(H / 2 * W / 2, 2)."""


@dataclass
class Latents:
    """Everything painted so far, each picture as it is and mirrored."""

    codec: Codec
    side: int
    latents: Tensor = field(default_factory=lambda: torch.zeros(0))
    """(N, 2, C, side, side) half floats."""
    ids: Tensor = field(default_factory=lambda: torch.zeros(0))
    captions: list[str] = field(default_factory=list)

    def follow(self, pictures: Pictures) -> None:
        """Take in what has been painted meanwhile."""
        known, count = len(self.captions), len(pictures.captions)
        new = [encode(self.codec, pictures.images[at : at + CHUNK]) for at in range(known, count, CHUNK)]
        if not new:
            return
        words = torch.from_numpy(np.stack([ids_of(caption) for caption in pictures.captions[known:]]))
        self.latents = torch.cat([self.latents, *new]) if known else torch.cat(new)
        self.ids = torch.cat([self.ids, words]) if known else words
        self.captions = list(pictures.captions)

    def batch(self, size: int, generator: torch.Generator) -> Batch:
        """Random pictures, all of one shape."""
        chosen = torch.randint(len(self.latents), (size,), generator=generator)
        mirrored = torch.randint(2, (size,), generator=generator)
        height, width = self.side, self.side
        if torch.rand((), generator=generator) < OBLONG:
            every = shapes(self.side)
            height, width = every[int(torch.randint(len(every), (), generator=generator))]
        top = int(torch.randint(self.side - height + 1, (), generator=generator))
        left = int(torch.randint(self.side - width + 1, (), generator=generator))
        latents = self.latents[chosen, mirrored, :, top : top + height, left : left + width].float()
        return Batch(latents, self.ids[chosen], torch.from_numpy(places(height, width)))


def encode(codec: Codec, images: np.ndarray) -> Tensor:
    """(N, H, W, 3) bytes → (N, 2, C, H / 8, W / 8) half floats: as it is, and mirrored."""
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    return torch.stack([codec.encode(each).half() for each in (pictures, pictures.flip(3))], 1)
