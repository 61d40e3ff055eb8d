"""What has expired is deleted, in small steps, by one process at a time; and nothing else is."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from core.db.transaction import Database
from core.errors import Unavailable
from core.operations.housekeeping import hourly as module
from core.operations.housekeeping.hourly import hourly
from core.operations.housekeeping.sweep import ADVISORY_LOCK, Swept, sweep
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.machine import until


async def expired(connection: rows.Connection, seed: Seed, count: int, *, ago: str = "1 second") -> None:
    """So many sessions and idempotency keys whose time has come."""
    user_id = await connection.fetchval("SELECT id FROM app_user WHERE username = 'viewer_sant'")
    await connection.execute(
        "INSERT INTO user_session (token_hash, user_id, clinic_id, client, created_at, expires_at)"
        " SELECT sha256(gen_random_uuid()::text::bytea), $1, $2, 'web', now() - interval '1 day',"
        " now() - $3::text::interval FROM generate_series(1, $4)",
        user_id, seed.sant.id, ago, count,
    )  # fmt: skip
    await connection.execute(
        "INSERT INTO idempotency_key (user_id, method, path, key, body_digest, status, headers, body, expires_at)"
        " SELECT $1, 'POST', '/v1/tickets', gen_random_uuid()::text, sha256('x'), 201, '{}', '',"
        " now() - $2::text::interval FROM generate_series(1, $3)",
        user_id, ago, count,
    )  # fmt: skip


async def left(connection: rows.Connection) -> tuple[int, int]:
    row = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM user_session) AS s, (SELECT count(*) FROM idempotency_key) AS k"
    )
    assert row is not None
    return row["s"], row["k"]


async def test_what_has_expired_goes_and_the_rest_stays(
    database: Database, connection: rows.Connection, seed: Seed
) -> None:
    await expired(connection, seed, 30)
    await expired(connection, seed, 4, ago="-1 hour")
    await connection.execute(
        "UPDATE user_session SET revoked_at = now() WHERE id IN (SELECT max(id) FROM user_session)"
    )
    assert await sweep(database, rows=7) == Swept(30, 30)
    assert await left(connection) == (4, 4)
    assert await sweep(database) == Swept(0, 0)


async def test_it_invalidates_nothing(database: Database, connection: rows.Connection, seed: Seed) -> None:
    await expired(connection, seed, 5)
    versions = await connection.fetch("SELECT * FROM cache_version ORDER BY 1, 2")
    await sweep(database)
    assert await connection.fetch("SELECT * FROM cache_version ORDER BY 1, 2") == versions


async def test_one_process_at_a_time(
    database: Database, connection: rows.Connection, seed: Seed, database_url: str
) -> None:
    await expired(connection, seed, 5)
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", ADVISORY_LOCK)
        assert await sweep(database) == Swept(alone=False)
        assert await left(connection) == (5, 5)
    assert await sweep(database) == Swept(5, 5)


async def test_many_at_once_delete_each_row_once(database: Database, connection: rows.Connection, seed: Seed) -> None:
    await expired(connection, seed, 200)
    swept = await asyncio.gather(*(sweep(database, rows=10) for _ in range(6)))
    assert sum(one.sessions for one in swept) + (await left(connection))[0] == 200
    assert (await sweep(database)).alone
    assert await left(connection) == (0, 0)


async def test_a_session_that_is_just_being_used_is_left_for_the_next_time(
    database: Database, connection: rows.Connection, seed: Seed
) -> None:
    await expired(connection, seed, 3)
    async with connection.transaction():
        await connection.execute("SELECT FROM user_session WHERE id = (SELECT min(id) FROM user_session) FOR UPDATE")
        assert await sweep(database) == Swept(2, 3)
    assert await sweep(database) == Swept(1, 0)


@pytest.fixture
async def cleaning(database: Database) -> AsyncIterator["asyncio.Task[None]"]:
    task = asyncio.create_task(hourly(database, period=0.05))
    yield task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def gone(connection: rows.Connection) -> None:
    async def is_gone() -> bool:
        return await left(connection) == (0, 0)

    await until(is_gone)


async def test_it_comes_again_every_period(
    connection: rows.Connection, seed: Seed, cleaning: "asyncio.Task[None]"
) -> None:
    for _ in range(3):
        await expired(connection, seed, 3)
        await gone(connection)
    assert not cleaning.done()


@pytest.mark.parametrize("error", [Unavailable(), asyncpg.DataError("a bug")])
async def test_a_failure_is_no_end_of_it(
    database: Database, connection: rows.Connection, seed: Seed, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever the first time meets, the next one does its work."""
    failed: list[Exception] = []

    async def failing_once(database: Database) -> Swept:
        if not failed:
            failed.append(error)
            raise error
        return await sweep(database)

    monkeypatch.setattr(module, "sweep", failing_once)
    await expired(connection, seed, 3)
    task = asyncio.create_task(hourly(database, period=0.05))
    await gone(connection)
    assert failed == [error]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
