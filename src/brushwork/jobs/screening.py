"""The door before the door: a prompt that goes against the operator's policy is refused before anything is held.

A refusal is written down with the category and the rule, never with the prompt.
"""

import time

import structlog

from brushwork.database.session import Database
from brushwork.errors import ModerationRefused
from brushwork.jobs.audits import audit
from brushwork.prompts.moderation import Policy
from brushwork.tasks.base import Task

log = structlog.get_logger(__name__)


async def screen(
    database: Database, policy: Policy, task: Task, *, account_id: int, key_id: int | None, is_quote: bool = False
) -> None:
    """Raise ModerationRefused for the first text of the task that the policy does not allow.

    For a quote nothing is written down: nobody has asked for a picture yet.
    """
    for field, text in task.texts().items():
        match = policy.match(text)
        if match is None:
            continue
        refusal = ModerationRefused(
            match.category, matched=match.matched, span=match.span, policy=policy.version, field=field
        )
        if is_quote:
            raise refusal
        said = {
            "policy": policy.version,
            "category": match.category,
            "rule": match.rule,
            "task": task.name,
            "field": field,
        }
        log.info("prompt.refused", account_id=account_id, category=match.category, policy=policy.version)
        async with database.write() as tx:
            await tx.execute(audit(account_id, "moderation", said, now=time.time(), key_id=key_id))
        raise refusal
