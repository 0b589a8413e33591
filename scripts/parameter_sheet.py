"""Draws what each parameter does to the embedded painter's pictures: docs/pictures/parameters.webp.

python scripts/parameter_sheet.py
python scripts/parameter_sheet.py --only chaos --out /tmp/parameters.webp
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine

OUT = Path(__file__).parent.parent / "docs/pictures/parameters.webp"
CELL, LABEL, GAP, COLUMNS = 300, 24, 8, 4
SEED = 4
LAKE = "a sailboat on a mountain lake"
CAT = "a cat in a forest"
FIELD = "a meadow with flowers"


@dataclass(frozen=True)
class Shot:
    """One cell of the sheet."""

    label: str
    prompt: str
    params: Mapping[str, Any] = field(default_factory=dict)
    model: str = "7"
    negative: tuple[str, ...] = ()
    segments: tuple[tuple[str, float], ...] = ()
    count: int = 1
    """Pictures of the grid to show: 1, or 4 as 2 x 2."""
    repeat: int = 1
    """How often the picture is laid side by side, and below itself."""
    size: int = 600


SHOTS = (
    *(Shot(f"a fox --chaos {chaos}", "a fox", {"chaos": chaos}, count=4, size=320) for chaos in (0, 50, 100)),
    Shot("a fox --chaos 100 --raw", "a fox", {"chaos": 100, "raw": True}, count=4, size=320),
    *(Shot(f"sailboat --stylize {stylize}", LAKE, {"stylize": stylize}) for stylize in (0, 100, 500, 1000)),
    *(Shot(f"cat --weird {weird}", CAT, {"weird": weird}) for weird in (0, 1000, 3000)),
    Shot("cat --niji 6", CAT, model="niji 6"),
    *(Shot(f"sailboat --stop {stop}", LAKE, {"stop": stop}) for stop in (10, 50, 100)),
    Shot("meadow --no flowers, trees, clouds", FIELD, negative=("flowers", "trees", "clouds")),
    Shot("a cat::3 a dog::1", "a cat a dog", segments=(("a cat", 3.0), ("a dog", 1.0))),
    Shot("a cat::1 a dog::3", "a cat a dog", segments=(("a cat", 1.0), ("a dog", 3.0))),
    Shot("lemons --tile", "lemons", {"tile": True}),
    Shot("lemons --tile, laid 2 x 2", "lemons", {"tile": True}, repeat=2),
    *(Shot(f"sailboat --exp {exp}", LAKE, {"exp": exp}) for exp in (0, 50, 100)),
    Shot("sailboat --draft (512 px, coarse)", LAKE, {"draft": True}, size=256),
    *(Shot(f"meadow --quality {quality:g}", FIELD, {"quality": quality}) for quality in (0.25, 1, 2, 4)),
)


def drawn(engine: DioramaEngine, shot: Shot) -> Image.Image:
    """The cell's picture: one, a grid of four, or a tile laid several times."""
    rows = [
        Row(
            n,
            SEED,
            shot.prompt,
            shot.size,
            shot.size,
            segments=shot.segments,
            negative=shot.negative,
            model=shot.model,
            params=shot.params,
        )
        for n in range(shot.count)
    ]
    pictures = [result.image for result in engine.run(rows, NullSink())] * (shot.repeat**2)
    side = 2 if len(pictures) > 1 else 1
    part = CELL // side
    cell = Image.new("RGB", (CELL, CELL), "white")
    for place, picture in enumerate(pictures):
        small = picture.resize((part, part), Image.Resampling.LANCZOS)
        cell.paste(small, (place % side * part, place // side * part))
    return cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--only", default="", help="cells whose label has this in it")
    arguments = parser.parse_args()
    shots = [shot for shot in SHOTS if arguments.only in shot.label]
    engine, font = DioramaEngine(), ImageFont.load_default(14)
    step, lines = CELL + GAP, -(-len(shots) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * step + GAP, lines * (step + LABEL) + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, shot in enumerate(shots):
        left, top = GAP + place % COLUMNS * step, GAP + place // COLUMNS * (step + LABEL)
        sheet.paste(drawn(engine, shot), (left, top))
        pen.text((left, top + CELL + 4), shot.label, fill="#222222", font=font)
    sheet.save(arguments.out, quality=86)
    print(arguments.out, arguments.out.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main()
