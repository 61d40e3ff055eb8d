"""What a trigger keeps of a stay's flow, whoever writes: this release, the one before it, an import, psql."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from core.db.schema.migrate import upgrade
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.migrations import downgrade

HOUR = timedelta(hours=1)


async def test_a_long_stay_is_one_beyond_twice_the_base_hours_since_admission(
    connection: rows.Connection, seed: Seed
) -> None:
    ticket = await seed.sant.ticket(connection, surgery_base_hours=30)
    read = "SELECT long_stay_at - admission_at FROM ticket WHERE id = $1"
    assert await connection.fetchval(read, ticket) == 60 * HOUR
    await connection.execute("UPDATE ticket SET surgery_base_hours = 24 WHERE id = $1", ticket)
    assert await connection.fetchval(read, ticket) == 48 * HOUR
    await connection.execute(
        "UPDATE ticket SET admission_at = admission_at - interval '5 hours', surgery_base_hours = 36 WHERE id = $1",
        ticket,
    )
    assert await connection.fetchval(read, ticket) == 72 * HOUR
    # Over the night in which the clock of Chile springs forward it is elapsed hours all the same.
    await connection.execute("SET timezone = 'America/Santiago'")
    await connection.execute("UPDATE ticket SET admission_at = '2026-09-05 20:00', surgery_base_hours = 12")
    assert await connection.fetchval("SELECT extract(epoch FROM long_stay_at - admission_at) FROM ticket") == 24 * 3600


async def test_nobody_was_ready_after_they_left(connection: rows.Connection, seed: Seed) -> None:
    """Also where a release that knows nothing of it writes the discharge."""
    ticket = await seed.sant.ticket(connection)
    await connection.execute("UPDATE ticket SET ready_at = admission_at + interval '9 hours', ready_by = 'nurse'")
    await connection.execute(
        "UPDATE ticket SET status = 'discharged', discharged_at = admission_at + interval '8 hours' WHERE id = $1",
        ticket,
    )
    row = await rows.one(connection, "SELECT ready_at, discharged_at, ready_by FROM ticket")
    assert (row["ready_at"], row["ready_by"]) == (row["discharged_at"], "nurse")
    await connection.execute("UPDATE ticket SET status = 'active', discharged_at = NULL")
    assert (await rows.one(connection, "SELECT ready_at FROM ticket"))["ready_at"] == row["ready_at"]


async def test_what_the_release_before_left_active_is_filled_and_what_it_writes_from_then_on(
    connection: rows.Connection, database_url: str, seed: Seed
) -> None:
    await downgrade(database_url, "0024")
    here = await seed.sant.ticket(connection)
    gone = await seed.sant.ticket(connection)
    leave = "UPDATE ticket SET status = 'discharged', discharged_at = now() WHERE id = $1"
    await connection.execute(leave, gone)
    await asyncio.to_thread(upgrade, database_url)
    await connection.reload_schema_state()
    read = "SELECT long_stay_at FROM ticket WHERE id = $1"
    assert await connection.fetchval(read, here) is not None
    assert await connection.fetchval(read, gone) is None
    # Statements of the release before, which name none of the new columns.
    new = await seed.sant.ticket(connection)
    await connection.execute("UPDATE ticket SET status = 'active', discharged_at = NULL WHERE id = $1", gone)
    for ticket in (new, gone):
        assert await connection.fetchval(read, ticket) is not None, ticket


@pytest.mark.parametrize("broken", ["ready_at = now()", "ready_by = 'nurse'"])
async def test_ready_says_when_and_by_whom(connection: rows.Connection, seed: Seed, broken: str) -> None:
    await seed.sant.ticket(connection)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(f"UPDATE ticket SET {broken}")
