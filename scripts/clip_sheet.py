"""Draw a filmstrip of clips, one a row: `python scripts/clip_sheet.py sheet.webp "a sailboat at sunset" "lava"`."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from brushwork.engines.base import Row
from brushwork.engines.diorama.motion.clip import opened, shot
from brushwork.engines.diorama.motion.path import path_of
from brushwork.engines.diorama.rows import scene_for

PROMPTS = (
    "a sailboat on a mountain lake at sunrise",
    "a red fox in a flower meadow, windy",
    "a tropical beach with palms",
    "volcano eruption at night",
    "a waterfall in the jungle",
    "cyberpunk city street at night",
    "a thunderstorm over the sea",
    "heavy snow in a winter forest",
    "aurora over an arctic lake at night",
    "a coral reef with a clownfish",
    "hot air balloons above the clouds at dawn",
    "a planet and a nebula in space",
)


def strip_of(
    prompt: str, *, width: int, height: int, count: int, seconds: float, high: bool, loop: bool
) -> Image.Image:
    """`count` frames of one clip, side by side."""
    scene = scene_for(Row(0, 7, prompt, width, height, model="7", params={}))
    period = seconds if loop else None
    path = path_of(scene, "high" if high else "low", period=period)
    times = [seconds * number / (count if loop else count - 1) for number in range(count)]
    clip = shot(opened(scene, width, height, path=path, period=period, end=seconds), times)
    picture = Image.fromarray(np.concatenate(list(clip), axis=1))
    draw = ImageDraw.Draw(picture)
    label = f"{prompt} · {'high' if high else 'low'} motion"
    draw.text((7, 5), label, fill=(0, 0, 0))
    draw.text((6, 4), label, fill=(255, 255, 255))
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("prompts", nargs="*", default=list(PROMPTS))
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=184)
    parser.add_argument("--frames", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument(
        "--motion", choices=["low", "high", "both"], default="both", help="both: one row after the other"
    )
    parser.add_argument("--loop", action="store_true")
    asked = parser.parse_args()

    rows = []
    for number, prompt in enumerate(asked.prompts):
        high = asked.motion == "high" or (asked.motion == "both" and number % 2 == 1)
        size = {"width": asked.width, "height": asked.height, "count": asked.frames}
        rows.append(strip_of(prompt, **size, seconds=asked.seconds, high=high, loop=asked.loop))
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)))
    for number, row in enumerate(rows):
        sheet.paste(row, (0, number * row.height))
    sheet.save(asked.out, quality=82)


if __name__ == "__main__":
    main()
