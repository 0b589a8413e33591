"""A whole Z-Image pipeline with random weights, small enough for a laptop's CPU."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    FlowMatchEulerDiscreteScheduler,
    ZImageControlNetModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)

from brushwork.engines.catalog.model import Adapter
from tests.engines.diffusion.tiny_adapters import adapter_of
from tests.engines.diffusion.tiny_qwen3 import certain, stir, text_model, tokenizer


def save_zimage(folder: Path) -> Path:
    """Write the pipeline into `folder`, in the layout of diffusers."""
    torch.manual_seed(7)
    ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=3.0),
        vae=decoder(),
        text_encoder=text_model(width=16, layers=4),
        tokenizer=tokenizer(),
        transformer=transformer(),
    ).save_pretrained(folder, safe_serialization=True)
    return folder


def transformer() -> ZImageTransformer2DModel:
    model = ZImageTransformer2DModel(
        in_channels=16,
        dim=32,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[8, 4, 4],
        axes_lens=[1024, 64, 64],
    )
    stir(model)
    return model.eval()


def decoder() -> AutoencoderKL:
    model = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16),
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=4,
        sample_size=1024,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )
    certain(model.encoder)
    return model.eval()


def save_control(folder: Path) -> Adapter:
    """A ControlNet of the kind of version 2.1: room for a masked picture, and hints in the first blocks too."""
    torch.manual_seed(8)
    network = ZImageControlNetModel(
        control_layers_places=[0],
        control_refiner_layers_places=[0],
        control_in_dim=33,
        add_control_noise_refiner="control_noise_refiner",
        dim=32,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
    )
    stir(network)
    network.save_pretrained(folder, safe_serialization=True)
    return adapter_of("union", "controlnet", folder, controls=("canny", "depth"))


def save_sketcher(folder: Path) -> Adapter:
    """A tiny decoder."""
    torch.manual_seed(9)
    AutoencoderTiny(
        encoder_block_out_channels=(8,) * 4,
        decoder_block_out_channels=(8,) * 4,
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
        latent_channels=16,
    ).save_pretrained(folder, safe_serialization=True)
    return adapter_of("small", "tiny_vae", folder)
