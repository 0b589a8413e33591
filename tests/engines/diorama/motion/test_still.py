"""Clips of pictures that no Scene describes."""

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest

from brushwork.engines.diorama.motion.clip import Frame
from brushwork.engines.diorama.motion.still import drift_of, still_frames


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


PANS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "up": (0.0, -1.0), "down": (0.0, 1.0)}


@pytest.mark.parametrize("motion", ["low", "high"])
@pytest.mark.parametrize("way", PANS)
def test_a_window_that_is_sent_somewhere_goes_there(way: str, motion: Any) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (90, 160, 3), np.uint8)
    picture = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8)
    usual, sent = (drift_of(picture, motion=motion, aside=0.0, pan=pan) for pan in ((0.0, 0.0), PANS[way]))
    back = drift_of(picture, motion=motion, aside=0.0, pan=(-PANS[way][0], -PANS[way][1]))

    one, other = (drift.at(5.0).mean(axis=2).astype(np.float32) for drift in (sent, back))
    (across, down), _ = cv2.phaseCorrelate(one, other)

    right, below = PANS[way]
    along, beside = (across * right, down) if right else (down * below, across)
    assert along > 0.03 * (160 if right else 90)  # what is seen goes the other way
    assert abs(beside) < 1
    assert (sent.at(0) == usual.at(0)).all()


@pytest.mark.parametrize("near", [0.0, 1.0])
@pytest.mark.parametrize("pan", [(-1.0, 0.0), (1.0, 0.0), (0.6, 0.0)])
@pytest.mark.parametrize("seconds", [1.0, 5.0, 21.0])
def test_no_border_comes_into_the_picture(seconds: float, pan: tuple[float, float], near: float) -> None:
    slope = np.repeat(np.linspace(0, 255, 160, dtype=np.float32)[None, :], 90, 0)
    picture = np.repeat(slope[..., None], 3, 2).astype(np.uint8)
    drift = drift_of(picture, np.full((90, 160), near, np.float32), motion="high", pan=pan, aside=pan[0])

    row = drift.at(seconds)[45, :, 0].astype(int)

    assert (np.diff(row) >= 0).all()  # a reflected border would turn back
    assert row[-1] - row[0] > 100


@pytest.mark.parametrize("air", ["snow", "rain"])
def test_snow_or_rain_begins_softly_and_its_loop_is_exact(air: str) -> None:
    asked = {"seconds": 1, "loop": True}
    dry = list(still_frames(a_picture(), **asked))  # type: ignore[arg-type]  # parametrised
    first = list(still_frames(a_picture(), **asked, air=air))  # type: ignore[arg-type]
    second = list(still_frames(a_picture(), **asked, air=air, start=3.0))  # type: ignore[arg-type]

    assert (first[0] == a_picture()).all()
    assert apart(first[1], dry[1]) < apart(first[12], dry[12])
    assert all((one == other).all() for one, other in zip(first, second, strict=True))
