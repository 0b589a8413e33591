"""Vision language models that answer a question about a picture: Qwen3-VL and Florence-2, from safetensors alone.

What a model is shown is put together here: the processors of transformers would want torchvision for their videos.
Chance comes from a generator of the answer's own, so the same seed gives the same words, whatever else is running.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from torch import Tensor
from transformers import (
    AutoImageProcessor,
    AutoTokenizer,
    Florence2ForConditionalGeneration,
    LogitsProcessor,
    LogitsProcessorList,
    Qwen3VLForConditionalGeneration,
    StoppingCriteria,
    StoppingCriteriaList,
)

from brushwork.engines.base import Ask
from brushwork.errors import Unavailable

MOST_TOKENS = 120
SECONDS = 60.0
"""After which an answer ends where it is."""
LIKELY = 40
"""Words to choose from."""
BEAMLESS = {"do_sample": False, "num_beams": 1, "max_new_tokens": MOST_TOKENS, "use_cache": True}
SEEN_PIXELS = {"shortest_edge": 64 * 64, "longest_edge": 768 * 768}
"""How large Qwen3-VL looks at a picture, in pixels of area."""


@dataclass(frozen=True)
class Question:
    """What is asked, and how freely it is answered."""

    system: str
    text: str
    temperature: float


class Speaker(Protocol):
    """A loaded model."""

    def answer(self, image: Image.Image, question: Question, *, seed: int, ask: Ask) -> str:
        """What it says: the same for the same picture, question and seed. Raises what `ask` raises after a word."""


class Dice(LogitsProcessor):  # type: ignore[misc]  # transformers is not installed where types are checked
    """Adds Gumbel noise to the likeliest words, so that taking the best is drawing by chance, from our generator."""

    def __init__(self, temperature: float, seed: int) -> None:
        self.temperature = temperature
        self.generator = torch.Generator("cpu").manual_seed(seed)

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002  # as transformers calls it
        if self.temperature <= 0:
            return scores
        likely = scores.topk(min(LIKELY, scores.shape[-1]), dim=-1)
        chance = torch.rand(likely.values.shape, generator=self.generator).clamp(1e-9, 1 - 1e-9)
        drawn = likely.values.float() / self.temperature - (-chance.log()).log().to(scores.device)
        result = torch.full_like(scores, float("-inf"))
        return result.scatter(-1, likely.indices, drawn.to(scores.dtype))


class Until(StoppingCriteria):  # type: ignore[misc]
    """Ends an answer that nobody waits for, or that takes too long."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.end = time.monotonic() + SECONDS

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: Any) -> Tensor:  # noqa: ARG002
        self.ask()
        return torch.full((input_ids.shape[0],), time.monotonic() > self.end, device=input_ids.device, dtype=torch.bool)


def controls(question: Question, seed: int, ask: Ask) -> dict[str, Any]:
    return {
        **BEAMLESS,
        "logits_processor": LogitsProcessorList([Dice(question.temperature, seed)]),
        "stopping_criteria": StoppingCriteriaList([Until(ask)]),
    }


class QwenSpeaker:
    """Qwen3-VL: told how to speak by a system prompt."""

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        self.model = loaded(Qwen3VLForConditionalGeneration, folder, dtype).to(device)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.look = AutoImageProcessor.from_pretrained(folder, local_files_only=True)

    def answer(self, image: Image.Image, question: Question, *, seed: int, ask: Ask) -> str:
        device = self.model.device
        seen = self.look(images=[image], size=SEEN_PIXELS, return_tensors="pt")
        patches = int(seen["image_grid_thw"].prod()) // self.look.merge_size**2
        config = self.model.config
        ids = [
            *self.said(f"<|im_start|>system\n{question.system}<|im_end|>\n<|im_start|>user\n"),
            config.vision_start_token_id,
            *[config.image_token_id] * patches,
            config.vision_end_token_id,
            *self.said(f"{question.text}<|im_end|>\n<|im_start|>assistant\n"),
        ]
        given = torch.tensor([ids], device=device)
        with torch.inference_mode():
            made = self.model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                mm_token_type_ids=(given == config.image_token_id).long(),
                pixel_values=seen["pixel_values"].to(device, self.model.dtype),
                image_grid_thw=seen["image_grid_thw"].to(device),
                **controls(question, seed, ask),
            )
        return str(self.tokenizer.decode(made[0, len(ids) :], skip_special_tokens=True))

    def said(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


class FlorenceSpeaker:
    """Florence-2: knows captions of three lengths, and no system prompt. The longest one, each time by other chance."""

    TASK = "Describe with a paragraph what is shown in the image."

    def __init__(self, folder: Path, device: torch.device, dtype: torch.dtype) -> None:
        self.model = loaded(Florence2ForConditionalGeneration, folder, dtype).to(device)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.look = AutoImageProcessor.from_pretrained(folder, local_files_only=True)

    def answer(self, image: Image.Image, question: Question, *, seed: int, ask: Ask) -> str:
        device = self.model.device
        pixels = self.look(images=[image], return_tensors="pt")["pixel_values"].to(device, self.model.dtype)
        with torch.inference_mode():
            patches = self.patches(pixels)
            words = self.tokenizer(self.TASK, add_special_tokens=False)["input_ids"]
            ends = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
            token = self.model.config.image_token_id
            given = torch.tensor([[*[token] * patches, ends[0], *words, ends[1]]], device=device)
            made = self.model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                pixel_values=pixels,
                **controls(question, seed, ask),
            )
        return str(self.tokenizer.decode(made[0], skip_special_tokens=True))

    def patches(self, pixels: Tensor) -> int:
        """How many tokens the picture takes."""
        features = self.model.get_image_features(pixels)
        tensor = getattr(features, "pooler_output", features)
        return int(tensor.shape[-2])


SPEAKERS: Mapping[str, Callable[[Path, torch.device, torch.dtype], Speaker]] = {
    "qwen3_vl": QwenSpeaker,
    "florence2": FlorenceSpeaker,
}
"""`model_type` of a config → who speaks."""


def model_type_of(folder: Path) -> str:
    """Raises Unavailable when it cannot be told."""
    try:
        return str(json.loads((folder / "config.json").read_text()).get("model_type", ""))
    except (OSError, ValueError, AttributeError) as error:
        raise Unavailable(f"The model in {folder.name} has no readable config.json ({error}).") from None


def loaded(cls: Any, folder: Path, dtype: torch.dtype) -> Any:
    """From safetensors, without code of its own."""
    try:
        model = cls.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as error:
        raise Unavailable(f"The model in {folder.name} cannot be loaded ({str(error).splitlines()[0]}).") from None
    return model.eval().requires_grad_(False)
