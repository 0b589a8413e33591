"""What a picture shows: sure of the painter's pictures, careful with others, the same answer always."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from brushwork.engines.base import NullSink, Row
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.engines.diorama.scene import PLACES, STYLES
from brushwork.engines.diorama.words.lexicon import concepts
from brushwork.engines.tools.describe import thing
from brushwork.engines.tools.network import session
from brushwork.engines.tools.tags import TAGS, classes, colours_of, kind_names, recognise, seen_size

PHOTOS = Path(__file__).parent / "photos"
EVERY = 45
"""Each so many-th thing is asked for."""
ENOUGH = 0.7


def painted(prompt: str, seed: int = 4711) -> Image.Image:
    return DioramaEngine(workers=1).run([Row(0, seed, prompt, 288, 288, model="7")], NullSink())[0].image


def test_most_things_of_the_painter_are_recognised() -> None:
    names = list(concepts())[::EVERY]
    seen = [recognise(painted(thing(name, 1, None))).concepts for name in names]
    right = [bool(each) and each[0][0] == name for each, name in zip(seen, names, strict=True)]

    assert sum(right) / len(right) >= ENOUGH


def test_scenery_and_style_are_recognised() -> None:
    tags = recognise(painted("an astronaut on mars, watercolor painting"))

    assert tags.place[0] == "mars"
    assert tags.style[0] == "watercolor"
    assert recognise(painted("a coral reef with fish")).place[0] == "underwater"


@pytest.mark.parametrize(("name", "kind"), [("chelsea", "cat"), ("coffee", "cup")])
def test_photographs_give_the_right_kind_of_thing(name: str, kind: str) -> None:
    tags = recognise(Image.open(PHOTOS / f"{name}.webp"))

    assert tags.kind[0] == kind
    assert not [concept for concept, probability in tags.concepts if probability > 0.2]


def test_the_same_picture_has_the_same_tags_with_any_number_of_threads() -> None:
    image = Image.open(PHOTOS / "coffee.webp")

    assert recognise(image) == recognise(image.copy())
    once, again = recognise(image, threads=1), recognise(image, threads=2)
    assert (once.kind[0], once.place[0], once.colours) == (again.kind[0], again.place[0], again.colours)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (33, 400), (500, 20)])
def test_every_kind_and_shape_of_picture_is_looked_at(mode: str, size: tuple[int, int]) -> None:
    image = Image.new(mode, size)

    tags = recognise(image)

    assert tags.size == size
    assert 0 <= tags.foreign <= 1


def test_what_is_transparent_is_white() -> None:
    tags = recognise(Image.new("RGBA", (40, 40)))

    assert tags.colours == (("white", 1.0),)


@pytest.mark.parametrize("size", [(1024, 1024), (3000, 100), (100, 3000), (1920, 1080)])
def test_the_network_sees_whole_steps_of_about_one_size(size: tuple[int, int]) -> None:
    width, height = seen_size(*size)

    assert width % 32 == height % 32 == 0
    assert 0.75 < width * height / 288**2 < 1.3


def test_colours_are_named_by_their_share() -> None:
    image = Image.new("RGB", (64, 64), (30, 60, 220))
    ImageDraw.Draw(image).rectangle((0, 0, 63, 15), fill=(220, 30, 30))

    assert colours_of(np.asarray(image)) == (("blue", 0.75), ("red", 0.25))


def test_the_network_knows_the_painter() -> None:
    outputs = {each.name: each.shape[-1] for each in session(TAGS, 1).get_outputs()}
    known = set(classes()["concept"]) & set(concepts())

    assert len(known) > 0.9 * len(concepts())  # train again when many things are new
    assert (classes()["place"], classes()["style"]) == (PLACES, STYLES)
    assert outputs["concept"] == len(classes()["concept"])
    assert outputs["scenery"] == sum(map(len, classes().values())) - outputs["concept"]
    assert len(kind_names()) == outputs["kinds"] == 1000


def test_the_network_is_the_one_of_the_card() -> None:
    assert hashlib.sha256(TAGS.path.read_bytes()).hexdigest() == TAGS.sha256
    assert TAGS.sha256 in (TAGS.path.parent / "tags.md").read_text(encoding="utf-8")
    assert TAGS.path.stat().st_size < 16e6


def test_importing_the_tool_loads_no_runtime() -> None:
    script = "import sys, brushwork.engines.tools.describe; sys.exit('onnxruntime' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
