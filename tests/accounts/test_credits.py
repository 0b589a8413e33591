"""Credits: what is held is spent or comes back, and the books agree."""

import asyncio
import time

import pytest
import sqlalchemy as sa

from brushwork.accounts.account import Account
from brushwork.accounts.credits import capture, check_ledger, grant, hold, release, settle
from brushwork.accounts.directory import account_by_id, create_account
from brushwork.accounts.expiry import expire_packs
from brushwork.database.session import Database
from brushwork.database.tables import ledger, packs
from brushwork.errors import InsufficientCredits

NOW = 1_800_000_000.0
DAY = 86400.0


async def new_account(database: Database, name: str = "anna") -> int:
    async with database.write() as tx:
        return (await create_account(tx, name, plan="free", max_inflight=6, now=NOW)).id


async def account(database: Database, account_id: int) -> Account:
    async with database.read() as tx:
        assert await check_ledger(tx) == []
        return await account_by_id(tx, account_id)


async def taken(database: Database, job_id: str) -> list[tuple[str, int]]:
    """(description of the pack, amount) of a job's holds, in order."""
    query = (
        sa.select(packs.c.description, ledger.c.amount)
        .join(packs, packs.c.id == ledger.c.pack_id)
        .where(ledger.c.job_id == job_id, ledger.c.kind == "hold")
        .order_by(ledger.c.id)
    )
    async with database.read() as tx:
        return [(row.description, row.amount) for row in await tx.execute(query)]


async def test_a_hold_can_be_captured(database: Database) -> None:
    anna = await new_account(database)
    async with database.write() as tx:
        await grant(tx, anna, 100, now=NOW)
        assert (await hold(tx, anna, "job", 80, NOW)).usage_type == "point"
    assert (await account(database, anna)).available == 20

    async with database.write() as tx:
        await capture(tx, ["job"], NOW)

    after = await account(database, anna)
    assert (after.balance, after.frozen) == (20, 0)


async def test_a_hold_can_be_released(database: Database) -> None:
    anna = await new_account(database)
    async with database.write() as tx:
        await grant(tx, anna, 100, now=NOW)
        await hold(tx, anna, "job", 80, NOW)

    async with database.write() as tx:
        await release(tx, ["job"], NOW)

    after = await account(database, anna)
    assert (after.balance, after.frozen) == (100, 0)


@pytest.mark.parametrize("first", [capture, release])
@pytest.mark.parametrize("second", [capture, release])
async def test_nothing_is_settled_twice(database: Database, first: object, second: object) -> None:
    anna = await new_account(database)
    async with database.write() as tx:
        await grant(tx, anna, 100, now=NOW)
        await hold(tx, anna, "job", 80, NOW)
    async with database.write() as tx:
        await first(tx, ["job"], NOW)  # type: ignore[operator]  # one of the two functions above
    before = await account(database, anna)

    with pytest.raises(sa.exc.IntegrityError):
        async with database.write() as tx:
            await second(tx, ["job"], NOW)  # type: ignore[operator]

    assert await account(database, anna) == before


async def test_points_are_spent_before_credits_and_what_expires_first_before_the_rest(database: Database) -> None:
    anna = await new_account(database)
    async with database.write() as tx:
        await grant(tx, anna, 10, kind="credit", description="credits, soon", expires_at=NOW + DAY, now=NOW)
        await grant(tx, anna, 10, description="points, never", now=NOW)
        await grant(tx, anna, 10, description="points, late", expires_at=NOW + 9 * DAY, now=NOW)
        await grant(tx, anna, 10, description="points, soon", expires_at=NOW + 2 * DAY, now=NOW)
        await grant(tx, anna, 10, description="points, gone", expires_at=NOW - 1, now=NOW)

    async with database.write() as tx:
        first = await hold(tx, anna, "first", 15, NOW)
        second = await hold(tx, anna, "second", 16, NOW)
        third = await hold(tx, anna, "third", 9, NOW)

    assert await taken(database, "first") == [("points, soon", 10), ("points, late", 5)]
    assert await taken(database, "second") == [("points, late", 5), ("points, never", 10), ("credits, soon", 1)]
    assert await taken(database, "third") == [("credits, soon", 9)]
    assert [held.usage_type for held in (first, second, third)] == ["point", "point", "credit"]
    with pytest.raises(InsufficientCredits) as refusal:
        async with database.write() as tx:
            await hold(tx, anna, "fourth", 1, NOW)
    assert refusal.value.detail == {"needed": 1, "available": 0}


async def test_an_expired_pack_leaves_the_balance_but_not_what_is_held_of_it(database: Database) -> None:
    anna = await new_account(database)
    async with database.write() as tx:
        await grant(tx, anna, 100, expires_at=NOW + DAY, now=NOW)
        await hold(tx, anna, "kept", 30, NOW)
        await hold(tx, anna, "returned", 20, NOW)

    async with database.write() as tx:
        assert (await expire_packs(tx, NOW + 2 * DAY)).points == 50
        assert (await expire_packs(tx, NOW + 2 * DAY)).points == 0

    after = await account(database, anna)
    assert (after.balance, after.frozen) == (50, 50)
    async with database.write() as tx:
        await settle(tx, {"kept": "capture", "returned": "release"}, NOW + 2 * DAY)
        assert (await expire_packs(tx, NOW + 2 * DAY)).points == 20
    assert (await account(database, anna)).balance == 0


async def test_settling_over_the_same_accounts_in_opposite_order_does_not_deadlock(database: Database) -> None:
    accounts = [await new_account(database, name) for name in ("anna", "bert")]
    forth: dict[str, int] = {}
    back: dict[str, int] = {}
    async with database.write() as tx:
        for account_id in accounts:
            await grant(tx, account_id, 10_000, now=NOW)
        for number in range(40):
            for account_id in accounts:
                (forth if number % 2 else back)[f"{account_id}-{number}"] = account_id
                await hold(tx, account_id, f"{account_id}-{number}", 7, NOW)

    async def settle_some(holds: dict[str, int], *, is_reversed: bool) -> None:
        for start in range(0, len(holds), 4):
            some = list(holds)[start : start + 4]
            async with database.write() as tx:
                await capture(tx, reversed(some) if is_reversed else some, NOW)
                await asyncio.sleep(0.002)

    await asyncio.wait_for(
        asyncio.gather(settle_some(forth, is_reversed=False), settle_some(back, is_reversed=True)), 20
    )

    for account_id in accounts:
        after = await account(database, account_id)
        assert (after.balance, after.frozen) == (10_000 - 40 * 7, 0)


async def test_the_check_finds_books_that_do_not_agree(database: Database) -> None:
    anna = await new_account(database)
    async with database.write() as tx:
        pack = await grant(tx, anna, 100, now=NOW)
        await hold(tx, anna, "job", 80, NOW)
    async with database.write() as tx:
        await tx.execute(packs.update().values(used=5))
        await tx.execute(
            ledger.insert(),
            {"account_id": anna, "pack_id": pack, "job_id": "job", "kind": "capture", "amount": 1, "created_at": NOW},
        )

    async with database.read() as tx:
        problems = await check_ledger(tx)

    assert problems == [
        f"pack {pack}: frozen is 80, the ledger says 79",
        f"pack {pack}: used is 5, the ledger says 1",
        f"account {anna}: balance 100, frozen 80; its packs say 95, 80",
        "job job: held 80, captured 1, released 0",
    ]


async def test_a_grant_needs_an_account_and_an_amount(database: Database) -> None:
    anna = await new_account(database)
    async with database.write() as tx:
        with pytest.raises(ValueError, match="at least 1 point"):
            await grant(tx, anna, 0, now=time.time())
