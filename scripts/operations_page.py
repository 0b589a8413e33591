"""Draws docs/concepts/operations.md: every image operation, its source beside its results, as the API would give them.

python scripts/operations_page.py
python scripts/operations_page.py --only pan --out /tmp/operations
"""

import argparse
import json
import re
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome
from showcase import EXAMPLES, PROMPTS, Example, Made, perform, source

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "concepts/operations.md"
PICTURES = DOCS / "pictures/operations"
SIDE, GAP = 360, 12
"""Pixels: height of a strip, and the gap between its pictures; after the sources it is four times as wide."""
CLOSE = 180
"""Pixels of a source's detail that is shown beside its enlargement."""
ENLARGED = frozenset({"upscale", "enhance-upscale"})
ENGINE = DioramaEngine()

INTRODUCTION = """# Operations in pictures

Each operation of the API on the embedded engine: left what it was given, right what came of it. Sources are pictures of
the painter (`jobId`, `imageNo`) or photographs (`imgUrl`); of grids the first pictures are shown. Fields and prices:
[task types](../reference/tasks.md); how to send them: [your own pictures](../guides/your-own-pictures.md) and the
[studio](../guides/studio.md). Drawn by `python scripts/operations_page.py`; what the operations cost in time and memory
is measured by `python benchmarks/operations.py`.
"""


@cache
def made(name: str) -> Made:
    return source(name, ENGINE)


def page(examples: Sequence[Example], folder: Path) -> str:
    """The Markdown of all examples; draws their strips into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    return "\n".join([INTRODUCTION, *(section(example, folder) for example in examples)])


def section(example: Example, folder: Path) -> str:
    sources = [made(name) for name in example.sources]
    with tempfile.TemporaryDirectory() as scratch:
        outcome = perform(example, sources, ENGINE, scratch=Path(scratch))
        results = [*outcome.images, *(opened(file.path) for file in outcome.files)]
    body = json.dumps(
        {name: value for name, value in example.body.items() if name not in ("jobId",)}, ensure_ascii=False
    )
    lines = [f"## {example.title[:1].upper()}{example.title[1:]}", "", told(example), "", "```json", body, "```", ""]
    if results:
        slug = re.sub(r"[^a-z0-9]+", "-", example.title.lower()).strip("-")
        strip(example, [source.image for source in sources], results).save(
            folder / f"{slug}.webp", quality=82, method=6
        )
        lines += [f"![{example.title}](../pictures/operations/{slug}.webp)", ""]
    return "\n".join([*lines, *texts(outcome)])


def told(example: Example) -> str:
    """What was asked of which source."""
    prompts = [f"“{PROMPTS[name]}”" if name in PROMPTS else "a photograph" for name in example.sources]
    of = f" of {' and '.join(prompts)}" if prompts else ""
    return f"`POST /v1/{example.task}`{of}. {TASKS[example.task].__doc__}"


def texts(outcome: Outcome) -> list[str]:
    prompts = outcome.output.get("prompts", ())
    return [*(f"- {prompt}" for prompt in prompts), ""] if prompts else []


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        picture.load()
        return picture


def strip(example: Example, sources: Sequence[Image.Image], results: Sequence[Image.Image]) -> Image.Image:
    """Sources and results side by side, all equally high; of enlargements the same detail of both."""
    if example.task in ENLARGED:
        left, right = details(sources[0], results[0])
    else:
        left, right = [fitted(image) for image in sources], [fitted(image) for image in results[: example.shown]]
    cells = [*left, *right]
    width = sum(cell.width for cell in cells) + GAP * (len(cells) - 1) + 3 * GAP
    sheet = Image.new("RGB", (width, SIDE), "white")
    x = 0
    for number, cell in enumerate(cells):
        x += 3 * GAP if number == len(left) else 0
        sheet.paste(cell, (x, 0))
        x += cell.width + GAP
    draw = ImageDraw.Draw(sheet)
    middle = sum(cell.width for cell in left) + GAP * len(left) + GAP
    draw.polygon([(middle - 6, SIDE // 2 - 14), (middle + 8, SIDE // 2), (middle - 6, SIDE // 2 + 14)], fill="#888")
    return sheet


def fitted(image: Image.Image) -> Image.Image:
    """At the strip's height; what is transparent on a chequered ground."""
    small = image.resize((max(1, round(image.width * SIDE / image.height)), SIDE), Image.Resampling.LANCZOS)
    if small.mode != "RGBA":
        return small.convert("RGB")
    ground = Image.new("RGB", small.size, "white")
    draw = ImageDraw.Draw(ground)
    for x in range(0, small.width, 16):
        for y in range(x // 16 % 2 * 16, SIDE, 32):
            draw.rectangle((x, y, x + 15, y + 15), fill="#ddd")
    ground.paste(small, (0, 0), small)
    return ground


def details(small: Image.Image, large: Image.Image) -> tuple[list[Image.Image], list[Image.Image]]:
    """(the source, its middle as it is and enlarged by resampling), (the same middle of the result)."""
    x, y = (small.width - CLOSE) // 2, (small.height - CLOSE) // 2
    detail = small.crop((x, y, x + CLOSE, y + CLOSE)).resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert("RGB")
    scale = large.width / small.width
    box = tuple(round(edge * scale) for edge in (x, y, x + CLOSE, y + CLOSE))
    middle = large.crop(box).resize((SIDE, SIDE), Image.Resampling.LANCZOS).convert("RGB")  # type: ignore[arg-type]  # four edges
    return [fitted(small), detail], [middle]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="operations whose title holds this; no page is written")
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder for the strips")
    arguments = parser.parse_args()
    chosen = [example for example in EXAMPLES if arguments.only in example.title]
    text = page(chosen, arguments.out)
    if arguments.only:
        print(text)
    else:
        PAGE.write_text(text.rstrip() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
