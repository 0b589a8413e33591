"""`brushwork keys` and `brushwork credits`: accounts, their keys and their money, straight in the database."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts import labels
from brushwork.accounts.account import PlanName
from brushwork.accounts.audits import note_change
from brushwork.accounts.books import check_books
from brushwork.accounts.credits import grant
from brushwork.accounts.directory import account_by_id, account_by_name
from brushwork.accounts.keys import SCOPES, USUAL_SCOPES, Scope, create_key, list_keys, revoke_key
from brushwork.accounts.statements import Statement, statement_of
from brushwork.app import FIRST_ACCOUNT, make_account, open_database
from brushwork.cli.output import AsJson, console, day, fail, iso, print_json, print_table
from brushwork.database.upgrade import upgrade
from brushwork.errors import NotFound
from brushwork.settings import Settings

keys = typer.Typer(help="API keys: create, list, revoke.", no_args_is_help=True)
credits = typer.Typer(help="Credits of an account.", no_args_is_help=True)  # noqa: A001  # the command's name

T = TypeVar("T")

DAY = 86400.0
MAX_POINTS = 1_000_000_000_000
"""Added at once; the databases count to millions of times as much."""


def fit_name(name: str) -> str:
    """A name that people can read and type again."""
    return fit(name, labels.fit_name, most=100)


def fit_description(text: str) -> str:
    return fit(text, labels.visible, most=200)


def fit(text: str, judge: Callable[[str], str], *, most: int) -> str:
    """As the API would take it."""
    if len(text) > most:
        raise typer.BadParameter(f"must have at most {most} characters")
    try:
        return judge(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


Description = Annotated[str, typer.Option(callback=fit_description, help="Shown beside the amount.")]
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
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may do: read, generate, admin. Else read and generate.")
    ] = None,
    expires: Annotated[
        float | None, typer.Option(min=0.001, max=36_500, help="It ends after so many days; else never.")
    ] = None,
    budget: Annotated[int | None, typer.Option(min=0, max=MAX_POINTS, help="Points it may spend in all.")] = None,
    per_minute: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Jobs it may ask for in a minute.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key; the account is made if there is none of that name. The key is shown once."""
    scopes = fit_scopes(scope or USUAL_SCOPES)

    async def work(tx: AsyncConnection, settings: Settings) -> dict[str, Any]:
        now = time.time()
        owner = await make_account(tx, settings, account, plan=plan, now=now)
        if credits:
            await grant(tx, owner.id, credits, kind="point", description="Added with a key", now=now)
        expires_at = now + expires * DAY if expires else None
        caps = {"budget": budget, "per_minute": per_minute}
        limits = {"expires_at": expires_at, **caps}
        key_id, key = await create_key(tx, owner.id, name=name, now=now, scopes=scopes, expires_at=expires_at, **caps)
        facts = {"key": key_id, "name": name, "scopes": list(scopes), "plan": plan, "points": credits, **limits}
        await note_change(tx, "key.create", account_id=owner.id, key_id=None, now=now, facts=facts)
        owner = await account_by_id(tx, owner.id)
        return {
            "key": key,
            "id": key_id,
            "name": name,
            "account": owner.name,
            "account_id": owner.id,
            "plan": owner.plan,
            "available": owner.available,
            "scopes": list(scopes),
            **limits,
            "expires_at": iso(expires_at),
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
            "may": key["scopes"],
            "spent": key["spent"] if key["budget"] is None else f"{key['spent']} of {key['budget']}",
            "ends": day(key["expires_at"]),
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

    async def work(tx: AsyncConnection, _: Settings) -> None:
        now = time.time()
        await revoke_key(tx, key_id, now=now)
        owner = next(key.account_id for key in await list_keys(tx) if key.id == key_id)
        await note_change(tx, "key.revoke", account_id=owner, key_id=None, now=now, facts={"key": key_id})

    in_transaction(work)
    if as_json:
        print_json({"id": key_id, "revoked": True})
    else:
        console.print(f"Key {key_id} is revoked.")


@credits.command("add")
def add(
    amount: Annotated[int, typer.Argument(min=1, max=MAX_POINTS, help="How many points to add; 1000 are a dollar.")],
    account: AccountName = FIRST_ACCOUNT,
    days: Annotated[
        float | None, typer.Option("--days", "--expires", min=0.001, help="They expire after so many days; else never.")
    ] = None,
    kind: Annotated[Literal["point", "credit"], typer.Option(help="Points are spent before credits.")] = "point",
    description: Description = "Added by the operator",
    as_json: AsJson = False,
) -> None:
    """Add points or credits to an account."""

    async def work(tx: AsyncConnection, _: Settings) -> dict[str, Any]:
        now = time.time()
        owner = await existing_account(tx, account)
        expires_at = now + days * DAY if days else None
        pack = await grant(tx, owner, amount, kind=kind, description=description, expires_at=expires_at, now=now)
        facts = {"pack": pack, "amount": amount, "kind": kind, "description": description, "expires_at": expires_at}
        await note_change(tx, "credits.add", account_id=owner, key_id=None, now=now, facts=facts)
        after = await account_by_id(tx, owner)
        return {"account": after.name, "added": amount, "available": after.available, "balance": after.balance}

    done = in_transaction(work)
    if as_json:
        print_json(done)
    else:
        console.print(f"Added {amount}: account {done['account']!r} has {done['available']} points available.")


@credits.command("statement")
def statement(
    account: AccountName = FIRST_ACCOUNT,
    days: Annotated[float, typer.Option(min=0.001, max=36_500, help="How far back, in days.")] = 31,
    key: Annotated[int | None, typer.Option(min=1, help="Only what this key's jobs did, by its number.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every move of an account's points, and what was available after it; the oldest ten thousand of the time."""

    async def work(tx: AsyncConnection, _: Settings) -> Statement:
        owner, now = await existing_account(tx, account), time.time()
        return await statement_of(tx, owner, since=now - days * DAY, until=now, key_id=key)

    found = in_transaction(work)
    if as_json:
        lines = [asdict(line) | {"at": iso(line.at), "after": line.after._asdict()} for line in found.lines]
        print_json({"opening": found.opening._asdict(), "lines": lines, "closing": found.closing._asdict()})
        return
    rows = [
        {
            "when": day(line.at),
            "move": line.kind,
            "points": line.amount,
            "available": line.after.available if key is None else "",
            "held": line.after.held,
            "spent": line.after.spent,
            "task": line.task or "",
            "about": line.job_id or line.description,
        }
        for line in found.lines
    ]
    print_table(rows, empty="Nothing moved in this time.")


@credits.command("check")
def check(as_json: AsJson = False) -> None:
    """Compare ledger, packs, keys and balances; ends with 1 when they disagree anywhere."""
    problems = in_transaction(lambda tx, _: check_books(tx))
    if as_json:
        print_json({"agree": not problems, "problems": problems})
    elif not problems:
        console.print("The books agree.")
    for problem in problems if not as_json else []:
        fail(problem)
    if problems:
        raise typer.Exit(1)


def fit_scopes(given: Sequence[str]) -> tuple[Scope, ...]:
    """Scopes as they were typed, also several with commas between them; each once."""
    asked = [name.strip() for text in given for name in text.split(",")]
    if unknown := [name for name in asked if name not in SCOPES]:
        raise typer.BadParameter(f"--scope takes {', '.join(SCOPES)}, not {unknown[0]!r}")
    return tuple(scope for scope in SCOPES if scope in asked)


async def existing_account(tx: AsyncConnection, name: str) -> int:
    found = await account_by_name(tx, name)
    if found is None:
        raise NotFound(f"There is no account {name!r}. `brushwork keys create --account {name}` makes one.")
    return found.id
