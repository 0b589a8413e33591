"""Where a job comes from, what came of it, and how to draw it again."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.api.answers import job_answer, json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Generating, JobId, Services
from brushwork.api.java import SUBMITTED
from brushwork.api.job_view import JobView
from brushwork.api.openapi import json_body, refusals
from brushwork.api.tasks import IdempotencyKey, refuse_dry_run
from brushwork.api.views import View, moment
from brushwork.errors import JobNotFound
from brushwork.jobs.job import ClientStatus
from brushwork.jobs.lineage import EdgeKind, Family
from brushwork.jobs.replay import task_of
from brushwork.jobs.submission import Asking

router = APIRouter(prefix="/v1", tags=["lineage"])

MAX_SEED = 2**32 - 1
MOST_FILES = 64
"""Of one recipe; a job makes far fewer."""


class NodeView(View):
    job_id: str
    task_type: str
    seed: str
    engine: str = Field(description="Empty before it has been drawn")
    status: ClientStatus
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    generation: int = Field(description="0 is the job that was asked for, -1 its parents, 1 its children")


class EdgeView(View):
    parent: str
    child: str
    image_no: int | None = Field(description="Which picture of the parent; null for the job as a whole")
    kind: EdgeKind


class LineageView(View):
    """A job's ancestors and descendants, oldest first, and which picture each came of."""

    job_id: str
    nodes: list[NodeView]
    edges: list[EdgeView]
    is_cut: bool = Field(description="Whether there are more than are shown")

    @classmethod
    def of(cls, job_id: str, family: Family) -> "LineageView":
        return cls(
            job_id=job_id,
            nodes=[
                NodeView(
                    job_id=node.job_id,
                    task_type=node.task.replace("-", "_"),
                    seed=str(node.seed),
                    engine=node.engine,
                    status=node.status,
                    created_at=moment(node.created_at),
                    generation=node.generation,
                )
                for node in family.nodes
            ],
            edges=[
                EdgeView(parent=edge.parent, child=edge.child, image_no=edge.number, kind=edge.kind)
                for edge in family.edges
            ],
            is_cut=family.is_cut,
        )


class EngineOfRecipe(View):
    name: str = Field(description="Empty before it has been drawn")
    version: str = Field(description="Of Brushwork")
    recipe: dict[str, Any] = Field(description="The engine's own: model, its SHA-256, steps, sizes …")
    sha256: str = Field(description="Of that recipe; equal ones draw the same")


class ReplayOutcome(View):
    """How a replay came out beside the job that it repeats."""

    of: str = Field(description="Its id, here or on the server that the recipe is from")
    same_files: bool | None = Field(description="Byte for byte; null when it cannot be told any more, or not yet")
    differences: list[str] = Field(description="What may be the reason")


class RecipeView(View):
    """Everything that is needed to draw a job again."""

    format: int
    job_id: str
    task: str
    request: dict[str, Any] = Field(description="Its body, as it was understood")
    seed: int
    pictures: list[dict[str, Any]] = Field(description="What it worked on; the job keeps copies")
    engine: EngineOfRecipe
    files: list[dict[str, Any]] = Field(description="role and SHA-256 of what it made")
    replay: ReplayOutcome | None = Field(description="Of a job that repeats another one")


Name = Annotated[str, Field(max_length=64, pattern="^[ -~]*$")]
Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class EngineElsewhere(BaseModel):
    """What drew, where the recipe is from."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Name = ""
    version: Name = ""
    sha256: Hash | Literal[""] = ""


class FileElsewhere(BaseModel):
    """A file that was made there."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: Hash | None = None


class Recipe(BaseModel):
    """As `GET /v1/job/{job_id}/recipe` writes it; what else is in there is not needed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task: Annotated[str, Field(max_length=64)]
    request: dict[str, Any]
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)]
    job_id: Name = ""
    engine: EngineElsewhere = EngineElsewhere()
    files: Annotated[tuple[FileElsewhere, ...], Field(max_length=MOST_FILES)] = ()

    def expected(self) -> dict[str, Any]:
        """What the new job is compared with when it has been drawn. What the recipe is silent of is not compared."""
        said = {name: value for name, value in self.engine.model_dump().items() if value}
        return {"of": self.job_id, "engine": said, "files": [file.sha256 for file in self.files]}


class ReplayBody(BaseModel):
    """A recipe to draw from."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    recipe: Recipe


EXAMPLE = {
    "recipe": {
        "task": "diffusion",
        "request": {"text": "A red fox in a snowy forest at dawn --ar 3:2"},
        "seed": 1904983176,
        "engine": {"name": "diorama", "version": "0.1.0"},
    }
}
SUBMIT_REFUSALS = refusals(400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503)


@router.get(
    "/job/{job_id}/lineage",
    operation_id="get_lineage",
    response_model=LineageView,
    responses=refusals(401, 403, 404, 500, 503),
)
async def get_lineage(account: CurrentAccount, services: CurrentServices, job_id: JobId) -> Response:
    """Show the family of a job: all that it came of and all that came of it."""
    return json_answer(LineageView.of(job_id, await services.jobs.family(account.id, job_id)))


@router.get(
    "/job/{job_id}/recipe",
    operation_id="get_recipe",
    response_model=RecipeView,
    responses=refusals(401, 403, 404, 500, 503),
)
async def get_recipe(account: CurrentAccount, services: CurrentServices, job_id: JobId) -> Response:
    """Take out the recipe of a job: its request, seed and engine, and the hashes of what it made."""
    return json_answer(RecipeView.model_validate(await services.jobs.recipe(account.id, job_id)))


@router.post(
    "/job/{job_id}/replay",
    operation_id="replay_job",
    dependencies=[Depends(refuse_dry_run)],
    response_model=JobView,
    responses=SUBMIT_REFUSALS,
)
async def replay_job(
    request: Request,
    caller: Generating,
    services: CurrentServices,
    job_id: JobId,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Draw a job again: same request, same seed, same pictures. It costs what the first one would cost today."""
    asking = Asking(caller.account, caller.key_id, idempotency_key or None)
    job = await services.jobs.replay(asking, job_id, services.tasks)
    return job_answer(services.view(job), request, SUBMITTED)


@router.post(
    "/replay",
    operation_id="replay_recipe",
    dependencies=[Depends(refuse_dry_run)],
    response_model=JobView,
    responses=SUBMIT_REFUSALS,
    openapi_extra=json_body(ReplayBody, EXAMPLE),
)
async def replay_recipe(
    request: Request, caller: Generating, services: CurrentServices, idempotency_key: IdempotencyKey = None
) -> Response:
    """Draw from a recipe, of this server or of another one. A warning says when it was drawn by something else."""
    recipe = (await read_fields(request, ReplayBody, limit=services.max_body_bytes)).recipe
    asking = Asking(caller.account, caller.key_id, idempotency_key or None)
    if await is_known(services, caller.account.id, recipe):
        job = await services.jobs.replay(asking, recipe.job_id, services.tasks)
    else:
        task = task_of(services.tasks, recipe.task, {**recipe.request, "callback": None})
        job = await services.jobs.submit(
            caller.account,
            task,
            idempotency_key=asking.idempotency_key,
            key_id=caller.key_id,
            seed=recipe.seed,
            warnings=await services.jobs.differences(recipe.engine.model_dump()),
            expected=recipe.expected(),
        )
    return job_answer(services.view(job), request, SUBMITTED)


async def is_known(services: Services, account_id: int, recipe: Recipe) -> bool:
    """Whether the recipe is of a job that is kept here, unaltered: then its pictures are here too."""
    if not recipe.job_id:
        return False
    try:
        job = await services.jobs.get(account_id, recipe.job_id)
    except JobNotFound:
        return False
    return (job.task, dict(job.input), job.seed) == (recipe.task, recipe.request, recipe.seed)
