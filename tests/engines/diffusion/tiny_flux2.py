"""A whole FLUX.2 klein pipeline with random weights, small enough for a laptop's CPU."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
)

from tests.engines.diffusion.tiny_qwen3 import certain, language_model, stir, tokenizer


def save_flux2(folder: Path, *, distilled: bool = False) -> Path:
    """Write the pipeline into `folder`, in the layout of diffusers."""
    torch.manual_seed(11)
    Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, use_dynamic_shifting=True),
        vae=decoder(),
        text_encoder=language_model(width=8, layers=28),  # the pipeline reads its 27th layer
        tokenizer=tokenizer(),
        transformer=transformer(),
        is_distilled=distilled,
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def transformer() -> Flux2Transformer2DModel:
    model = Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=24,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    stir(model)
    return model.eval()


def decoder() -> AutoencoderKLFlux2:
    model = AutoencoderKLFlux2(
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=4,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    certain(model.encoder)
    with torch.no_grad():  # statistics of latents, as training would have left them
        model.bn.running_mean.normal_(std=0.3)
        model.bn.running_var.uniform_(0.5, 2.0)
    return model.eval()
