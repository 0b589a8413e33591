"""What is in a picture: things, scenery and light, each with a probability; for `describe`.

A published encoder (EfficientNet-Lite0) with heads of our own, which `training/tags` trained on the painter's pictures.
It looks twice: at the whole picture, then closer at where it looked first. Colours and light are measured.
What it is and how well it does: models/README.md. Knows no task and writes no prose.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.tools.network import MODELS, Network, default_threads, session

TAGS = Network(
    name="brushwork-tags",
    file="tags.onnx",
    purpose="things, scenery and style of a picture",
    licence="Apache-2.0",
    origin="training/tags, on EfficientNet-Lite0",
    parameters=5_222_341,
    sha256="724be9842217b5282a6f53d1fbe8a4525a17d88ee76524d14b660e3a8678c8df",
    bits=16,
)
SIDE = 288
"""The network sees about SIDE x SIDE pixels, in the picture's own shape."""
STEEPEST = 2.0
"""Flatter or taller pictures are squeezed to this."""
STEP = 32
CLOSER = (0.5, 0.9)
"""Smallest and largest side of the second look, of the shorter side; beyond the largest there is none."""
SPREAD = 8.0
"""Side of the second look, in standard deviations of the first."""
HOURS = {"morning": "day", "noon": "day", "afternoon": "day", "night": "night", "midnight": "night"}
"""Times that only their painter tells apart."""
MOST = 8
LEAST = 0.02
"""Things below this probability are not listed."""
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Guess = tuple[str, float]


@dataclass(frozen=True)
class Light:
    """Measured, all 0-1 except warmth."""

    brightness: float
    contrast: float
    saturation: float
    warmth: float
    """-1 (blue) to 1 (orange)."""


@dataclass(frozen=True)
class Tags:
    """What was recognised. Probabilities are the network's, which knows the painter better than the world."""

    concepts: tuple[Guess, ...]
    """The painter's things, most likely first; empty where it sees none of them."""
    kinds: tuple[Guess, ...]
    """ImageNet's classes, for photographs: "tabby cat"."""
    kind: Guess
    """The kind of thing that most of them agree on: "cat"."""
    count: tuple[int, float]
    """How many of the first concept, up to 4, which stands for many."""
    place: Guess
    time: Guess
    hours: Guess
    """Its time of day, where hours that look the same count as one: "day", "night", else as `time`."""
    weather: Guess
    style: Guess
    foreign: float
    """How likely it is that the painter did not paint it."""
    colours: tuple[Guess, ...]
    """Colour words and their shares of the picture, largest first."""
    light: Light
    where: str
    """Where the eye is drawn: "left", "centre" or "right"."""
    size: tuple[int, int]
    """Of the picture, pixels."""


def recognise(image: Image.Image, *, threads: int | None = None) -> Tags:
    """Look at a picture. Same picture, same tags."""
    picture = flattened(image)
    first = look(picture, threads)
    looks = first.looks.reshape(-1, first.columns)
    frame = closer(looks, picture)
    things, kind, named = softmax(first.concept), *kinds_of(softmax(first.kinds))
    if frame:
        second = look(picture.crop(frame), threads)
        things = (things + softmax(second.concept)) * np.float32(0.5)
        kind, named = max((kind, named), kinds_of(softmax(second.kinds)), key=lambda pair: pair[0][1])  # the surer look
    small = np.asarray(picture.resize((64, 64), Image.Resampling.BOX))
    parts = {name: named_best(first.parts[name], names) for name, names in classes().items() if name != "concept"}
    return Tags(
        concepts=concepts_of(things),
        kinds=named,
        kind=kind,
        count=(int(parts["count"][0]), parts["count"][1]),
        place=parts["place"],
        time=parts["time"],
        hours=hours_of(softmax(first.parts["time"])),
        weather=parts["weather"],
        style=parts["style"],
        foreign=float(softmax(first.parts["foreign"])[1]),
        colours=colours_of(small),
        light=light_of(small),
        where=where_of(looks),
        size=image.size,
    )


# ---------------------------------------------------------------- looking


@dataclass(frozen=True)
class Look:
    """The network's logits."""

    concept: Floats
    kinds: Floats
    parts: Mapping[str, Floats]
    looks: Floats
    columns: int


def look(picture: Image.Image, threads: int | None) -> Look:
    width, height = seen_size(*picture.size)
    pixels = np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0), np.float32)
    batch = np.ascontiguousarray(((pixels - 127) / 128).transpose(2, 0, 1)[None])
    names = ["concept", "kinds", "scenery", "looks"]
    concept, kinds, scenery, looks = (
        each[0] for each in session(TAGS, threads or default_threads()).run(names, {"input": batch})
    )
    heads = {name: len(each) for name, each in classes().items() if name != "concept"}
    parts = dict(zip(heads, np.split(scenery, np.cumsum(list(heads.values()))[:-1]), strict=True))
    return Look(concept, kinds, parts, looks, width // STEP)


def seen_size(width: int, height: int) -> tuple[int, int]:
    """Of about SIDE² pixels, in whole STEPs."""
    ratio = min(max(width / height, 1 / STEEPEST), STEEPEST) ** 0.5
    return round(SIDE * ratio / STEP) * STEP, round(SIDE / ratio / STEP) * STEP


def flattened(image: Image.Image) -> Image.Image:
    """In RGB; what is transparent becomes white."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    picture = image.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def gaze(looks: Floats) -> tuple[float, float, float]:
    """Middle and spread of where it looked, 0..1 of width and height."""
    rows, columns = looks.shape
    share = looks.astype(np.float64) / looks.sum()
    x, y = (np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows
    across, down = share.sum(axis=0), share.sum(axis=1)
    middle_x, middle_y = float(across @ x), float(down @ y)
    spread = max(float(across @ (x - middle_x) ** 2), float(down @ (y - middle_y) ** 2)) ** 0.5
    return middle_x, middle_y, spread


def closer(looks: Floats, picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The square for the second look; None where the first saw enough."""
    x, y, spread = gaze(looks)
    side = max(SPREAD * spread, CLOSER[0])
    if side > CLOSER[1]:
        return None
    pixels = round(side * min(picture.size))
    left = min(max(round(x * picture.width - pixels / 2), 0), picture.width - pixels)
    top = min(max(round(y * picture.height - pixels / 2), 0), picture.height - pixels)
    return (left, top, left + pixels, top + pixels) if pixels >= STEP else None


def where_of(looks: Floats) -> str:
    x, _, _ = gaze(looks)
    return "left" if x < 0.38 else "right" if x > 0.62 else "centre"


# ---------------------------------------------------------------- names


def softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), np.float32)


@lru_cache(maxsize=1)
def classes() -> Mapping[str, tuple[str, ...]]:
    """Head → the names of its classes, as they were when it was trained."""
    stored = session(TAGS, default_threads()).get_modelmeta().custom_metadata_map["classes"]
    return {head: tuple(names) for head, names in json.loads(stored).items()}


def named_best(logits: Floats, names: Sequence[str]) -> Guess:
    number = int(logits.argmax())
    return names[number], float(softmax(logits)[number])


def concepts_of(probabilities: Floats) -> tuple[Guess, ...]:
    """The last class is "nothing of the painter's": it is not listed, but what it takes the others lack."""
    order = np.argsort(-probabilities[:-1], kind="stable")[:MOST]
    names = classes()["concept"]
    likely = ((names[i], float(probabilities[i])) for i in order if probabilities[i] >= LEAST)
    return tuple((name, probability) for name, probability in likely if name in concepts())


def hours_of(probabilities: Floats) -> Guess:
    sums: dict[str, float] = defaultdict(float)
    for name, probability in zip(classes()["time"], probabilities, strict=True):
        sums[HOURS.get(name, name)] += float(probability)
    return max(sums.items(), key=lambda pair: pair[1])


@lru_cache(maxsize=1)
def kind_names() -> tuple[tuple[str, str], ...]:
    """(class, kind of thing) in ImageNet's order."""
    lines = (MODELS / "kinds.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(" | ") for line in lines if line and not line.startswith("#"))
    return tuple((name, kind) for name, kind in pairs)


def kinds_of(probabilities: Floats) -> tuple[Guess, tuple[Guess, ...]]:
    """What most probability agrees on, and the likeliest classes."""
    names = kind_names()
    sums: dict[str, float] = defaultdict(float)
    for (_, kind), probability in zip(names, probabilities, strict=True):
        sums[kind] += float(probability)
    order = np.argsort(-probabilities, kind="stable")[:MOST]
    listed = tuple((names[i][0], float(probabilities[i])) for i in order if probabilities[i] >= LEAST)
    return max(sums.items(), key=lambda pair: pair[1]), listed


# ---------------------------------------------------------------- measured

HUES = ((15, "red"), (40, "orange"), (68, "yellow"), (160, "green"), (195, "teal"), (255, "blue"), (292, "purple"),
        (345, "pink"), (361, "red"))  # fmt: skip
"""Degrees below which a hue has this name."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
BROWN = frozenset({"red", "orange", "yellow"})
"""Hues that are brown when they are dark."""


def colours_of(pixels: Bytes) -> tuple[Guess, ...]:
    """Names of the colours that take more than a twentieth of the picture."""
    hsv = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2HSV).reshape(-1, 3)
    counts: dict[str, int] = defaultdict(int)
    for hue, saturation, value in hsv.tolist():
        counts[colour_name(hue, saturation, value)] += 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((name, count / len(hsv)) for name, count in ranked if count / len(hsv) > 0.05)


def colour_name(hue: float, saturation: float, value: float) -> str:
    """Hue in degrees, the others 0..1."""
    if value < 0.17:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.82 else "grey"
    name = next(name for limit, name in HUES if hue < limit)
    return "brown" if name in BROWN and value < 0.62 and saturation < 0.85 else name


def light_of(pixels: Bytes) -> Light:
    colours = pixels.reshape(-1, 3).astype(np.float32) / 255
    luma = colours @ LUMA
    low, high = np.percentile(luma, (5, 95))
    strongest = colours.max(axis=1)
    saturation = (strongest - colours.min(axis=1)) / np.maximum(strongest, 1e-3)
    return Light(
        brightness=float(luma.mean()),
        contrast=float(high - low),
        saturation=float(saturation.mean()),
        warmth=float((colours[:, 0] - colours[:, 2]).mean()),
    )
