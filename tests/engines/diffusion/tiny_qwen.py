"""A whole Qwen-Image, and a Qwen-Image-Edit, with random weights, written to disk as checkpoints are."""

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLQwenImage,
    FlowMatchEulerDiscreteScheduler,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
)
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2Tokenizer,
    Qwen2VLImageProcessorPil,
)

from tests.engines.diffusion.tiny_clip import byte_letters

END = "<|endoftext|>"
MARKS = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
WIDTH = 32
SCHEDULE: dict[str, Any] = {
    "base_image_seq_len": 256,
    "base_shift": 0.5,
    "max_image_seq_len": 8192,
    "max_shift": 0.9,
    "num_train_timesteps": 1000,
    "shift": 1.0,
    "shift_terminal": 0.02,
    "time_shift_type": "exponential",
    "use_dynamic_shifting": True,
}
"""As of the published checkpoints."""


def save_qwen(folder: Path) -> Path:
    """The folder of a checkpoint that draws from words."""
    words = tokenizer()
    pipe = QwenImagePipeline(
        vae=vae(),
        text_encoder=text_encoder(words),
        tokenizer=words,
        transformer=transformer(zero_cond_t=False),
        scheduler=FlowMatchEulerDiscreteScheduler(**SCHEDULE),
    )
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def save_qwen_edit(folder: Path) -> Path:
    """The folder of a checkpoint that also looks at pictures, like Qwen-Image-Edit-2511."""
    save_qwen(folder)
    transformer(zero_cond_t=True).save_pretrained(folder / "transformer", safe_serialization=True)
    tokenizer().save_pretrained(folder / "processor")
    Qwen2VLImageProcessorPil().save_pretrained(folder / "processor")
    index = json.loads((folder / "model_index.json").read_text())
    index |= {"_class_name": "QwenImageEditPlusPipeline", "processor": ["transformers", "Qwen2VLProcessor"]}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))
    return folder


def tokenizer() -> Qwen2Tokenizer:
    """Every byte is a word."""
    vocabulary = {letter: number for number, letter in enumerate([*byte_letters(), END])}
    return Qwen2Tokenizer(vocab=vocabulary, merges=[], extra_special_tokens=list(MARKS))


def text_encoder(words: Qwen2Tokenizer) -> Qwen2_5_VLForConditionalGeneration:
    number = dict(zip(MARKS, words.convert_tokens_to_ids(list(MARKS)), strict=True))
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]},
            "bos_token_id": number["<|im_start|>"],
            "eos_token_id": number["<|im_end|>"],
        },
        vision_config={
            "depth": 2,
            "hidden_size": WIDTH,
            "intermediate_size": WIDTH,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
            "fullatt_block_indexes": [1],
        },
        vision_start_token_id=number["<|vision_start|>"],
        vision_end_token_id=number["<|vision_end|>"],
        vision_token_id=number["<|image_pad|>"],
        image_token_id=number["<|image_pad|>"],
        video_token_id=number["<|video_pad|>"],
    )
    torch.manual_seed(2)
    return randomised(Qwen2_5_VLForConditionalGeneration(config))


def transformer(*, zero_cond_t: bool) -> QwenImageTransformer2DModel:
    torch.manual_seed(3)
    return randomised(
        QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=WIDTH,
            axes_dims_rope=(4, 6, 6),
            zero_cond_t=zero_cond_t,
        )
    )


def vae() -> AutoencoderKLQwenImage:
    torch.manual_seed(4)
    return AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 2, 2],
        num_res_blocks=1,
        latents_mean=[-0.2, 0.1, 0.3, -0.1],
        latents_std=[0.8, 1.2, 0.9, 1.1],
    ).eval()


def randomised(model: Any) -> Any:
    """Weights large enough that every input makes a difference."""
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.15)
    return model.eval()
