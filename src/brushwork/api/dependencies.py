"""All that an endpoint may ask for: the caller's account, the services, a job id that has the form of one.

Every one is a coroutine, even where it awaits nothing: FastAPI would run a plain function in a thread, per request.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Request

from brushwork.accounts.account import Account
from brushwork.accounts.keys import Caller, Scope
from brushwork.api.callers import Callers, key_in
from brushwork.api.job_view import JobView, seen_by_owner
from brushwork.api.metrics import Metrics
from brushwork.database.session import Database
from brushwork.errors import JobNotFound, ScopeRequired
from brushwork.files.pictures import Pictures
from brushwork.files.store import Files
from brushwork.jobs.job import Job
from brushwork.jobs.jobs import Jobs
from brushwork.jobs.webhooks.sending import SendRules
from brushwork.tasks.base import Task

EVERYWHERE_PUBLIC = SendRules()
JOB_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Services:
    """What the endpoints work with; put together once, by the composition root."""

    database: Database
    jobs: Jobs
    files: Files
    pictures: Pictures
    tasks: Mapping[str, type[Task]]
    callers: Callers
    metrics: Metrics
    max_body_bytes: int
    c2pa_anchors: bytes = b""
    """Certificates whose signatures are trusted, PEM: the root of the chain that signs here."""
    webhook_rules: SendRules = EVERYWHERE_PUBLIC
    heartbeat_seconds: float = 15.0
    """How long a stream of events is silent before a comment is sent to keep it open."""
    max_concurrent_jobs: int = 6
    """Of an account that operators open here."""
    metrics_key: str = ""
    """What `/metrics` asks for; nothing when it is empty."""

    def view(self, job: Job) -> JobView:
        """A job as its owner sees it now, with fresh links."""
        return seen_by_owner(job, self.files, self.tasks, now=time.time())


async def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


CurrentServices = Annotated[Services, Depends(services_of)]


async def current_caller(request: Request) -> Caller:
    """Who asks. `openapi.py` tells how a key is sent: as dependencies, the schemes would cost every request."""
    services: Services = request.app.state.services
    caller = await services.callers.caller(key_in(request))
    request.state.account_id = caller.account.id
    return caller


def allowed(caller: Caller, scope: Scope) -> Caller:
    if scope not in caller.scopes:
        raise ScopeRequired(scope)
    return caller


CurrentCaller = Annotated[Caller, Depends(current_caller)]


async def reading_caller(caller: CurrentCaller) -> Caller:
    return allowed(caller, "read")


async def reading_account(caller: CurrentCaller) -> Account:
    return allowed(caller, "read").account


async def generating_caller(caller: CurrentCaller) -> Caller:
    return allowed(caller, "generate")


Reading = Annotated[Caller, Depends(reading_caller)]
"""The caller with a key that may look: scope `read`."""
CurrentAccount = Annotated[Account, Depends(reading_account)]
"""The account of a key that may look: scope `read`."""
Generating = Annotated[Caller, Depends(generating_caller)]
"""The caller with a key that may ask for jobs and files: scope `generate`."""


async def well_formed(job_id: Annotated[str, Path(description="The id that submitting answered with")]) -> str:
    """What cannot be an id is answered like an id that is unknown, and never reaches the database."""
    if not JOB_ID.fullmatch(job_id):
        raise JobNotFound
    return job_id


JobId = Annotated[str, Depends(well_formed)]
