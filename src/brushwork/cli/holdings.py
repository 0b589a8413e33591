"""`brushwork accounts packs` and `accounts jobs`: what an account was given, and what it asked for."""

import time
from dataclasses import asdict
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.wallet import packs_of
from brushwork.app import FIRST_ACCOUNT
from brushwork.cli.accounts import existing_account, in_transaction
from brushwork.cli.operators import Named
from brushwork.cli.output import AsJson, day, iso, print_json, print_table
from brushwork.jobs.history import page_of_history
from brushwork.settings import Settings

PROMPT_SHOWN = 60
"""Characters of a prompt in a table; programs get all of it."""


def packs(name: Named = FIRST_ACCOUNT, as_json: AsJson = False) -> None:
    """List the packs of an account, points before credits, newest first; those that have ended, too."""
    now = time.time()

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        account_id = await existing_account(tx, name)
        found = [pack for kind in ("point", "credit") for pack in await packs_of(tx, account_id, kind=kind)]
        return [asdict(pack) | {"active": pack.is_active(now)} for pack in found]

    found = in_transaction(work)
    if as_json:
        times = ("created_at", "expires_at")
        print_json([pack | {field: iso(pack[field]) for field in times} for pack in found])
        return
    columns = ("id", "kind", "amount", "frozen", "used", "expired")
    print_table(
        [
            {column: pack[column] for column in columns}
            | {"since": day(pack["created_at"]), "ends": day(pack["expires_at"]), "description": pack["description"]}
            for pack in found
        ],
        empty="It has no packs.",
    )


def jobs(
    name: Named = FIRST_ACCOUNT,
    page: Annotated[int, typer.Option(min=1, max=1_000_000, help="Which hundred of them.")] = 1,
    as_json: AsJson = False,
) -> None:
    """List the jobs of an account that are still kept, newest first, a hundred at a time."""

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        account_id = await existing_account(tx, name)
        return [asdict(entry) for entry in (await page_of_history(tx, account_id, page=page, size=100)).entries]

    found = in_transaction(work)
    if as_json:
        times = ("created_at", "updated_at")
        print_json([entry | {field: iso(entry[field]) for field in times} for entry in found])
        return
    print_table(
        [
            {
                "job": entry["job_id"],
                "when": day(entry["created_at"]),
                "task": entry["task"],
                "status": entry["status"],
                "points": entry["usage"],
                "key": entry["key_id"] or "–",
                "about": (entry["problem"] or entry["prompt"])[:PROMPT_SHOWN],
            }
            for entry in found
        ],
        empty="It has no jobs that are still kept.",
    )
