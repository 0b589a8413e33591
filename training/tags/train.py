"""Train the heads on kept features and write the ONNX file: `make train-tags`.

python -m training.tags.train --features features --held-out held_out --minutes 25 --onnx tags.onnx

The encoder stays as it is. AdamW, a learning rate that falls to zero when the time is over, averaged weights. Features
that are collected meanwhile are learned from in the next epoch. One thread is enough.
"""

import argparse
import copy
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from training.tags.collect import CELLS, LABELS
from training.tags.export import export
from training.tags.network import Tagger, heads

BATCH = 64
RATE = 2e-3
WARM_UP = 100
DECAY = 0.02
AVERAGE = 0.997
SMOOTH = 0.05
LOOK_SHARE = 0.3
"""Weight of the loss that says where to look."""
NOISE = 0.1
"""How much each channel of a picture is raised or lowered, by chance."""


class Features:
    """All that lies in some folders, as it grows."""

    def __init__(self, folders: list[Path]) -> None:
        self.folders = folders
        self.chunks: dict[Path, tuple[NDArray[np.float16], NDArray[np.int32]]] = {}

    def refresh(self) -> int:
        """Read what was added; the number of pictures."""
        for folder in self.folders:
            for path in sorted(folder.glob("*.labels.npy")):
                if path not in self.chunks:
                    features = np.load(path.with_name(path.name.replace("labels", "features")))
                    self.chunks[path] = features, np.load(path)
        return sum(len(labels) for _, labels in self.chunks.values())

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """All pictures once, thrown together."""
        chunks = list(self.chunks.values())
        order = [(c, i) for c, (_, labels) in enumerate(chunks) for i in range(len(labels))]
        rng.shuffle(order)
        for at in range(0, len(order) - BATCH + 1, BATCH):
            part = order[at : at + BATCH]
            features = torch.from_numpy(np.stack([chunks[c][0][i] for c, i in part])).float()
            labels = np.stack([chunks[c][1][i] for c, i in part])
            yield features, {name: torch.from_numpy(labels[:, k]).long() for k, name in enumerate(LABELS)}


def loss_of(given: dict[str, Tensor], truth: dict[str, Tensor]) -> Tensor:
    """Concepts (two of them share the probability), scenery where it applies, and the gaze."""
    log = given["concept"].log_softmax(dim=1)
    first, second = truth["concept"], truth["second"]
    one = log.gather(1, first.clamp(min=0)[:, None])[:, 0]
    other = log.gather(1, second.clamp(min=0)[:, None])[:, 0]
    hit = torch.where(second >= 0, 0.65 * one + 0.35 * other, one)
    hit = (1 - SMOOTH) * hit + SMOOTH * log.mean(dim=1)
    loss = -(hit * (first >= 0)).sum() / (first >= 0).sum().clamp(min=1)
    for name in heads():
        if (truth[name] >= 0).any():
            loss = loss + 0.4 * functional.cross_entropy(given[name], truth[name], ignore_index=-1)
    return loss + LOOK_SHARE * gaze_loss(given["looks"], truth)


def gaze_loss(looks: Tensor, truth: dict[str, Tensor]) -> Tensor:
    """How much of the gaze misses the hero's box, where the whole picture is seen. Boxes in thousandths."""
    middles = (torch.arange(CELLS) + 0.5) / CELLS * 1000
    half = 1000 / CELLS / 2
    across = (middles >= truth["left"][:, None] - half) & (middles <= truth["right"][:, None] + half)
    down = (middles >= truth["top"][:, None] - half) & (middles <= truth["bottom"][:, None] + half)
    inside = (down[:, :, None] & across[:, None, :]).flatten(1).float()
    applies = (truth["gaze"] > 0).float()
    missed = -torch.log((looks * inside).sum(dim=1).clamp(min=1e-4))
    return (missed * applies).sum() / applies.sum().clamp(min=1)


def train(network: Tagger, features: Features, seconds: float, rate: float) -> Tagger:
    """The averaged network."""
    average = copy.deepcopy(network).eval()
    features.refresh()
    optimizer = torch.optim.AdamW(network.parameters(), rate, weight_decay=DECAY)
    rng = np.random.default_rng(0)
    began, step, epoch = time.monotonic(), 0, 0
    while (spent := (time.monotonic() - began) / seconds) < 1:
        count, losses = features.refresh(), []
        network.train()
        for batch, truth in features.batches(rng):
            spent = (time.monotonic() - began) / seconds
            if spent >= 1:
                break
            optimizer.param_groups[0]["lr"] = rate * min(1, step / WARM_UP) * 0.5 * (1 + math.cos(math.pi * spent))
            with torch.autocast("cpu", torch.bfloat16):
                given = network(batch * (1 + NOISE * torch.randn(*batch.shape[:2], 1, 1)))
            loss = loss_of({name: value.float() for name, value in given.items()}, truth)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            step += 1
            follow(average, network, min(AVERAGE, step / (step + 10)))
            losses.append(loss.item())
        epoch += 1
        print(f"epoch {epoch}  {count} pictures  loss {np.mean(losses):.3f}  {spent:.0%}", flush=True)
    return average


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, keep: float) -> None:
    mine, theirs = average.state_dict(), network.state_dict()
    for name, value in theirs.items():
        if value.is_floating_point():
            mine[name].lerp_(value, 1 - keep)


@torch.no_grad()
def measure(network: Tagger, features: Features) -> str:
    """Top-1 and top-5 of the hero, and top-1 of each head, of whole pictures and of closer ones."""
    network.eval()
    hits: dict[str, list[float]] = {}
    for batch, truth in features.batches(np.random.default_rng(1)):
        given = network(batch)
        for zoomed, kind in ((0, "whole"), (1, "closer")):
            here = (truth["zoomed"] == zoomed) & (truth["concept"] >= 0)
            ranked = given["concept"][here].argsort(dim=1, descending=True)
            right = ranked == truth["concept"][here][:, None]
            hits.setdefault(f"{kind} top-1", []).extend(right[:, 0].tolist())
            hits.setdefault(f"{kind} top-5", []).extend(right[:, :5].any(dim=1).tolist())
        for name in heads():
            here = truth[name] >= 0
            hits.setdefault(name, []).extend((given[name][here].argmax(dim=1) == truth[name][here]).tolist())
    return "  ".join(f"{name} {np.mean(values):.1%}" for name, values in hits.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=Path, nargs="+", required=True)
    parser.add_argument("--held-out", type=Path, nargs="*", default=[])
    parser.add_argument("--from", dest="origin", type=Path, help="go on with these weights, at half the rate")
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    arguments = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    network, rate = Tagger(), RATE
    if arguments.origin:
        network.load_state_dict(torch.load(arguments.origin, weights_only=True))
        rate = RATE / 2
    network = train(network, Features(arguments.features), 60 * arguments.minutes, rate)
    torch.save(network.state_dict(), arguments.out)
    export(network, arguments.onnx)
    if arguments.held_out:
        held_out = Features(arguments.held_out)
        print(held_out.refresh(), "held out:", measure(network, held_out))


if __name__ == "__main__":
    main()
