"""The door before the door: a prompt that goes against the operator's policy is refused before anything is held.

A refusal is written down with the category, the rule and how long the words were, never with the prompt.
"""

import time
from collections.abc import Mapping

import structlog

from brushwork.accounts.limits import take
from brushwork.database.session import Database
from brushwork.errors import ModerationRefused
from brushwork.jobs.audits import audit
from brushwork.prompts.moderation import Policy

log = structlog.get_logger(__name__)


async def screen(
    database: Database,
    policy: Policy,
    texts: Mapping[str, str],
    *,
    task: str,
    account_id: int,
    key_id: int | None,
) -> None:
    """Raise ModerationRefused for the first of a task's texts, by field, that the policy does not allow.

    A refusal is one of the jobs that a key may ask for in a minute, so that nobody can try out the policy at speed. All
    this holds for quotes as well.
    """
    for field, text in texts.items():
        match = policy.match(text)
        if match is None:
            continue
        refusal = ModerationRefused(
            match.category, matched=match.matched, span=match.span, policy=policy.version, field=field
        )
        said = {
            "policy": policy.version,
            "category": match.category,
            "rule": match.rule,
            "task": task,
            "field": field,
            "length": match.span[1] - match.span[0],
        }
        log.info("prompt.refused", account_id=account_id, category=match.category, policy=policy.version)
        now = time.time()
        async with database.write() as tx:
            if key_id is not None:
                await take(tx, key_id, 0, now=now)
            await tx.execute(audit(account_id, "moderation", said, now=now, key_id=key_id))
        raise refusal
