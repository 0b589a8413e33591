"""What the learned painter learns from: pictures of the painter with a caption, painted while it learns.

    python -m training.flow.pictures FOLDER --count 8192 --size 128 --workers 2

paints shards of PER_SHARD pictures into a folder; one that is stopped goes on where it was. `Pictures` reads whatever
lies there, shards of `training.world` among it, and notices what is added meanwhile. Seeds from HELD_OUT on are only
measured with.
"""

import argparse
import json
import multiprocessing
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from training.world import HELD_OUT, sample

PER_SHARD = 128
LANDSCAPES = 0.6
"""Share of pictures without a subject: what a small network can learn to compose."""


def picture(seed: int, *, size: int, landscapes: float = LANDSCAPES) -> tuple[np.ndarray, str]:
    """→ (size, size, 3) bytes, caption."""
    alone = np.random.default_rng([seed, 71]).random() < landscapes
    one = sample(seed, size=size, subjects=not alone)
    return one.image, one.caption


def paint(
    folder: Path, count: int, *, size: int, workers: int = 1, first: int = 0, landscapes: float = LANDSCAPES
) -> None:
    """The pictures of seeds first, first + 1, …, those that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"flow-{size}-{start:010}.npz" for start in range(first, first + count, PER_SHARD)]
    missing = [path for path in paths if not path.exists()]
    seeds = (seed for path in missing for seed in seeds_of(path))
    painted = many(seeds, partial(picture, size=size, landscapes=landscapes), workers)
    for path in missing:
        images, captions = zip(*(next(painted) for _ in range(PER_SHARD)), strict=True)
        half = path.with_suffix(".part")
        with half.open("wb") as file:
            np.savez_compressed(file, image=np.stack(images), captions=json.dumps(captions))
        half.replace(path)


def many(seeds: Iterable[int], work: partial, workers: int) -> Iterator[tuple[np.ndarray, str]]:
    if workers <= 1:
        yield from map(work, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(work, seeds, chunksize=4)


def seeds_of(path: Path) -> range:
    first = int(path.stem.rsplit("-", 1)[1])
    return range(first, first + PER_SHARD)


@contextmanager
def painting(folder: Path, count: int, *, size: int, painters: int) -> Iterator[None]:
    """While this lasts, other processes paint into the folder: first what is measured with, then the rest."""
    work = [(HELD_OUT, 2 * PER_SHARD), *shares(count, painters)] if painters else []
    context = multiprocessing.get_context("spawn")
    started = [
        context.Process(target=paint, args=(folder, many), kwargs={"size": size, "first": first}, daemon=True)
        for first, many in work
    ]
    for process in started:
        process.start()
    try:
        yield
    finally:
        for process in started:
            process.terminate()
            process.join()


def shares(count: int, painters: int) -> list[tuple[int, int]]:
    """(first, how many) of each painter, in whole shards."""
    each = -(-count // PER_SHARD // painters) * PER_SHARD
    return [(first, each) for first in range(0, count, each)]


class Pictures:
    """All pictures that lie in some folders: `images` (N, size, size, 3) bytes and as many `captions`."""

    def __init__(self, folders: Iterable[Path], *, size: int, held_out: bool = False) -> None:
        self.folders, self.size, self.held_out = tuple(folders), size, held_out
        self.read: set[Path] = set()
        self.images = np.zeros((0, size, size, 3), np.uint8)
        self.captions: list[str] = []
        self.refresh()

    def refresh(self) -> bool:
        """Read what was added; say whether there was any."""
        found = sorted(path for folder in self.folders for path in folder.glob("*-*.npz") if ".part" not in path.name)
        new = [path for path in found if path not in self.read and is_held_out(path) == self.held_out]
        for path in new:
            images, captions = read_shard(path, self.size)
            self.images = np.concatenate([self.images, images])
            self.captions += captions
        self.read.update(new)
        return bool(new)


def is_held_out(path: Path) -> bool:
    return int(path.stem.rsplit("-", 1)[1]) >= HELD_OUT


def read_shard(path: Path, size: int) -> tuple[np.ndarray, list[str]]:
    with np.load(path) as kept:
        images = kept["image"]
        if "captions" in kept:
            captions = list(json.loads(str(kept["captions"])))
        else:  # of training.world
            captions = [one["caption"] for one in json.loads(str(kept["truth"]))]
    if images.shape[1] != size:
        images = np.stack([cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in images])
    return images, captions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=8192)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--landscapes", type=float, default=LANDSCAPES, help="share of pictures without a subject")
    given = parser.parse_args()
    paint(
        given.folder,
        given.count,
        size=given.size,
        workers=given.workers,
        first=given.first,
        landscapes=given.landscapes,
    )


if __name__ == "__main__":
    main()
