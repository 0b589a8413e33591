"""reference/errors.md, from the tree in `errors.py` and the codes of the prompt language."""

import textwrap

from brushwork import errors
from brushwork.api.views import ErrorView
from brushwork.errors import BrushworkError, all_errors
from reference.markdown import fence, json_fence, link_to, page, table
from reference.prompt_errors import prompt_codes, prompt_section

EXAMPLES: tuple[BrushworkError, ...] = (
    errors.BadRequest("The body is empty; a JSON object is expected."),
    errors.InvalidField("text", "is required"),
    errors.FollowUpRefused("The job has not finished yet; follow it up when it has completed.", reason="unfinished"),
    errors.ImageNotInJob(3, available=1),
    errors.Unauthorized("This API key is unknown or has been revoked."),
    errors.InsufficientCredits(needed=80, available=20),
    errors.BudgetExceeded(needed=80, available=20),
    errors.CostCapExceeded(needed=800, cap=500),
    errors.ScopeRequired("generate"),
    errors.ModerationRefused("violence", matched="gore", span=(12, 16), policy="2026-11", field="text"),
    errors.OutputRefused("violence", image_no=2),
    errors.Forbidden("This account may not do that."),
    errors.PlanRequired("Version 8 needs the pro plan; this account is on free.", plan="free", needed="pro"),
    errors.NotFound("There is no such thing here."),
    errors.JobNotFound(),
    errors.BatchNotFound(),
    errors.FileNotFound(),
    errors.RouteNotFound("There is no endpoint /v1/nothing; see /openapi.json."),
    errors.MethodNotAllowed("PUT is not offered here."),
    errors.RequestTimeout(60),
    errors.Conflict("This idempotency key was used for another request."),
    errors.StillAnswering(),
    errors.PayloadTooLarge("The body is larger than the 10000000 bytes this server accepts.", limit=10_000_000),
    errors.PictureTooLarge("image_url", "has 9000 × 9000 pixels; 64 megapixels are taken", limit=64_000_000),
    errors.RangeNotSatisfiable(size=81920),
    errors.Unprocessable("The picture cannot be read."),
    errors.UnreadablePicture("file", "is neither a PNG, a JPEG nor a WebP picture"),
    errors.UnreachablePicture("imgUrl", "the server there answered with status 404"),
    errors.TooManyRequests("This account has 1000 unfinished jobs; the limit is 1000.", retry_after=5),
    errors.JobCancelled(),
    errors.ServerError(),
    errors.EngineFailed("The engine could not finish this job."),
    errors.SourceLost(),
    errors.NotImplementedHere("This is not part of this version."),
    errors.Unavailable("The database cannot be reached right now; try again in a few seconds."),
    errors.DeadlineExceeded("The job did not finish before its deadline; nothing was charged."),
)
"""One of each that has a code of its own; the two prompt errors bring a code per problem, further down."""

CODELESS = (BrushworkError, errors.PromptGrammarError, errors.PromptValueError)


def errors_page() -> str:
    examples = {example.code: example for example in EXAMPLES}
    missing = {kind.code for kind in all_errors() if kind not in CODELESS} - examples.keys()
    if missing:
        raise KeyError(f"scripts/reference/errors.py has no example for {sorted(missing)}")
    tree = textwrap.dedent(str(errors.__doc__).split("\n\n")[1].strip("\n"))
    overview = table(
        ("code", "status", "meaning"),
        [(link_to(example.code), str(example.status), first_line(type(example))) for example in EXAMPLES]
        + [(link_to(name), str(status), meaning) for name, status, meaning in prompt_codes()],
    )
    return page(
        "Errors",
        INTRODUCTION,
        "## All codes\n\n" + overview,
        "## The tree\n\nIndented errors are special cases of the one above them.\n\n" + fence(tree),
        *(section(example) for example in EXAMPLES),
        prompt_section(),
    )


def section(example: BrushworkError) -> str:
    kind = type(example)
    where = f"Status {example.status}, `{kind.__name__}`. {' '.join((kind.__doc__ or '').split())}"
    return f"## {example.code}\n\n{where}\n\n{json_fence(ErrorView.of(example).plain())}"


def first_line(kind: type[BrushworkError]) -> str:
    return (kind.__doc__ or "").splitlines()[0]


INTRODUCTION = """
Every answer that is not 200 has this body: the HTTP status as `code`, a sentence for people as `message`, and in
`detail` a stable `code` for programs together with what is known about the problem. The same object is repeated inside
`error`, because some clients read it there and some at the top.

A job that failed carries such an object in its own `error`, beside the status 200 of the request that asked for it.
"""
