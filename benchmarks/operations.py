"""What each image operation costs on this machine, each in a fresh process: `python benchmarks/operations.py`.

Prints seconds and peak memory of every task of the API on the embedded painter, at its usual size, and of the largest
enlargement there is: 1024 to 12288 pixels a side. Making the sources and encoding PNG are not counted. Our bounds: 700
MB for what the painter draws, 2 GB for the enlargement. Other work on the machine only ever adds time.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

from showcase import EXAMPLES, PROMPTS, Example, Made, perform, png, source

LARGEST = Example(
    "enhance-upscale, 12K", "enhance-upscale", ("fox",),
    {"image_url": "https://example.com/fox.png", "target_resolution": "12K"}, 1,
)  # fmt: skip
BOUNDS = {LARGEST.title: "2000 MB"}
USUAL_BOUND = "700 MB"


@dataclass(frozen=True)
class Figures:
    """One operation in a fresh process."""

    seconds: float
    processor: float
    memory: float
    """Peak of the process, MB."""
    made: str


def measured(example: Example, folder: Path) -> Figures:
    """The figures of this process, which must have done nothing else yet."""
    from PIL import Image

    from brushwork.engines.diorama.engine import DioramaEngine

    engine = DioramaEngine()
    engine.warm()
    sources = []
    for name in example.sources:
        facts = json.loads((folder / f"{name}.json").read_text())
        with Image.open(folder / f"{name}.png") as picture:
            picture.load()
            sources.append(Made(picture, facts["recipe"], facts["prompt"]))
    processor, began = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        outcome = perform(example, sources, engine, scratch=Path(scratch))
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    sizes = [f"{image.width}x{image.height}" for image in outcome.images]
    sizes += [f"{file.width}x{file.height}" for file in outcome.files]
    made = f"{len(sizes)} of {sizes[0]}" if sizes else f"{len(outcome.output.get('prompts', ()))} prompts"
    return Figures(seconds, processor, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, made)


def draw_sources(folder: Path) -> None:
    """Draw every source once, for all processes."""
    from brushwork.engines.diorama.engine import DioramaEngine

    engine = DioramaEngine()
    for name in sorted({name for example in EXAMPLES for name in example.sources} | set(PROMPTS)):
        made = source(name, engine)
        (folder / f"{name}.png").write_bytes(png(made.image))
        (folder / f"{name}.json").write_text(json.dumps({"recipe": made.recipe, "prompt": made.prompt}))


def fresh(*arguments: str) -> str:
    """What this script prints in a process of its own."""
    return subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--only", default="", help="only operations whose name holds this")
    arguments = parser.parse_args()
    examples = {example.title: example for example in (*EXAMPLES, LARGEST)}
    if arguments.one:
        print(json.dumps(asdict(measured(examples[arguments.one], arguments.sources))))
        return
    if arguments.sources:
        draw_sources(arguments.sources)
        return
    table = Table("operation", "makes", "seconds", "processor", "peak", "bound", title="Operations, embedded painter")
    with tempfile.TemporaryDirectory() as folder:
        fresh("--sources", folder)
        for title in (title for title in examples if arguments.only in title):
            figures = Figures(**json.loads(fresh("--sources", folder, "--one", title)))
            times = f"{figures.seconds:.1f} s", f"{figures.processor:.1f} s"
            table.add_row(title, figures.made, *times, f"{figures.memory:.0f} MB", BOUNDS.get(title, USUAL_BOUND))
    console = Console(width=120)
    console.print(table)
    console.print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
