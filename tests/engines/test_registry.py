"""Which engine is taken, and what is said when one cannot run."""

from pathlib import Path

import pytest

from brushwork.engines.registry import ENGINES, EngineEntry, EngineOptions, entry, usable
from brushwork.errors import Unavailable

FLOW_MODEL = Path(__file__).parent / "flow" / "model"


def test_auto_is_the_embedded_painter_even_where_the_learned_one_could_run() -> None:
    assert entry("auto", EngineOptions(flow_model=FLOW_MODEL)).name == "diorama"


def test_the_learned_painter_runs_with_the_weights_it_is_given() -> None:
    options = EngineOptions(flow_model=FLOW_MODEL)

    engine = usable("flow", options).build(options)

    assert engine.name == "flow"
    assert engine.capabilities()


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"has no model\.json, codec\.npz, text\.onnx"):
        usable("flow", EngineOptions(flow_model=tmp_path))


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_every_engine_can_be_looked_up_by_its_name(engine: EngineEntry) -> None:
    assert entry(engine.name) is engine


def test_an_unknown_engine_is_answered_with_those_there_are() -> None:
    with pytest.raises(Unavailable, match="diffusers, diorama, flow, remote, noop"):
        entry("banana")
