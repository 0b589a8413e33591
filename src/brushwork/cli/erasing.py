"""`brushwork accounts erase`: an account and all that it has, out of the database and the store, for good."""

import asyncio
import math
import time
from typing import Annotated, Any

import typer

from brushwork.accounts.directory import account_by_name
from brushwork.app import configure_logs, open_database, open_files, rules_of
from brushwork.cli.operators import Named
from brushwork.cli.output import AsJson, console, print_json, print_table
from brushwork.database.upgrade import upgrade
from brushwork.errors import NotFound
from brushwork.jobs.closing import Closing
from brushwork.jobs.receipts import shown
from brushwork.settings import Settings


def erase(
    name: Named,
    is_sure: Annotated[bool, typer.Option("--yes", help="Do not ask whether this is meant.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase an account for good: jobs, pictures, prompts, keys, webhooks, name. A receipt and the books remain.

    When it was interrupted, run it again, under the name erased-NUMBER; a running server goes on by itself.
    """
    if not is_sure:
        typer.confirm(f"Erase the account {name!r} and all that it has? This cannot be undone.", abort=True, err=True)
    told = asyncio.run(erased(name, Settings()))
    if as_json:
        print_json(told)
        return
    print_table([{"erased": fact, "": value} for fact, value in told.items() if value], empty="")
    console.print("Backups of the database and of the store have times of their own.")


async def erased(name: str, settings: Settings) -> dict[str, Any]:
    configure_logs(settings)
    database = open_database(settings)
    try:
        await upgrade(database)
        async with database.read() as tx:
            account = await account_by_name(tx, name)
        if account is None:
            raise NotFound(f"There is no account {name!r}.")
        closing = Closing(database, open_files(settings, database), rules_of(settings))
        return shown(await closing.erase(account.id, key_id=None, now=time.time(), seconds=math.inf))
    finally:
        await database.close()
