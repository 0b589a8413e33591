"""Four ways to draw the same pictures with the same weights: A the pipeline as it is, B as its documentation says to
make it quick, C our loop without policies, D our loop with all that do not change what is drawn.
"""

import copy
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from diffusers import Flux2KleinPipeline, StableDiffusionXLPipeline, ZImagePipeline
from PIL.Image import Image

from brushwork.engines.base import NullSink, Row, Sink
from brushwork.engines.diffusion.facts import FAMILIES, Facts
from brushwork.engines.diffusion.families.base import Family
from brushwork.engines.diffusion.loop import Loop
from brushwork.engines.diffusion.noise import first_noise
from brushwork.engines.diffusion.options import CachePolicy, DiffusionOptions
from brushwork.engines.diffusion.plan import Noise, Plan, Words
from brushwork.engines.diffusion.policies import attention, compiled
from support.gpu_models import Made, family

ARMS = {"A": "plain pipe()", "B": "diffusers recipe", "C": "ours, eager", "D": "ours, full"}


@dataclass(frozen=True)
class Asked:
    """One picture."""

    seed: int
    text: str
    steps: int


class Stopped(Exception):
    """Raised inside a pipeline to make it stop."""


class Arm(Protocol):
    """One way to draw."""

    name: str
    compile_seconds: float

    def draw(self, asked: Sequence[Asked], *, sink: Sink | None = None) -> list[Image]:
        """All of them; together where the way allows it."""

    def close(self) -> None:
        """Nothing more will be asked."""


@dataclass
class PipeArm:
    """A pipeline of diffusers, called as its documentation shows."""

    name: str
    made: Made
    pipe: Any
    compile_seconds: float = 0.0

    def draw(self, asked: Sequence[Asked], *, sink: Sink | None = None) -> list[Image]:
        side = self.made.shape.side
        noise = torch.stack([first_noise(Noise(one.seed), self.latent_shape(side)) for one in asked])
        texts = [self.made.told(one.text).tensors for one in asked]
        how: dict[str, Any] = {
            "width": side,
            "height": side,
            "num_inference_steps": asked[0].steps,
            "guidance_scale": self.made.kind.guidance,
            "latents": noise.to(self.made.device, torch.float32 if self.is_zimage else self.made.dtype),
        }
        if self.is_zimage:
            how["prompt_embeds"] = [text["text"] for text in texts]
        else:
            how["prompt_embeds"] = torch.stack([text["text"] for text in texts])
        if self.made.shape.pooled:
            nothing = [self.made.told("").tensors] * len(asked)
            how["pooled_prompt_embeds"] = torch.stack([text["pooled"] for text in texts])
            how["negative_prompt_embeds"] = torch.stack([text["text"] for text in nothing])
            how["negative_pooled_prompt_embeds"] = torch.stack([text["pooled"] for text in nothing])
        if sink is not None:
            how["callback_on_step_end"] = told_of(sink)
        return list(self.pipe(**how).images)

    @property
    def is_zimage(self) -> bool:
        return self.made.kind.family == "zimage"

    def latent_shape(self, side: int) -> tuple[int, int, int]:
        shapes = {"sdxl": (4, side // 8, side // 8), "zimage": (16, side // 8, side // 8)}
        return shapes.get(self.made.kind.family, (128, side // 16, side // 16))

    def close(self) -> None: ...


def told_of(sink: Sink) -> Callable[..., dict[str, Any]]:
    row = Row(0, 0, "", 8, 8)

    def on_step(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001
        sink.step(row, step + 1, 0)
        return tensors

    return on_step


def pipe_of(model: Made, denoiser: Any, decoder: Any) -> Any:
    none: dict[str, Any] = {"text_encoder": None, "tokenizer": None}
    scheduler = type(model.scheduler).from_config(model.scheduler.config)
    if model.kind.family == "sdxl":
        more = {"text_encoder_2": None, "tokenizer_2": None, "add_watermarker": False}
        pipe = StableDiffusionXLPipeline(vae=decoder, unet=denoiser, scheduler=scheduler, **none, **more)
    elif model.kind.family == "zimage":
        pipe = ZImagePipeline(vae=decoder, transformer=denoiser, scheduler=scheduler, **none)
    else:
        pipe = Flux2KleinPipeline(vae=decoder, transformer=denoiser, scheduler=scheduler, is_distilled=True, **none)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@dataclass
class OneModel:
    """A shelf with one model on it."""

    made: Made
    own: Family

    @property
    def device(self) -> torch.device:
        return self.made.device

    def facts(self, model: str) -> Facts:  # noqa: ARG002
        return FAMILIES[self.made.kind.family]

    def cache(self, model: str) -> CachePolicy:  # noqa: ARG002
        return "none"

    def family(self, model: str) -> Family:  # noqa: ARG002
        return self.own

    def drawing(self, model: str, pixels: int) -> AbstractContextManager[None]:  # noqa: ARG002
        return nullcontext()  # there is room, and its peak is measured from outside

    def relieve(self) -> None:
        if self.made.device.type == "cuda":
            torch.cuda.empty_cache()


@dataclass
class LoopArm:
    """Our loop."""

    name: str
    made: Made
    loop: Loop
    compile_seconds: float = 0.0
    blocks: list[compiled.Blocks] = field(default_factory=list)

    def draw(self, asked: Sequence[Asked], *, sink: Sink | None = None) -> list[Image]:
        drawn = self.loop.draw([self.plan(one, index) for index, one in enumerate(asked)], sink or NullSink())
        return [one.image for one in sorted(drawn, key=lambda one: one.plan.row.index)]

    def plan(self, one: Asked, index: int) -> Plan:
        side = self.made.shape.side
        return Plan(
            row=Row(index, one.seed, one.text, side, side),
            model=self.made.name,
            texts=(Words(one.text),),
            width=side,
            height=side,
            steps=one.steps,
            noise=Noise(one.seed),
            guidance=self.made.kind.guidance,
        )

    def is_compiling(self) -> bool:
        return any(state == "compiling" for block in self.blocks for state in block.states.values())

    def close(self) -> None:
        self.loop.close()


def arm(name: str, model: Made, folder: Path) -> Arm:
    """Build one way to draw. A and C use the model's own modules; B and D change theirs, and have copies."""
    is_changed = name in "BD"
    denoiser = copy.deepcopy(model.denoiser) if is_changed else model.denoiser
    decoder = copy.deepcopy(model.decoder) if is_changed else model.decoder
    if is_changed and model.kind.family == "sdxl":
        denoiser.to(memory_format=torch.channels_last)
        decoder.to(memory_format=torch.channels_last)
    if name == "B":
        if model.device.type == "cuda" and model.kind.family != "sdxl":
            attention.use(denoiser, "_native_cudnn")  # as set_attention_backend, but for this module alone
        denoiser.compile_repeated_blocks(fullgraph=True)
    if name in "AB":
        return PipeArm(name, model, pipe_of(model, denoiser, decoder))
    loop = Loop(OneModel(model, family(model, denoiser, decoder)), DiffusionOptions(device=str(model.device)))
    ours = LoopArm(name, model, loop)
    if name == "D":
        attention.use(denoiser, attention.automatic(model.device, model.dtype))
        ours.blocks = compiled.compile_when_warm(denoiser, folder=folder)
    return ours


def warmed(one: Arm, asked: Sequence[Sequence[Asked]], *, limit: float = 900.0) -> None:
    """Draw each, until whatever is compiled on the way is compiled; tells the arm how long that took."""
    began = time.perf_counter()
    for group in asked:
        one.draw(group)
    while isinstance(one, LoopArm) and one.is_compiling() and time.perf_counter() - began < limit:
        time.sleep(0.1)
    first = time.perf_counter() - began
    began = time.perf_counter()
    for group in asked:
        one.draw(group)
    one.compile_seconds = max(0.0, first - (time.perf_counter() - began))
