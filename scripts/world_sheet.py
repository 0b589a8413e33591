"""Draw a labelled contact sheet of places and hours: `python scripts/world_sheet.py sheet.jpg --size 320`."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from brushwork.engines.diorama.scene import TIMES, WEATHERS, Scene, natural_view
from brushwork.engines.diorama.worlds.places import PLACES
from brushwork.engines.diorama.worlds.world import paint_world


def scene_at(place: str, time: str, weather: str, seed: int) -> Scene:
    """A scene of the place as its own table row likes to be seen."""
    row = PLACES[place]
    return Scene(
        seed=seed,
        place=place,
        time=time or row.default_time,
        weather=weather,
        season=row.default_season,
        eye=row.eye,
        pitch=row.pitch,
        focal=row.focal,
    )


def picture_of(scene: Scene, size: int) -> Image.Image:
    color = paint_world(scene, natural_view(scene, size, size)).color
    picture = Image.fromarray((np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8))
    label = f"{scene.place}, {scene.time}" + (f", {scene.weather}" if scene.weather != "clear" else "")
    draw = ImageDraw.Draw(picture)
    draw.text((7, 5), label, fill=(0, 0, 0))
    draw.text((6, 4), label, fill=(255, 255, 255))
    return picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--columns", type=int, default=0, help="pictures a row; by default one place a row")
    parser.add_argument("--places", nargs="*", default=list(PLACES), choices=list(PLACES))
    parser.add_argument("--times", nargs="*", default=["dawn", "noon", "sunset", "night"], choices=[*TIMES, "default"])
    parser.add_argument("--weather", default="clear", choices=WEATHERS)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()

    hours = ["" if time == "default" else time for time in asked.times]
    cells = [(place, time) for place in asked.places for time in hours]
    columns = asked.columns or len(hours)
    rows = -(-len(cells) // columns)
    sheet = Image.new("RGB", (columns * asked.size, rows * asked.size))
    for n, (place, time) in enumerate(cells):
        scene = scene_at(place, time, asked.weather, asked.seed + 7 * n)
        sheet.paste(picture_of(scene, asked.size), (n % columns * asked.size, n // columns * asked.size))
    sheet.save(asked.out, quality=90)


if __name__ == "__main__":
    main()
