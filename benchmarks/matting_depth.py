"""What do matting and depth cost, and how good are they? `python benchmarks/matting_depth.py`.

Quality here is a quick look, on pictures of concepts that training leaves out, with the painter's own truth; the full
tables come from `python -m training.matting_depth.measure`. Then the seconds and the peak memory of one picture, in a
process of their own. Our bounds: 1024 x 1024 in 1.5 s, 700 MB.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from brushwork.engines.diorama.layout.compose import compose
from brushwork.engines.diorama.looks.grade import finished
from brushwork.engines.diorama.params import Knobs
from brushwork.engines.diorama.scene import natural_view
from brushwork.engines.diorama.subjects.standing import paint_subjects
from brushwork.engines.diorama.words.reading import understand
from brushwork.engines.diorama.worlds.world import paint_world
from brushwork.engines.tools.depth import nearness
from brushwork.engines.tools.matting import cut_out, matte

PROMPTS = (
    "a polar bear in the arctic", "a black cat in a village, night", "a cow in a meadow", "a raccoon in a forest",
    "a rooster on a farm, sunrise", "an owl in a winter forest", "a tropical fish, coral reef", "a chef, studio",
    "a scorpion in the desert", "a bearded man on a city street, rain", "a skier on a snowy mountain",
    "a princess at a castle, anime", "an alien on mars", "a school in the hills, oil painting",
    "a police car in tokyo, cyberpunk", "a bicycle on the beach", "a hot air balloon over a lake",
    "a red telephone on a table", "a crown, watercolor", "a tulip in a flower field",
)  # fmt: skip
TOOLS: Mapping[str, Callable[..., Any]] = {"matte": matte, "cut_out": cut_out, "nearness": nearness}
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def painted(prompt: str, size: int) -> tuple[Image.Image, Floats, Floats]:
    """A picture, the cover of its subjects, and 1 / metres."""
    scene = compose(understand(prompt), knobs=Knobs(), seed=11, index=0)
    world = paint_world(scene, natural_view(scene, size, size))
    world.cover = np.zeros(world.depth.shape, np.float32)
    paint_subjects(world, scene)
    colours = finished(world.color, world.depth, scene)
    cover, near = (np.asarray(each, np.float32) for each in (world.cover, 1 / np.maximum(world.depth, 0.05)))
    return Image.fromarray((colours * 255 + 0.5).astype(np.uint8)), cover, near


def overlap(given: Floats, truth: Floats) -> float:
    a, b = given > 0.5, truth > 0.5
    return float((a & b).sum() / max(1, (a | b).sum()))


def in_order(given: Floats, truth: Floats) -> float:
    """Share of pairs that are a fifth or more apart of which the nearer one is told."""
    left, right = np.random.default_rng(0).integers(truth.size, size=(2, 20_000))
    a, b = truth.ravel()[left] + 2e-3, truth.ravel()[right] + 2e-3
    apart = np.abs(np.log(a / b)) > 0.2
    return float(((given.ravel()[left] > given.ravel()[right]) == (a > b))[apart].mean())


def cost(tool: str, size: int, threads: int) -> tuple[float, float, float]:
    """Fastest seconds of three runs after one to warm up, seconds of all cores in it, and megabytes at the peak."""
    noise = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    runs = []
    for _ in range(4):
        began, used = time.perf_counter(), time.process_time()
        TOOLS[tool](Image.fromarray(noise), threads=threads)
        runs.append((time.perf_counter() - began, time.process_time() - used))
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return *min(runs[1:]), int(line.split()[1]) / 2**10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512, help="of the painter's pictures")
    parser.add_argument("--threads", type=int, default=2, help="of the measured runs")
    arguments = parser.parse_args()
    console = Console(width=120)
    rows = []
    for prompt in PROMPTS:
        image, cover, near = painted(prompt, arguments.size)
        rows.append((overlap(matte(image), cover), in_order(nearness(image), near)))
    table = Table("picture", "IoU of alpha", "pairs in order", title="Painter pictures of concepts never trained on")
    for prompt, row in zip((*PROMPTS, "mean"), (*rows, np.mean(rows, 0)), strict=True):
        table.add_row(prompt, *(f"{value:.3f}" for value in row))
    console.print(table)
    for size in (1024, 2048):
        for tool in TOOLS:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                seconds, used, megabytes = pool.apply(cost, (tool, size, arguments.threads))
            console.print(
                f"{tool} of {size} x {size}, {arguments.threads} threads: {seconds:.2f} s, {used:.2f} s of all cores, "
                f"peak {megabytes:.0f} MB"
            )


if __name__ == "__main__":
    main()
