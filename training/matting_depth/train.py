"""Train the network for matting and depth and write its ONNX file: `make train-matting`.

python -m training.matting_depth.train --minutes 120 --data FOLDER --out weights.pt --onnx matting_depth.onnx

AdamW, a learning rate that falls to zero when the time is over, averaged weights. Most of the encoder stays
as ImageNet made it: it sees what everything has in common, and would only learn to see the painter.
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from training.matting_depth.composites import composite, window
from training.matting_depth.cutouts import Sources
from training.matting_depth.encoder import pretrained
from training.matting_depth.export import export
from training.matting_depth.losses import alpha_loss, near_loss
from training.matting_depth.network import MattingDepth
from training.matting_depth.pictures import fetch, sources

PAINTED, COMPOSED = 4, 7
"""Pictures of each kind in a batch."""
SIDES = (192, 256)
PATIENCE = 600
"""Seconds without a batch after which something must have broken."""
AHEAD = 6
"""Batches that may wait to be learned from."""
RATE, ENCODER_RATE = 1.5e-3, 2.5e-4
WARM_UP = 60
FALL = 0.7
"""The last share of the time, in which the learning rate falls to zero."""
FROZEN = 0.4
"""The first share of the time, in which the whole encoder stays as it was: twice as many steps for the decoders."""
LEARNED = 4
"""The encoder's first stage that learns afterwards."""
EARLIER = 0.2
"""Share of the weights from before the encoder learned in those that are kept: they know photographs better."""
AVERAGE = 0.99
CLIP = 1.0
KEEP_EVERY = 50
"""Steps between two savings."""


def batches(known: Sources, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """(pictures, alpha of all, nearness of the first PAINTED), for ever."""
    fork = multiprocessing.get_context("fork")  # the sources are large, and shared this way
    ready: multiprocessing.Queue[tuple[np.ndarray, np.ndarray, np.ndarray]] = fork.Queue(AHEAD)
    fork.Process(target=draw, args=(known, seed, ready), daemon=True).start()
    while True:
        pictures, alphas, nears = (torch.from_numpy(each) for each in ready.get(timeout=PATIENCE))
        pixels = (pictures.permute(0, 3, 1, 2) / 255).contiguous(memory_format=torch.channels_last)
        yield pixels, alphas[:, None].float(), nears[:, None].float()


def draw(known: Sources, seed: int, ready: "multiprocessing.Queue[tuple[np.ndarray, np.ndarray, np.ndarray]]") -> None:
    """Make batches in a process of its own; waits when AHEAD of them are not yet taken."""
    rng = np.random.default_rng(seed)
    while True:
        side = int(rng.choice(SIDES))
        painted = [window(rng, known.painted[int(rng.integers(len(known.painted)))], side) for _ in range(PAINTED)]
        composed = [composite(rng, known, side) for _ in range(COMPOSED)]
        pictures = np.stack([each[0] for each in (*painted, *composed)])
        alphas = np.stack([each[1] for each in (*painted, *composed)])
        nears = np.stack([relative(each[2]) for each in painted])
        ready.put((pictures, alphas, nears))


def relative(near: np.ndarray) -> np.ndarray:
    """1 / metres → 0..1. The root gives the middle distance its share; the tool takes it back."""
    low, high = np.quantile(near, (0.005, 0.995))
    return np.sqrt(((near - low) / max(float(high - low), 1e-3)).clip(0, 1))


def train(network: MattingDepth, known: Sources, *, seconds: float, seed: int, out: Path) -> None:
    network.to(memory_format=torch.channels_last)
    network.encoder.requires_grad_(False)
    heads = [*network.alpha.parameters(), *network.near.parameters()]
    learned = list(network.encoder.stages[LEARNED:].parameters())
    groups = [{"params": heads, "base": RATE}, {"params": learned, "base": ENCODER_RATE}]
    optimizer = torch.optim.AdamW(groups, RATE, weight_decay=0.01)
    average = [weight.detach().clone() for weight in network.parameters()]
    earlier = average
    began, losses = time.monotonic(), []
    for step, (pictures, alphas, nears) in enumerate(batches(known, seed), 1):
        spent = (time.monotonic() - began) / seconds
        if spent >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = group["base"] * min(1, step / WARM_UP) * min(1, (1 - spent) / FALL)
        if spent < FROZEN:
            earlier = [mean.clone() for mean in average]
        network.encoder.stages[LEARNED:].requires_grad_(spent > FROZEN)
        with torch.autocast("cpu", torch.bfloat16):
            alpha, near = network.logits(pictures, PAINTED)
        parts = alpha_loss(alpha.float(), alphas), near_loss(near.float(), nears)
        optimizer.zero_grad(set_to_none=True)
        sum(parts, torch.zeros(())).backward()
        nn.utils.clip_grad_norm_([*heads, *learned], CLIP)
        optimizer.step()
        follow(average, network, min(AVERAGE, step / (step + 10)))
        losses.append([part.item() for part in parts])
        if step % 50 == 0:
            alpha_mean, near_mean = np.mean(losses[-50:], 0)
            print(f"step {step}  alpha {alpha_mean:.4f}  near {near_mean:.4f}  {spent:.0%}", flush=True)
        if step % KEEP_EVERY == 0:
            keep(network, average, out)
    keep(network, [mean.lerp(before, EARLIER) for mean, before in zip(average, earlier, strict=True)], out)
    network.load_state_dict(torch.load(out, weights_only=True))


@torch.no_grad()
def follow(average: list[Tensor], network: nn.Module, share: float) -> None:
    for mean, weight in zip(average, network.parameters(), strict=True):
        mean.lerp_(weight, 1 - share)


def keep(network: nn.Module, average: list[Tensor], out: Path) -> None:
    """The averaged weights, under the network's names."""
    names = [name for name, _ in network.named_parameters()]
    torch.save({name: mean.contiguous() for name, mean in zip(names, average, strict=True)}, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--from", dest="origin", type=Path, help="go on with these weights")
    parser.add_argument("--data", type=Path, required=True, help="where pictures are kept; made if missing")
    parser.add_argument("--painted", type=int, default=4096, help="pictures of the painter with subjects")
    parser.add_argument("--landscapes", type=int, default=768, help="and without")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(arguments.threads)
    fetch(arguments.data, count=arguments.painted, landscapes=arguments.landscapes, workers=arguments.threads)
    known = sources(arguments.data)
    network = MattingDepth(pretrained())
    if arguments.origin:
        network.load_state_dict(torch.load(arguments.origin, weights_only=True))
    train(network, known, seconds=60 * arguments.minutes, seed=arguments.seed, out=arguments.out)
    export(network, arguments.onnx)


if __name__ == "__main__":
    main()
