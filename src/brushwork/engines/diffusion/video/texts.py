"""Prompts as a Wan model reads them: encoded by UMT5, padded with zeros to a fixed length, and remembered."""

import html
from typing import Any

import torch
from torch import Tensor

from brushwork.engines.diffusion.parts import Parts
from brushwork.engines.diffusion.remembered import Remembered

LENGTH = 512
"""Tokens at most; the rest of a longer prompt is not read."""
KEPT = 16
"""Encoded prompts: the clips of one job have the same one."""


class Texts:
    """The words of one model's clips. Not safe to use from two threads."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.remembered: Remembered[Tensor] = Remembered(KEPT)

    def encode(self, text: str) -> Tensor:
        """(1, 512, D)."""
        said = cleaned(text)
        found = self.remembered.get(said)
        return self.remembered.put(said, self.encoded(said)) if found is None else found

    def encoded(self, text: str) -> Tensor:
        with self.parts.use("tokenizer") as tokenizer:
            found = read(tokenizer, text)
        with self.parts.use("text_encoder") as encoder:
            ids, mask = found.input_ids.to(encoder.device), found.attention_mask.to(encoder.device)
            states: Tensor = encoder(ids, mask).last_hidden_state
        length = int(mask.gt(0).sum())
        return torch.nn.functional.pad(states[:, :length], (0, 0, 0, LENGTH - length))

    def forget(self) -> None:
        self.remembered.clear()


def read(tokenizer: Any, text: str) -> Any:
    return tokenizer(
        [text],
        padding="max_length",
        max_length=LENGTH,
        truncation=True,
        add_special_tokens=True,
        return_attention_mask=True,
        return_tensors="pt",
    )


def cleaned(text: str) -> str:
    """As its own pipeline cleans it: no entities of HTML, single spaces."""
    return " ".join(html.unescape(html.unescape(text)).split())
