"""What engines tell of themselves."""

from brushwork.engines.base import FIGURES, Figure, figures_of
from brushwork.engines.diffusion.figures import ResidencyStats, StepTimes
from brushwork.engines.noop import NoopEngine

STATS = ResidencyStats(
    device_bytes=70,
    host_bytes=90,
    reserve=5,
    models=2,
    components=6,
    shared=1,
    loads=6,
    moves=9,
    evictions=3,
    load_seconds=1.5,
    move_seconds=0.25,
)


def test_an_engine_that_counts_nothing_has_no_figures() -> None:
    assert figures_of(NoopEngine()) == ()


def test_bytes_are_told_by_place_and_every_name_is_known() -> None:
    figures = STATS.figures()

    assert Figure("model_bytes", 70, {"place": "device"}) in figures
    assert Figure("model_bytes", 90, {"place": "host"}) in figures
    assert Figure("model_evictions_total", 3) in figures
    assert {figure.name for figure in figures} == {name for name in FIGURES if "step" not in name}


def test_steps_and_their_seconds_add_up_by_model() -> None:
    times = StepTimes()
    for model, steps, seconds in (("sdxl", 4, 1.0), ("z-image", 1, 0.5), ("sdxl", 2, 0.25)):
        times.add(model, steps=steps, seconds=seconds)

    assert times.figures() == [
        Figure("model_steps_total", 6, {"model": "sdxl"}),
        Figure("model_step_seconds_total", 1.25, {"model": "sdxl"}),
        Figure("model_steps_total", 1, {"model": "z-image"}),
        Figure("model_step_seconds_total", 0.5, {"model": "z-image"}),
    ]
    assert {figure.name for figure in times.figures()} == {name for name in FIGURES if "step" in name}
