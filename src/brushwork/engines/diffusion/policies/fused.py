"""A UNet's attention with one multiplication where there were two or three. The same numbers, but for rounding."""

from typing import Any

from diffusers.models.attention_processor import Attention

from brushwork.engines.catalog.model import Model


def can_be_fused(model: Model) -> bool:
    """Whether nothing is put into the single projections later: a LoRA in them would not act, and nobody would say."""
    return model.family in ("sd", "sdxl") and not any(each.kind == "lora" for each in model.adapters.values())


def fuse(unet: Any) -> None:
    """Before anything else is attached to the UNet; it cannot be undone, for the single projections are dropped."""
    unet.fuse_qkv_projections()
    for layer in unet.modules():
        if isinstance(layer, Attention):
            layer.to_k = layer.to_v = None
            if not layer.is_cross_attention:
                layer.to_q = None
    unet.original_attn_processors = None
    unet.requires_grad_(False)
