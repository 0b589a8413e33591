"""Prompts by themselves: how one is understood, and how it is written for another version. Nothing is drawn."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from brushwork.accounts.keys import Caller
from brushwork.api.answers import json_answer
from brushwork.api.bodies import read_fields
from brushwork.api.dependencies import CurrentAccount, CurrentServices, Reading, Services
from brushwork.api.openapi import json_body, refusals
from brushwork.api.views import View
from brushwork.errors import InvalidField, ModerationRefused, PromptGrammarError, PromptValueError
from brushwork.jobs.screening import screen
from brushwork.prompts.explain import explained, warnings_of
from brushwork.prompts.migrate import migrate
from brushwork.prompts.parser import parse_prompt
from brushwork.prompts.prompt import Prompt
from brushwork.prompts.versions import VERSIONS

LINT = "lint"
"""What stands for a task in the record of refusals."""

router = APIRouter(prefix="/v1/prompts", tags=["prompts"])

Text = Annotated[str, Field(min_length=1, max_length=8192, description="A prompt with its parameters")]
PICTURE_VERSIONS = tuple(name for name, version in VERSIONS.items() if version.flag)


class LintBody(BaseModel):
    """A prompt to look at."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: Text
    task: Annotated[Literal["image", "video"], Field(description="What the prompt is for")] = "image"
    strict: Annotated[bool, Field(description="Whether a warning is a problem")] = False


class Problem(View):
    code: str
    message: str
    param: str | None = Field(description="The flag to blame, where there is one")


class LintView(View):
    """How a prompt is understood."""

    ok: bool
    prompt: dict[str, Any] | None = Field(
        description="canonical, version, text, segments, params …; null when it cannot be read"
    )
    warnings: list[dict[str, Any]] = Field(description="What was repaired, snapped or ignored")
    problems: list[Problem] = Field(description="Why the prompt would be refused, in reading order")


class MigrateBody(BaseModel):
    """A prompt, and the version it should be written for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: Text
    to: Annotated[str, Field(description="6, 6.1, 7, 8, 8.1 or niji 6")]


class ChangeView(View):
    param: str
    before: str
    after: str = Field(description="Empty when it was removed")
    reason: str


class MigrateView(View):
    """The prompt for another version."""

    prompt: str
    version: str
    changes: list[ChangeView]
    warnings: list[dict[str, Any]]
    cost_multiplier_before: float
    cost_multiplier: float
    plan: Literal["free", "pro"] = Field(description="The least plan that includes the version")


@router.post(
    "/lint",
    operation_id="lint_prompt",
    response_model=LintView,
    responses=refusals(400, 401, 403, 413, 429, 500, 503),
    openapi_extra=json_body(LintBody, {"prompt": "a red fox --ar 16:9 --q 0.25"}),
)
async def lint(request: Request, caller: Reading, services: CurrentServices) -> Response:
    """Say how a prompt is understood, or why it would be refused. Free.

    What the policy of the server refuses is written down as it is of a request, and counts towards the jobs a minute.
    """
    body = await read_fields(request, LintBody, limit=services.max_body_bytes)
    try:
        prompt = parse_prompt(body.prompt, task=body.task, strict=body.strict)
    except (PromptGrammarError, PromptValueError) as error:
        return json_answer(LintView(ok=False, prompt=None, warnings=[], problems=problems_of(error)))
    refused = await refusal_of(services, caller, body)
    return json_answer(
        LintView(ok=not refused, prompt=explained(prompt), warnings=warnings_of(prompt), problems=refused)
    )


async def refusal_of(services: Services, caller: Caller, body: LintBody) -> list[Problem]:
    """What the policy of this server has against a prompt."""
    if services.jobs.policy is None:
        return []
    try:
        await screen(
            services.database,
            services.jobs.policy,
            {"prompt": body.prompt},
            task=LINT,
            account_id=caller.account.id,
            key_id=caller.key_id,
        )
    except ModerationRefused as error:
        return [Problem(code=error.code, message=error.message, param=None)]
    return []


def problems_of(error: PromptGrammarError | PromptValueError) -> list[Problem]:
    first = Problem(code=error.code, message=error.message, param=error.detail.get("param"))
    return [first, *(Problem(**other) for other in error.detail.get("problems", ()))]


@router.post(
    "/migrate",
    operation_id="migrate_prompt",
    response_model=MigrateView,
    responses=refusals(400, 401, 403, 413, 422, 500, 503),
    openapi_extra=json_body(MigrateBody, {"prompt": "a garden --v 7 --no weeds --draft", "to": "8.1"}),
)
async def migrated(request: Request, account: CurrentAccount, services: CurrentServices) -> Response:  # noqa: ARG001
    """Write a prompt for another version, with the reason for every change. Free."""
    body = await read_fields(request, MigrateBody, limit=services.max_body_bytes)
    version = version_named(body.to)
    before = parse_prompt(body.prompt)
    found = migrate(before, version)
    after: Prompt = found.prompt
    return json_answer(
        MigrateView(
            prompt=found.text,
            version=version,
            changes=[ChangeView(**vars(change)) for change in found.changes],
            warnings=warnings_of(before),
            cost_multiplier_before=before.cost_multiplier,
            cost_multiplier=after.cost_multiplier,
            plan=after.plan,
        )
    )


def version_named(text: str) -> str:
    """The version, however it is spelled: "8.1", "v8.1", "niji6"."""
    spelled = text.strip().lower().removeprefix("--").removeprefix("v ").removeprefix("v").strip()
    found = {name.replace(" ", ""): name for name in PICTURE_VERSIONS} | {"niji": "niji 6"}
    try:
        return found[spelled.replace(" ", "").removesuffix(".0")]
    except KeyError:
        raise InvalidField("to", f"must be one of {', '.join(PICTURE_VERSIONS)}") from None
