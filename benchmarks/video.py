"""What each video task costs on this machine, every figure in a fresh process: `python benchmarks/video.py`.

Prints seconds, processor seconds and peak memory of one clip of each kind, engine and codec together, and for clips of
5 and of 21 seconds, so that one sees that memory does not grow with the length. Our bound on two quiet cores: 60 s for
5 s at 480p. Other work on the machine only ever adds time, so processor seconds are told too.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.motion.still import still_frames
from brushwork.engines.diorama.params import knobs_of
from brushwork.engines.diorama.recipe import natural_shot, recipe_of
from brushwork.engines.diorama.rows import scene_for
from brushwork.engines.tools.video import Film
from brushwork.tasks import TASKS
from brushwork.tasks.base import Run
from brushwork.tasks.sources import Given, Parent

PROMPT = "a sailboat on a mountain lake at sunrise --ar 16:9"
SIZES = ((854, 480), (1280, 720))


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    name: str
    task: str
    fields: dict[str, Any]
    source: str
    """own: a picture of the painter's; foreign: one from outside; words: none; clip 5 or clip 17: seconds of a clip."""
    size: int = 0
    """0: 480p, 1: 720p."""


CASES = (
    Case("words, 480p, low", "video-diffusion", {"prompt": f"{PROMPT} --bs 1"}, "words"),
    Case("own picture, 480p, low", "video-diffusion", {"prompt": "--motion low --bs 1"}, "own"),
    Case("own picture, 480p, high", "video-diffusion", {"prompt": "--motion high --bs 1"}, "own"),
    Case("own picture, 480p, night falls", "video-diffusion", {"prompt": "night falls --bs 1"}, "own"),
    Case("own picture, 720p, low", "video-diffusion", {"prompt": "--motion low --bs 1", "videoType": 1}, "own", 1),
    Case("picture from outside, 480p", "video-diffusion", {"prompt": "--motion high --bs 1"}, "foreign"),
    Case("extend to 9 s, 480p", "extend-video", {"prompt": "--bs 1"}, "clip 5"),
    Case("extend to 21 s, 480p", "extend-video", {"prompt": "--bs 1"}, "clip 17"),
    Case("upscale 5 s, 480p to 960p", "video-upscale", {}, "clip 5"),
)
LONG = (Case("upscale 21 s, 480p to 960p", "video-upscale", {}, "clip 21"),)


def picture() -> tuple[bytes, dict[str, Any]]:
    """A picture of the painter's, and its recipe."""
    engine = DioramaEngine()
    row = Row(0, 7, PROMPT.partition(" --")[0], 1366, 768, model="7")
    image = engine.run([row], NullSink())[0].image
    file = BytesIO()
    image.save(file, "PNG")
    knobs = knobs_of(row.params, row.model)
    return file.getvalue(), recipe_of(natural_shot(scene_for(row), 1366, 768, exp=knobs.exp))


def clip(seconds: int, size: tuple[int, int], folder: Path) -> bytes:
    """A clip through a picture from outside, made as cheaply as can be."""
    image = Image.open(BytesIO(picture()[0])).convert("RGB").resize(size)
    path = folder / "source.mp4"
    with Film(path, width=size[0], height=size[1], fps=24) as film:
        for frame in still_frames(np.asarray(image), seconds=seconds, motion="high"):
            film.write(frame)
    return path.read_bytes()


def prepared(case: Case, folder: Path) -> None:
    """Put what a case works on into its folder: not in the process that is measured."""
    recipe: dict[str, Any] | None = None
    if case.source.startswith("clip"):
        (folder / "given").write_bytes(clip(int(case.source.split()[1]), SIZES[case.size], folder))
    elif case.source != "words":
        data, recipe = picture()
        (folder / "given").write_bytes(data)
    (folder / "recipe.json").write_text(json.dumps(recipe if case.source == "own" else None))


def measured(case: Case, folder: Path) -> dict[str, float]:
    fields = {"jobId": "a", "imageNo": 0, "videoNo": 0, **case.fields}
    if case.source == "words":
        fields = case.fields
    task = TASKS[case.task].model_validate(fields)
    given: list[Given] = []
    if (folder / "given").exists():
        recipe = json.loads((folder / "recipe.json").read_text())
        size = SIZES[case.size] if case.source.startswith("clip") else (1366, 768)
        given = [Given("0", *size, recipe=recipe, parent=Parent("a", 0, "diffusion", {}, 7, ""))]
    engine = DioramaEngine()
    engine.warm()
    data = [(folder / "given").read_bytes()] if given else []
    started, processor = time.perf_counter(), time.process_time()
    task.run(Run(engine, 7, NullSink(), given=given, data=data, scratch=folder))
    return {
        "seconds": time.perf_counter() - started,
        "processor": time.process_time() - processor,
        "memory": peak_megabytes(),
    }


def peak_megabytes() -> float:
    """Of this process alone; what getrusage says begins with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def fresh(case: Case) -> dict[str, float]:
    """One figure, from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        prepared(case, Path(folder))
        command = [sys.executable, __file__, "--one", json.dumps(asdict(case)), "--folder", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--long", action="store_true", help="also enlarge a clip of 21 seconds, which takes minutes")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(Case(**json.loads(arguments.one)), arguments.folder)))
        return
    table = Table("clip", "seconds", "processor", "peak memory", title="One clip of 5 s, or 4 s more")
    for case in (*CASES, *(LONG if arguments.long else ())):
        one = fresh(case)
        print(case.name, one, file=sys.stderr)
        table.add_row(case.name, f"{one['seconds']:.1f} s", f"{one['processor']:.1f} s", f"{one['memory']:.0f} MB")
    console = Console(width=100)
    console.print(table)
    console.print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
