"""Whole Wan pipelines with random weights, small enough for a laptop's CPU: I2V with two experts, TI2V and VACE."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from transformers import T5TokenizerFast, UMT5Config, UMT5EncoderModel

from tests.engines.diffusion.tiny_qwen3 import stir

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BOUNDARY = 0.9
"""As of I2V-A14B."""


def save_wan_i2v(folder: Path) -> Path:
    """Write the pipeline into `folder`, in the layout of diffusers."""
    torch.manual_seed(31)
    first, second = (transformer(in_channels=4 + 2 * 4, out_channels=4) for _ in range(2))
    WanImageToVideoPipeline(
        **common(decoder()), transformer=first, transformer_2=second, boundary_ratio=BOUNDARY
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def save_wan_ti2v(folder: Path) -> Path:
    """As it is published: a pipeline for words, with which pictures are animated too."""
    torch.manual_seed(32)
    large = decoder(is_residual=True, patch_size=2, in_channels=12, out_channels=12, scale_factor_spatial=16)
    WanPipeline(
        **common(large), transformer=transformer(in_channels=4, out_channels=4), expand_timesteps=True
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def save_wan_vace(folder: Path) -> Path:
    torch.manual_seed(33)
    model = WanVACETransformer3DModel(
        **SIZES, in_channels=4, out_channels=4, vace_layers=[0, 1], vace_in_channels=2 * 4 + 64
    )
    stir(model)
    for block in model.vace_blocks:  # what is kept is seen, and not only a little
        torch.nn.init.normal_(block.proj_out.weight, std=1.0)
    torch.nn.init.normal_(model.vace_patch_embedding.weight, std=0.3)
    WanVACEPipeline(**common(decoder()), transformer=model.eval()).save_pretrained(folder, safe_serialization=True)
    return folder


SIZES: dict[str, Any] = {
    "patch_size": (1, 2, 2),
    "num_attention_heads": 2,
    "attention_head_dim": 12,
    "text_dim": 16,
    "freq_dim": 16,
    "ffn_dim": 32,
    "num_layers": 2,
    "cross_attn_norm": True,
    "qk_norm": "rms_norm_across_heads",
    "rope_max_seq_len": 64,
}


def transformer(*, in_channels: int, out_channels: int) -> WanTransformer3DModel:
    model = WanTransformer3DModel(**SIZES, in_channels=in_channels, out_channels=out_channels)
    stir(model)
    return model.eval()


def decoder(**how: Any) -> AutoencoderKLWan:
    made = AutoencoderKLWan(
        base_dim=4,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[-0.7, 0.2, 0.1, -0.3],
        latents_std=[2.0, 1.5, 1.8, 2.2],
        **how,
    )
    stir(made, deviation=0.2)
    return made.eval()


def common(vae: AutoencoderKLWan) -> dict[str, Any]:
    return {
        "vae": vae,
        "scheduler": UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
        "text_encoder": text_encoder(),
        "tokenizer": tokenizer(),
    }


def text_encoder() -> UMT5EncoderModel:
    model = UMT5EncoderModel(
        UMT5Config(
            vocab_size=80, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
        )
    )
    stir(model, deviation=0.3)
    return model.eval()


def tokenizer() -> T5TokenizerFast:
    """Letters, and letters at the beginning of a word."""
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    within = [(letter, -3.0) for letter in LETTERS + ",.-'"]
    return T5TokenizerFast(vocab=marks + within + [(f"▁{letter}", -2.5) for letter in LETTERS], extra_ids=0)
