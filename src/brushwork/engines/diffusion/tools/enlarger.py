"""Make pictures larger with Real-ESRGAN: sharper than what ships with Brushwork, and with detail that it invents."""

import threading
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from brushwork.engines.base import Ask, always_wanted
from brushwork.engines.diffusion.tools.rrdb import Rrdb, rrdb_of
from brushwork.engines.tools.super_resolution import Bytes
from brushwork.engines.turns import turn

MARGIN = 16
"""How far from a pixel the network is let look. It could look much farther, but what is there hardly counts."""


class EsrganEnlarger:
    """An `Enlarger`. Loaded with the first tile, and one tile at a time."""

    margin = MARGIN

    def __init__(self, name: str, file: Path, *, device: str = "cpu") -> None:
        self.name = name
        self.file = file
        self.device = torch.device(device)
        self.dtype = torch.float16 if self.device.type == "cuda" else torch.float32
        self.lock = threading.Lock()

    @cached_property
    def network(self) -> Rrdb:
        network = rrdb_of(self.file)
        network.to(self.device, self.dtype)
        if self.device.type == "cuda":
            network.to(memory_format=torch.channels_last)
        return network

    @cached_property
    def factors(self) -> tuple[int, ...]:
        with self.lock:
            return (self.network.factor,)

    def __call__(self, window: Bytes, factor: int, *, ask: Ask = always_wanted) -> Bytes:
        with turn(self.lock, ask), torch.inference_mode():
            if factor != self.network.factor:
                raise ValueError(f"{self.name} enlarges {self.network.factor} times, not {factor}")
            pixels = torch.from_numpy(np.ascontiguousarray(window)).to(self.device)
            # A GPU is through with a tile before it could be asked; a CPU takes many seconds.
            between = ask if self.device.type == "cpu" else always_wanted
            large = self.network(pixels.permute(2, 0, 1)[None].to(self.dtype) / 255, between)[0]
            bytes_of = (large.float().clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
            return np.asarray(bytes_of.cpu().numpy())
