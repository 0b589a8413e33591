"""What each family of video models does with what it is given, written by hand: diffusers accepts more than it honours.

Knows no torch. Every line has a test that shows it on a tiny pipeline.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Words = Literal["needs_picture", "words_alone"]


@dataclass(frozen=True)
class FilmFacts:
    """One family."""

    multiple: int
    """Sides of drawn frames are multiples of this: the factor of the decoder, times the patch of the transformer."""
    fps: int
    """At which it has learnt how things move."""
    most: int
    """Frames of one clip at most: as many as it has learnt to keep together."""
    begins: Words
    """Whether it can begin without a first frame."""
    last: bool
    """Whether a last frame is honoured. The pipeline of TI2V takes `last_image`, and draws the same without it."""
    head: int = 1
    """Frames of an earlier clip that it goes on from. With one it sees where things are, not where they are going."""


CLIP_STRIDE = 4
"""Frames that become one latent; the first is alone, so clips have 4n + 1 frames."""

FILM_FAMILIES: Mapping[str, FilmFacts] = {
    "wan-i2v": FilmFacts(multiple=16, fps=16, most=81, begins="needs_picture", last=True),
    "wan-ti2v": FilmFacts(multiple=32, fps=24, most=121, begins="words_alone", last=False),
    "wan-vace": FilmFacts(multiple=16, fps=16, most=81, begins="words_alone", last=True, head=17),
}
