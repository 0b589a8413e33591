"""Double entry: what leaves one book is in another, at every instant."""

from brushwork.accounts.books import BOOKS, check_books, trial_balance
from brushwork.accounts.credits import capture, grant, hold, release
from brushwork.accounts.directory import create_account
from brushwork.accounts.expiry import expire_packs
from brushwork.accounts.keys import create_key
from brushwork.database.session import Database
from brushwork.database.tables import accounts, api_keys

NOW = 1_800_000_000.0
DAY = 86_400.0


async def busy_account(database: Database) -> tuple[int, int]:
    """An account that was given 150: 80 are captured, 30 were released, 20 are held, and the rest has expired."""
    async with database.write() as tx:
        account = (await create_account(tx, "anna", plan="free", max_inflight=6, now=NOW)).id
        key, _ = await create_key(tx, account, name="k", now=NOW)
        await grant(tx, account, 100, now=NOW)
        await grant(tx, account, 50, kind="credit", expires_at=NOW + 5 * DAY, now=NOW)
        await hold(tx, account, "done", 80, NOW + DAY, task="diffusion", key_id=key)
        await hold(tx, account, "failed", 30, NOW + DAY)
        await capture(tx, ["done"], NOW + 2 * DAY)
        await release(tx, ["failed"], NOW + 3 * DAY)
        await hold(tx, account, "open", 20, NOW + 4 * DAY, key_id=key)
        await expire_packs(tx, NOW + 6 * DAY)
    return account, key


async def test_all_books_together_hold_nothing(database: Database) -> None:
    account, _ = await busy_account(database)

    async with database.read() as tx:
        books = await trial_balance(tx)
        assert tuple(books) == BOOKS
        assert sum(books.values()) == 0
        assert books == {"issued": -150, "available": 0, "held": 20, "spent": 80, "expired": 50}
        assert await trial_balance(tx, account) == books
        assert await check_books(tx) == []


async def test_what_does_not_add_up_is_named(database: Database) -> None:
    account, key = await busy_account(database)
    async with database.write() as tx:
        await tx.execute(accounts.update().values(balance=accounts.c.balance + 7))
        await tx.execute(api_keys.update().where(api_keys.c.id == key).values(spent=3))

    async with database.read() as tx:
        problems = await check_books(tx)

    assert any(problem.startswith(f"account {account}: available 7") for problem in problems)
    assert f"key {key}: spent 3, frozen 20; the ledger says 80, 20" in problems
