"""Does `recognise` see what the painter painted? Top-1 and top-5 of the subject, the scenery, the time it takes.

python benchmarks/tags.py [--pictures 451] [--size 384] [--photos FOLDER]

Two series, from seeds that no training used: "plain" is "a fox" and nothing else, so each thing stands where it is at
home; "varied" throws places, times, weathers, styles and counts together. A subject counts as readable from an eighth
of the picture's height. Photographs of a folder are only listed: judge them yourself.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from rich.console import Console
from rich.table import Table

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.recipe import scene_of
from brushwork.engines.diorama.scene import Scene, Subject
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.tools.describe import PLACES, STYLES, TIMES, WEATHERS, describe, thing
from brushwork.engines.tools.tags import Tags, recognise

READABLE = 0.25
"""Units of the image plane, of two."""
SEED = 770_000
SCENERY = ("place", "time", "weather", "style")


def prompts(series: str, count: int) -> Iterator[tuple[str, str]]:
    """(concept, prompt): all concepts in turn."""
    rng = random.Random(SEED)
    names = list(concepts())
    rng.shuffle(names)
    for number in range(count):
        name = names[number % len(names)]
        if series == "plain":
            yield name, thing(name, 1, None)
            continue
        parts = [
            thing(name, rng.choice((1, 1, 1, 2, 3)), None),
            rng.choice(list(PLACES.values())) if rng.random() < 0.6 else "",
            rng.choice(list(TIMES.values())) if rng.random() < 0.6 else "",
        ]
        extras = [rng.choice(list(WEATHERS.values())) if rng.random() < 0.35 else ""]
        extras.append(rng.choice(list(STYLES.values())) if rng.random() < 0.6 else "")
        yield name, ", ".join(part for part in (" ".join(part for part in parts if part), *extras) if part)


def height(subject: Subject, scene: Scene) -> float:
    """On the image plane, units; what stands outside the picture has none."""
    return subject.height * scene.focal / subject.z if abs(subject.x) * scene.focal / subject.z < 1 else 0.0


def score(series: str, count: int, size: int) -> tuple[dict[str, float], int, list[str], list[float]]:
    """Shares of right answers, how many had a readable subject, what was mistaken, and seconds per picture."""
    engine = DioramaEngine(workers=1)
    right: dict[str, list[bool]] = {name: [] for name in ("readable", "all", "top-5", *SCENERY)}
    missed, seconds = [], []
    for number, (name, prompt) in enumerate(prompts(series, count)):
        row = Row(0, SEED + number, prompt, size, size, model="7")
        (result,) = engine.run([row], NullSink())
        scene = scene_of(result.recipe)
        began = time.perf_counter()
        tags = recognise(result.image)
        seconds.append(time.perf_counter() - began)
        for head in SCENERY:
            right[head].append(getattr(tags, head)[0] == getattr(scene, head))
        told = [concept for concept, _ in tags.concepts]
        right["all"].append(told[:1] == [name])
        if max((height(each, scene) for each in scene.subjects if each.concept == name), default=0) < READABLE:
            continue
        right["readable"].append(told[:1] == [name])
        right["top-5"].append(name in told[:5])
        if told[:1] != [name]:
            missed.append(f"{name} → {told[0] if told else 'nothing'}")
    return {key: statistics.mean(values) for key, values in right.items()}, len(right["readable"]), missed, seconds


def listed(path: Path) -> str:
    image = Image.open(path)
    tags: Tags = recognise(image)
    kind, share = tags.kind
    thing_seen = f"{tags.concepts[0][0]} {tags.concepts[0][1]:.2f}" if tags.concepts else "-"
    return f"{path.name}: {kind} {share:.2f}, of the painter's: {thing_seen}\n    {describe(image)[0]}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=120, help="of each series; 451 has each thing once")
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--photos", type=Path, help="a folder of photographs to list")
    parser.add_argument("--missed", action="store_true", help="list what was mistaken for what")
    arguments = parser.parse_args()
    console = Console(width=120)
    columns = ("readable", "top-1 readable", "top-1 all", "top-5 readable", *SCENERY, "ms")
    table = Table("", *columns, title=f"recognised, of {arguments.pictures} pictures")
    for series in ("plain", "varied"):
        shares, readable, missed, seconds = score(series, arguments.pictures, arguments.size)
        cells = [f"{shares[key]:.1%}" for key in ("readable", "all", "top-5", *SCENERY)]
        table.add_row(series, str(readable), *cells, f"{1000 * statistics.median(seconds):.0f}")
        if arguments.missed:
            console.print(series, "mistaken:", "; ".join(missed))
    console.print(table)
    if arguments.photos:
        for path in sorted(arguments.photos.iterdir()):
            if path.suffix in (".jpg", ".jpeg", ".png", ".webp"):
                console.print(listed(path))


if __name__ == "__main__":
    main()
