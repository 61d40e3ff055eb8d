"""A migration under traffic: it does not wait long for a lock, for behind it everybody waits."""

import asyncio

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from core.db.failures import sqlstate
from core.db.migrate import upgrade
from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.migrations import downgrade

LOCK_TIMEOUT = 3.0
"""Seconds, in each migration."""


async def test_a_migration_behind_an_old_transaction_gives_up_and_the_old_code_serves_on(
    database_url: str, seed: Seed, sign_in: SignIn
) -> None:
    client = await sign_in(seed.sant.viewer)
    await downgrade(database_url, "0008")
    before = await revision(database_url)
    old = await asyncpg.connect(database_url)
    await old.execute("BEGIN; SELECT count(*) FROM idempotency_key")
    began = machine.now()
    answered = 0
    migrating = asyncio.create_task(asyncio.to_thread(upgrade, database_url))
    while not migrating.done():
        assert (await client.get("/v1/auth/sessions")).status_code == 200
        answered += not migrating.done()
        # Requests go on, some ten a second.
        await asyncio.sleep(0.1)
    with pytest.raises(DBAPIError, match="lock timeout") as raised:
        await migrating
    assert sqlstate(raised.value) == "55P03"
    assert LOCK_TIMEOUT <= machine.now() - began < machine.bound(LOCK_TIMEOUT + 2, began)
    assert answered > 1, "while it waited"
    assert await revision(database_url) == before
    await old.close()
    await asyncio.to_thread(upgrade, database_url)
    assert await revision(database_url) != before


async def revision(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version"))
    finally:
        await connection.close()
