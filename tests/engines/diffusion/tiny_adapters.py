"""Tiny ControlNets, IP-Adapters, LoRAs and decoders with random weights, written as published ones are."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny, ControlNetModel, ControlNetUnionModel, UNet2DConditionModel
from diffusers.models.embeddings import IPAdapterPlusImageProjection
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from brushwork.engines.catalog.model import Adapter, Checkpoint, Licence
from tests.engines.diffusion import tiny_sdxl

WIDTH = 32
"""Of the picture encoder."""
PROJECTED = 24
KINDS = ("canny", "depth", "tile")
EYES = (4, 8, 8, 8)


def adapter_of(name: str, kind: Any, folder: Path, *, file: str = "", controls: tuple[str, ...] = ()) -> Adapter:
    return Adapter(name, kind, Checkpoint(folder=str(folder)), Licence("MIT"), file=file, controls=controls)


def shake(network: torch.nn.Module, *, seed: int, deviation: float = 0.2) -> None:
    """Fill every matrix: a ControlNet is made with zeros, and would not be seen."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.copy_(deviation * torch.randn(parameter.shape, generator=generator))


def save_controlnet(folder: Path, unet_folder: Path) -> Adapter:
    unet = UNet2DConditionModel.from_pretrained(unet_folder, local_files_only=True)
    network = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=EYES)
    shake(network, seed=5)
    network.save_pretrained(folder, safe_serialization=True)
    return adapter_of("plain", "controlnet", folder, controls=("depth",))


def save_union(folder: Path) -> Adapter:
    unknown = {"sample_size", "out_channels", "up_block_types"}
    network = ControlNetUnionModel(
        **{key: value for key, value in tiny_sdxl.UNET.items() if key not in unknown},
        conditioning_embedding_out_channels=EYES,
        num_control_type=len(KINDS),
        num_trans_channel=16,
        num_trans_head=2,
        num_proj_channel=16,
    )
    shake(network, seed=6)
    network.save_pretrained(folder, safe_serialization=True)
    return adapter_of("union", "controlnet", folder, controls=KINDS)


def save_ip_adapter(folder: Path, unet_folder: Path, *, plus: bool) -> Adapter:
    """With its picture encoder beside it. `plus` looks at all places of a picture, the other at the whole."""
    unet = UNet2DConditionModel.from_pretrained(unet_folder, local_files_only=True)
    text = unet.config.cross_attention_dim
    torch.manual_seed(7)
    encoder = CLIPVisionModelWithProjection(
        CLIPVisionConfig(
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            projection_dim=PROJECTED,
            num_hidden_layers=3,
            num_attention_heads=2,
            image_size=32,
            patch_size=8,
        )
    )
    shake(encoder, seed=8)
    encoder.save_pretrained(folder / "models" / "image_encoder")
    generator = torch.Generator().manual_seed(9)
    if plus:
        projection = IPAdapterPlusImageProjection(WIDTH, text, 16, heads=1, num_queries=4)
        shake(projection, seed=10, deviation=0.5)
        weights = {
            f"image_proj.{key.replace('to_out.0', 'to_out')}": value.clone()
            for key, value in projection.state_dict().items()
        }
    else:
        shapes = {"proj.weight": (4 * text, PROJECTED), "proj.bias": (4 * text,), "norm.bias": (text,)}
        weights = {f"image_proj.{name}": torch.randn(shape, generator=generator) for name, shape in shapes.items()}
        weights["image_proj.norm.weight"] = torch.ones(text)
    layers = [name for name in unet.attn_processors if name.endswith("attn2.processor")]
    for place, name in enumerate(layers):
        out = unet.get_submodule(name.removesuffix(".processor")).to_q.out_features
        for part in ("to_k_ip", "to_v_ip"):
            weights[f"ip_adapter.{2 * place + 1}.{part}.weight"] = 0.5 * torch.randn(out, text, generator=generator)
    (folder / "sdxl_models").mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "sdxl_models" / "eyes.safetensors")
    return adapter_of("eyes", "ip_adapter", folder, file="sdxl_models/eyes.safetensors")


def save_tiny_vae(folder: Path) -> Adapter:
    torch.manual_seed(11)
    blocks = {"num_encoder_blocks": (1, 1, 1, 1), "num_decoder_blocks": (1, 1, 1, 1)}
    network = AutoencoderTiny(
        encoder_block_out_channels=(8,) * 4, decoder_block_out_channels=(8,) * 4, latent_channels=4, **blocks
    )
    network.save_pretrained(folder, safe_serialization=True)
    return adapter_of("small", "tiny_vae", folder)


def save_lora(
    folder: Path, name: str, networks: dict[str, torch.nn.Module], *, targets: tuple[str, ...], seed: int
) -> Adapter:
    """Two ranks for every layer whose name ends like one of the `targets`, in the networks named."""
    generator = torch.Generator().manual_seed(seed)
    weights: dict[str, torch.Tensor] = {}
    for prefix, network in networks.items():
        for path, layer in network.named_modules():
            if path.endswith(targets) and isinstance(layer, torch.nn.Linear):
                down = 0.3 * torch.randn(2, layer.in_features, generator=generator)
                up = 0.3 * torch.randn(layer.out_features, 2, generator=generator)
                weights |= {f"{prefix}.{path}.lora_A.weight": down, f"{prefix}.{path}.lora_B.weight": up}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / f"{name}.safetensors")
    return adapter_of(name, "lora", folder, file=f"{name}.safetensors")
