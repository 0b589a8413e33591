"""The shortest loop that drives a family, and pictures to compare it with its own pipeline on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from brushwork.engines.catalog.model import Adapter, Checkpoint, Licence, Model
from brushwork.engines.diffusion.families.base import NO_EXTRAS, Call, Conditioning, Extras, Family
from brushwork.engines.diffusion.plan import Control, Seen
from brushwork.engines.diffusion.solver import Solver

CLOSE = 1e-5


@dataclass(frozen=True)
class Asked:
    """One picture."""

    text: str
    width: int = 64
    height: int = 64
    steps: int = 4
    seed: int = 1
    skip: int = 0
    """How many other noises its generator has drawn before, in a pipeline that draws more."""
    guidance: float = 0.0
    negative: str = ""
    joins: int = 0
    """After how many steps of the others it comes."""
    start: int = 0
    end: int | None = None
    init: Image.Image | None = None
    seen: tuple[Image.Image, ...] = ()
    control: Control | None = None
    adapters: tuple[tuple[str, float], ...] = ()


@dataclass
class Row:
    """A picture on its way."""

    asked: Asked
    family: Family
    latents: Tensor
    solver: Solver
    conditioning: Conditioning
    negative: Conditioning | None
    extras: Extras
    step: int
    end: int

    def calls(self) -> list[Call]:
        texts = [self.conditioning] + ([] if self.negative is None else [self.negative])
        return [
            Call(
                latents=self.solver.scaled(self.latents, self.step),
                timestep=self.solver.timestep(self.step),
                conditioning=text,
                guidance=self.asked.guidance,
                extras=self.extras,
                share=self.step / self.solver.steps,
                adapters=self.asked.adapters,
                negative=text is self.negative,
            )
            for text in texts
        ]

    def advance(self, answers: Sequence[Tensor]) -> None:
        answer = answers[0]
        if self.negative is not None:
            answer = self.family.guide(answers[0], answers[1], self.asked.guidance)
        self.latents = self.solver.step(answer, self.step, self.latents, None)
        self.step += 1


def begin(family: Family, asked: Asked) -> Row:
    shape = family.latent_shape(asked.width, asked.height)
    generator = noise_of(asked.seed)
    noise = [torch.randn(shape, generator=generator) for _ in range(asked.skip + 1)][-1]
    solver = family.solver(asked.steps, asked.width, asked.height)
    init = None if asked.init is None else family.encode_image(tensor(asked.init))
    negative = family.encode([asked.negative])[0] if family.is_guided(asked.guidance) else None
    extras = NO_EXTRAS
    if asked.seen or asked.control:
        extras = family.extras([Seen(one) for one in asked.seen], asked.control, asked.width, asked.height)
    return Row(
        asked,
        family,
        solver.begin(noise, start=asked.start, end=asked.end, init=init),
        solver,
        family.encode([asked.text])[0],
        negative,
        extras,
        asked.start,
        asked.end or asked.steps,
    )


def stepped(family: Family, asked: Sequence[Asked], *, bucket: int = 0) -> list[Tensor]:
    """Latents of all pictures, stepped together; passes are filled up to `bucket` calls with repetitions."""
    with torch.inference_mode():
        return run([begin(family, one) for one in asked], family, bucket)


def run(rows: Sequence[Row], family: Family, bucket: int) -> list[Tensor]:
    for now in range(sum(row.asked.steps + row.asked.joins for row in rows)):
        here = [row for row in rows if row.asked.joins <= now and row.step < row.end]
        if not here:
            continue
        calls = [row.calls() for row in here]
        flat = [call for some in calls for call in some]
        answers = family.denoise(flat + flat[-1:] * (bucket - len(flat)))
        for row, some in zip(here, calls, strict=True):
            row.advance(answers[: len(some)])
            answers = answers[len(some) :]
    assert all(row.step == row.end for row in rows)
    return [row.latents for row in rows]


def drawn(family: Family, asked: Asked) -> Tensor:
    """(3, H, W) in 0..1."""
    return family.decode(stepped(family, [asked]))[0]


def far(one: Tensor, other: Tensor) -> float:
    """The largest difference."""
    with torch.no_grad():
        return float((one - other).abs().max())


def pipeline(cls: Any, folder: Path) -> Any:
    """The family's own pipeline in diffusers, over the same files."""
    made = cls.from_pretrained(folder, local_files_only=True)
    made.set_progress_bar_config(disable=True)
    return made


def by_pipeline(pipe: Any, **wanted: Any) -> Tensor:
    """(3, H, W) in 0..1."""
    return torch.from_numpy(pipe(**wanted, output_type="np").images[0]).permute(2, 0, 1)


def noise_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tensor(image: Image.Image) -> Tensor:
    """(3, H, W) in -1..1."""
    return torch.from_numpy(np.array(image, dtype=np.float32) / 127.5 - 1).permute(2, 0, 1)


def photograph(width: int, height: int, *, seed: int = 0) -> Image.Image:
    """Coloured blobs."""
    cells = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.BICUBIC)


def model_of(family: str, *adapters: Adapter, distilled: bool = False) -> Model:
    """An entry of a catalog, as far as a family looks at it."""
    return Model(
        name=f"tiny-{family}",
        title="Tiny",
        kind="image",
        family=family,
        checkpoint=Checkpoint(),
        licence=Licence("Apache-2.0"),
        distilled=distilled,
        adapters={one.name: one for one in adapters},
    )


def likeness(one: Tensor, other: Tensor) -> float:
    """Correlation: 1 when they go up and down together."""
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])
