"""Where the pictures come from: the painter's, kept in shards, and the photographs of training/super_resolution.

Every tenth concept is never trained on, nor are seeds from HELD_OUT on and two of the photographs.
"""

from pathlib import Path

import numpy as np

from brushwork.engines.diorama.words.lexicon import concepts
from training.matting_depth.cutouts import Painted, Picture, Sources
from training.super_resolution.pictures import HELD_OUT_PHOTOS, fetch_photos, photos
from training.world import HELD_OUT, dataset, shards, stream

SIDE = 256
"""Of kept painter pictures."""
NAMES = tuple(concepts())
HELD_OUT_NAMES = NAMES[5::10]
TRAIN_NAMES = tuple(name for name in NAMES if name not in HELD_OUT_NAMES)


def fetch(folder: Path, *, count: int, landscapes: int, workers: int) -> None:
    """Paint and unpack what is missing."""
    if not (folder / "photos").exists():
        fetch_photos(folder / "photos")
    dataset(folder / "world", count, size=SIDE, workers=workers, concepts=TRAIN_NAMES)
    path = folder / "landscapes.npz"
    if not path.exists():
        seeds = range(500_000_000, 500_000_000 + landscapes)
        images = [each.image for each in stream(seeds, size=SIDE, workers=workers, subjects=False)]
        np.savez_compressed(path, image=np.stack(images))


def sources(folder: Path) -> Sources:
    """All that may be trained on, in memory: about 100 MB for each 256 painter pictures."""
    return Sources(
        painted=painted(folder / "world"),
        landscapes=list(np.load(folder / "landscapes.npz")["image"]),
        photos=photos(folder / "photos"),
        names=TRAIN_NAMES,
    )


def painted(folder: Path) -> list[Painted]:
    return [
        Painted(*truth)
        for shard in shards(folder)
        for truth in zip(shard["image"], shard["alpha"], shard["near"], strict=True)
    ]


def held_out(folder: Path, count: int, *, side: int) -> Sources:
    """The same of what is never trained on."""
    seeds = range(HELD_OUT, HELD_OUT + count)
    kept = [
        Painted(each.image, np.asarray(each.alpha * 255 + 0.5, np.uint8), np.float16(1 / np.maximum(each.depth, 0.05)))
        for each in stream(seeds, size=side, concepts=HELD_OUT_NAMES)
    ]
    wide: list[Picture] = [
        each.image for each in stream(range(HELD_OUT + 10**6, HELD_OUT + 10**6 + 24), subjects=False)
    ]
    return Sources(kept, wide, photos(folder / "photos", HELD_OUT_PHOTOS), HELD_OUT_NAMES)
