"""What the denoising loop asks of a model family. Rows are lists, never padded batches: a family pads and masks inside.

Tensors of one row have no batch axis. Latents are (C, h, w), float32 on the loop's device, in the scale in which the
family's solver works; a family packs, patches, scales and casts inside, and gives back the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.engines.diffusion.solver import Solver


@dataclass(frozen=True)
class Conditioning:
    """A text, encoded; on the loop's device."""

    tensors: Mapping[str, Tensor]
    """Sequences (L, D) without padding, pooled vectors (D,); names are the family's own."""

    def noised(self, generator: torch.Generator, sigma: float) -> "Conditioning":
        """With normal noise, drawn on the CPU, of `sigma` times each tensor's own standard deviation."""
        return Conditioning(
            {
                name: value
                + (sigma * value.float().std() * torch.randn(value.shape, generator=generator).to(value.device)).to(
                    value.dtype
                )
                for name, value in self.tensors.items()
            }
        )


@dataclass(frozen=True)
class Extras:
    """What a row brings beside its text, encoded once when it joins; names of tensors are the family's own."""

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    control: Control | None = None
    kind: str = ""
    """Rows of different kinds cannot share a forward pass: it belongs into the key of a batch."""


NO_EXTRAS = Extras()


@dataclass(frozen=True)
class Call:
    """One evaluation of the denoiser, for one row."""

    latents: Tensor
    """(C, h, w), already scaled by the solver."""
    timestep: float
    """As the scheduler counts it: 1000 is pure noise."""
    conditioning: Conditioning
    guidance: float = 0.0
    """For models that are told their guidance; others ignore it."""
    extras: Extras = NO_EXTRAS
    window: tuple[int, int, int, int] | None = None
    """(top, left, h, w) in latent pixels, when only that pane of the picture is looked at: `latents` is cut out,
    what `extras` brings (a control picture) is the whole picture's and has to be cut."""
    share: float = 0.0
    """How much of the schedule lies behind, 0-1: a control acts until its own share."""
    tile: bool = False
    """Whether the picture goes on at its opposite edges; only families whose facts say "exact" are told."""
    adapters: tuple[tuple[str, float], ...] = ()
    """LoRAs with their weights, by their names in the catalog; the same in all calls of one pass."""
    negative: bool = False
    """Whether this is what guidance pushes away from: it follows the control as well, but sees no image prompt."""


class Family(Protocol):
    """One loaded model of a family. Not safe to use from two threads: the loop owns it."""

    multiple: int
    """Pixels of which sides are multiples."""

    def encode(
        self, texts: Sequence[str], seen: Sequence[Seen] = (), *, adapters: tuple[tuple[str, float], ...] = ()
    ) -> list[Conditioning]:
        """Each text, as its own pipeline would encode it alone. Families whose text encoder also looks at pictures
        (facts: `reads_pictures`) encode each text together with all of `seen`, the row's; others leave it aside.
        `adapters` are the LoRAs of the call that will be made with it, for those that change the text encoder too."""

    def latent_shape(self, width: int, height: int) -> tuple[int, int, int]:
        """(C, h, w) of a picture of that size in pixels."""

    def solver(self, steps: int, width: int, height: int) -> Solver:
        """A fresh solver of one row, with the schedule that the model's own pipeline would choose."""

    def extras(self, seen: Sequence[Seen], control: Control | None, width: int, height: int) -> Extras:
        """Encode what is looked at. Empty input gives NO_EXTRAS."""

    def denoise(self, calls: Sequence[Call]) -> list[Tensor]:
        """What the solver expects, for each call, in one forward pass. All calls have the same batch key."""

    def is_guided(self, guidance: float) -> bool:
        """Whether that guidance needs a second prediction, from the negative prompt."""

    def guide(self, positive: Tensor, negative: Tensor, guidance: float) -> Tensor:
        """Classifier-free guidance as the model's own pipeline computes it."""

    def encode_image(self, pixels: Tensor) -> Tensor:
        """(3, H, W) in -1..1 → latents. The mean of the distribution, so that nothing is drawn by chance."""

    def decode(self, latents: Sequence[Tensor], *, tile: bool = False) -> list[Tensor]:
        """Latents of equal shapes → pictures (3, H, W) in 0..1."""

    def preview(self, latents: Tensor) -> Tensor:
        """A small, quick view (3, h, w) in 0..1 of clear latents."""

    def reset(self) -> None:
        """Forget whatever a cache kept from earlier steps: nothing may leak into the next picture."""
