"""`brushwork keys` and `brushwork credits`: accounts, their keys and their money, straight in the database."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import PlanName
from brushwork.accounts.credits import grant
from brushwork.accounts.directory import account_by_id, account_by_name
from brushwork.accounts.keys import create_key, list_keys, revoke_key
from brushwork.app import FIRST_ACCOUNT, make_account, open_database
from brushwork.cli.output import AsJson, console, day, iso, print_json, print_table
from brushwork.database.upgrade import upgrade
from brushwork.errors import NotFound
from brushwork.settings import Settings

keys = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
credits = typer.Typer(help="Credits of an account.", no_args_is_help=True)  # noqa: A001  # the command's name

T = TypeVar("T")

MAX_POINTS = 1_000_000_000_000
"""Added at once; the databases count to millions of times as much."""


def fit_name(name: str) -> str:
    """A name that people can read and type again."""
    if not (name.strip() and len(name) <= 100 and name.isprintable()):
        raise typer.BadParameter("must be 1 to 100 printable characters")
    return name


AccountName = Annotated[str, typer.Option("--account", "-a", callback=fit_name, help="Name of the account.")]


def in_transaction(work: Callable[[AsyncConnection, Settings], Awaitable[T]]) -> T:
    """Run `work` in one transaction on an up-to-date database."""
    settings = Settings()

    async def run() -> T:
        database = open_database(settings)
        try:
            await upgrade(database)
            async with database.write() as tx:
                return await work(tx, settings)
        finally:
            await database.close()

    return asyncio.run(run())


@keys.command("create")
def create(
    account: AccountName = FIRST_ACCOUNT,
    name: Annotated[str, typer.Option("--name", "-n", callback=fit_name, help="What the key is for.")] = "key",
    plan: Annotated[PlanName | None, typer.Option(help="Put the account on this plan.")] = None,
    credits: Annotated[int, typer.Option(min=0, max=MAX_POINTS, help="Points to add to the account.")] = 0,  # noqa: A002
    as_json: AsJson = False,
) -> None:
    """Create a key; the account is made if there is none of that name. The key is shown once."""

    async def work(tx: AsyncConnection, settings: Settings) -> dict[str, Any]:
        now = time.time()
        owner = await make_account(tx, settings, account, plan=plan, now=now)
        if credits:
            await grant(tx, owner.id, credits, kind="point", description="Added with a key", now=now)
        key_id, key = await create_key(tx, owner.id, name=name, now=now)
        owner = await account_by_id(tx, owner.id)
        return {
            "key": key,
            "id": key_id,
            "name": name,
            "account": owner.name,
            "account_id": owner.id,
            "plan": owner.plan,
            "available": owner.available,
        }

    made = in_transaction(work)
    if as_json:
        print_json(made)
        return
    console.print(f"[bold]{made['key']}[/bold]")
    console.print(
        f"Key {made['id']} of account {made['account']!r} ({made['plan']}, {made['available']} points available). "
        "It is not shown again."
    )


@keys.command("list")
def list_(
    account: Annotated[str | None, typer.Option("--account", "-a", help="Only this account's keys.")] = None,
    as_json: AsJson = False,
) -> None:
    """List all keys, without their secrets."""

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        owner = await existing_account(tx, account) if account else None
        return [asdict(key) for key in await list_keys(tx, account_id=owner)]

    found = in_transaction(work)
    if as_json:
        print_json([key | {name: iso(key[name]) for name in key if name.endswith("_at")} for key in found])
        return
    rows = [
        {
            "id": key["id"],
            "account": key["account_name"],
            "name": key["name"],
            "begins with": key["prefix"],
            "created": day(key["created_at"]),
            "last used": day(key["last_used_at"]),
            "revoked": day(key["revoked_at"]),
        }
        for key in found
    ]
    print_table(rows, empty="There are no keys. Make one with: brushwork keys create")


@keys.command("revoke")
def revoke(
    key_id: Annotated[int, typer.Argument(help="The key's number, from `brushwork keys list`.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key: it stops working at once, for good."""
    in_transaction(lambda tx, _: revoke_key(tx, key_id, now=time.time()))
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        console.print(f"Key {key_id} is revoked.")


@credits.command("add")
def add(
    amount: Annotated[int, typer.Argument(min=1, max=MAX_POINTS, help="How many points to add; 1000 are a dollar.")],
    account: AccountName = FIRST_ACCOUNT,
    days: Annotated[float | None, typer.Option(min=0.001, help="They expire after so many days; else never.")] = None,
    kind: Annotated[Literal["point", "credit"], typer.Option(help="Points are spent before credits.")] = "point",
    description: Annotated[str, typer.Option(help="Shown beside the amount.")] = "Added by the operator",
    as_json: AsJson = False,
) -> None:
    """Add points or credits to an account."""

    async def work(tx: AsyncConnection, _: Settings) -> dict[str, Any]:
        now = time.time()
        owner = await existing_account(tx, account)
        expires_at = now + days * 86400 if days else None
        await grant(tx, owner, amount, kind=kind, description=description, expires_at=expires_at, now=now)
        after = await account_by_id(tx, owner)
        return {"account": after.name, "added": amount, "available": after.available, "balance": after.balance}

    done = in_transaction(work)
    if as_json:
        print_json(done)
    else:
        console.print(f"Added {amount}: account {done['account']!r} has {done['available']} points available.")


async def existing_account(tx: AsyncConnection, name: str) -> int:
    found = await account_by_name(tx, name)
    if found is None:
        raise NotFound(f"There is no account {name!r}. `brushwork keys create --account {name}` makes one.")
    return found.id
