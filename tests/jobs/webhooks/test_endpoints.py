"""Endpoints that come and go, and secrets while one takes over from another, on both databases."""

import time

from brushwork.database.session import Database
from brushwork.jobs.webhooks.endpoints import (
    add_endpoint,
    before_until,
    remove_endpoint,
    remove_secret,
    rotate_secret,
    secrets_of,
)
from brushwork.jobs.webhooks.signatures import Secrets
from tests.jobs.conftest import MakeAccount

HOUR = 3600.0


async def test_an_account_begins_without_a_secret(database: Database, make_account: MakeAccount) -> None:
    account = await make_account()

    async with database.read() as tx:
        assert await secrets_of(tx, account.id, now=time.time()) == Secrets(None, None)
        assert await before_until(tx, account.id, now=time.time()) is None


async def test_the_secret_before_signs_too_while_it_lasts(database: Database, make_account: MakeAccount) -> None:
    account, now = await make_account(), time.time()
    async with database.write() as tx:
        first = await rotate_secret(tx, account.id, keep_seconds=HOUR, now=now)
        second = await rotate_secret(tx, account.id, keep_seconds=HOUR, now=now)

    async with database.read() as tx:
        active = [await secrets_of(tx, account.id, now=now + age) for age in (0, HOUR - 1, HOUR)]
        until = [await before_until(tx, account.id, now=now + age) for age in (0, HOUR)]

    assert [both.active for both in active] == [(second, first), (second, first), (second,)]
    assert until == [now + HOUR, None]


async def test_only_two_secrets_are_active_at_a_time(database: Database, make_account: MakeAccount) -> None:
    account, now = await make_account(), time.time()
    async with database.write() as tx:
        made = [await rotate_secret(tx, account.id, keep_seconds=HOUR, now=now) for _ in range(3)]
        found = await secrets_of(tx, account.id, now=now)

    assert found.active == (made[2], made[1])


async def test_a_secret_that_has_leaked_stops_at_once(database: Database, make_account: MakeAccount) -> None:
    account, now = await make_account(), time.time()
    async with database.write() as tx:
        await rotate_secret(tx, account.id, keep_seconds=HOUR, now=now)
        second = await rotate_secret(tx, account.id, keep_seconds=0, now=now)
        assert (await secrets_of(tx, account.id, now=now)).active == (second,)
        await remove_secret(tx, account.id)
        assert (await secrets_of(tx, account.id, now=now)).active == ()


async def test_the_number_of_a_removed_endpoint_is_never_another_ones(
    database: Database, make_account: MakeAccount
) -> None:
    """Deliveries keep it: a receiver that answers 410 to a replay would switch a stranger's endpoint off."""
    mine, other, now = await make_account(), await make_account(name="other"), time.time()
    async with database.write() as tx:
        first = await add_endpoint(tx, mine.id, "https://a.test/", events=["job.failed"], description="", now=now)
        await remove_endpoint(tx, mine.id, first.id, now=now)
        second = await add_endpoint(tx, other.id, "https://b.test/", events=["job.failed"], description="", now=now)

    assert second.id > first.id
