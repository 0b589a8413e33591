"""Which attention kernel is used: tried with a small product first, so that a broken one never draws a picture."""

from functools import cache
from typing import Any

import structlog
import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn

log = structlog.get_logger(__name__)

TOLERANCE = 2e-2
"""Against the plain formula, on normal numbers: bfloat16 is within 1e-2, a broken kernel is far off."""

HOPPER = (9, 0)


def choose(wanted: str, device: torch.device, dtype: torch.dtype) -> tuple[str, str]:
    """(backend, why it is not the one that was asked for)."""
    if wanted == "auto":
        return automatic(device, dtype), ""
    if wanted == "native":
        return wanted, ""
    if reason := problem(wanted, device, dtype):
        return "native", f"{wanted}: {reason}"
    return wanted, ""


def automatic(device: torch.device, dtype: torch.dtype) -> str:
    """cuDNN's where it is quickest and works, with masks too; else whatever torch chooses."""
    if device.type != "cuda" or torch.cuda.get_device_capability(device) < HOPPER:
        return "native"
    reason = problem("_native_cudnn", device, dtype, masked=True)
    if reason:
        log.info("attention_backend_left", backend="_native_cudnn", reason=reason)
    return "native" if reason else "_native_cudnn"


@cache
def problem(backend: str, device: torch.device, dtype: torch.dtype, *, masked: bool = False) -> str:
    """Why that backend cannot be used on this device; empty when its results are right."""
    known = {name.value for name in AttentionBackendName}
    if backend not in known:
        return f"diffusers does not know it; it knows {', '.join(sorted(known))}"
    generator = torch.Generator().manual_seed(0)
    query, key, value = (
        torch.randn(2, 64, 4, 64, generator=generator).to(device, dtype)
        for _ in range(3)  # (B, L, heads, D)
    )
    masks = [None, torch.arange(64, device=device).expand(2, 64) < 50] if masked else [None]
    try:
        for mask in masks:
            expected = plain(query, key, value, mask)
            found = dispatch_attention_fn(query, key, value, attn_mask=mask, backend=AttentionBackendName(backend))
            distance = (found.float() - expected).abs().max().item()
            if not distance <= TOLERANCE:  # not a number, too
                return f"its results are off by {distance:.2g}"
    except Exception as error:  # whatever a kernel of someone else's raises, it is not usable
        return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ""


def plain(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Attention by its formula, in float32."""
    query, key, value = (tensor.float().transpose(1, 2) for tensor in (query, key, value))
    scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[:, None, None, :], float("-inf"))
    return (scores.softmax(-1) @ value).transpose(1, 2)


def use(module: Any, backend: str) -> None:
    """Compute the module's attention with that backend, and no other module's."""
    for part in module.modules():
        processor: Any = getattr(part, "processor", None)
        if hasattr(processor, "_attention_backend"):
            processor._attention_backend = AttentionBackendName(backend)
