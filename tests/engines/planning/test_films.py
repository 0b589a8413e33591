"""Rows of clips become plans of numbers: frames, sizes, words, and the truth about what was asked for."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import Clip, Frame, Op, Row, Source
from brushwork.engines.catalog.model import FILM, VERSIONS, Model
from brushwork.engines.catalog.reading import read_catalog
from brushwork.engines.diffusion.video.choosing import film_model_for
from brushwork.engines.diffusion.video.facts import FILM_FAMILIES
from brushwork.engines.diffusion.video.planning import MOVES, plan_film
from brushwork.engines.diffusion.video.timing import frames_at, head_places, timing_of
from brushwork.errors import Unavailable

CATALOG = read_catalog()
FILMS = {model.name: model for model in CATALOG.values() if model.kind == "video"}
I2V, TI2V, VACE = (FILMS[name] for name in ("wan-i2v-a14b", "wan-ti2v-5b", "wan-vace-14b"))
EACH = pytest.mark.parametrize("model", FILMS.values(), ids=lambda model: model.name)
SIZES = [(854, 480), (480, 854), (480, 480), (1280, 720), (1920, 480), (722, 1284)]


class Before:
    count = 120

    def frames(self, start: int, stop: int) -> Iterator[Frame]:
        for number in range(start, stop):
            yield np.full((480, 854, 3), number, np.uint8)


def row(*, size: tuple[int, int] = (854, 480), clip: dict[str, Any] | None = None, **how: Any) -> Row:
    own: dict[str, Any] = {"frames": 120, "write": lambda frame: None, **(clip or {})}
    usual: dict[str, Any] = {"index": 0, "seed": 1, "text": "a red fox", "op": Op.ANIMATE, "model": FILM}
    source = Source(Image.new("RGB", size, "olive"))
    return Row(width=size[0], height=size[1], clip=Clip(**own), **{**usual, "source": source, **how})


@EACH
def test_what_ships_is_permissive_and_says_how_it_is_drawn(model: Model) -> None:
    assert model.licence.name == "Apache-2.0"
    assert model.profiles.keys() == {FILM}
    assert not model.profiles.keys() & set(VERSIONS)
    assert model.max_side % FILM_FAMILIES[model.family].multiple == 0


@EACH
@pytest.mark.parametrize("size", SIZES)
def test_frames_have_sides_that_the_model_can_draw_and_the_row_can_be_cut_from(
    model: Model, size: tuple[int, int]
) -> None:
    plan = plan_film(row(size=size), model)
    multiple = FILM_FAMILIES[model.family].multiple
    assert (plan.width % multiple, plan.height % multiple) == (0, 0)
    assert all(
        0 <= drawn - inner < multiple for drawn, inner in zip((plan.width, plan.height), plan.inner, strict=True)
    )
    assert max(plan.inner) <= model.max_side
    assert plan.head[0].size == (plan.width, plan.height)
    assert ("frames_enlarged" in plan.degraded) == (max(size) > model.max_side)


@pytest.mark.parametrize("own_fps", [16, 24])
@pytest.mark.parametrize("fps", [16, 24, 30])
@pytest.mark.parametrize("wanted", [1, 8, 96, 120])
@pytest.mark.parametrize(("head", "pinned"), [(0, False), (0, True), (1, False), (17, False), (17, True)])
def test_every_wanted_frame_comes_from_drawn_ones_in_order(
    own_fps: int, fps: int, wanted: int, head: int, *, pinned: bool
) -> None:
    timing = timing_of(wanted=wanted, fps=fps, own_fps=own_fps, most=121, head=head, pinned=pinned)
    drawn = [np.full((1, 1, 3), 2 * number, np.uint8) for number in range(timing.drawn)]

    made = [int(frame[0, 0, 0]) for frame in timing.frames(drawn)]

    assert timing.drawn % 4 == 1
    assert len(made) == wanted
    assert all(abs(frame - 2 * timing.at(number)) <= 0.51 for number, frame in enumerate(made))
    assert made == sorted(made)
    if head:
        assert timing.at(0) > head - 1
    else:
        assert made[0] == 0
    if pinned and wanted > 1:
        assert made[-1] == 2 * (timing.drawn - 1)


def test_things_move_as_fast_as_the_model_has_learnt() -> None:
    """Five seconds are five seconds of what it draws, whatever its rate."""
    for own_fps, most in ((16, 81), (24, 121)):
        timing = timing_of(wanted=120, fps=24, own_fps=own_fps, most=most, head=0, pinned=False)
        assert timing.pace * 24 == pytest.approx(own_fps)
        assert timing.drawn == most


def test_a_clip_that_is_longer_than_the_model_can_keep_together_moves_slower() -> None:
    timing = timing_of(wanted=240, fps=24, own_fps=24, most=121, head=0, pinned=False)
    assert timing.drawn == 121
    assert timing.at(239) == pytest.approx(120)


def test_the_head_of_an_extension_is_the_end_of_the_clip_at_the_models_rate() -> None:
    places = head_places(120, fps=24, own_fps=16, head=17)
    assert (places[-1], places[-2], places[0]) == (119, 117.5, 95)
    frames = frames_at(places, Before().frames(95, 120), first=95)
    assert [int(frame[0, 0, 0]) for frame in (frames[0], frames[-1])] == [95, 119]
    assert int(frames[-2][0, 0, 0]) in (117, 118)
    plan = plan_film(row(op=Op.EXTEND, clip={"before": Before(), "frames": 96}), VACE)
    assert (len(plan.head), plan.timing.drawn) == (17, 81)
    assert "motion_not_continued" not in plan.degraded


def test_a_clip_shorter_than_the_head_begins_with_its_first_frame() -> None:
    assert head_places(5, fps=24, own_fps=24, head=7)[:3] == [0, 0, 0]


def test_the_model_that_honours_what_is_asked_is_taken() -> None:
    end = Source(Image.new("RGB", (854, 480)))
    asked = {
        "wan-ti2v-5b": row(),
        "wan-i2v-a14b": row(clip={"end": end}),
        "wan-vace-14b": row(op=Op.EXTEND, clip={"before": Before()}),
    }
    for name, wanted in asked.items():
        assert film_model_for(wanted, [TI2V, I2V, VACE]).name == name
    assert film_model_for(row(clip={"loop": True}), [TI2V]) is TI2V
    with pytest.raises(Unavailable, match="wan-ti2v-5b"):
        film_model_for(row(source=None), [I2V], known=list(FILMS.values()))


def test_what_is_not_honoured_is_said() -> None:
    params = {"loop": True, "motion": "high", "chaos": 5}
    asked = row(clip={"loop": True, "motion": "high"}, params=params, negative=("fog",))
    told = plan_film(asked, TI2V)
    assert set(told.degraded) == {"parameter:loop", "parameter:chaos"}
    assert told.applied == {"motion": "emulated", "no": "native"}
    assert plan_film(asked, I2V).applied == {"loop": "native", "motion": "emulated", "no": "native"}
    assert "frames_blended" in plan_film(asked, I2V).degraded
    unguided = plan_film(asked, replace(TI2V, distilled=True))
    assert "negative:fog" in unguided.degraded
    assert (unguided.negative, unguided.guidance) == ("", 1.0)


def test_raw_adds_nothing_and_admits_that_it_cannot_be_told_how_to_move() -> None:
    plan = plan_film(row(params={"raw": True, "motion": "high"}, clip={"motion": "high"}), I2V)
    assert (plan.text, plan.negative, plan.shift) == ("a red fox", "", 0.0)
    assert plan.applied == {"raw": "native"}
    assert "parameter:motion" in plan.degraded


def test_motion_is_said_and_gives_its_steps_to_what_moves() -> None:
    low, high = (plan_film(row(clip={"motion": motion}), I2V) for motion in ("low", "high"))
    assert MOVES["low"] in low.text
    assert MOVES["high"] in high.text
    assert high.shift > low.shift
    assert plan_film(row(size=(1280, 720)), I2V).shift > low.shift
