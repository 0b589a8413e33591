"""What can go wrong on a device, and whom it concerns: one row, everybody who needs memory, or the whole process."""

from contextlib import AbstractContextManager
from typing import Protocol

import torch

from brushwork.engines.base import DeviceLost
from brushwork.engines.diffusion.facts import Facts
from brushwork.engines.diffusion.families.base import Family
from brushwork.engines.diffusion.options import CachePolicy
from brushwork.errors import BrushworkError, EngineFailed

GONE = ("cuda error", "hip error", "device-side assert", "cudnn_status_internal_error", "unspecified launch failure")
"""After these every further call fails, whatever it asks."""
NO_ROOM = ("out of memory", "alloc_failed", "can't allocate memory", "not enough memory")


class Shelf(Protocol):
    """Where the loop takes loaded models from."""

    @property
    def device(self) -> torch.device: ...

    def facts(self, model: str) -> Facts:
        """What its family can do; without loading anything."""

    def cache(self, model: str) -> CachePolicy:
        """How steps of its rows are skipped."""

    def family(self, model: str) -> Family:
        """The model, ready to be stepped."""

    def drawing(self, model: str, pixels: int) -> AbstractContextManager[None]:
        """A turn of rows of that model, with so many pixels together: room for it is kept, and what it takes noted."""

    def relieve(self) -> None:
        """Free whatever can be had again."""


def is_memory(error: BaseException) -> bool:
    """Whether it might go well with more room."""
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(words in text for words in NO_ROOM)
    )


def is_lost(error: BaseException) -> bool:
    """Whether the device is gone for this process."""
    if isinstance(error, DeviceLost):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and not is_memory(error) and any(words in text for words in GONE)


def spoken(error: Exception) -> Exception:
    """The error as a job's owner may read it."""
    if isinstance(error, BrushworkError | DeviceLost):
        return error
    if is_memory(error):
        return EngineFailed("The picture needs more memory than this machine's device has; nothing was charged.")
    return EngineFailed(f"The model failed while drawing ({type(error).__name__}); nothing was charged.")
