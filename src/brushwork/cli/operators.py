"""`brushwork accounts`, `codes`, `usage`, `notifications`, `audits`: looking after accounts, straight in the database.

Every change is written to the record of what operators did, as it is over HTTP.
"""

import csv
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts.account import Account, PlanName
from brushwork.accounts.audits import AuditKind, note_change, page_of_audits
from brushwork.accounts.codes import create_code, list_codes, new_code, withdraw_code
from brushwork.accounts.directory import account_by_id, change_account, page_of_accounts
from brushwork.accounts.notifications import confirm_notification, page_of_notifications
from brushwork.accounts.opening import open_account
from brushwork.accounts.overview import overview_of
from brushwork.accounts.usage import COLUMNS, DAY, usage_of
from brushwork.app import FIRST_ACCOUNT
from brushwork.cli.accounts import MAX_POINTS, AccountName, Description, existing_account, fit_name, in_transaction
from brushwork.cli.output import AsJson, console, day, iso, print_json, print_table
from brushwork.settings import Settings

accounts = typer.Typer(help="Accounts: create, list, show, change, disable.", no_args_is_help=True)
codes = typer.Typer(help="Redeem codes: create, list, withdraw.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(callback=fit_name, help="Name of the account.")]
Facts = Mapping[str, Any]


def shown(account: Account) -> dict[str, Any]:
    """An account for programs."""
    facts = {name: value for name, value in asdict(account).items() if not name.endswith("_at")}
    times = {"created_at": iso(account.created_at), "updated_at": iso(account.updated_at)}
    return facts | {"available": account.available} | times


def row_of(account: Facts) -> dict[str, Any]:
    """An account for people."""
    return {
        "id": account["id"],
        "name": account["name"],
        "plan": account["plan"],
        "available": account["available"],
        "held": account["frozen"],
        "jobs": f"{account['inflight']} of {account['max_inflight']}",
        "share": f"{account['share']:g}",
        "state": "active" if account["is_enabled"] else "disabled",
    }


@accounts.command("create")
def create(
    name: Named,
    plan: Annotated[PlanName, typer.Option(help="The plan it is opened on.")] = "free",
    welcome: Annotated[bool, typer.Option(help="Give it the first pack of its plan.")] = True,
    as_json: AsJson = False,
) -> None:
    """Open an account with a first key, which is shown once, and the first pack of its plan."""

    async def work(tx: AsyncConnection, settings: Settings) -> dict[str, Any]:
        now, limit = time.time(), settings.max_concurrent_jobs
        opened = await open_account(tx, name, plan=plan, max_inflight=limit, now=now, is_welcome=welcome)
        made = opened.account.id
        await note_change(tx, "account.open", account_id=made, key_id=None, now=now, facts={"name": name, "plan": plan})
        return shown(opened.account) | {"key": opened.key, "key_id": opened.key_id}

    made = in_transaction(work)
    if as_json:
        print_json(made)
        return
    console.print(f"[bold]{made['key']}[/bold]")
    console.print(
        f"The first key of account {made['name']!r} ({made['plan']}, {made['available']} points). "
        "It is not shown again.",
        markup=False,
    )


@accounts.command("list")
def list_accounts(
    page: Annotated[int, typer.Option(min=1, max=1_000_000, help="Which hundred of them.")] = 1,
    as_json: AsJson = False,
) -> None:
    """List accounts, oldest first, a hundred at a time."""

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        return [shown(account) for account in (await page_of_accounts(tx, page=page, size=100)).accounts]

    found = in_transaction(work)
    if as_json:
        print_json(found)
    else:
        print_table([row_of(account) for account in found], empty="There are no accounts here.")


@accounts.command("show")
def show(name: Named = FIRST_ACCOUNT, as_json: AsJson = False) -> None:
    """Show one account: its limits, its wallet, its keys."""

    async def work(tx: AsyncConnection, _: Settings) -> dict[str, Any]:
        seen = await overview_of(tx, await existing_account(tx, name), now=time.time())
        wallet = {"points": seen.wallet.points, "credits": seen.wallet.credits}
        purses = {kind: asdict(purse) | {"available": purse.available} for kind, purse in wallet.items()}
        keys = [{"id": key.id, "name": key.name, "active": key.is_active, "scopes": key.scopes} for key in seen.keys]
        return shown(seen.account) | {"wallet": purses, "keys": keys, "webhook": seen.hook}

    found = in_transaction(work)
    if as_json:
        print_json(found)
        return
    print_table([row_of(found)], empty="")
    print_table([{"": kind, **purse} for kind, purse in found["wallet"].items()], empty="")
    print_table(found["keys"], empty="It has no keys.")


@accounts.command("plan")
def change_plan(
    name: Named, plan: Annotated[PlanName, typer.Argument(help="The plan to move it to.")], as_json: AsJson = False
) -> None:
    """Move an account to another plan. Points come from `brushwork credits add`."""
    say_changed(name, {"plan": plan}, as_json=as_json)


@accounts.command("limits")
def change_limits(
    name: Named,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Jobs that may be queued or running at once.")
    ] = None,
    share: Annotated[
        float | None, typer.Option(min=0.01, max=1000, help="Of the workers, beside others who wait; 1 is usual.")
    ] = None,
    alert: Annotated[
        int | None, typer.Option(min=0, max=MAX_POINTS, help="Points below which it is told; 0 is never.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change how much of the server an account may have, and when it is told of a low balance."""
    given = {"max_inflight": jobs, "share": share, "alert_threshold": alert}
    changes = {field: value for field, value in given.items() if value is not None}
    if not changes:
        raise typer.BadParameter("say what to change: --jobs, --share or --alert")
    say_changed(name, changes, as_json=as_json)


@accounts.command("disable")
def disable(name: Named, as_json: AsJson = False) -> None:
    """Refuse all keys of an account, until it is enabled again. Jobs that it has go on."""
    say_changed(name, {"is_enabled": False}, as_json=as_json)


@accounts.command("enable")
def enable(name: Named, as_json: AsJson = False) -> None:
    """Serve a disabled account again."""
    say_changed(name, {"is_enabled": True}, as_json=as_json)


def say_changed(name: str, changes: Facts, *, as_json: bool) -> None:
    """Change an account, write down what it was before, and show what it is now."""

    async def work(tx: AsyncConnection, _: Settings) -> dict[str, Any]:
        now, account_id = time.time(), await existing_account(tx, name)
        before, after = await change_account(tx, account_id, changes, now=now)
        facts = {"before": {field: getattr(before, field) for field in changes}, "after": dict(changes)}
        await note_change(tx, "account.change", account_id=account_id, key_id=None, now=now, facts=facts)
        return shown(after)

    changed = in_transaction(work)
    if as_json:
        print_json(changed)
    else:
        print_table([row_of(changed)], empty="")


@codes.command("create")
def create_codes(
    amount: Annotated[int, typer.Argument(min=1, max=MAX_POINTS, help="What it gives; 1000 are a dollar.")],
    code: Annotated[str | None, typer.Option(help="At least 6 characters; else one is made.")] = None,
    kind: Annotated[Literal["point", "credit"], typer.Option(help="Points are spent before credits.")] = "credit",
    uses: Annotated[int, typer.Option(min=1, max=1_000_000_000, help="Accounts that may redeem it.")] = 1,
    pack_days: Annotated[
        float | None, typer.Option(min=0.001, max=36_500, help="What it gives lasts so many days; else for ever.")
    ] = None,
    days: Annotated[float | None, typer.Option(min=0.001, max=36_500, help="It ends after so many days.")] = None,
    description: Description = "",
    as_json: AsJson = False,
) -> None:
    """Make a code that accounts redeem for credits, each of them once."""

    async def work(tx: AsyncConnection, _: Settings) -> dict[str, Any]:
        now = time.time()
        made = await create_code(
            tx,
            code or new_code(),
            amount=amount,
            kind=kind,
            description=description,
            pack_days=pack_days,
            max_uses=uses,
            expires_at=now + days * DAY if days else None,
            now=now,
        )
        facts = {"code": made.id, "amount": amount, "kind": kind, "max_uses": uses}
        await note_change(tx, "code.create", account_id=None, key_id=None, now=now, facts=facts)
        return asdict(made)

    made = in_transaction(work)
    if as_json:
        print_json(with_times(made))
    else:
        console.print(f"[bold]{made['code']}[/bold] gives {amount} {kind}s, {uses} time(s).")


@codes.command("list")
def list_all_codes(as_json: AsJson = False) -> None:
    """List the newest thousand codes, and how often each was redeemed."""

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        return [asdict(code) for code in await list_codes(tx)]

    found = in_transaction(work)
    if as_json:
        print_json([with_times(code) for code in found])
        return
    rows = [
        {
            "code": code["code"],
            "gives": f"{code['amount']} {code['kind']}s",
            "redeemed": f"{code['uses']} of {code['max_uses']}",
            "ends": f"withdrawn {day(code['withdrawn_at'])}" if code["withdrawn_at"] else day(code["expires_at"]),
            "description": code["description"],
        }
        for code in found
    ]
    print_table(rows, empty="There are no codes. Make one with: brushwork codes create")


@codes.command("withdraw")
def withdraw(code: Annotated[str, typer.Argument(help="The code.")], as_json: AsJson = False) -> None:
    """End a code for good, as when it has leaked. Who redeemed it before keeps what it gave."""

    async def work(tx: AsyncConnection, _: Settings) -> dict[str, Any]:
        now = time.time()
        ended, is_new = await withdraw_code(tx, code, now=now)
        if is_new:
            facts = {"code": ended.id, "uses": ended.uses, "max_uses": ended.max_uses}
            await note_change(tx, "code.withdraw", account_id=None, key_id=None, now=now, facts=facts)
        return asdict(ended)

    ended = in_transaction(work)
    if as_json:
        print_json(with_times(ended))
    else:
        console.print(
            f"{ended['code']} is withdrawn; {ended['uses']} of {ended['max_uses']} had redeemed it.", markup=False
        )


def usage(
    account: Annotated[str | None, typer.Option("--account", "-a", help="Only this account's.")] = None,
    days: Annotated[float, typer.Option(min=0.001, max=36_500, help="How far back, in days.")] = 31,
    by: Annotated[str, typer.Option(help="Some of day, account, key, task, with commas.")] = "day,account,task",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: AsJson = False,
) -> None:
    """What jobs cost, by day, account, key and task. Read from the ledger, so jobs that are gone count, too."""
    asked = [name.strip() for name in by.split(",") if name.strip()]
    if unknown := [name for name in asked if name not in COLUMNS]:
        raise typer.BadParameter(f"--by takes some of {', '.join(COLUMNS)}, not {unknown[0]!r}")
    split = tuple(name for name in COLUMNS if name in asked)

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        owner = await existing_account(tx, account) if account else None
        now = time.time()
        return [
            asdict(row) for row in await usage_of(tx, since=now - days * DAY, until=now, by=split, account_id=owner)
        ]

    rows = [usage_row(row, split) for row in in_transaction(work)]
    if as_json:
        print_json(rows)
    elif as_csv:
        write_csv(rows)
    else:
        print_table(rows, empty="Nothing was spent in this time.")


def usage_row(row: Facts, split: Sequence[str]) -> dict[str, Any]:
    """A line of the report with the columns that it is split by."""
    names = {
        "day": datetime.fromtimestamp((row["day"] or 0) * DAY, UTC).strftime("%Y-%m-%d"),
        "account": row["account_name"],
        "key": row["key_name"],
        "task": row["task"],
    }
    counts = {"jobs": row["jobs"], "points": row["points"], "refunded_jobs": row["refunded_jobs"]}
    return {name: names[name] for name in split} | counts


def write_csv(rows: Sequence[Facts]) -> None:
    if rows:
        writer = csv.DictWriter(sys.stdout, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def notifications(
    account: AccountName = FIRST_ACCOUNT,
    confirm: Annotated[int | None, typer.Option(min=1, help="Note that this one was read.")] = None,
    as_json: AsJson = False,
) -> None:
    """What an account was told beyond its jobs, newest first; the last hundred."""

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        owner = (await account_by_id(tx, await existing_account(tx, account))).id
        if confirm is not None:
            await confirm_notification(tx, owner, confirm, now=time.time())
        return [asdict(one) for one in (await page_of_notifications(tx, owner, page=1, size=100)).notifications]

    found = in_transaction(work)
    if as_json:
        print_json([with_times(one) for one in found])
        return
    rows = [
        {
            "id": one["id"],
            "when": day(one["created_at"]),
            "type": one["type"],
            "message": one["message"],
            "read": "yes" if one["is_confirmed"] else "no",
        }
        for one in found
    ]
    print_table(rows, empty="There is nothing to tell.")


def audits(
    account: Annotated[str | None, typer.Option("--account", "-a", help="Only of this account.")] = None,
    kind: Annotated[AuditKind | None, typer.Option(help="Only of this kind; `appeal` is for you to read.")] = None,
    days: Annotated[float | None, typer.Option(min=0.001, max=36_500, help="How far back, in days; else all.")] = None,
    page: Annotated[int, typer.Option(min=1, max=1_000_000, help="Which hundred of them.")] = 1,
    as_json: AsJson = False,
) -> None:
    """What operators changed, and what was refused, appealed against, tried in vain or erased, newest first."""

    async def work(tx: AsyncConnection, _: Settings) -> list[dict[str, Any]]:
        owner = await existing_account(tx, account) if account else None
        since = time.time() - days * DAY if days else None
        found = await page_of_audits(tx, kind=kind, account_id=owner, since=since, page=page, size=100)
        return [asdict(one) for one in found.audits]

    found = in_transaction(work)
    if as_json:
        print_json([with_times(one) for one in found])
        return
    rows = [
        {
            "when": day(one["created_at"]),
            "kind": one["kind"],
            "account": one["account_id"] or "–",
            "key": one["api_key_id"] or "–",
            "what": ", ".join(f"{name} {value}" for name, value in one["data"].items()),
        }
        for one in found
    ]
    print_table(rows, empty="Nothing was changed, refused or erased.")


def with_times(row: Facts) -> dict[str, Any]:
    """A row for programs: its moments as the API writes them."""
    return {name: iso(value) if name.endswith("_at") else value for name, value in row.items()}
