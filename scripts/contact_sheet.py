"""Draws the contact sheet of the embedded painter: every prompt of a list once, in a grid, with nothing chosen by hand.

python scripts/contact_sheet.py                                   # docs/pictures/contact_sheet.webp
python scripts/contact_sheet.py --prompts FILE --out FILE --size 512 --columns 8 --seed 7
"""

import argparse
import time
from pathlib import Path

from PIL import Image

from brushwork.engines.base import NullSink, Row, RowResult
from brushwork.engines.diorama.engine import DioramaEngine

HERE = Path(__file__).parent


def prompts_of(path: Path) -> list[str]:
    """One a line; lines that begin with # are notes."""
    return [line.strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]


def draw(prompts: list[str], *, size: int, seed: int) -> list[RowResult]:
    engine, results = DioramaEngine(), []
    for start in range(0, len(prompts), 2):
        began = time.perf_counter()
        pair = prompts[start : start + 2]
        rows = [Row(0, seed + start + i, prompt, size, size, model="7") for i, prompt in enumerate(pair)]
        for prompt, result in zip(pair, engine.run(rows, NullSink()), strict=True):
            results.append(result)
            print(f"{len(results):3} {prompt}  {' '.join(result.degraded)}")
        print(f"    {time.perf_counter() - began:.1f} s")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=Path, default=HERE / "prompts_40.txt")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs/pictures/contact_sheet.webp")
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--cell", type=int, default=320)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    results = draw(prompts_of(arguments.prompts), size=arguments.size, seed=arguments.seed)
    columns, cell, gap = arguments.columns, arguments.cell, 4
    rows = -(-len(results) // columns)
    sheet = Image.new("RGB", (columns * (cell + gap) - gap, rows * (cell + gap) - gap), "white")
    for number, result in enumerate(results):
        picture = result.image.resize((cell, cell), Image.Resampling.LANCZOS)
        sheet.paste(picture, (number % columns * (cell + gap), number // columns * (cell + gap)))
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(arguments.out, quality=88)
    print(arguments.out, sheet.size)


if __name__ == "__main__":
    main()
