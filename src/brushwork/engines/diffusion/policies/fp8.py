"""Weights in eight bits, half the memory: each row of a matrix has its own scale.

Only the matrices of repeated blocks are shrunk; what steers them (norms, modulation, embeddings) keeps its precision.
Where the chip multiplies eight-bit numbers, rows of activations are scaled and shrunk as they come, each by itself, so
that a picture does not depend on its batch. Elsewhere weights are widened for each product.
"""

import re
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from brushwork.errors import Unavailable

EIGHT = torch.float8_e4m3fn
LARGEST = torch.finfo(EIGHT).max
SENSITIVE = ("norm", "mod", "embed")
"""Parts of names of layers that keep their precision."""


class Fp8Linear(nn.Module):  # type: ignore[misc]  # torch has no types where it is not installed
    """A linear layer whose weights are kept in eight bits."""

    def __init__(self, linear: Any, *, multiply: bool) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.multiply = multiply
        """Whether the chip multiplies eight-bit numbers."""
        eight, scale = shrunk(linear.weight.data)
        self.register_buffer("eight", eight)  # (out, in)
        self.register_buffer("scale", scale)  # (out, 1)
        self.bias = linear.bias

    def forward(self, states: Tensor) -> Tensor:
        if not self.multiply:
            weight = self.eight.to(states.dtype) * self.scale.to(states.dtype)
            return functional.linear(states, weight, self.bias)
        rows, scales = shrunk(states.reshape(-1, self.in_features))
        product = torch._scaled_mm(rows, self.eight.t(), scales, self.scale.t(), out_dtype=torch.bfloat16)
        product = product.to(states.dtype).reshape(*states.shape[:-1], self.out_features)
        return product if self.bias is None else product + self.bias


def shrunk(rows: Tensor) -> tuple[Tensor, Tensor]:
    """(numbers of eight bits, one scale a row), which multiplied give the rows."""
    scale = rows.float().abs().amax(dim=-1, keepdim=True).clamp(min=1e-12) / LARGEST
    return (rows.float() / scale).to(EIGHT), scale


def check(device: torch.device) -> None:
    """Raises Unavailable where eight-bit numbers do not exist."""
    try:
        torch.ones(16, device=device).to(EIGHT).to(torch.float32)
    except (RuntimeError, TypeError) as error:
        raise Unavailable(
            f"BRUSHWORK_FP8 asks for weights of eight bits, which {device} does not have ({error})."
        ) from None


@cache
def multiplies(device: torch.device) -> bool:
    """Whether the chip multiplies eight-bit numbers with a scale for each row: Hopper and later."""
    if device.type != "cuda":
        return False
    rows, scales = shrunk(torch.ones(16, 32, device=device))
    try:
        found = torch._scaled_mm(rows, rows.t(), scales, scales.t(), out_dtype=torch.bfloat16)
    except RuntimeError:
        return False
    return bool((found.float() - 32).abs().max() < 1)


def shrink(module: Any, *, device: torch.device) -> None:
    """Replace the linear layers of the repeated blocks."""
    multiply = multiplies(device)
    for name, part in list(module.named_modules()):
        for child_name, child in list(part.named_children()):
            path = f"{name}.{child_name}".lstrip(".")
            if isinstance(child, nn.Linear) and is_shrinkable(path, child):
                setattr(part, child_name, Fp8Linear(child, multiply=multiply))


def is_shrinkable(path: str, linear: Any) -> bool:
    """Inside a block of a list of blocks, and no part of it that steers."""
    inside = re.split(r"\.\d+\.", path, maxsplit=1)[1:]
    whole = linear.in_features % 16 == 0 and linear.out_features % 16 == 0  # as the chip's product wants it
    return whole and bool(inside) and not any(word in inside[0] for word in SENSITIVE)
