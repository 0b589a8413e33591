"""Tiny CLIP encoders with random weights and a real byte-pair tokenizer over a vocabulary of letters."""

import json
from pathlib import Path

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

MERGES = ("t h", "th e</w>", "l i", "o n</w>", "a t</w>", "c at</w>", "r e", "h o", "i n", "s t")
START, END = "<|startoftext|>", "<|endoftext|>"
LENGTH = 77


def byte_letters() -> list[str]:
    """The letter that stands for each byte, in the order of GPT-2: those that can be printed, then the others."""
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) for byte in printed] + [chr(256 + place) for place in range(256 - len(printed))]


def vocabulary() -> dict[str, int]:
    letters = byte_letters()
    words = [*letters, *(letter + "</w>" for letter in letters), *(merge.replace(" ", "") for merge in MERGES)]
    return {word: number for number, word in enumerate([*words, START, END])}


def tokenizer(folder: Path, *, pad: str = END) -> CLIPTokenizer:
    """Written to and read from a folder, as of a checkpoint."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary()))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(MERGES) + "\n")
    named = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad}
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "CLIPTokenizer", "model_max_length": LENGTH, **named})
    )
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def text_encoder(width: int, *, projected: bool, seed: int) -> CLIPTextModel | CLIPTextModelWithProjection:
    words = vocabulary()
    config = CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=3,
        num_attention_heads=2,
        max_position_embeddings=LENGTH,
        bos_token_id=words[START],
        eos_token_id=words[END],
        pad_token_id=words[END],
        hidden_act="gelu",
    )
    torch.manual_seed(seed)
    model = (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()
