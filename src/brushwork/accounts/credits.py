"""What a job costs, kept as an account of its own: hold → capture | release, written to a ledger that only grows.

An account's credits come in packs. A hold takes from the packs in the order they should be spent (points before
credits, then what expires first), a capture spends what was held, a release gives it back. Every move is one ledger
row a pack, with a positive amount; unique by (job, kind, pack), so that nothing can be charged twice.

Lock order, everywhere: accounts by id, then jobs by id, then packs and keys by id. All functions run inside the
caller's transaction. Knows nothing of what a job is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from brushwork.accounts import limits
from brushwork.database.tables import accounts, erasures, ledger, packs
from brushwork.database.together import Writes
from brushwork.errors import InsufficientCredits, NotFound

PackKind = Literal["point", "credit"]
Settlement = Literal["capture", "release"]

NOBODY: Mapping[int, int] = {}

IS_ERASED = sa.exists().where(erasures.c.account_id == accounts.c.id)
AVAILABLE = packs.c.amount - packs.c.frozen - packs.c.used - packs.c.expired


@dataclass(frozen=True)
class HoldResult:
    """What was held, and how busy the account is now that its row is locked."""

    usage_type: PackKind
    inflight: int
    max_inflight: int
    fell_below: int | None = None
    """The account's alert threshold, when this hold brought what is available below it for the first time."""
    available: int = 0


def alerted_unless(available: sa.ColumnElement[int]) -> sa.ColumnElement[float | None]:
    """Forget that an account was told of its low balance once `available`, after a change, is enough again."""
    return sa.case((available >= accounts.c.alert_threshold, sa.null()), else_=accounts.c.alerted_at)


async def grant(
    tx: AsyncConnection,
    account_id: int,
    amount: int,
    *,
    kind: PackKind = "point",
    description: str = "",
    expires_at: float | None = None,
    now: float,
) -> int:
    """Add a pack to the account and return the pack's id."""
    if amount <= 0:
        raise ValueError(f"a pack holds at least 1 point, not {amount}")
    found = await tx.execute(
        accounts.update()
        .where(accounts.c.id == account_id, ~IS_ERASED)
        .values(
            balance=accounts.c.balance + amount,
            alerted_at=alerted_unless(accounts.c.balance - accounts.c.frozen + amount),
            updated_at=now,
        )
    )
    if found.rowcount != 1:
        raise NotFound("There is no account with this id.")
    pack_id: int = (
        await tx.execute(
            packs.insert().returning(packs.c.id),
            {
                "account_id": account_id,
                "kind": kind,
                "amount": amount,
                "description": description,
                "created_at": now,
                "expires_at": expires_at,
            },
        )
    ).scalar_one()
    entry = {"account_id": account_id, "pack_id": pack_id, "kind": "grant", "amount": amount, "created_at": now}
    await tx.execute(ledger.insert(), entry)
    return pack_id


async def hold(
    tx: AsyncConnection,
    account_id: int,
    job_id: str,
    amount: int,
    now: float,
    *,
    task: str | None = None,
    key_id: int | None = None,
    writes: Writes | None = None,
) -> HoldResult:
    """Set `amount` aside for a job, or raise InsufficientCredits, or BudgetExceeded or TooManyRequests for the key.

    Leaves the account's row locked. With `writes`, part of the work is left to whoever sends them.
    """
    values = {"account": account_id, "part": amount, "now": now, "key": key_id}
    busy = (await tx.execute(FREEZE, values)).first()
    # Only now that the account is locked is what the packs say the truth.
    open_packs = (await tx.execute(SPENDABLE, values)).all()
    if busy is None or sum(pack.available for pack in open_packs) < amount:
        raise InsufficientCredits(needed=amount, available=sum(pack.available for pack in open_packs))

    parts: list[tuple[int, int]] = []
    missing = amount
    for pack in open_packs:
        if not missing:
            break
        part = min(missing, pack.available)
        parts.append((pack.id, part))
        missing -= part
    later = Writes() if writes is None else writes
    if key_id is not None and busy.is_limited:
        await limits.take(tx, key_id, amount, now=now)
    elif key_id is not None:
        later.add(limits.HOLD, {"key": key_id, "key_part": amount})
    later.add(FREEZE_PACK, *({"pack": pack_id, "pack_part": part} for pack_id, part in parts))
    entry = {"entry_account_id": account_id, "entry_job_id": job_id, "entry_kind": "hold", "entry_task": task}
    entry |= {"entry_api_key_id": key_id, "entry_created_at": now}
    later.add(WRITE, *(entry | {"entry_pack_id": pack_id, "entry_amount": part} for pack_id, part in parts))
    if writes is None:
        await later.send(tx)
    is_first = busy.available < busy.alert_threshold and busy.alerted_at is None
    if is_first:
        await tx.execute(ALERT, values)
    return HoldResult(
        open_packs[0].kind if parts else "point",
        busy.inflight,
        busy.max_inflight,
        fell_below=busy.alert_threshold if is_first else None,
        available=busy.available,
    )


async def peek(tx: AsyncConnection, account_id: int, amount: int, now: float) -> HoldResult:
    """What a hold of `amount` would find, or raise InsufficientCredits as it would. Changes nothing."""
    values = {"account": account_id, "now": now}
    account = (await tx.execute(BUSY, values)).one()
    open_packs = (await tx.execute(SPENDABLE, values)).all()
    spendable = sum(pack.available for pack in open_packs)
    if min(account.available, spendable) < amount:
        raise InsufficientCredits(needed=amount, available=spendable)
    kind: PackKind = open_packs[0].kind if open_packs and amount else "point"
    return HoldResult(kind, account.inflight, account.max_inflight, available=account.available)


# Built once: putting a statement together takes longer than SQLite takes to run it.
BUSY = sa.select(
    accounts.c.inflight, accounts.c.max_inflight, (accounts.c.balance - accounts.c.frozen).label("available")
).where(accounts.c.id == sa.bindparam("account"))
FREEZE = (
    accounts.update()
    .where(accounts.c.id == sa.bindparam("account"), accounts.c.balance - accounts.c.frozen >= sa.bindparam("part"))
    .values(frozen=accounts.c.frozen + sa.bindparam("part"), updated_at=sa.bindparam("now"))
    .returning(
        limits.IS_LIMITED.label("is_limited"),
        accounts.c.inflight,
        accounts.c.max_inflight,
        accounts.c.alert_threshold,
        accounts.c.alerted_at,
        (accounts.c.balance - accounts.c.frozen).label("available"),
    )
)
ALERT = accounts.update().where(accounts.c.id == sa.bindparam("account")).values(alerted_at=sa.bindparam("now"))
SPENDABLE = (
    sa.select(packs.c.id, packs.c.kind, AVAILABLE.label("available"))
    .where(packs.c.account_id == sa.bindparam("account"), AVAILABLE > 0)
    .where(sa.or_(packs.c.expires_at.is_(None), packs.c.expires_at > sa.bindparam("now")))
    # "point" > "credit"
    .order_by(packs.c.kind.desc(), packs.c.expires_at.is_(None), packs.c.expires_at, packs.c.id)
)
"""The packs a hold may take from, in the order it does."""
FREEZE_PACK = (
    packs.update().where(packs.c.id == sa.bindparam("pack")).values(frozen=packs.c.frozen + sa.bindparam("pack_part"))
)
ENTRY = ("account_id", "pack_id", "job_id", "kind", "amount", "created_at", "api_key_id", "task")
WRITE = ledger.insert().values({name: sa.bindparam(f"entry_{name}", type_=ledger.c[name].type) for name in ENTRY})


async def capture(tx: AsyncConnection, job_ids: Iterable[str], now: float) -> None:
    """Spend what is held for these jobs."""
    await settle(tx, dict.fromkeys(job_ids, "capture"), now)


async def release(tx: AsyncConnection, job_ids: Iterable[str], now: float) -> None:
    """Give back what is held for these jobs."""
    await settle(tx, dict.fromkeys(job_ids, "release"), now)


async def settle(
    tx: AsyncConnection,
    settlements: Mapping[str, Settlement],
    now: float,
    *,
    leaving: Mapping[int, int] = NOBODY,
    writes: Writes | None = None,
) -> None:
    """Capture or release the holds of many jobs at once. A second settlement of a job raises IntegrityError.

    `leaving` says how many jobs fewer each account has in flight; it is written in the same breath. With `writes`, all
    is left to whoever sends them.
    """
    holds = (await tx.execute(HOLDS, {"jobs": list(settlements)})).all()
    later = Writes() if writes is None else writes
    # Two batches over the same accounts must lock them in the same order, or they deadlock.
    of_accounts = dict.fromkeys(leaving, (0, 0)) | sums(holds, "account_id", settlements)
    later.add(
        THAW,
        *(
            {
                "account": account,
                "account_held": held,
                "account_spent": spent,
                "fewer": leaving.get(account, 0),
                "now": now,
            }
            for account, (held, spent) in sorted(of_accounts.items())
        ),
    )
    of_keys = sorted(sums(holds, "api_key_id", settlements).items())
    later.add(limits.THAW, *({"key": key, "key_held": held, "key_spent": spent} for key, (held, spent) in of_keys))
    of_packs = sorted(sums(holds, "pack_id", settlements).items())
    later.add(THAW_PACK, *({"pack": pack, "pack_held": held, "pack_spent": spent} for pack, (held, spent) in of_packs))
    moved = [{**entry._mapping, "kind": settlements[entry.job_id], "created_at": now} for entry in holds]
    later.add(WRITE, *({f"entry_{name}": entry[name] for name in ENTRY} for entry in moved))
    if writes is None:
        await later.send(tx)


def sums(holds: Sequence[Any], column: str, settlements: Mapping[str, Settlement]) -> dict[int, tuple[int, int]]:
    """What was held, and what of it is spent, for each value of a column."""
    found: dict[int, tuple[int, int]] = {}
    for entry in holds:
        owner = getattr(entry, column)
        if owner is not None:
            held, spent = found.get(owner, (0, 0))
            used = entry.amount if settlements[entry.job_id] == "capture" else 0
            found[owner] = (held + entry.amount, spent + used)
    return found


HOLDS = (
    sa.select(*(ledger.c[name] for name in ("account_id", "pack_id", "job_id", "amount", "task", "api_key_id")))
    .where(ledger.c.job_id.in_(sa.bindparam("jobs", expanding=True)), ledger.c.kind == "hold")
    .order_by(ledger.c.account_id, ledger.c.id)
)
THAW = (
    accounts.update()
    .where(accounts.c.id == sa.bindparam("account"))
    .values(
        balance=accounts.c.balance - sa.bindparam("account_spent"),
        frozen=accounts.c.frozen - sa.bindparam("account_held"),
        inflight=accounts.c.inflight - sa.bindparam("fewer"),
        alerted_at=alerted_unless(
            accounts.c.balance - sa.bindparam("account_spent") - (accounts.c.frozen - sa.bindparam("account_held"))
        ),
        updated_at=sa.bindparam("now"),
    )
)
THAW_PACK = (
    packs.update()
    .where(packs.c.id == sa.bindparam("pack"))
    .values(frozen=packs.c.frozen - sa.bindparam("pack_held"), used=packs.c.used + sa.bindparam("pack_spent"))
)


async def check_ledger(tx: AsyncConnection) -> list[str]:
    """Every broken rule between ledger, packs and balances, as a sentence; empty when the books are right."""
    sums = await ledger_sums(tx)
    problems: list[str] = []
    of_account: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for pack in (await tx.execute(sa.select(packs))).all():
        kinds = sums[pack.id]
        settled = kinds["capture"] + kinds["release"]
        expected = {
            "amount": kinds["grant"],
            "frozen": kinds["hold"] - settled,
            "used": kinds["capture"],
            "expired": kinds["expire"],
        }
        problems += [
            f"pack {pack.id}: {name} is {getattr(pack, name)}, the ledger says {value}"
            for name, value in expected.items()
            if getattr(pack, name) != value
        ]
        of_account[pack.account_id][0] += pack.amount - pack.used - pack.expired
        of_account[pack.account_id][1] += pack.frozen
    for account in (await tx.execute(sa.select(accounts.c.id, accounts.c.balance, accounts.c.frozen))).all():
        balance, frozen = of_account[account.id]
        if (account.balance, account.frozen) != (balance, frozen):
            problems.append(
                f"account {account.id}: balance {account.balance}, frozen {account.frozen}; "
                f"its packs say {balance}, {frozen}"
            )
    return problems + await settled_wrongly(tx)


async def ledger_sums(tx: AsyncConnection) -> Mapping[int, Mapping[str, int]]:
    sums: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = await tx.execute(
        sa.select(ledger.c.pack_id, ledger.c.kind, sa.func.sum(ledger.c.amount)).group_by(
            ledger.c.pack_id, ledger.c.kind
        )
    )
    for pack_id, kind, amount in rows:
        sums[pack_id][kind] = int(amount)
    return sums


async def settled_wrongly(tx: AsyncConnection) -> list[str]:
    """Jobs whose capture or release is not exactly what was held, or that have both."""
    total = {
        kind: sa.func.sum(sa.case((ledger.c.kind == kind, ledger.c.amount), else_=0)).label(kind)
        for kind in ("hold", "capture", "release")
    }
    rows = (
        await tx.execute(
            sa.select(ledger.c.job_id, *total.values()).where(ledger.c.job_id.is_not(None)).group_by(ledger.c.job_id)
        )
    ).all()
    return [
        f"job {row.job_id}: held {row.hold}, captured {row.capture}, released {row.release}"
        for row in rows
        if (row.capture, row.release) not in ((0, 0), (row.hold, 0), (0, row.hold))
    ]
