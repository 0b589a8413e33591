"""What a request would cost and when it would be done, without doing it: no row is written and nothing is fetched.

A quote raises what the request would raise. Two things it cannot know: a picture behind a URL is not opened, and what
the worker that gets the job leaves out is only as well known as the workers have said what they can.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.credits import peek
from brushwork.accounts.limits import refuse
from brushwork.database.tables import workers
from brushwork.jobs.forecast import ALIVE_SECONDS, forecast
from brushwork.jobs.job import Forecast
from brushwork.jobs.positions import place_of
from brushwork.jobs.queue import NOW
from brushwork.jobs.sources import kept_input
from brushwork.jobs.submission import Asking, Door, admit, new_row
from brushwork.prompts.explain import explained
from brushwork.prompts.prompt import Prompt
from brushwork.tasks.base import Task
from brushwork.tasks.references import without_references
from brushwork.tasks.rows import NOT_FOR_THE_ENGINE
from brushwork.tasks.sources import FromJob, FromUrl, Given, Wanted

NOT_OPENED = (
    "{field}: the picture is not fetched for a quote, so it may still turn out to be unreachable or unreadable."
)
SIZE_UNKNOWN = "The size of the result follows from a picture that is not fetched for a quote."


@dataclass(frozen=True)
class Quote:
    """The answer to "what if"."""

    task: str
    input: Mapping[str, Any]
    prompt: Mapping[str, Any] | None
    """As it was understood, with what it inherits from the job it follows; None where there are no words."""
    price: int
    usage_type: str
    available: int
    """Points of the account, before this job."""
    is_held: bool
    """Whether the account is full, so that the job would wait before the line."""
    queue_position: int
    eta: Forecast | None
    warnings: Sequence[Mapping[str, Any]]
    degraded: Sequence[str] | None
    """What a worker that is here now would not honour; None when no worker is, or none has said what it can."""
    unchecked: Sequence[str]
    """What only the request itself can find out, as sentences."""


async def quote(door: Door, asking: Asking, task: Task) -> Quote:
    """What would come of this request, or the error that it would get."""
    task.check()
    wanted = task.wanted()
    given, unchecked = await look_at(door, asking, task, wanted)
    row = new_row(door.rules, asking, task, kept_input(task), given)
    settled = task.settled(given)
    outlook = await door.forecasts.outlook(row["pool"], row["timing"])
    async with door.database.read() as tx:
        holding = await peek(tx, asking.account.id, row["cost"], row["created_at"])
        if asking.key_id is not None:
            await refuse(tx, asking.key_id, row["cost"], now=row["created_at"])
        is_full = await admit(tx, asking.account.id, holding, door.rules)
        there = await place_of(tx, row, held=is_full)
        abilities = await abilities_of_workers(tx)
    return Quote(
        task=task.name,
        input=row["input"],
        prompt=prompt_of(settled),
        price=row["cost"],
        usage_type=holding.usage_type,
        available=holding.available,
        is_held=is_full,
        queue_position=there.ahead,
        eta=forecast(outlook, there.ahead),
        warnings=task.warnings(),
        degraded=degraded_by(abilities, settled),
        unchecked=unchecked,
    )


async def look_at(
    door: Door, asking: Asking, task: Task, wanted: Sequence[Wanted]
) -> tuple[tuple[Given, ...], list[str]]:
    """What can be said of the pictures without opening one, and what cannot."""
    if not wanted:
        return (), []
    if door.sources is None:
        raise LookupError("these jobs were opened without a way to pictures")
    chosen = await door.sources.choose(asking.account.id, type(task), wanted, now=time.time())
    given = tuple(Given("") if isinstance(one, FromUrl) else one for one in chosen)
    unchecked = [NOT_OPENED.format(field=one.field) for one in wanted if isinstance(one, FromUrl)]
    if isinstance(wanted[0], FromJob):  # tasks judge the picture they work on, which is the first
        task.check_given(given)
    if task.is_shaped_by_picture:
        unchecked.append(SIZE_UNKNOWN)
    return given, list(dict.fromkeys(unchecked))


def prompt_of(settled: Task) -> Mapping[str, Any] | None:
    prompt = getattr(settled, "prompt", None)
    return explained(prompt) if isinstance(prompt, Prompt) and (prompt.text or prompt.params) else None


# ── what workers leave out ────────────────────────────────────────────────────────────────────────────────────────────


async def abilities_of_workers(tx: AsyncConnection) -> list[Mapping[str, Any]]:
    """What each engine at work can do, as `workers.abilities` writes it."""
    alive = sa.select(workers.c.abilities).where(workers.c.last_seen >= NOW - ALIVE_SECONDS)
    return [row.abilities for row in await tx.execute(alive) if row.abilities]


def degraded_by(abilities: Sequence[Mapping[str, Any]], settled: Task) -> list[str] | None:
    """What at least one of these engines would not honour of a task."""
    prompt = getattr(settled, "prompt", None)
    if not abilities:
        return None
    if settled.needs is None or not isinstance(prompt, Prompt):
        return []
    left_out = {name: None for able in abilities for name in left_out_by(able, settled.needs, prompt)}
    return list(left_out)


def left_out_by(able: Mapping[str, Any], op: str, prompt: Prompt) -> list[str]:
    """By one engine. One that does not have the model by name draws with any that it has, as workers do."""
    models = able.get(prompt.version), *(able.values() if prompt.version not in able else ())
    can = [one for model in models if model for one in model if one["op"] == op]
    if not can:
        return [f"operation:{op}"]
    known = set.intersection(*(set(one["params"]) for one in can))
    left_out = [f"parameter:{name}" for name in without_references(prompt) if name not in known | NOT_FOR_THE_ENGINE]
    if prompt.no and all(one["negative"] == "none" for one in can):
        left_out.append("parameter:no")
    return left_out
