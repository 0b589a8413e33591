"""Diffusion: a prompt becomes four resolved rows, a price and a lane."""

import json
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brushwork.engines.base import NullSink, Row, RowCancelled
from brushwork.engines.noop import NoopEngine
from brushwork.errors import PromptGrammarError, PromptValueError
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome, Run
from brushwork.tasks.diffusion import Diffusion
from brushwork.tasks.references import weighed


def rows(text: str, seed: int = 7) -> list[Row]:
    return Diffusion(text=text).rows(seed)


@pytest.mark.parametrize(
    ("text", "points", "lane"),
    [
        ("a fox", 80, "fast"),
        ("a fox --turbo", 160, "turbo"),
        ("a fox --draft", 40, "draft"),
        ("a fox --draft --turbo", 80, "turbo"),
        ("a fox --v 8 --hd", 320, "fast"),
        ("a fox --v 8 --hd --q 4", 1280, "fast"),
        ("a fox --v 8.1 --hd", 80, "fast"),
        ("a fox --oref https://e.com/a.png", 160, "fast"),
    ],
)
def test_the_prompt_sets_the_price_and_the_lane(text: str, points: int, lane: str) -> None:
    task = Diffusion(text=text)

    assert (task.price(), task.speed) == (points, lane)


@pytest.mark.parametrize(
    ("text", "plan"), [("x", "free"), ("x --niji 6", "free"), ("x --v 8", "pro"), ("x --v 8.1", "pro")]
)
def test_newer_versions_need_the_pro_plan(text: str, plan: str) -> None:
    assert Diffusion(text=text).plan == plan


def test_a_bad_prompt_is_refused_before_anything_happens() -> None:
    with pytest.raises(PromptGrammarError, match="--foo"):
        Diffusion(text="a cat --foo 3").check()
    with pytest.raises(PromptValueError, match="--ar"):
        Diffusion(text="a cat --ar 40:1").check()


def test_the_seed_of_the_prompt_is_the_seed_of_the_job() -> None:
    assert Diffusion(text="a cat --seed 12").seed() == 12
    assert Diffusion(text="a cat --seed 0").seed() == 0
    assert Diffusion(text="a cat").seed() is None


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("x", (1024, 1024)),
        ("x --draft", (512, 512)),
        ("x --v 8 --hd", (2048, 2048)),
        ("x --v 8.1", (2048, 2048)),
        ("x --ar 16:9", (1366, 768)),
        ("x --ar 2:3", (836, 1254)),
    ],
)
def test_sizes_keep_the_area_and_the_ratio(text: str, size: tuple[int, int]) -> None:
    assert {(row.width, row.height) for row in rows(text)} == {size}


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_every_legal_ratio_gives_even_sides_of_that_ratio(width: int, height: int) -> None:
    if max(width, height) > 14 * min(width, height):
        return

    row = rows(f"x --ar {width}:{height}")[0]

    assert row.width % 2 == row.height % 2 == 0
    assert isclose(row.width / row.height, width / height, rel_tol=0.01)
    assert isclose(row.width * row.height, 1024 * 1024, rel_tol=0.02)


def test_rows_carry_all_that_an_engine_may_use_and_nothing_that_is_settled() -> None:
    four = rows("cat::2 dog::1 --no snow, ice --chaos 30 --ar 1:1 --seed 5 --fast --tile --sref 123")

    assert [row.index for row in four] == [0, 1, 2, 3]
    assert four[0].segments == (("cat", 2.0), ("dog", 1.0))
    assert four[0].negative == ("snow", "ice")
    assert set(four[0].params) == {"chaos", "tile", "sref"}
    assert {row.seed for row in four} == {7}


def test_a_job_survives_the_database() -> None:
    task = Diffusion(text="a cat --ar 3:2", callback="https://e.com/hook")

    again = TASKS["diffusion"].model_validate(json.loads(task.model_dump_json()))

    assert again == task


def test_running_gives_four_pictures_in_order() -> None:
    outcome = Diffusion(text="a cat --ar 3:2").run(Run(engine=NoopEngine(), seed=7, sink=NullSink()))

    assert [image.getpixel((0, 0)) for image in outcome.images] == [(7, 0, 0), (8, 0, 0), (9, 0, 0), (10, 0, 0)]
    assert outcome.applied == {"ar": "native"}
    assert outcome.degraded == ["engine:noop"]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (Outcome(applied={"sref": "native"}), Outcome(applied={"sref": "native", "sw": "native"})),
        (Outcome(degraded=["parameter:sref"]), Outcome(degraded=["parameter:sref", "parameter:sw"])),
        (Outcome(applied={"sref": "native", "sw": "emulated"}), Outcome(applied={"sref": "native", "sw": "emulated"})),
        (Outcome(), Outcome()),
    ],
)
def test_what_became_of_a_weight_is_told_with_what_it_weighs(made: Outcome, told: Outcome) -> None:
    assert said(weighed(made, {"sref": "a picture", "sw": 300})) == said(told)
    assert said(weighed(made, {"sref": "a picture"})) == said(made)


def said(outcome: Outcome) -> tuple[dict[str, str], list[str]]:
    return dict(outcome.applied), list(outcome.degraded)


class ImpatientSink(NullSink):
    def step(self, row: Row, done: int, total: int) -> None:
        if row.index == 2 and done == 5:
            raise RowCancelled


def test_a_cancelled_row_cancels_the_task() -> None:
    with pytest.raises(RowCancelled):
        Diffusion(text="a cat").run(Run(engine=NoopEngine(), seed=7, sink=ImpatientSink()))
