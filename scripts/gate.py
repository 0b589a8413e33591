"""The gate of the embedded painter: draws a hundred prompts, one sheet a group, and writes down what was understood.

python scripts/gate.py                    # docs/pictures/gate_*.webp and docs/concepts/gate.md
python scripts/gate.py --only animals --out /tmp/sheets      # look at one group
python scripts/gate.py --table            # the page only

Nothing is chosen by hand: prompt n is drawn once, with seed n. The judgement is ours: a prompt whose line in
gate_prompts.txt ends in "! why" is a miss.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from brushwork.engines.base import NullSink, Row, RowResult
from brushwork.engines.diorama.engine import DioramaEngine, scene_for, unmet
from brushwork.engines.diorama.scene import Scene

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
COLUMNS, CELL, LABEL, GAP = 5, 320, 26, 8


@dataclass(frozen=True)
class Trial:
    """A prompt of the gate."""

    number: int
    group: str
    prompt: str
    miss: str
    """Why a stranger would not recognise it; empty if they would."""

    @property
    def row(self) -> Row:
        return Row(0, self.number, self.prompt, 640, 640, model="7")


def trials_of(path: Path) -> list[Trial]:
    trials: list[Trial] = []
    group = ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            group = line.strip("[] ")
        elif line.strip() and not line.startswith("#"):
            prompt, _, miss = line.partition("!")
            trials.append(Trial(len(trials) + 1, group, prompt.strip(), miss.strip()))
    return trials


def draw(trials: list[Trial]) -> list[RowResult]:
    engine = DioramaEngine()
    results: list[RowResult] = []
    began = time.perf_counter()
    for start in range(0, len(trials), 2):
        results += engine.run([trial.row for trial in trials[start : start + 2]], NullSink())
        print(f"{len(results):3}/{len(trials)}  {time.perf_counter() - began:.0f} s", end="\r", flush=True)
    print()
    return results


def sheet_of(trials: list[Trial], results: list[RowResult]) -> Image.Image:
    """Pictures in rows of five, each with its prompt below."""
    step, font = CELL + GAP, ImageFont.load_default(13)
    lines = -(-len(trials) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * step + GAP, lines * (step + LABEL) + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (trial, result) in enumerate(zip(trials, results, strict=True)):
        left, top = GAP + place % COLUMNS * step, GAP + place // COLUMNS * (step + LABEL)
        sheet.paste(result.image.resize((CELL, CELL), Image.Resampling.LANCZOS), (left, top))
        label = f"{trial.number}. {trial.prompt}"
        while pen.textlength(label, font) > CELL:
            label = label[:-2].rstrip(" .…") + "…"
        pen.text((left, top + CELL + 4), label, fill="#222222", font=font)
    return sheet


def subjects_of(scene: Scene) -> str:
    counts: dict[str, int] = {}
    for subject in scene.subjects:
        name = f"{subject.colour} {subject.concept}" if subject.colour else subject.concept
        counts[name] = counts.get(name, 0) + 1
    return ", ".join(name if count == 1 else f"{count} × {name}" for name, count in counts.items())


def page_of(trials: list[Trial]) -> str:
    """The Markdown page: score, sheets, misses, and what was understood of each prompt."""
    misses = [trial for trial in trials if trial.miss]
    groups = list(dict.fromkeys(trial.group for trial in trials))
    lines = [
        "# The gate",
        "",
        "A hundred prompts as people write them, drawn once each with their number as seed, nothing chosen by hand. A",
        "picture passes when a stranger can name its subject and its setting. Written by `make gate`; the judgement is",
        "in `scripts/gate_prompts.txt`.",
        "",
        f"**{len(trials) - len(misses)} of {len(trials)}** pass.",
        "",
        "## Misses",
        "",
        "| prompt | why |",
        "|---|---|",
        *(f"| {trial.number}. {trial.prompt} | {trial.miss} |" for trial in misses),
    ]
    for group in groups:
        lines += ["", *group_section(group, [trial for trial in trials if trial.group == group])]
    return "\n".join(lines) + "\n"


def group_section(group: str, trials: list[Trial]) -> Iterable[str]:
    yield f"## {group.capitalize()}"
    yield ""
    yield f"![{group}](../pictures/{file_name(group)})"
    yield ""
    yield "| prompt | place | time | weather | subjects | style | degraded |"
    yield "|---|---|---|---|---|---|---|"
    for trial in trials:
        scene = scene_for(trial.row)
        cells = (
            f"{trial.number}. {trial.prompt}",
            scene.place,
            scene.time,
            scene.weather,
            subjects_of(scene),
            scene.style,
            " ".join(f"`{name}`" for name in unmet(trial.row)),
        )
        yield "| " + " | ".join(cells) + " |"


def file_name(group: str) -> str:
    return f"gate_{group.replace(' ', '_')}.webp"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, default=HERE / "gate_prompts.txt")
    parser.add_argument("--out", type=Path, default=DOCS / "pictures")
    parser.add_argument("--only", help="one group")
    parser.add_argument("--table", action="store_true", help="write the page, draw nothing")
    arguments = parser.parse_args()
    trials = trials_of(arguments.prompts)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for group in dict.fromkeys(trial.group for trial in trials):
        if not arguments.table and arguments.only in (None, group):
            some = [trial for trial in trials if trial.group == group]
            target = arguments.out / file_name(group)
            sheet_of(some, draw(some)).save(target, quality=84)
            print(target, target.stat().st_size // 1000, "kB")
    if arguments.only is None:
        (DOCS / "concepts/gate.md").write_text(page_of(trials))


if __name__ == "__main__":
    main()
