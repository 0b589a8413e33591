"""What things can be made of: a table of materials and the words that name them."""

from collections.abc import Mapping
from dataclasses import dataclass

Ramp = tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """How a stuff looks: its colours from shade to light, and what its surface does."""

    ramp: Ramp
    relief: float = 1.0
    """How strongly forms stand out and catch light."""
    gloss: float = 0.0
    """Sharp highlights, 0-1."""
    grain: str = "fine"
    """A texture of noise.py."""
    amount: float = 0.08
    stretch: float = 1.0
    """How many times longer than wide the grain is, along the forms."""
    size: float = 60.0
    """Of the grain, in pixels at 1024."""
    keep: float = 0.12
    """Share of the picture's own colours."""


def of(ramp: str, **surface: float | str) -> Material:
    """A material of five colours."""
    return Material(tuple(f"#{colour}" for colour in ramp.split()), **surface)  # type: ignore[arg-type]  # as the fields


MATERIALS: Mapping[str, Material] = {
    "gold golden gilded brass": of(
        "1f0f02 6e3f06 c98a18 f6cf55 fff6cf",
        relief=1.5,
        gloss=1.0,
        grain="soft",
        amount=0.05,
    ),
    "silver chrome steel metal metallic iron aluminium platinum": of(
        "0b0d12 3d444f 8b95a3 d5dce4 ffffff",
        relief=1.5,
        gloss=1.0,
        grain="soft",
        amount=0.05,
        keep=0.04,
    ),
    "copper bronze rusty rust": of(
        "1c0a04 5e2a12 ab5c2c dd9a63 ffe2c2",
        relief=1.4,
        gloss=0.7,
        grain="soft",
        amount=0.09,
    ),
    "ice frozen icy frost glacier": of(
        "0c2a4a 2f78b0 86c5e6 d3f0fb ffffff",
        relief=1.3,
        gloss=0.8,
        grain="cells",
        amount=0.1,
        size=1500,
        keep=0.06,
    ),
    "glass crystal transparent diamond gem jewel": of(
        "0a1e26 2f6f78 86c2c0 d6f3ee ffffff",
        relief=1.2,
        gloss=1.0,
        grain="cells",
        size=1800,
        keep=0.3,
    ),
    "wood wooden oak bamboo timber bark": of(
        "23120a 5c3519 96602f c99255 edc88f",
        relief=1.2,
        gloss=0.1,
        grain="soft",
        amount=0.5,
        stretch=14.0,
        size=45,
        keep=0.06,
    ),
    "stone rock granite concrete cement statue sandstone": of(
        "1d1c1b 4d4a46 837e77 b4aea5 e0dcd3",
        relief=1.5,
        amount=0.2,
        size=240,
        keep=0.05,
    ),
    "marble porcelain ceramic alabaster plaster": of(
        "5a5650 a39d94 d9d4ca f3efe7 ffffff",
        relief=1.1,
        gloss=0.5,
        grain="soft",
        amount=0.12,
        stretch=3.0,
        size=300,
        keep=0.05,
    ),
    "lava fire magma flames burning ember": of(
        "160400 5a0d02 c6330a ff8f1f fff1a6",
        gloss=0.2,
        grain="ridge",
        amount=0.22,
        size=420,
        keep=0.05,
    ),
    "water liquid ocean waves": of(
        "031421 0b4468 1f88ad 7cd0de e9fcff",
        relief=1.2,
        gloss=0.8,
        grain="soft",
        amount=0.12,
        stretch=4.0,
        size=160,
        keep=0.15,
    ),
    "chocolate caramel coffee": of(
        "180b05 43210f 7a4322 a96a3c dcab7c",
        relief=1.4,
        gloss=0.7,
        grain="soft",
        amount=0.04,
        keep=0.08,
    ),
    "candy bubblegum sugar jelly": of(
        "3b1c32 a64b7e e88db5 ffc9dd fff3f7",
        relief=1.4,
        gloss=0.9,
        grain="soft",
        amount=0.04,
        keep=0.35,
    ),
    "wool knitted knit yarn felt crochet embroidery fabric cloth textile": of(
        "3a2f28 8a7562 c3ad94 e6d8c3 fbf4e8",
        relief=0.9,
        amount=0.24,
        stretch=2.5,
        size=90,
        keep=0.6,
    ),
    "leather": of(
        "180d08 472716 7c4a2b ab754a d6ab7e",
        relief=1.2,
        gloss=0.3,
        grain="cells",
        amount=0.14,
        size=160,
    ),
    "moss grass leaves leaf plants ivy jungle vegetation foliage": of(
        "0b1a07 254d15 4b8428 86b94c cfe596",
        relief=1.1,
        amount=0.3,
        size=170,
    ),
    "paper origami papercraft cardboard": of(
        "6a6458 aaa294 d8d1c3 f0ebe0 ffffff",
        relief=0.9,
        amount=0.07,
        size=200,
        keep=0.55,
    ),
    "snow snowy": of(
        "24344a 6f8bab b7cbe0 e6eff8 ffffff",
        gloss=0.2,
        grain="soft",
        size=200,
        keep=0.1,
    ),
    "sand sandy": of(
        "3a2713 8e6a3c c9a468 e9cf9b fdf1d4",
        amount=0.15,
        size=240,
        keep=0.06,
    ),
    "obsidian coal onyx": of(
        "05070d 141a2c 2b3552 6470a0 dfe6ff",
        relief=1.5,
        gloss=1.0,
        grain="cells",
        amount=0.06,
        keep=0.03,
    ),
    "jade emerald": of(
        "06231a 0f5a41 2f9a70 86d3ab e4fbee",
        relief=1.3,
        gloss=0.7,
        grain="soft",
        amount=0.1,
        keep=0.04,
    ),
    "robot mechanical machine cyborg steampunk": of(
        "101216 3a3f48 8a929d c9cfd6 f7f9fb",
        relief=1.4,
        gloss=0.8,
        grain="cells",
        amount=0.1,
        size=300,
        keep=0.2,
    ),
}
"""Words → material."""
NAMES: Mapping[str, Material] = {word: material for words, material in MATERIALS.items() for word in words.split()}
