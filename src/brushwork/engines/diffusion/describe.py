"""Four prompts of a picture, in the words of a vision language model; without one, in those of the networks that ship.

Each prompt is asked for in another way and spoken with another seed, always the same for the same picture. What the
model says is cleaned; where it says nothing of use, the shipped describer steps in.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from brushwork.engines.base import Ask, always_wanted
from brushwork.engines.diffusion.speaking import SPEAKERS, Question, Speaker, model_type_of
from brushwork.engines.diffusion.wording import different, prompt_of
from brushwork.engines.tools.describe import describe as describe_plainly
from brushwork.engines.turns import turn
from brushwork.errors import Unavailable

COUNT = 4
AGAIN = 2
"""How often a question is asked when the answer is of no use, or like another one."""
SIDE = 1024
"""Longer side of what the model looks at."""
RULES = (
    "You write prompts for an image generator. Answer with one prompt in English and nothing else: no introduction, "
    "no list, no quotes, no parameters, at most sixty words."
)
QUESTIONS = (
    Question(f"{RULES} Be exact about what is seen.", "Write the prompt that would give this picture.", 0.2),
    Question(
        f"{RULES} Begin with the medium or style, then the subject, then light and colours.",
        "Write a prompt for this picture that is about its style and mood.",
        0.7,
    ),
    Question(
        f"{RULES} Speak of composition, viewpoint, light and lens as a photographer would.",
        "Write a prompt for this picture that is about its composition.",
        0.7,
    ),
    Question(
        f"{RULES} Use short phrases with commas between them, the most important first.",
        "Write the prompt for this picture as a list of phrases.",
        0.9,
    ),
)


class Describer:
    """A vision language model in a folder. It is loaded with the first picture; one picture at a time."""

    def __init__(self, folder: Path, *, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        self.folder = folder
        self.device = torch.device(device)
        self.dtype = dtype
        self.lock = threading.Lock()
        self.speaker: Speaker | None = None

    def describe(
        self,
        image: Image.Image,
        *,
        facts: Mapping[str, Any] | None = None,
        ask: Ask = always_wanted,
    ) -> tuple[str, str, str, str]:
        """Four different prompts, without parameters. Raises what `ask` raises, after the next word."""
        seen = seen_as(image)
        said: list[str] = []
        with turn(self.lock, ask):
            speaker = self.speaker = self.speaker or self.load()
            for number, question in enumerate(QUESTIONS):
                for attempt in range(AGAIN):
                    answer = prompt_of(speaker.answer(seen, question, seed=number + COUNT * attempt, ask=ask))
                    if answer and len(different([*said, answer])) > len(said):
                        said.append(answer)
                        break
        first, second, third, fourth = completed(said, image, facts)
        return first, second, third, fourth

    def load(self) -> Speaker:
        kind = model_type_of(self.folder)
        if kind not in SPEAKERS:
            raise Unavailable(f"The model in {self.folder.name} ({kind}) cannot describe pictures here.")
        return SPEAKERS[kind](self.folder, self.device, self.dtype)

    def drop(self) -> None:
        """Give its memory back, unless it is speaking just now; it is loaded again when it is needed."""
        if self.lock.acquire(blocking=False):
            self.speaker = None
            self.lock.release()


def seen_as(image: Image.Image) -> Image.Image:
    """RGB, on white where it is transparent, and not larger than the model looks at."""
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear)
    image = image.convert("RGB")
    scale = min(1.0, SIDE / max(image.size))
    return (
        image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale)))) if scale < 1 else image
    )


def completed(said: list[str], image: Image.Image, facts: Mapping[str, Any] | None) -> list[str]:
    """Four of them: what is missing, the shipped describer says."""
    if len(said) < COUNT:
        said = different([*said, *describe_plainly(image, facts=facts)])
    return said[:COUNT]
