"""How much memory there is for models: on the device, and beside it."""

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from brushwork.engines.diffusion.options import DiffusionOptions

GB = 2**30


@dataclass(frozen=True)
class Place:
    """Where weights can be."""

    name: str
    device: torch.device
    budget: int
    """Bytes that weights and activations may fill."""
    reserve: int = 0
    """Of these, bytes kept free for activations until a larger peak is measured."""
    strict: bool = False
    """The operator named the budget: what does not fit is refused, not tried."""


def device_place(options: DiffusionOptions) -> Place:
    """The device that is drawn on."""
    device = torch.device(options.device)
    total = int(options.memory_gb * GB) or device_memory(device)
    # A grid of 1024 px needs 2 to 4 GB beside the weights.
    reserve = 0 if device.type == "cpu" else min(4 * GB, total // 5)
    return Place(options.device, device, total, reserve, strict=options.memory_gb > 0)


def host_place(device: Place) -> Place | None:
    """Memory of the host as a step before the device; None where both are the same memory."""
    if device.device.type != "cuda":
        return None
    return Place("host", torch.device("cpu"), host_memory() // 2)


def device_memory(device: torch.device) -> int:
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return int(min(free, total * 0.95))
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory())
    return int(host_memory() * 0.6)


def host_memory() -> int:
    """Bytes of this machine, or of the container that it is."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = Path("/sys/fs/cgroup/memory.max")
    try:
        return min(physical, int(limit.read_text()))
    except (OSError, ValueError):  # no such file, or "max"
        return physical
