"""The rows that real tasks ask for become plans, and the plans pictures of the size that the task wants."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from brushwork.engines.base import PICTURE_OPS, Op, Row, RowResult, Sink
from brushwork.engines.catalog.model import Model
from brushwork.engines.diffusion.plan import Plan
from brushwork.engines.diffusion.planning import finish, model_for, plan_row, recipe_of
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.versions import NUMBERED
from brushwork.tasks import TASKS
from brushwork.tasks.base import Task
from brushwork.tasks.diffusion import picture_size
from brushwork.tasks.rows import rows_of
from tests.engines.planning.models import CATALOG, SDXL, TOOLS, TURBO, picture
from tests.tasks.running import NoiseEngine, parent, run

DRAWN = {name: task for name, task in TASKS.items() if task.needs in PICTURE_OPS and name != "reroll"}
"""A reroll repeats one of the others."""
SIDE = 512


class PlanningEngine(NoiseEngine):
    """Plans rows and finishes plans; between the two, one colour is drawn."""

    def __init__(self, *installed: Model) -> None:
        super().__init__()
        self.installed = installed
        self.plans: list[Plan] = []

    def run(self, rows: Sequence[Row], sink: Sink) -> list[RowResult]:
        plans = [plan_row(row, model_for(row, self.installed), tools=TOOLS) for row in rows]
        self.plans += plans
        return [
            RowResult(plan.row.index, self.finished(plan), plan.applied, plan.degraded, recipe_of(plan))
            for plan in plans
        ]

    def finished(self, plan: Plan) -> Image.Image:
        return finish(plan, Image.new("RGB", (plan.width, plan.height), "olive"), TOOLS)


@pytest.mark.parametrize("installed", [tuple(CATALOG.values()), (SDXL,)], ids=["all", "sdxl"])
@pytest.mark.parametrize("name", DRAWN)
def test_the_example_of_every_task_is_planned_and_has_the_right_size(name: str, installed: tuple[Model, ...]) -> None:
    task = DRAWN[name].model_validate(DRAWN[name].example)
    engine = PlanningEngine(*installed)

    outcome = run(task, pictures_for(task), source=parent("a red fox --draft --chaos 10"), engine=engine)

    assert len(outcome.images) == len(engine.plans) == {"grid": 4, "image": 1}[task.makes]
    for plan, image in zip(engine.plans, outcome.images, strict=True):
        assert image.size == (plan.row.width, plan.row.height)
        assert plan.row.op is task.needs
    assert len({plan.noise for plan in engine.plans}) == len(engine.plans)


def pictures_for(task: Task) -> list[Image.Image]:
    return [picture(SIDE, SIDE, seed=number) for number, _ in enumerate(task.wanted())]


def test_the_kept_part_of_an_inpainted_picture_comes_back_to_the_byte() -> None:
    task = TASKS["inpaint"].model_validate(TASKS["inpaint"].example)
    source = picture(SIDE, SIDE)

    outcome = run(task, [source], source=parent(), engine=PlanningEngine(TURBO))

    kept, middle = np.asarray(outcome.images[0])[:140], np.asarray(outcome.images[0])[200:300, 200:300]
    assert np.array_equal(kept, np.asarray(source)[:140])
    assert (middle == (128, 128, 0)).all()


@pytest.mark.parametrize("version", [f"--v {number}" for number in NUMBERED] + ["--niji 6"])
@pytest.mark.parametrize("shape", ["1:1", "16:9", "9:16", "4:1", "1:14"])
def test_every_version_and_shape_is_drawn_at_its_size(version: str, shape: str) -> None:
    prompt = parse_prompt(f"a red fox --ar {shape} {version}")
    (row,) = rows_of(prompt, seed=1, size=picture_size(prompt), count=1)
    model = model_for(row, CATALOG.values())

    plan = plan_row(row, model, tools=TOOLS)

    assert row.model in model.profiles
    assert plan.degraded == ()
    assert finish(plan, Image.new("RGB", (plan.width, plan.height)), TOOLS).size == picture_size(prompt)


def test_an_operation_says_what_it_is_drawn_with() -> None:
    engine = PlanningEngine(*CATALOG.values())
    task = TASKS["blend"].model_validate(TASKS["blend"].example)

    outcome = run(task, [picture(), picture()], engine=engine)

    assert {plan.model for plan in engine.plans} == {"flux2-klein-4b"}
    assert outcome.recipe["rows"][0]["model"] == "flux2-klein-4b"
    assert engine.plans[0].row.op is Op.BLEND
