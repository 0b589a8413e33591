"""Draw a contact sheet of a trained model: pure, and from drafts of the embedded painter beside the drafts themselves.

    python -m training.flow.sheet MODEL_FOLDER SHEET.webp --columns 4

Each cell is three pictures of one prompt: from noise alone, the draft, and what the network made of it.
"""

import argparse
import time
from pathlib import Path

from PIL import Image, ImageDraw

from brushwork.engines.base import NullSink, Row
from brushwork.engines.flow.engine import FlowEngine

PROMPTS = (
    "sunset over the sea",
    "snow capped mountains",
    "a mountain lake at dawn",
    "pine forest in winter, snow",
    "sand dunes in the desert",
    "red canyon under a blue sky",
    "erupting volcano at night",
    "tropical island",
    "northern lights over hills",
    "lavender field at sunset",
    "autumn forest, oil painting",
    "cyberpunk city at night",
    "outer space with planets",
    "underwater",
    "foggy meadow, watercolor",
    "city skyline at dusk, pixel art",
    "sea, ukiyo-e",
    "a red fox in the forest",
    "a sailboat on the sea",
    "a hot air balloon over hills",
)
CELL, TITLE = 192, 18


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--level", type=float, default=0.5, help="noise over the drafts")
    parser.add_argument("--side", type=int, default=512, help="of each picture, before it is made small for the sheet")
    given = parser.parse_args()
    pure, drafting = (FlowEngine(given.model, draft=level) for level in (0, given.level))
    rows = [Row(0, given.seed, text, given.side, given.side) for text in PROMPTS]
    began = time.monotonic()
    alone = [pure.run([row], NullSink())[0].image for row in rows]
    print(f"{(time.monotonic() - began) / len(rows):.2f} s for one picture of {given.side} pixels")
    drafts = [drafting.painter.run([row], NullSink())[0].image for row in rows]
    taken_over = [drafting.run([row], NullSink())[0].image for row in rows]
    sheet = put_together(list(zip(PROMPTS, alone, drafts, taken_over, strict=True)), columns=given.columns)
    sheet.save(given.sheet, quality=80)


def put_together(cells: list[tuple[str, Image.Image, Image.Image, Image.Image]], *, columns: int) -> Image.Image:
    tall = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * 3 * CELL, tall * (CELL + TITLE)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (prompt, *pictures) in enumerate(cells):
        left, top = number % columns * 3 * CELL, number // columns * (CELL + TITLE)
        draw.text((left + 4, top + 3), f"{prompt}: from noise · draft · taken over", fill="black")
        for place, picture in enumerate(pictures):
            small = picture.resize((CELL, CELL), Image.Resampling.LANCZOS)
            sheet.paste(small, (left + place * CELL, top + TITLE))
    return sheet


if __name__ == "__main__":
    main()
