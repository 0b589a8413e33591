"""Train the learned painter, and write what the engine needs: `make train-flow`.

    python -m training.flow.train --preset cpu --minutes 240 --work FOLDER --out MODEL_FOLDER

Rectified flow: a picture x and noise e are mixed, (1 - t) x + t e, and the network learns e - x. One in ten captions is
left out, so that a picture can be drawn more strongly towards its caption than the network alone would. Stopped, it
goes on from its last checkpoint; the learning rate follows the time that is spent, not a number of steps.
"""

import argparse
import copy
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from brushwork.engines.flow.shapes import places
from training.flow.codec import Codec, fit
from training.flow.decoder import train_decoder
from training.flow.export import export
from training.flow.latents import Latents
from training.flow.network import SIZES, Decoder, Painter, Size
from training.flow.pictures import Pictures, painting

RATE = 1e-3
WARM_UP = 100
"""Steps until the learning rate is reached."""
FALL = 0.5
"""The last share of the time, in which the learning rate falls to zero."""
LEFT_OUT = 0.1
"""Share of captions that are not told."""
AVERAGE = 0.999
CLIP = 1.0
KEEP = 120.0
"""Seconds between checkpoints, and between looks for new pictures."""
FOR_DECODER = 0.12
"""Share of the minutes that belongs to the decoder."""
PAINTERS = {"tiny": 1, "cpu": 1, "gpu": max(1, (os.cpu_count() or 1) - 2)}
FOR_CODEC = 1024
"""Pictures there must be before anything can be learned."""


@dataclass
class Run:
    """Everything that a checkpoint keeps."""

    size: Size
    codec: Codec
    painter: Painter
    average: Painter
    optimizer: torch.optim.Optimizer
    device: str
    steps: int = 0
    seen: int = 0
    spent: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        state = {
            "codec": self.codec.state(),
            "painter": self.painter.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **{name: getattr(self, name) for name in ("steps", "seen", "spent", "history")},
        }
        half = path.with_suffix(".part")
        torch.save(state, half)
        half.replace(path)


def begin(size: Size, pictures: Pictures, checkpoint: Path, device: str) -> Run:
    """A new run, or the one that the checkpoint holds."""
    state = torch.load(checkpoint, weights_only=True, map_location=device) if checkpoint.exists() else None
    codec = Codec(**state["codec"]).to("cpu") if state else fit(pictures.images[: 2 * FOR_CODEC], size.latent)
    painter = Painter(size).to(device)
    average = copy.deepcopy(painter).requires_grad_(False)
    optimizer = torch.optim.AdamW(groups(painter), RATE, betas=(0.9, 0.97), fused=True)
    run = Run(size, codec, painter, average, optimizer, device)
    if state:
        painter.load_state_dict(state["painter"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        run.steps, run.seen, run.spent, run.history = (state[n] for n in ("steps", "seen", "spent", "history"))
    return run


def groups(painter: Painter) -> list[dict[str, object]]:
    """Matrices decay, everything else does not."""
    matrices = [p for name, p in painter.named_parameters() if p.ndim > 1 and "text.p" not in name]
    others = [p for name, p in painter.named_parameters() if p.ndim <= 1 or "text.p" in name]
    return [{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]


def train(run: Run, pictures: Pictures, held_out: Pictures, *, seconds: float, checkpoint: Path) -> None:
    latents, unseen = Latents(run.codec, run.size.side), Latents(run.codec, run.size.side)
    unseen.follow(held_out)
    generator = torch.Generator().manual_seed(run.steps)
    kept, losses = -KEEP, []
    started = time.monotonic() - run.spent
    while run.spent < seconds:
        if run.spent - kept >= KEEP:
            kept = run.spent
            pictures.refresh()
            latents.follow(pictures)
            report(run, unseen, losses, pictures=len(latents.captions), seconds=seconds)
            run.save(checkpoint)
            losses = []
        losses.append(step(run, latents, generator, run.spent / seconds))
        run.spent = time.monotonic() - started
    report(run, unseen, losses, pictures=len(latents.captions), seconds=seconds)
    run.save(checkpoint)


def step(run: Run, latents: Latents, generator: torch.Generator, share: float) -> float:
    for group in run.optimizer.param_groups:
        group["lr"] = RATE * min(1, (run.steps + 1) / WARM_UP) * min(1, (1 - share) / FALL)
    batch = latents.batch(run.size.batch, generator)
    level = torch.sigmoid(torch.randn(run.size.batch, generator=generator))
    told = torch.rand(run.size.batch, generator=generator) >= LEFT_OUT
    noise = torch.randn(batch.latents.shape, generator=generator)
    given = (batch.latents, noise, level, batch.ids * told[:, None, None], batch.places)
    loss = loss_of(run.painter, *(each.to(run.device) for each in given))
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(run.painter.parameters(), CLIP)
    run.optimizer.step()
    run.steps, run.seen = run.steps + 1, run.seen + run.size.batch
    follow(run.average, run.painter, min(AVERAGE, run.steps / (run.steps + 10)))
    return loss.item()


def loss_of(painter: Painter, x: Tensor, noise: Tensor, level: Tensor, ids: Tensor, where: Tensor) -> Tensor:
    t = level[:, None, None, None]
    with lower_precision(x.device.type):
        way = painter((1 - t) * x + t * noise, level, ids, where)
    return (way.float() - (noise - x)).square().mean()


def lower_precision(device: str) -> AbstractContextManager[None]:
    """bfloat16 where the processor has it: twice as fast."""
    has_it = device == "cuda" or getattr(torch.cpu, "_is_avx512_bf16_supported", bool)()
    return torch.autocast(device, torch.bfloat16, enabled=has_it)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, keep: float) -> None:
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - keep)


@torch.no_grad()
def measure(run: Run, unseen: Latents) -> tuple[float, float]:
    """Loss on pictures that are never learned from, with their captions and with those of others."""
    generator = torch.Generator().manual_seed(1)
    where = torch.from_numpy(places(run.size.side, run.size.side))
    own, others = [], []
    for at in range(0, len(unseen.captions), 64):
        x, ids = unseen.latents[at : at + 64, 0].float(), unseen.ids[at : at + 64]
        noise, level = torch.randn(x.shape, generator=generator), torch.linspace(0.02, 0.98, len(x))
        x, noise, level, ids, where = (each.to(run.device) for each in (x, noise, level, ids, where))
        own.append(loss_of(run.average, x, noise, level, ids, where).item())
        others.append(loss_of(run.average, x, noise, level, ids.roll(17, 0), where).item())
    return sum(own) / len(own), sum(others) / len(others)


def report(run: Run, unseen: Latents, losses: list[float], *, pictures: int, seconds: float) -> None:
    own, others = measure(run, unseen)
    line = {
        "seconds": round(run.spent),
        "steps": run.steps,
        "seen": run.seen,
        "pictures": pictures,
        "loss": round(sum(losses) / max(1, len(losses)), 4),
        "held_out": round(own, 4),
        "held_out_other_captions": round(others, 4),
        "text_gap": round(others / own - 1, 4),
    }
    run.history.append(line)
    print(f"{run.spent / seconds:4.0%}  " + "  ".join(f"{name} {value}" for name, value in line.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=SIZES, default="cpu")
    parser.add_argument("--minutes", type=float, default=240, help="of training; the same again when they have changed")
    parser.add_argument("--pictures", type=int, default=16384, help="to be painted, while it learns")
    parser.add_argument("--painters", type=int, help="processes that paint them; 0 uses what is there")
    parser.add_argument("--work", type=Path, required=True, help="pictures and checkpoints are kept here")
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="folders with shards of training.world")
    parser.add_argument("--out", type=Path, required=True, help="where the engine's files are written")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    painters = given.painters if given.painters is not None else PAINTERS[given.preset]
    torch.manual_seed(0)
    torch.set_num_threads(given.threads)
    size, folder = SIZES[given.preset], given.work / "pictures"
    with painting(folder, given.pictures, size=size.pixels, painters=painters):
        held_out = wait_for(lambda: Pictures([folder], size=size.pixels, held_out=True), 128)
        pictures = wait_for(lambda: Pictures([folder, *given.more], size=size.pixels), FOR_CODEC)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        run = begin(size, pictures, given.work / "painter.pt", device)
        seconds = 60 * given.minutes
        train(run, pictures, held_out, seconds=seconds * (1 - FOR_DECODER), checkpoint=given.work / "painter.pt")
    decoder = Decoder(size.latent, size.decoder).to(device)
    quality = train_decoder(decoder, run.codec, pictures, held_out, seconds=seconds * FOR_DECODER, device=device)
    torch.save(decoder.state_dict(), given.work / "decoder.pt")
    facts = {"preset": given.preset, **run.history[-1], **quality}
    export(run.average.cpu(), decoder.cpu(), run.codec, size, given.out, captions=pictures.captions, facts=facts)


def wait_for(read: Callable[[], Pictures], count: int) -> Pictures:
    """What is painted, as soon as it is enough."""
    while len((pictures := read()).captions) < count:
        time.sleep(5)
    return pictures


if __name__ == "__main__":
    main()
