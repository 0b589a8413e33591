"""A whole Stable Diffusion 1.x, or 2.x, with random weights, written to disk as a checkpoint is."""

from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, PNDMScheduler, StableDiffusionPipeline, UNet2DConditionModel

from tests.engines.diffusion import tiny_clip
from tests.engines.diffusion.tiny_sdxl import vae

UNET: dict[str, Any] = {
    "sample_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "attention_head_dim": 2,
    "cross_attention_dim": 32,
    "norm_num_groups": 8,
}
BETAS: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


def save_sd(folder: Path, *, velocity: bool = False) -> Path:
    """The checkpoint's folder. With `velocity` it predicts one, without noise in the end, as some 2.x do."""
    torch.manual_seed(0)
    if velocity:
        scheduler: Any = DDIMScheduler(
            **BETAS,
            clip_sample=False,
            prediction_type="v_prediction",
            rescale_betas_zero_snr=True,
            timestep_spacing="trailing",
        )
    else:
        scheduler = PNDMScheduler(**BETAS, skip_prk_steps=True)
    pipe = StableDiffusionPipeline(
        vae=vae(seed=1, scaling_factor=0.18215),
        text_encoder=tiny_clip.text_encoder(32, projected=False, seed=2),
        tokenizer=tiny_clip.tokenizer(folder / "tokenizer"),
        unet=UNet2DConditionModel(**UNET).eval(),
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder
