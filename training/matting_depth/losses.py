"""How far from the truth: alpha in value, outline and area; nearness up to the scale and shift no picture tells."""

import torch
from torch import Tensor
from torch.nn import functional


def alpha_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """(B, 1, H, W) each."""
    alpha = torch.sigmoid(logits)
    certain = functional.binary_cross_entropy_with_logits(logits, truth)
    difference = (alpha - truth).abs().mean()
    shared = (alpha * truth).sum((1, 2, 3))
    area = 1 - (shared + 20) / ((alpha + truth - alpha * truth).sum((1, 2, 3)) + 20)
    return 0.5 * certain + difference + 0.5 * area.mean() + slopes(alpha, truth, scales=2)


def near_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """(B, 1, H, W) each; truth is in 0..1."""
    near = torch.sigmoid(logits)
    aligned = fitted(near, truth)
    return (aligned - truth).abs().mean() + 0.5 * (near - truth).abs().mean() + 0.5 * slopes(aligned, truth, scales=4)


def fitted(near: Tensor, truth: Tensor) -> Tensor:
    """Each picture's nearness with the scale and shift that bring it closest to the truth."""
    x, y = near.flatten(1), truth.flatten(1)
    x0, y0 = x.mean(1, keepdim=True), y.mean(1, keepdim=True)
    scale = ((x - x0) * (y - y0)).sum(1, keepdim=True) / ((x - x0).square().sum(1, keepdim=True) + 1e-3)
    return (y0 + (x - x0) * scale.clamp(0.1, 10)).view_as(near)


def slopes(given: Tensor, truth: Tensor, *, scales: int) -> Tensor:
    """Mean difference of the gradients at several sizes."""
    total = given.new_zeros(())
    difference = given - truth
    for scale in range(scales):
        if scale:
            difference = functional.avg_pool2d(difference, 2)
        across = (difference[..., :, 1:] - difference[..., :, :-1]).abs().mean()
        along = (difference[..., 1:, :] - difference[..., :-1, :]).abs().mean()
        total = total + across + along
    return total / scales
