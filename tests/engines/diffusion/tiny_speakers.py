"""Vision language models of a few thousand weights that speak in real words, in no sensible order."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    BartConfig,
    CLIPImageProcessorPil,
    Florence2Config,
    Florence2ForConditionalGeneration,
    Florence2VisionConfig,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessorPil,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from tests.engines.diffusion.tiny_qwen3 import stir

WORDS = """
    red blue green golden quiet stormy ancient tiny huge fox castle river forest mountain lantern boat street garden
    bird tower at dusk in winter under a bright sky with soft light and long shadows painted on paper
""".split()  # noqa: SIM905  # easier to read
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<image>")
IMAGE, VIDEO, START, END = 4, 60, 61, 62
SIZE = 64
"""Of the vocabulary."""


def tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *dict.fromkeys(words)])}
    made = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = Whitespace()
    names = ("bos_token", "pad_token", "eos_token", "unk_token")
    return PreTrainedTokenizerFast(tokenizer_object=made, **dict(zip(names, SPECIAL, strict=False)))


def save_qwen(folder: Path, *, words: list[str] = WORDS) -> Path:
    """In the layout of Qwen3-VL's own repository."""
    torch.manual_seed(0)
    config = Qwen3VLConfig(
        text_config={
            "vocab_size": SIZE, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 16,
            "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 4096, "bos_token_id": 0,
            "eos_token_id": 2, "pad_token_id": 1,
            "rope_scaling": {"rope_type": "default", "mrope_section": [4, 2, 2], "mrope_interleaved": True},
        },
        vision_config={
            "depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "patch_size": 16,
            "out_hidden_size": 32, "num_position_embeddings": 64, "deepstack_visual_indexes": [0],
        },
        image_token_id=IMAGE,
        video_token_id=VIDEO,
        vision_start_token_id=START,
        vision_end_token_id=END,
    )  # fmt: skip
    model = Qwen3VLForConditionalGeneration(config)
    stir(model, deviation=0.3)
    silence(model.lm_head, len(words))
    model.save_pretrained(folder)
    tokenizer(words).save_pretrained(folder)
    Qwen2VLImageProcessorPil(patch_size=16, merge_size=2).save_pretrained(folder)
    return folder


def save_florence(folder: Path) -> Path:
    """In the layout of Florence-2's repository for transformers."""
    torch.manual_seed(0)
    config = Florence2Config(
        text_config=BartConfig(
            vocab_size=SIZE, d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, max_position_embeddings=256,
            bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2,
        ),
        vision_config=Florence2VisionConfig(
            depths=(1, 1, 1, 1), embed_dim=(8, 8, 16, 32), num_heads=(1, 1, 2, 2), num_groups=(1, 1, 2, 2),
            window_size=4, projection_dim=32,
        ),
        image_token_id=IMAGE,
    )  # fmt: skip
    model = Florence2ForConditionalGeneration(config)
    stir(model, deviation=0.3)
    silence(model.lm_head, len(WORDS))
    model.save_pretrained(folder)
    tokenizer(WORDS).save_pretrained(folder)
    CLIPImageProcessorPil(size={"height": 64, "width": 64}, do_center_crop=False).save_pretrained(folder)
    return folder


def silence(head: torch.nn.Linear, words: int) -> None:
    """Let only real words be said, and the end."""
    with torch.no_grad():
        head.weight[:2] = 0.0
        head.weight[3 : len(SPECIAL)] = 0.0
        head.weight[len(SPECIAL) + words :] = 0.0
