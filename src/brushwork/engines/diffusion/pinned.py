"""Weights side by side in a few large pieces of the host's memory.

torch rounds each piece of locked memory up to a power of two: with one for each weight, a third of it would be waste.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

PIECE = 256 * 2**20
"""Bytes; a power of two. A larger weight has a piece of its own."""
ALIGNMENT = 64


def laid_out(tensors: Iterable[Tensor], *, pinned: bool, piece: int = PIECE) -> dict[int, Tensor]:
    """What each tensor shows, by its id. If `pinned`, that is a copy, lying as its original does, which it shows now.

    Weights that cannot be locked, because the system allows no more, stay where they are.
    """
    pieces = Pieces(piece)
    copies: dict[int, Tensor] = {}
    for tensor in tensors:
        if pinned and is_dense(tensor):
            try:
                tensor.data = pieces.copy_of(tensor.data)
            except RuntimeError:
                pinned = False
        copies[id(tensor)] = tensor.data
    return copies


class Pieces:
    """Where there is room for the next weight."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.room = torch.empty(0, dtype=torch.uint8)

    def copy_of(self, tensor: Tensor) -> Tensor:
        """Raises RuntimeError when no more memory can be locked."""
        needed = tensor.nelement() * tensor.element_size()
        if needed > self.size:
            taken = locked(needed)
        else:
            if len(self.room) < needed:
                self.room = locked(self.size)
            taken, self.room = self.room[:needed], self.room[-(-needed // ALIGNMENT) * ALIGNMENT :]
        flat = taken.view(tensor.dtype)
        return flat.as_strided(tensor.shape, tensor.stride(), flat.storage_offset()).copy_(tensor)


def locked(size: int) -> Tensor:
    return torch.empty(size, dtype=torch.uint8, pin_memory=torch.cuda.is_available())


def is_dense(tensor: Tensor) -> bool:
    """Whether it fills its memory without gaps, in whatever order its axes lie."""
    step = 1
    for stride, side in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if side != 1:
            if stride != step:
                return False
            step *= side
    return bool(tensor.nelement() > 0)
