"""What the network learns from: pictures of the painter, drawn on the spot, and a few openly licensed photographs.

A sample is a patch and the same patch made small, by one of the usual filters, sometimes with the marks of a JPEG.
Knows no network.
"""

import io
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.words import lexicon

PACKAGE = "lomiri-wallpapers-16.04"
"""Of Debian. Its photographs under CC-BY-4.0 and CC0, two of which are never trained on:"""
TRAIN_PHOTOS = (
    "Picture_0B_by_freespace",
    "Picture_1A_by_freespace",
    "Wine_by_Jakkub_Mede",
    "aitzgorri_by_Aitzol_Berasategi",
    "picosdeeuropa_by_Aitzol_Berasategi",
    "seeding_by_Clements_Engelhardt",
    "sunset_by_Aitzol_Berasategi",
)
HELD_OUT_PHOTOS = ("friends_by_Aitzol_Berasategi", "life_by_Aitzol_Berasategi")
PHOTO_SIDE = 1800
"""Longer side at most: a camera's pixels are softer than a picture's should be."""
PAINTED_SIDE = 640
FILTERS = (Resampling.BICUBIC, Resampling.BICUBIC, Resampling.LANCZOS, Resampling.BOX)
JPEG_SHARE = 0.25
Picture = np.ndarray
Sources = tuple[list[Picture], list[Picture]]


def fetch_photos(folder: Path) -> None:
    """Unpack the photographs of the Debian package. Needs apt-get and dpkg-deb, changes nothing on the machine."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["apt-get", "download", "-qq", PACKAGE], cwd=scratch, check=True)
        (archive,) = Path(scratch).glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", str(archive), scratch], check=True)
        for name in (*TRAIN_PHOTOS, *HELD_OUT_PHOTOS):
            shutil.copy(Path(scratch) / "usr/share/backgrounds" / f"{name}.jpg", folder)


def photos(folder: Path, names: tuple[str, ...] = TRAIN_PHOTOS) -> list[Picture]:
    return [np.asarray(photo(folder / f"{name}.jpg")) for name in names]


def photo(path: Path) -> Image.Image:
    image = Image.open(path).convert("RGB")
    shrink = -(-max(image.size) // PHOTO_SIDE)
    return image.resize((image.width // shrink, image.height // shrink), Resampling.LANCZOS)


def hold_out(folder: Path, out: Path) -> None:
    """Write the middles of the photographs that are never trained on, for benchmarks/super_resolution.py."""
    out.mkdir(parents=True, exist_ok=True)
    for name in HELD_OUT_PHOTOS:
        image = photo(folder / f"{name}.jpg")
        left, top = (image.width - PAINTED_SIDE) // 2, (image.height - PAINTED_SIDE) // 2
        image.crop((left, top, left + PAINTED_SIDE, top + PAINTED_SIDE)).save(out / f"{name}.png")


def paint(folder: Path, count: int) -> None:
    """Draw what is missing of `count` pictures, each from words thrown together by its number."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = DioramaEngine(workers=1)
    for number in range(count):
        path = folder / f"{number:04}.png"
        if not path.exists():
            row = Row(0, 1000 + number, prompt(number), PAINTED_SIDE, PAINTED_SIDE, model="7")
            engine.run([row], NullSink())[0].image.save(path)
            print(path.name, row.text, flush=True)


def painted(folder: Path) -> list[Picture]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))]


def prompt(number: int) -> str:
    rng, words = random.Random(number), phrases()
    subject = rng.choice([concept for concept in lexicon.concepts().values() if concept.words])
    parts = [f"{subject.words[0]} {rng.choice(('in', 'near', 'at'))} {rng.choice(words['place'])}"]
    parts.append(rng.choice(words["time"]))
    parts += [rng.choice(words["style"])] if rng.random() < 0.35 else []
    parts += [rng.choice(words["weather"])] if rng.random() < 0.3 else []
    return ", ".join(parts)


def phrases() -> dict[str, list[str]]:
    """Group → one phrase for each of its values."""
    first: dict[tuple[str, str], str] = {}
    for phrase, meanings in lexicon.phrases().items():
        for meaning in meanings:
            first.setdefault((meaning.group, meaning.value), phrase)
    groups: dict[str, list[str]] = {}
    for (group, _), phrase in sorted(first.items()):
        groups.setdefault(group, []).append(phrase)
    return groups


def sample(rng: random.Random, sources: Sources, *, side: int, factor: int) -> list[Picture]:
    """[small (side, side, 3), large (factor side, factor side, 3)] of a place with something in it."""
    picture, large = rng.choice(rng.choice(sources)), factor * side
    first, second = (cut(rng, picture, large) for _ in range(2))
    patch = max(first, second, key=lambda each: float(each[::2, ::2].std()))
    patch = patch[:, ::-1] if rng.random() < 0.5 else patch
    patch = patch[::-1] if rng.random() < 0.5 else patch
    patch = np.ascontiguousarray(patch.transpose(1, 0, 2) if rng.random() < 0.5 else patch)
    small = Image.fromarray(patch).resize((side, side), rng.choice(FILTERS))
    if rng.random() < JPEG_SHARE:
        small = as_jpeg(small, quality=rng.randint(75, 96), subsampling=rng.choice((0, 2)))
    return [np.asarray(small), patch]


def cut(rng: random.Random, picture: Picture, side: int) -> Picture:
    top, left = rng.randrange(picture.shape[0] - side), rng.randrange(picture.shape[1] - side)
    return picture[top : top + side, left : left + side]


def as_jpeg(image: Image.Image, *, quality: int, subsampling: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(file).convert("RGB")
