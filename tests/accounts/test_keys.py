"""API keys are shown once, kept as a hash, and stop working the moment they are revoked."""

import pytest
import sqlalchemy as sa

from brushwork.accounts.directory import account_by_name, create_account, set_plan
from brushwork.accounts.keys import authenticate, create_key, key_hash, list_keys, mark_used, revoke_key
from brushwork.database.session import Database
from brushwork.database.tables import accounts, api_keys
from brushwork.errors import Forbidden, NotFound, Unauthorized

NOW = 1_800_000_000.0


async def make_key(database: Database, name: str = "anna") -> tuple[int, int, str]:
    """(account id, key id, key)"""
    async with database.write() as tx:
        account = await create_account(tx, name, plan="free", max_inflight=3, now=NOW)
        key_id, key = await create_key(tx, account.id, name="laptop", now=NOW)
    return account.id, key_id, key


async def test_a_key_opens_its_account(database: Database) -> None:
    account_id, _, key = await make_key(database)

    async with database.read() as tx:
        caller = await authenticate(tx, key, now=NOW)

    account = caller.account
    assert caller.scopes == {"read", "generate"}
    assert (account.id, account.name, account.plan, account.max_inflight) == (account_id, "anna", "free", 3)


async def test_the_table_never_holds_a_key(database: Database) -> None:
    _, _, key = await make_key(database)

    async with database.read() as tx:
        row = (await tx.execute(sa.select(api_keys))).one()

    assert key not in [str(value) for value in row]
    assert row.hash == key_hash(key)
    assert key.startswith(row.prefix)
    assert len(row.prefix) < 12 < len(key)


@pytest.mark.parametrize("key", ["", "bw_wrong", "ключ", "x" * 10_000, "\udcff"])
async def test_a_wrong_key_opens_nothing(database: Database, key: str) -> None:
    await make_key(database)

    async with database.read() as tx:
        with pytest.raises(Unauthorized):
            await authenticate(tx, key, now=NOW)


async def test_a_revoked_key_stops_working_and_others_go_on(database: Database) -> None:
    account_id, key_id, key = await make_key(database)
    async with database.write() as tx:
        _, other = await create_key(tx, account_id, name="phone", now=NOW)

    async with database.write() as tx:
        await revoke_key(tx, key_id, now=NOW + 1)
        await revoke_key(tx, key_id, now=NOW + 2)

    async with database.read() as tx:
        with pytest.raises(Unauthorized):
            await authenticate(tx, key, now=NOW)
        assert (await authenticate(tx, other, now=NOW)).account.id == account_id
        assert [listed.revoked_at for listed in await list_keys(tx)] == [NOW + 1, None]


async def test_a_key_ends_on_its_day(database: Database) -> None:
    account_id, _, _ = await make_key(database)
    async with database.write() as tx:
        _, key = await create_key(tx, account_id, name="guest", now=NOW, scopes=("read",), expires_at=NOW + 60)

    async with database.read() as tx:
        assert (await authenticate(tx, key, now=NOW + 59)).scopes == {"read"}
        with pytest.raises(Unauthorized, match="expired"):
            await authenticate(tx, key, now=NOW + 60)


async def test_the_keys_of_a_disabled_account_open_nothing(database: Database) -> None:
    account_id, _, key = await make_key(database)
    async with database.write() as tx:
        await tx.execute(sa.update(accounts).where(accounts.c.id == account_id).values(is_enabled=False))

    async with database.read() as tx:
        with pytest.raises(Forbidden, match="disabled"):
            await authenticate(tx, key, now=NOW)


async def test_revoking_an_unknown_key_says_so(database: Database) -> None:
    async with database.write() as tx:
        with pytest.raises(NotFound, match="99"):
            await revoke_key(tx, 99, now=NOW)


async def test_last_use_is_kept_to_the_minute(database: Database) -> None:
    _, _, key = await make_key(database)

    for moment in (NOW + 1, NOW + 30, NOW + 62):
        async with database.write() as tx:
            await mark_used(tx, key, now=moment)
    async with database.read() as tx:
        used = (await list_keys(tx))[0].last_used_at

    assert used == NOW + 62


async def test_keys_are_listed_by_account(database: Database) -> None:
    first, _, _ = await make_key(database, "anna")
    await make_key(database, "ben")

    async with database.read() as tx:
        assert {key.account_name for key in await list_keys(tx)} == {"anna", "ben"}
        assert [key.account_name for key in await list_keys(tx, account_id=first)] == ["anna"]


async def test_a_plan_can_be_changed(database: Database) -> None:
    account_id, _, _ = await make_key(database)

    async with database.write() as tx:
        await set_plan(tx, account_id, "pro", now=NOW + 5)

    async with database.read() as tx:
        account = await account_by_name(tx, "anna")
    assert account is not None
    assert (account.plan, account.updated_at) == ("pro", NOW + 5)
