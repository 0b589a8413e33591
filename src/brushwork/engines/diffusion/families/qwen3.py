"""Prompts read by a Qwen3 language model, as one message of a conversation; its hidden layers are the conditioning.

Each text is read alone, so that its tensors are the same bytes whatever else is encoded.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from brushwork.engines.diffusion.parts import Parts

LONGEST = 512
"""Tokens of a prompt; what is beyond is cut off."""


def hidden_layers(parts: Parts, text: str, layers: Sequence[int], *, thinking: bool, filled: bool) -> list[Tensor]:
    """(L, D) of each layer asked for. `filled`: the text is followed by empty places up to the greatest length."""
    with parts.use("tokenizer") as tokenizer:
        said = tokenizer.apply_chat_template(
            [{"role": "user", "content": text}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=thinking,
        )
        padding = "max_length" if filled else False
        tokens = tokenizer(said, padding=padding, max_length=LONGEST, truncation=True, return_tensors="pt")
    with torch.inference_mode(), parts.use("text_encoder") as encoder:
        # `base_model` leaves out the scores of the vocabulary, which nobody reads
        seen = encoder.base_model(
            input_ids=tokens["input_ids"].to(parts.device),
            attention_mask=tokens["attention_mask"].to(parts.device),
            output_hidden_states=True,
            use_cache=False,
        ).hidden_states
    return [torch.as_tensor(seen[layer][0]) for layer in layers]
