"""Texts through CLIP, as Stable Diffusion and SDXL want them. Knows neither pictures nor weights of words."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from brushwork.engines.diffusion.families.base import Conditioning
from brushwork.engines.diffusion.parts import Parts


def token_windows(tokenizer: Any, text: str) -> list[list[int]]:
    """The text in windows that the encoder can read: each with a start, an end, and padding. At least one."""
    length = int(tokenizer.model_max_length)
    room = length - 2
    tokens = tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids
    pieces = [tokens[start : start + room] for start in range(0, len(tokens), room)] or [[]]
    return [
        [
            tokenizer.bos_token_id,
            *piece,
            tokenizer.eos_token_id,
            *[tokenizer.pad_token_id] * (room - len(piece)),
        ]
        for piece in pieces
    ]


def run_encoder(parts: Parts, windows: Sequence[Sequence[int]], name: str, *, layer: int | None) -> tuple[Tensor, Any]:
    """Hidden states (windows, L, D), and the pooled output where the encoder has one. A `layer` counts from the end."""
    with parts.use(name) as encoder:
        ids = torch.tensor(windows, dtype=torch.long, device=parts.device)
        read = encoder(ids, output_hidden_states=layer is not None)
    hidden = read.last_hidden_state if layer is None else read.hidden_states[layer]
    return hidden, getattr(read, "text_embeds", None)


def encode_one(parts: Parts, texts: Sequence[str]) -> list[Conditioning]:
    """For Stable Diffusion: the last hidden state. A text longer than the encoder's window is read in windows."""
    with parts.use("tokenizer") as tokenizer:
        windows = [token_windows(tokenizer, text) for text in texts]
    hidden, _ = run_encoder(parts, flat(windows), "text_encoder", layer=None)
    return [Conditioning({"text": joined(part)}) for part in split(hidden, windows)]


def encode_two(parts: Parts, texts: Sequence[str], *, zero_when_empty: bool) -> list[Conditioning]:
    """For SDXL: the penultimate states of both encoders side by side, and the second one's pooled output.

    The pooled output is that of the first window. An empty text is all zeros where the checkpoint was trained so.
    """
    states, windows, pooled = [], [], None
    for tokenizer_name, encoder_name in (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2")):
        if not parts.has(encoder_name):
            continue
        with parts.use(tokenizer_name) as tokenizer:
            windows = [token_windows(tokenizer, text) for text in texts]
        hidden, pooled = run_encoder(parts, flat(windows), encoder_name, layer=-2)
        states.append(split(hidden, windows))
    assert pooled is not None, "the second encoder of SDXL projects"
    encoded = []
    for number, text in enumerate(texts):
        first = sum(len(before) for before in windows[:number])
        words = torch.cat([joined(state[number]) for state in states], dim=-1)
        kept = 0.0 if zero_when_empty and not text else 1.0
        encoded.append(Conditioning({"text": words * kept, "pooled": pooled[first] * kept}))
    return encoded


def flat(windows: Sequence[Sequence[Sequence[int]]]) -> list[Sequence[int]]:
    return [window for text in windows for window in text]


def split(hidden: Tensor, windows: Sequence[Sequence[Any]]) -> list[Tensor]:
    """The windows of each text."""
    return list(hidden.split([len(text) for text in windows]))


def joined(windows: Tensor) -> Tensor:
    """(windows, L, D) → (windows * L, D)."""
    return windows.reshape(-1, windows.shape[-1])


def padded(texts: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """(B, L, D) of texts of different lengths, and which of it is text; None when all are equally long."""
    longest = max(len(text) for text in texts)
    if all(len(text) == longest for text in texts):
        return torch.stack(list(texts)), None
    batch = texts[0].new_zeros(len(texts), longest, texts[0].shape[-1])
    seen = torch.zeros(len(texts), longest, dtype=torch.bool, device=batch.device)
    for row, text in enumerate(texts):
        batch[row, : len(text)] = text
        seen[row, : len(text)] = True
    return batch, seen
