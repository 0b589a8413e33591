"""A Qwen3 of a few thousand weights and its tokenizer, from a vocabulary made here: the text side of tiny pipelines."""

import torch
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3ForCausalLM, Qwen3Model
from transformers.convert_slow_tokenizer import bytes_to_unicode

MERGES = (("t", "h"), ("th", "e"), ("i", "n"), ("e", "r"), ("a", "n"), ("an", "d"), ("Ġ", "a"), ("Ġ", "the"))
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


def tokenizer() -> Qwen2Tokenizer:
    """All bytes, a few words, and the marks of a conversation."""
    pieces = sorted(bytes_to_unicode().values()) + ["".join(pair) for pair in MERGES]
    made = Qwen2Tokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)},
        merges=list(MERGES),
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
    )
    made.chat_template = TEMPLATE
    return made


def text_model(*, width: int, layers: int) -> Qwen3Model:
    return Qwen3Model(config(width=width, layers=layers)).eval()


def language_model(*, width: int, layers: int) -> Qwen3ForCausalLM:
    return Qwen3ForCausalLM(config(width=width, layers=layers)).eval()


def config(*, width: int, layers: int) -> Qwen3Config:
    return Qwen3Config(
        vocab_size=320,
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=None,
        tie_word_embeddings=True,
    )


def certain(encoder: torch.nn.Module) -> None:
    """Make an encoder of pictures sure of what it sees: its distribution is its mean."""
    weights, bias = encoder.conv_out.weight, encoder.conv_out.bias
    half = len(bias) // 2
    with torch.no_grad():
        weights[half:] = 0.0
        bias[half:] = -30.0


def stir(model: torch.nn.Module, *, deviation: float = 0.1) -> None:
    """Weights large enough that everything that goes in shows in what comes out."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                torch.nn.init.normal_(weight, std=deviation)
