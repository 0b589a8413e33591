"""Steps: how many, from which, to which."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brushwork.engines.base import Op
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.planning import passes
from brushwork.engines.diffusion.planning.schedule import FINEST, schedule_of
from brushwork.engines.diffusion.planning.sizes import Size
from tests.engines.planning.models import BASE, KLEIN, SDXL, TURBO, planned, source


@given(st.integers(1, 100), st.floats(0.01, 1), st.integers(10, 100))
def test_at_least_one_step_is_drawn_and_none_is_outside_of_the_schedule(steps: int, strength: float, stop: int) -> None:
    schedule = schedule_of(steps, strength=strength, stop=stop)

    assert 0 <= schedule.start < schedule.end <= schedule.steps
    assert steps <= schedule.steps <= max(steps, FINEST)
    assert (schedule.stop == 0) == (schedule.end == schedule.steps)


@given(st.integers(4, 60), st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_greater_strength_draws_from_noisier_pictures(steps: int, one: float, other: float) -> None:
    low, high = (schedule_of(steps, strength=strength) for strength in sorted((one, other)))

    assert low.start / low.steps >= high.start / high.steps - 1 / (2 * steps)


@given(st.integers(4, 60), st.floats(0.1, 0.99))
def test_where_drawing_begins_is_as_noisy_as_the_strength_says(steps: int, strength: float) -> None:
    schedule = schedule_of(steps, strength=strength)

    assert abs(schedule.drawn / schedule.steps - strength) <= max(0.5, 1 - 1e-9) / schedule.steps + 1e-9


def test_strength_nothing_draws_nothing() -> None:
    schedule = schedule_of(8, strength=0)

    assert schedule.drawn == 0


@pytest.mark.parametrize(("stop", "end"), [(10, 4), (50, 18), (97, 35), (100, 36)])
def test_stop_leaves_out_the_last_steps(stop: int, end: int) -> None:
    plan = planned(BASE, model="8", params={"stop": stop})

    assert plan.end == end
    assert plan.applied["stop"] == "native"


def test_a_stop_that_leaves_out_no_step_is_admitted_to_have_no_effect() -> None:
    plan = planned(KLEIN, model="6", params={"stop": 90})

    assert plan.end == plan.steps
    assert "parameter:stop" in plan.degraded
    assert "stop" not in plan.applied


@pytest.mark.parametrize(
    ("model", "version", "quality", "steps", "honoured"),
    [
        (SDXL, "6.1", 0.5, 14, True),
        (SDXL, "6.1", 2, 56, True),
        (SDXL, "6.1", 4, 60, True),  # the most it can
        (TURBO, "7", 2, 14, True),
        (TURBO, "7", 4, 16, True),
        (KLEIN, "7", 0.25, 2, True),
        (KLEIN, "7", 4, 8, True),
    ],
)
def test_quality_changes_the_number_of_steps_within_the_models_bounds(
    model: Model, version: str, quality: float, steps: int, honoured: bool
) -> None:
    plan = planned(model, model=version, params={"quality": quality})

    assert plan.steps == steps
    assert (plan.applied.get("quality") == "native") is honoured


def test_a_quality_that_the_bounds_swallow_is_admitted() -> None:
    bound_model = replace(SDXL, steps=replace(SDXL.steps, least=28, most=28))
    bound = planned(bound_model, model="6.1", params={"quality": 2})

    assert bound.steps == 28
    assert "parameter:quality" in bound.degraded


def test_a_draft_takes_the_profiles_draft_steps_or_half_of_the_steps() -> None:
    assert planned(TURBO, model="7", params={"draft": True}).steps == 5
    assert planned(SDXL, model="6.1", params={"draft": True}).steps == 14


def test_the_cost_counts_texts_guidance_and_panes() -> None:
    plain = planned(TURBO, model="7")
    guided = planned(SDXL, model="6.1", segments=(("fox", 1.0), ("snow", 2.0)))
    paned = planned(SDXL, model="6.1", width=2048, height=2048, op=Op.UPSCALE, source=source())

    assert passes(plain) == plain.steps
    assert passes(guided) == guided.steps * 3
    assert paned.panes == 1024
    assert passes(paned) == (paned.end - paned.start) * 2 * 9
    assert Size(paned.width, paned.height) == Size(2048, 2048)
