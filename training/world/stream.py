"""Many samples from a few processes, and a folder that keeps them, so that every epoch need not paint again.

A shard is one npz file of PER_SHARD samples: `image` (N, H, W, 3) and `alpha` (N, H, W) in bytes, `near` (N, H, W) as
float16 (1 / metres; 0 is the sky), and `truth`, a JSON list of the words.
"""

import argparse
import json
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

from training.world.samples import Sample, sample

PER_SHARD = 256
HELD_OUT = 1_000_000_000
"""Seeds from here on are for measuring, never for training."""


def stream(
    seeds: Iterable[int],
    *,
    size: int = 224,
    workers: int = 1,
    concepts: Sequence[str] | None = None,
    subjects: bool = True,
) -> Iterator[Sample]:
    """The samples of these seeds in their order, painted by this many processes."""
    paint = partial(sample, size=size, concepts=concepts, subjects=subjects)
    if workers <= 1:
        yield from map(paint, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(paint, seeds, chunksize=4)


def dataset(
    folder: Path,
    count: int,
    *,
    size: int = 224,
    workers: int = 1,
    first: int = 0,
    concepts: Sequence[str] | None = None,
) -> list[Path]:
    """The shards of seeds first, first + 1, …; paints what is not there yet. May be stopped and started again."""
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(first, first + count, PER_SHARD)
    paths = {start: folder / f"world-{size}-{start:010}.npz" for start in starts}
    missing = [start for start in starts if not paths[start].exists()]
    seeds = (seed for start in missing for seed in range(start, start + PER_SHARD))
    samples = stream(seeds, size=size, workers=workers, concepts=concepts)
    for start in missing:
        write(paths[start], [next(samples) for _ in range(PER_SHARD)])
        print(paths[start].name, flush=True)
    return list(paths.values())


def write(path: Path, samples: Sequence[Sample]) -> None:
    truth = [
        {name: value for name, value in asdict(each).items() if name not in ("image", "alpha", "depth")}
        for each in samples
    ]
    half = path.with_suffix(".part.npz")
    np.savez_compressed(
        half,
        image=np.stack([each.image for each in samples]),
        alpha=np.stack([np.asarray(each.alpha * 255 + 0.5, np.uint8) for each in samples]),
        near=np.stack([np.asarray(1 / np.maximum(each.depth, 0.05), np.float16) for each in samples]),
        truth=json.dumps(truth),
    )
    half.replace(path)


def shards(folder: Path) -> Iterator[dict[str, np.ndarray | list[dict[str, str]]]]:
    """What `dataset` kept, shard by shard: image, alpha, near, truth."""
    for path in sorted(folder.glob("world-*.npz")):
        if path.name.endswith(".part.npz"):
            continue
        with np.load(path) as kept:
            yield {**{name: kept[name] for name in ("image", "alpha", "near")}, "truth": json.loads(str(kept["truth"]))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Paint samples into a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=2048)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    dataset(given.folder, given.count, size=given.size, workers=given.workers, first=given.first)
