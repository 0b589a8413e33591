"""A whole SDXL with random weights, small enough for a test, written to disk as a checkpoint is."""

from pathlib import Path

import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel

from tests.engines.diffusion import tiny_clip

UNET = {
    "sample_size": 16,
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (2, 4),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "transformer_layers_per_block": (1, 2),
    "projection_class_embeddings_input_dim": 6 * 8 + 24,
    "cross_attention_dim": 16 + 24,
    "norm_num_groups": 8,
}


def vae(*, seed: int, scaling_factor: float) -> AutoencoderKL:
    """Eight pixels a side of a latent, as in a real one."""
    torch.manual_seed(seed)
    return AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=64,
        scaling_factor=scaling_factor,
    ).eval()


def save_sdxl(folder: Path) -> Path:
    """The checkpoint's folder."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel(**UNET).eval()
    pipe = StableDiffusionXLPipeline(
        vae=vae(seed=1, scaling_factor=0.13025),
        text_encoder=tiny_clip.text_encoder(16, projected=False, seed=2),
        text_encoder_2=tiny_clip.text_encoder(24, projected=True, seed=3),
        tokenizer=tiny_clip.tokenizer(folder / "tokenizer"),
        tokenizer_2=tiny_clip.tokenizer(folder / "tokenizer_2", pad="!"),
        unet=unet,
        scheduler=EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="leading",
            steps_offset=1,
        ),
        add_watermarker=False,
    )
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder
