"""One vector for a text, out of what a family's text encoder makes of it."""

import torch
from torch import Tensor

from brushwork.engines.diffusion.families.base import Conditioning
from brushwork.engines.diffusion.words import Vector


def pooled(conditioning: Conditioning) -> Vector:
    """The model's own pooled vector, where it has one, beside the mean direction of its tokens.

    Both: a pooled vector may only know the beginning of a long text. Directions: language models give a few tokens a
    length beside which no word would count.
    """
    numbers = [tensor.double().cpu() for tensor in conditioning.tensors.values() if tensor.is_floating_point()]
    own = [direction(tensor) for tensor in numbers if tensor.ndim == 1]
    tokens = [direction(direction(tensor).mean(dim=0)) for tensor in numbers if tensor.ndim == 2]
    vector: Vector = torch.cat([*own, *tokens]).numpy()
    return vector


def direction(tensor: Tensor) -> Tensor:
    """Of length 1 along the last axis."""
    return tensor / tensor.norm(dim=-1, keepdim=True).clamp_min(1e-12)
