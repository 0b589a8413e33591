"""What each task type costs, in points, before the prompt's multipliers. One point is a tenth of a cent.

The prompt multiplies: `--turbo` x2, `--draft` x0.5, `--hd`, `--q 4` and `--sv 6` x4 on v8, `--oref` x2
(see `prompts/`).
"""

from collections.abc import Mapping

PRICES: Mapping[str, int] = {
    "diffusion": 80,
}


def price(task: str, multiplier: float = 1.0) -> int:
    """Points of one task. Every product of the tables is whole; half a point would be rounded up."""
    return -int(-PRICES[task] * multiplier // 1)
