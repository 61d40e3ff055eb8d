"""A migration under traffic: it does not wait long for a lock, for behind it everybody waits."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from core.db.failures import sqlstate
from core.db.schema.compatibility import newest
from core.db.schema.migrate import upgrade
from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.migrations import downgrade
from tests.support.processes.commands import TICKET_HOME, run_beside

LOCK_TIMEOUT = 3.0
"""Seconds, in each migration."""
BUILDING = "SELECT count(*) FROM pg_stat_progress_create_index WHERE datname = current_database()"
WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation IS NOT NULL AND NOT granted)"
HALF_BUILT = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


async def test_a_migration_behind_an_old_transaction_gives_up_and_the_old_code_serves_on(
    database_url: str, seed: Seed, sign_in: SignIn
) -> None:
    client = await sign_in(seed.sant.viewer)
    # As far back as this release still serves: what polls read is newer than the revisions before it.
    await downgrade(database_url, "0018")
    before = await revision(database_url)
    old = await asyncpg.connect(database_url)
    await old.execute("BEGIN; UPDATE ticket SET revision = revision WHERE false")
    began = machine.now()
    answered = 0
    migrating = asyncio.create_task(asyncio.to_thread(upgrade, database_url, tries=1))
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


@pytest.mark.long
@pytest.mark.parametrize(
    ("since", "held", "wanted"),
    [
        ("0008", "SELECT count(*) FROM idempotency_key", None),
        ("0028", "LOCK TABLE ticket IN ROW EXCLUSIVE MODE", "LOCK TABLE delay IN ROW EXCLUSIVE MODE"),
    ],
    ids=["who has it keeps it", "who has it waits for the migration"],
)
async def test_a_migration_that_does_not_get_a_lock_lets_others_pass_and_tries_again(
    database_url: str, seed: Seed, monkeypatch: pytest.MonkeyPatch, since: str, held: str, wanted: str | None
) -> None:
    await downgrade(database_url, since)
    before = await revision(database_url)
    old = await asyncpg.connect(database_url)
    await old.execute(f"BEGIN; {held}")
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr("core.db.schema.migrate.BETWEEN", 0)
    monkeypatch.setattr("core.db.schema.migrate.logger.warning", lambda *_, **__: loop.call_soon_threadsafe(told.set))
    migrating = asyncio.create_task(asyncio.to_thread(upgrade, database_url))
    if wanted is not None:
        await machine.until(lambda: old.fetchval(WAITING))
        await old.execute(wanted)
    await told.wait()
    assert await revision(database_url) == before
    await old.execute("ROLLBACK")
    assert await migrating
    assert await revision(database_url) == newest()
    await old.close()


@pytest.mark.long
async def test_a_migration_that_was_killed_half_way_is_gone_on_with(
    database_url: str, operator: dict[str, str], seed: Seed, tmp_path: Path
) -> None:
    """Killed where it is worst: outside of a transaction, with an index that is half built."""
    await downgrade(database_url, "0019")
    old = await asyncpg.connect(database_url)
    await old.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; UPDATE ticket SET revision = revision")
    looking = await asyncpg.connect(database_url)

    async def is_building() -> bool:
        return bool(await looking.fetchval(BUILDING))

    with (tmp_path / "log").open("wb") as log:
        killed = await asyncio.create_subprocess_exec(TICKET_HOME, "migrate", env=operator, stdout=log, stderr=log)
        try:
            await machine.until(is_building)
        finally:
            killed.kill()
            await killed.wait()
    assert await looking.fetchval(HALF_BUILT) == 1
    # Its connection outlives it, and keeps the migrations' lock: as long as PostgreSQL waits, and not a moment longer.
    migrating = asyncio.create_task(run_beside(operator, "migrate"))
    await old.execute("ROLLBACK")
    ended = await migrating
    assert ended.returncode == 0, ended.stderr
    assert await looking.fetchval(HALF_BUILT) == 0
    assert await revision(database_url) == newest()
    await old.close()
    await looking.close()
