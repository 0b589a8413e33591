"""Room for drawing follows what was measured, with figures that are told."""

from dataclasses import dataclass

import pytest

from brushwork.engines.diffusion.peaks import RECENT, SPARE, Peaks, kind_of

GB = 2**30
SMALL, LARGE = kind_of("sdxl", 1024 * 1024), kind_of("sdxl", 4 * 1024 * 1024)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_never_drawn_gets_what_is_guessed() -> None:
    assert Peaks(4 * GB).wanted(SMALL) == 4 * GB


def test_the_largest_that_was_measured_is_kept_free_and_never_less_than_the_guess() -> None:
    peaks = Peaks(4 * GB)
    for taken in (6 * GB, 2 * GB):
        peaks.saw(LARGE, taken)
    peaks.saw(SMALL, 2 * GB)

    assert peaks.wanted(SMALL) == 4 * GB
    assert peaks.wanted(LARGE) == round(SPARE * 6 * GB)


def test_kinds_that_take_turns_keep_each_others_room_for_a_while() -> None:
    clock = Clock()
    peaks = Peaks(GB, clock)
    peaks.saw(LARGE, 6 * GB)
    peaks.wanted(LARGE)

    clock.now = RECENT - 1
    assert peaks.wanted(SMALL) == round(SPARE * 6 * GB)
    clock.now = RECENT + 1
    assert peaks.wanted(SMALL) == GB
    assert peaks.wanted(LARGE) == round(SPARE * 6 * GB)


@pytest.mark.parametrize(
    ("pixels", "others", "alike"),
    [(1024 * 1024, 1024 * 1024 - 9, True), (1024 * 1024, 1024 * 1024 + 1, False), (640 * 640, 640 * 512, True)],
)
def test_kinds_are_told_apart_by_doublings(pixels: int, others: int, alike: bool) -> None:
    assert (kind_of("sdxl", pixels) == kind_of("sdxl", others)) == alike
    assert kind_of("sdxl", pixels) != kind_of("z-image", pixels)
