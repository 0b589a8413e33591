"""Clips of pictures that no Scene describes."""

from itertools import pairwise

import numpy as np
import pytest

from brushwork.engines.diorama.motion.clip import Frame
from brushwork.engines.diorama.motion.still import still_frames


def a_picture() -> Frame:
    y, x = np.mgrid[0:72, 0:128]
    stripes = 120 + 60 * np.sin(x / 5) + 40 * np.cos(y / 7)
    return np.stack([stripes, stripes * 0.8, 255 - stripes], axis=-1).astype(np.uint8)


def apart(one: Frame, other: Frame) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())


@pytest.mark.parametrize("motion", ["low", "high"])
def test_it_begins_with_the_picture_and_moves_evenly(motion: str) -> None:
    picture = a_picture()

    found = list(still_frames(picture, seconds=1, motion=motion))  # type: ignore[arg-type]  # parametrised

    assert (found[0] == picture).all()
    steps = [apart(one, other) for one, other in pairwise(found)]
    assert min(steps[4:]) > 0  # it starts from rest
    assert max(steps) < 6


def test_its_loop_is_exact() -> None:
    first = list(still_frames(a_picture(), seconds=1, loop=True))
    second = list(still_frames(a_picture(), seconds=1, loop=True, start=1.0))

    assert all((one == other).all() for one, other in zip(first, second, strict=True))
    assert apart(first[-1], first[0]) < 3


def test_it_goes_on_where_it_ended() -> None:
    whole = list(still_frames(a_picture(), seconds=2))
    rest = list(still_frames(a_picture(), seconds=1, start=1.0))

    assert all((one == other).all() for one, other in zip(whole[24:], rest, strict=True))


def test_what_is_near_moves_more_than_what_is_far() -> None:
    near = np.zeros((72, 128), np.float32)
    near[:, 64:] = 1.0

    found = list(still_frames(a_picture(), near, seconds=1, motion="high"))

    change = np.abs(found[0].astype(np.int16) - found[-1]).mean(axis=(0, 2))
    assert change[100:].mean() > change[:28].mean()


@pytest.mark.parametrize("air", ["snow", "rain"])
def test_snow_or_rain_begins_softly_and_its_loop_is_exact(air: str) -> None:
    asked = {"seconds": 1, "loop": True}
    dry = list(still_frames(a_picture(), **asked))  # type: ignore[arg-type]  # parametrised
    first = list(still_frames(a_picture(), **asked, air=air))  # type: ignore[arg-type]
    second = list(still_frames(a_picture(), **asked, air=air, start=3.0))  # type: ignore[arg-type]

    assert (first[0] == a_picture()).all()
    assert apart(first[1], dry[1]) < apart(first[12], dry[12])
    assert all((one == other).all() for one, other in zip(first, second, strict=True))
