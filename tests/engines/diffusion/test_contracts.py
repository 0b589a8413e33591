"""Every task, over HTTP with a real worker, on tiny pipelines of every family; and that nothing is claimed in vain."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from legnext import Client
from legnext.types.enums import JobStatus
from legnext.types.responses import TaskResponse
from PIL import Image

from brushwork.engines.base import Capability, Engine, NullSink, Op, Place, Reference, Role, Row, RowResult, Source
from brushwork.engines.diffusion.engine import DiffusionEngine
from brushwork.engines.diffusion.planning.told import concerns
from brushwork.engines.diorama.engine import DioramaEngine
from brushwork.prompts.prompt import Reference as Code
from brushwork.tasks import TASKS
from tests.api.conftest import Api, running, settings_for
from tests.conftest import NewDatabase
from tests.contracts.asking import all_ended, check_output, ended, offline
from tests.engines.diffusion.tiny_catalog import TINIES, options_for
from tests.journeys.server import serving

SETS = {"sdxl": ("sdxl",), "zimage": ("zimage", "flux2"), "flux2": ("flux2",), "qwen": ("qwen", "qwen-edit")}
"""Models that are installed together: the first draws, the other one edits for it."""
CANVAS = {"canvas": {"width": 512, "height": 512}, "imgPos": {"width": 256, "height": 256, "x": 128, "y": 128}}
QUICKER: Mapping[str, Mapping[str, Any]] = {
    "diffusion": {"text": "A red fox at dawn --ar 3:2 --draft"},
    "edit": CANVAS,
    "enhance-upscale": {"target_resolution": "HD"},
    "outpaint": {"scale": 1.1},
    "pan": {"scale": 1.1},
    "upload-paint": CANVAS,
}
"""What is asked of a task besides its example, to draw less."""
PICTURED = [name for name, task in TASKS.items() if task.makes != "video"]
"""What these models are asked for; clips have models of their own."""
SECONDS = 300


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=SETS)
def engine(request: pytest.FixtureRequest, shelf: Path) -> Iterator[DiffusionEngine]:
    engine = DiffusionEngine(options_for(shelf, *SETS[request.param], side=256, steps=2))
    yield engine
    engine.close()


@pytest.fixture
async def api(tmp_path: Path, new_sqlite: NewDatabase) -> Any:
    settings = settings_for(tmp_path / "data", new_sqlite()).model_copy(update={"log_level": "warning"})
    async with running(settings) as api:
        yield api


async def source_of(api: Api, engine: Engine, text: str = "a red fox --draft --seed 7") -> dict[str, Any]:
    asked = await api.client.post("/api/v1/diffusion", json={"text": text})
    job = await ended(api, asked.json()["job_id"], engine)
    assert job["status"] == "completed", job["error"]
    return job


async def asked_for(api: Api, name: str, source: str, engine: Engine, **more: Any) -> str:
    """The id of a new job: the example of the task, which follows `source`."""
    task = TASKS[name]
    example = {**task.example, **QUICKER.get(name, {}), **more}
    example.pop("jobId", None)
    body = await offline(api, type("Alike", (task,), {"example": example}), engine)
    asked = await api.client.post(f"/api/v1/{name}", json=body | ({"jobId": source} if "jobId" in task.example else {}))
    assert asked.status_code == 200, f"{name}: {asked.text}"
    return str(asked.json()["job_id"])


async def picture(api: Api, url: str) -> Image.Image:
    answer = await api.client.get(url)
    assert answer.status_code == 200
    image = Image.open(BytesIO(answer.content))
    image.load()
    return image


async def test_every_task_is_drawn(api: Api, engine: DiffusionEngine) -> None:
    source = (await source_of(api, engine))["job_id"]
    jobs = {name: await asked_for(api, name, source, engine) for name in PICTURED}

    done = dict(zip(jobs, await all_ended(api, list(jobs.values()), engine, seconds=SECONDS), strict=True))

    assert {name: job["error"] for name, job in done.items() if job["status"] != "completed"} == {}
    for name, job in done.items():
        check_output(job["output"], TASKS[name].makes)
        assert not set(job["detail"]["applied"]) & {
            item.removeprefix("parameter:") for item in job["detail"]["degraded"]
        }
        for number, row in enumerate(job["detail"]["recipe"].get("rows", ())):
            image = await picture(api, job["output"]["image_urls"][number])
            assert list(image.size) == row["size"], name
            assert image.getextrema() != ((0, 0),) * 3, name


# ---------------------------------------------------------------- what is claimed


CLAIMING = [*TINIES]
SAID: Mapping[str, Any] = {
    "chaos": 100, "weird": 3000, "stylize": 1000, "stop": 40, "quality": 0.5, "raw": True, "tile": True, "draft": True,
    "exp": 100, "sref": (Code(code=1234),), "sv": 2, "p": True,
}  # fmt: skip
"""Parameter → a value whose effect should be seen."""
POINTED: Mapping[str, tuple[Role, float]] = {
    "iw": ("image", 2.0), "sref": ("style", 1.0), "cref": ("character", 1.0), "oref": ("omni", 1.0),
}  # fmt: skip
"""Parameter → what its picture is for, and how much."""
ONLY_CODES = {("sref", "picture"), ("sref", "weight")}
"""Style codes are words, which every model reads; of pictures it is told when they are not looked at."""
PLACE = Place(16, 16, 64, 64)


def patterned(seed: int, size: tuple[int, int] = (64, 64)) -> Image.Image:
    colours = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(colours).resize(size, Image.Resampling.BICUBIC)


def row_for(op: Op, **what: Any) -> Row:
    """A small row of that operation, which asks for nothing else."""
    large = op in (Op.UPSCALE, Op.ENHANCE, Op.INPAINT)
    side = 96 if large else 64
    usual: dict[str, Any] = {
        "index": 0, "seed": 7, "text": "a red fox", "width": side, "height": side, "model": "7", "op": op,
    }  # fmt: skip
    if op not in (Op.TEXT_TO_IMAGE, Op.BLEND):
        usual |= {"source": Source(patterned(1)), "strength": 0.5}
    if op is Op.BLEND:
        usual["references"] = tuple(Reference("blend", Source(patterned(seed))) for seed in (1, 2))
    if op is Op.INPAINT:
        mask = Image.new("L", (side, side), 255)
        mask.paste(0, (PLACE.left, PLACE.top, PLACE.left + PLACE.width, PLACE.top + PLACE.height))
        usual |= {"place": PLACE, "mask": mask, "strength": 0.0}
    usual["references"] = (*usual.get("references", ()), *what.pop("references", ()))
    return Row(**(usual | what))


def variants(op: Op) -> dict[str, Row]:
    """Name → the row with one thing more than the plain one."""
    rows = {"": row_for(op), "seed": row_for(op, seed=8), "no": row_for(op, negative=("snow",))}
    rows |= {name: row_for(op, params={name: value}) for name, value in SAID.items()}
    rows |= {"niji": row_for(op, model="niji 6"), "text": row_for(op, text="a blue whale under the sea")}
    if op in (Op.UPSCALE, Op.ENHANCE):  # no task gives these references
        return rows
    for name, (role, weight) in POINTED.items():
        pointed = Reference(role, Source(patterned(3)), weight)
        rows[f"{name} picture"] = row_for(op, references=(pointed,))
        rows[f"{name} weight"] = row_for(op, references=(replace(pointed, weight=weight / 5),))
    return rows


def all_drawn(engine: DiffusionEngine, rows: Mapping[str, Row]) -> dict[str, RowResult]:
    """Each asked for by a thread of its own, so that they may share steps and still are told apart."""
    with ThreadPoolExecutor(32) as pool:
        made = pool.map(lambda row: engine.run([row], NullSink())[0], rows.values())
        return dict(zip(rows, made, strict=True))


@pytest.fixture(scope="module", params=CLAIMING)
def claiming(request: pytest.FixtureRequest, shelf: Path) -> Iterator[DiffusionEngine]:
    engine = DiffusionEngine(options_for(shelf, request.param))
    yield engine
    engine.close()


def told(result: RowResult) -> tuple[set[str], set[str]]:
    """Parameters that were applied, and those that were not."""
    prefix = "parameter:"
    return set(result.applied), {item.removeprefix(prefix) for item in result.degraded if item.startswith(prefix)}


def test_what_is_claimed_is_seen_and_what_is_not_seen_is_told(claiming: DiffusionEngine) -> None:
    problems = [problem for able in claiming.capabilities()["7"] for problem in problems_of(claiming, able)]

    assert not problems, "\n".join(problems)


def problems_of(engine: DiffusionEngine, able: Capability) -> Iterator[str]:
    """Where what is told of an operation is not what is seen."""
    made = all_drawn(engine, variants(able.op))
    plain = made.pop("").image
    niji = {can.op: can for can in engine.capabilities()["niji 6"]}[able.op]
    for case, result in made.items():
        name, _, kind = case.partition(" ")
        applied, unmet = told(result)
        where = f"{able.op.value} {case}:"
        other = made[f"{name} picture"].image if kind == "weight" else plain
        is_seen = result.image.tobytes() != other.tobytes()
        is_claimed = name in (niji if name == "niji" else able).params
        if result.image.size != plain.size:
            yield f"{where} another size"
        if applied & unmet:
            yield f"{where} both applied and not: {applied & unmet}"
        if name in applied and not is_seen:
            yield f"{where} said to be applied, and not seen"
        if name in applied and not is_claimed:
            yield f"{where} applied, and not claimed"
        if is_claimed and not is_seen and name not in unmet and kind != "weight":
            yield f"{where} claimed, not seen, and nothing said"
        if is_claimed and name in unmet and able.op is Op.TEXT_TO_IMAGE and (name, kind) not in ONLY_CODES:
            yield f"{where} claimed, and not honoured"
        if name in SAID and name not in applied | unmet and concerns(able.op, name):
            yield f"{where} nothing is said of it"
        if name == "text" and not is_seen and able.params:
            yield f"{where} not seen"


# ---------------------------------------------------------------- from one engine to another


FOLLOWING = ("variation", "inpaint")


@pytest.mark.parametrize("first", ["diorama", "diffusers"])
async def test_pictures_of_another_engine_are_followed(api: Api, shelf: Path, first: str) -> None:
    painter, model = DioramaEngine(), DiffusionEngine(options_for(shelf, "zimage-turbo", side=256, steps=2))
    one, other = (painter, model) if first == "diorama" else (model, painter)
    try:
        source = (await source_of(api, one))["job_id"]
        jobs = [await asked_for(api, name, source, other) for name in FOLLOWING]
        done = await all_ended(api, jobs, other, seconds=SECONDS)
        back = await asked_for(api, "variation", jobs[0], one)
        again = await ended(api, back, one)
    finally:
        model.close()

    assert [job["error"] for job in [*done, again] if job["status"] != "completed"] == []
    assert {job["detail"]["engine"] for job in done} == {other.name}
    assert again["detail"]["engine"] == one.name


# ---------------------------------------------------------------- as strangers use it


def test_the_client_from_the_package_index_draws_and_follows(tmp_path: Path, shelf: Path) -> None:
    options = options_for(shelf, "zimage-turbo", "flux2", side=256, steps=2)
    started = serving(
        tmp_path,
        engine="diffusers",
        model_files=str(options.catalogs[0]),
        models=",".join(options.only),
        models_dir=str(options.models_dir),
        devices="cpu",
        offline="true",
    )
    with started as server, Client(api_key=server.key, base_url=f"{server.url}/api") as client:

        def finish(submitted: TaskResponse) -> TaskResponse:
            job = client.tasks.wait_for_completion(submitted.job_id, timeout=SECONDS, poll_interval=0.2)
            assert job.status is JobStatus.COMPLETED
            return job

        grid = finish(client.midjourney.diffusion(text="a red fox --draft --seed 7"))
        assert grid.output is not None
        assert grid.output.image_urls is not None
        link = str(grid.output.image_urls[0])
        follow = [
            client.midjourney.variation(job_id=grid.job_id, image_no=0, type=0),
            client.midjourney.blend(img_urls=[link, str(grid.output.image_urls[1])], aspect_ratio="1:1"),
            client.midjourney.describe(img_url=link),
            client.midjourney.shorten(prompt="a very beautiful red fox in a snowy forest"),
        ]
        outputs = [finish(submitted).output for submitted in follow]

    assert [len(output.image_urls or ()) for output in outputs if output] == [4, 4, 0, 0]
