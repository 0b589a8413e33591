"""How far the loop may run ahead of the device: a CUDA call returns before it is done."""

from typing import Any

import torch


class Pace:
    """Keeps the thread no more than a step ahead of the device, so that progress is true and a cancel comes in time."""

    def __init__(self, device: torch.device) -> None:
        self.is_needed = device.type == "cuda"
        self.last: Any = None

    def beat(self) -> None:
        if not self.is_needed:
            return
        before, self.last = self.last, torch.cuda.Event()
        self.last.record()
        if before is not None:
            before.synchronize()
