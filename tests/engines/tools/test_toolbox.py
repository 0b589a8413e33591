"""The seam between tasks and the tools an engine brings along."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import Ask, NullSink, always_wanted
from brushwork.engines.noop import NoopEngine
from brushwork.engines.tools.matting_depth import Bytes
from brushwork.engines.tools.network import Floats
from brushwork.engines.tools.toolbox import SHIPPED_TOOLS, Cutter, Toolbox, tools_of
from brushwork.tasks import TASKS
from brushwork.tasks.base import Outcome, Run
from tests.tasks.running import given_from, parent, png

GREEN = (40, 180, 60)


class GreenEnlarger:
    """Three times as large, and green: so that its work is seen."""

    name = "green"
    margin = 5
    factors = (3,)

    def __call__(self, window: Bytes, factor: int, *, ask: Ask = always_wanted) -> Bytes:
        return np.full((window.shape[0] * factor, window.shape[1] * factor, 3), GREEN, np.uint8)


def left_half(colours: Bytes, *, ask: Ask = always_wanted) -> Floats:
    alpha = np.zeros(colours.shape[:2], np.float32)
    alpha[:, : colours.shape[1] // 2] = 1
    return alpha


class Equipped(NoopEngine):
    tools = Toolbox(
        cutter=Cutter("half", left_half),
        enlarger=GreenEnlarger(),
        describer="poet",
        missing=frozenset({"describe"}),
    )


def done(name: str, folder: Path, engine: NoopEngine, **more: Any) -> Outcome:
    picture = Image.new("RGB", (60, 40), "red")
    task = TASKS[name].model_validate({**TASKS[name].example, **more})
    given = [given_from(picture, parent(""))]
    return task.run(Run(engine=engine, seed=1, sink=NullSink(), given=given, data=[png(picture)], scratch=folder))


def test_an_engine_without_tools_has_those_that_ship() -> None:
    assert tools_of(NoopEngine()) is SHIPPED_TOOLS
    assert tools_of(Equipped()) is Equipped.tools


def test_an_engines_own_matting_cuts_out(tmp_path: Path) -> None:
    outcome = done("remove-background", tmp_path, Equipped())

    alpha = np.asarray(outcome.images[0])[..., 3]
    assert (alpha[:, :30].min(), alpha[:, 30:].max()) == (255, 0)
    assert outcome.recipe == {"tool": "half"}


@pytest.mark.parametrize(("content", "name"), [("photo", "green"), ("illustration", "ink")])
def test_an_engines_own_enlarger_enlarges(tmp_path: Path, content: str, name: str) -> None:
    class Ink(GreenEnlarger):
        name = "ink"

    class WithInk(NoopEngine):
        tools = Toolbox(enlarger=GreenEnlarger(), illustrations=Ink())

    outcome = done("enhance-upscale", tmp_path, WithInk(), target_resolution="FHD", content_type=content)

    assert outcome.recipe == {"tool": name}
    with Image.open(BytesIO(outcome.files[0].path.read_bytes())) as made:
        assert made.size == (1920, 1280)
        assert np.abs(np.asarray(made, int) - GREEN).max() < 6


def test_who_described_a_picture_is_said(tmp_path: Path) -> None:
    shipped, own = done("describe", tmp_path, NoopEngine()), done("describe", tmp_path, Equipped())

    assert (shipped.recipe["tool"], list(shipped.degraded)) == ("brushwork-tags", [])
    assert (own.recipe["tool"], list(own.degraded)) == ("poet", ["tool:describe"])
