"""What the embedded painter costs on this machine, each figure in a fresh process: `python benchmarks/embedded.py`.

Prints start, first preview, grids of four 1024 px pictures, a draft, a 2048 px picture, clips of 5 s at 480p, peak
memory, and whether the same rows give the same bytes twice and in another process. Our bounds on two quiet cores:
preview 1 s, grid 10 s, 2048 px 12 s, a clip 60 s, 700 MB. Other work on the machine only ever adds time, so processor
seconds are told too.
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from statistics import mean

from rich.console import Console
from rich.table import Table

PROMPTS = (
    "a red fox in a snowy forest at dawn",
    "three hot air balloons over a mountain lake at sunrise",
    "autumn forest with a winding path",
    "a river through a green valley",
    "dense tropical jungle",
    "cyberpunk city street at night in the rain",
    "a sailboat on a calm sea at sunset, watercolor",
    "an astronaut on mars",
)


CLIPS = (
    ("a sailboat on a mountain lake at sunrise", "low"),
    ("a red fox in a flower meadow", "low"),
    ("a thunderstorm over the sea", "low"),
    ("dense tropical jungle", "high"),
    ("cyberpunk city street at night", "high"),
    ("a castle in autumn hills, oil painting", "high"),
)
CLIP = (832, 480)


@dataclass(frozen=True)
class ClipFigures:
    """One clip of 5 s in a fresh process: seconds, processor seconds, MB, frames, and a digest of them."""

    call: float
    processor: float
    memory: float
    frames: int
    digest: str


@dataclass(frozen=True)
class Figures:
    """One engine call in a fresh process: seconds, processor seconds, MB, and a digest of the pictures."""

    imported: float
    warm: float
    preview: float
    call: float
    processor: float
    memory: float
    digest: str


def measured(prompt: str, *, size: int, count: int, draft: bool) -> Figures:
    """The figures of this process, which must have done nothing else yet."""
    began = time.perf_counter()
    from brushwork.engines.base import NullSink, Row
    from brushwork.engines.diorama.engine import DioramaEngine

    imported = time.perf_counter()
    engine = DioramaEngine()
    engine.warm()
    warm = time.perf_counter()
    previews: list[float] = []

    class Watch(NullSink):
        def preview(self, row: Row, image: object) -> None:  # noqa: ARG002  # only the moment matters
            previews.append(time.perf_counter())

    processor = time.process_time()
    rows = [Row(n, 7, prompt, size, size, model="7", params={"draft": draft}) for n in range(count)]
    results = engine.run(rows, Watch())
    return Figures(
        imported=imported - began,
        warm=warm - imported,
        preview=previews[0] - warm,
        call=time.perf_counter() - warm,
        processor=time.process_time() - processor,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        digest=hashlib.sha256(b"".join(result.image.tobytes() for result in results)).hexdigest(),
    )


def fresh(prompt: str, *, size: int, count: int, draft: bool = False) -> Figures:
    """The same, measured in a process of its own."""
    task = json.dumps({"prompt": prompt, "size": size, "count": count, "draft": draft})
    done = subprocess.run([sys.executable, __file__, "--one", task], capture_output=True, text=True, check=True)
    return Figures(**json.loads(done.stdout))


def measured_clip(prompt: str, *, motion: str) -> ClipFigures:
    """The figures of this process, which must have done nothing else yet."""
    from brushwork.engines.base import Row
    from brushwork.engines.diorama.engine import DioramaEngine
    from brushwork.engines.diorama.motion.clip import frames
    from brushwork.engines.diorama.rows import scene_for

    DioramaEngine().warm()
    width, height = CLIP
    began, processor = time.perf_counter(), time.process_time()
    scene = scene_for(Row(0, 7, prompt, width, height, model="7", params={}))
    digest, count = hashlib.sha256(), 0
    for frame in frames(scene, width=width, height=height, motion="high" if motion == "high" else "low"):
        digest.update(frame.tobytes())
        count += 1
    return ClipFigures(
        call=time.perf_counter() - began,
        processor=time.process_time() - processor,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        frames=count,
        digest=digest.hexdigest(),
    )


def fresh_clip(prompt: str, motion: str) -> ClipFigures:
    """The same, measured in a process of its own."""
    task = json.dumps({"prompt": prompt, "motion": motion})
    done = subprocess.run([sys.executable, __file__, "--clip", task], capture_output=True, text=True, check=True)
    return ClipFigures(**json.loads(done.stdout))


def clip_table(console: Console) -> None:
    """Seconds and memory of clips, one a line."""
    table = Table("clip", "motion", "seconds", "processor", "memory", title="5 s at 832 x 480; bounds: 60 s, 700 MB")
    for prompt, motion in CLIPS:
        one = fresh_clip(prompt, motion)
        table.add_row(prompt, motion, f"{one.call:.1f} s", f"{one.processor:.1f} s", f"{one.memory:.0f} MB")
    console.print(table)
    console.print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--clip", help=argparse.SUPPRESS)
    parser.add_argument("--clips", action="store_true", help="clips only")
    parser.add_argument("--prompts", type=int, default=len(PROMPTS), help="how many grids")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(asdict(measured(**json.loads(arguments.one)))))
        return
    if arguments.clip:
        print(json.dumps(asdict(measured_clip(**json.loads(arguments.clip)))))
        return
    console = Console(width=110)
    if arguments.clips:
        clip_table(console)
        return
    grids = [fresh(prompt, size=1024, count=4) for prompt in PROMPTS[: arguments.prompts]]
    again = fresh(PROMPTS[0], size=1024, count=4)
    draft, large = fresh(PROMPTS[0], size=512, count=4, draft=True), fresh(PROMPTS[0], size=2048, count=1)
    table = Table("figure", "mean", "max", "processor, max", "bound", title="The embedded painter")

    def line(name: str, times: list[float], bound: str = "", processor: float | None = None, unit: str = "s") -> None:
        shown = "" if processor is None else f"{processor:.1f} s"
        table.add_row(name, f"{mean(times):.2f} {unit}", f"{max(times):.2f} {unit}", shown, bound)

    line("import", [one.imported for one in grids])
    line("warm", [one.warm for one in grids], "1 s")
    line("first preview, once warm", [one.preview for one in grids], "1 s")
    line("four 1024 px pictures", [one.call for one in grids], "10 s", max(one.processor for one in grids))
    line("four drafts of 512 px", [draft.call], "", draft.processor)
    line("one 2048 px picture", [large.call], "12 s", large.processor)
    line("peak memory, grids", [one.memory for one in grids], "700 MB", unit="MB")
    line("peak memory, 2048 px", [large.memory], "700 MB", unit="MB")
    console.print(table)
    console.print(f"same bytes in another process: {'yes' if again.digest == grids[0].digest else 'NO'}")
    clip_table(console)


if __name__ == "__main__":
    main()
