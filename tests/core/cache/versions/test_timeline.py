"""Which changes make another timeline, and which stamp the one there is; and what a map does that learns of one."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from core.cache.versions.map import VersionMap
from core.cache.versions.snapshot import Ledger, VersionSnapshot
from core.cache.versions.timeline import Timeline
from core.clock import boottime
from core.db.connections.engine import dispose, serving_engine
from core.db.transaction import Database, ReadSession, WriteSession
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.servers.databases import administer, database_named
from tests.support.unhurried import unhurried  # noqa: F401  used by all

WHOLE = Timeline("a", "a")


async def fingerprint(connection: rows.Connection) -> str | None:
    found: str | None = await connection.fetchval("SELECT cache_fingerprint()")
    return found


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE fpa_modification",
        "VACUUM FULL doctor",
        "CLUSTER ticket USING pk_ticket",
        "ALTER TABLE doctor ALTER COLUMN name TYPE varchar(300) USING upper(name)",
        "ALTER TABLE doctor DISABLE TRIGGER USER; ALTER TABLE doctor ENABLE TRIGGER USER;"
        + "".join(
            f"ALTER TABLE doctor ENABLE ALWAYS TRIGGER cache_stamp_{event};"
            for event in ("insert", "update", "delete", "truncate")
        ),
        "ALTER TABLE doctor RENAME TO away; CREATE TABLE doctor (LIKE away INCLUDING ALL); DROP TABLE away CASCADE",
        "DROP TRIGGER cache_changed_in ON cache_version",
        "DROP TRIGGER cache_flush ON cache_flush",
        "ALTER TABLE user_session DISABLE TRIGGER cache_stamp_update",
        "ALTER TABLE cache_version ENABLE TRIGGER cache_changed_in",
        "ALTER TABLE doctor DROP COLUMN name; ALTER TABLE doctor ADD COLUMN name text DEFAULT 'Dr. Nobody'",
        "CREATE TABLE heirs () INHERITS (doctor)",
        "ALTER TABLE doctor ENABLE ROW LEVEL SECURITY",
        "CREATE RULE quiet AS ON UPDATE TO doctor DO INSTEAD NOTHING",
        "CREATE OR REPLACE FUNCTION cache_stamp_doctor() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE OR REPLACE FUNCTION cache_remember(keys text[]) RETURNS void LANGUAGE sql AS 'SELECT'",
    ],
)
async def test_what_replaces_rows_or_stops_stamping_shows(connection: rows.Connection, statement: str) -> None:
    before = await fingerprint(connection)
    assert before is not None
    for one in filter(str.strip, statement.split(";")):
        await connection.execute(one)
    assert await fingerprint(connection) != before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE doctor SET name = 'x'",
        "DELETE FROM doctor",
        "SELECT cache_invalidate()",
        "ANALYZE",
        "VACUUM",
        "VACUUM FREEZE pg_trigger",
        "CREATE INDEX ON doctor (name)",
        "COMMENT ON TABLE doctor IS 'x'",
    ],
)
async def test_what_changes_rows_as_ever_does_not(connection: rows.Connection, seed: Seed, statement: str) -> None:
    before = await fingerprint(connection)
    await connection.execute(statement)
    assert await fingerprint(connection) == before


async def test_a_copy_of_the_database_is_another_timeline(migrated: str, database_url: str) -> None:
    """Object for object, and row for row, it is the same."""
    name = make_url(database_url).database
    opened = await asyncpg.connect(database_url)
    before = await fingerprint(opened)
    await opened.close()
    await administer(migrated, f"CREATE DATABASE copy_of_{name} TEMPLATE {name} STRATEGY file_copy")
    try:
        opened = await asyncpg.connect(database_named(database_url, f"copy_of_{name}"))
        assert await fingerprint(opened) not in (None, before)
        assert await opened.fetchval("SELECT cache_new_timeline()")
        await opened.close()
    finally:
        await administer(migrated, f"DROP DATABASE copy_of_{name} WITH (FORCE)")


async def test_a_new_timeline_has_another_id(connection: rows.Connection) -> None:
    async def identity() -> str:
        return str(await connection.fetchval("SELECT id FROM cache_timeline"))

    seen = [await identity()]
    for statement in ("TRUNCATE fpa_modification", "SELECT"):
        await connection.execute(statement)
        await connection.execute("SELECT cache_new_timeline($1)", statement == "SELECT")
        seen.append(await identity())
    await connection.execute("SELECT cache_new_timeline()")
    assert seen[-1] == await identity()
    assert len(set(seen)) == 3


async def versions(connection: rows.Connection) -> dict[tuple[int, str], int]:
    found = await connection.fetch("SELECT clinic_id, topic, version FROM cache_version")
    return {(row["clinic_id"], row["topic"]): row["version"] for row in found}


async def test_of_several_who_see_a_new_timeline_one_bumps_everything_once(
    connection: rows.Connection, database_url: str, seed: Seed
) -> None:
    await connection.execute("TRUNCATE fpa_modification")
    before = await versions(connection)

    async def begin() -> bool:
        opened = await asyncpg.connect(database_url)
        try:
            return bool(await opened.fetchval("SELECT cache_new_timeline()"))
        finally:
            await opened.close()

    assert sorted(await asyncio.gather(*(begin() for _ in range(5)))) == [False] * 4 + [True]
    after = await versions(connection)
    assert all(after[key] > version for key, version in before.items())
    assert not await connection.fetchval("SELECT cache_new_timeline()")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER cache_stamp_insert ON doctor",
        "ALTER TABLE doctor RENAME TO away; CREATE TABLE doctor (LIKE away INCLUDING ALL)",
        "ALTER TABLE doctor RENAME TO away; CREATE VIEW doctor AS TABLE away",
        "CREATE SCHEMA other; ALTER TABLE doctor SET SCHEMA other; CREATE TABLE doctor (LIKE other.doctor)",
    ],
)
async def test_without_all_of_its_triggers_no_timeline_begins(connection: rows.Connection, statement: str) -> None:
    """A table that was renamed keeps its own, and is not the one that is read."""
    await connection.execute(statement)
    assert not await connection.fetchval("SELECT cache_new_timeline()")
    assert await connection.fetchval("SELECT cache_fingerprint() IS NULL")


async def test_rows_that_are_put_back_into_the_versions_count_as_changed_now(connection: rows.Connection) -> None:
    await connection.execute("INSERT INTO cache_version VALUES (7, 'x', 5, '3'), (8, 'x', 5, '9000000000000')")
    await connection.execute("UPDATE cache_version SET changed_in = '4' WHERE clinic_id = 0")
    wrong = "SELECT count(*) FROM cache_version WHERE changed_in::text::numeric NOT BETWEEN 10 AND 8000000000"
    assert await connection.fetchval(wrong) == 0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("client", "'mobile'"),
        ("idle_seconds", "5"),
        ("idle_seconds", "NULL"),
        ("expires_at", "now() + interval '1 minute'"),
        ("revoked_at", "now()"),
        ("token_hash", "sha256('another')"),
    ],
)
async def test_every_column_of_a_session_that_its_copies_carry_is_stamped(
    connection: rows.Connection, seed: Seed, column: str, value: str
) -> None:
    user_id = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.viewer)
    made = "INSERT INTO user_session (token_hash, user_id, clinic_id, client, idle_seconds, expires_at)"
    await connection.execute(
        f"{made} VALUES (sha256('x'), $1, $2, 'web', 3600, now() + interval '1 hour')", user_id, seed.sant.id
    )
    look = "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'users'"
    before = await connection.fetchval(look, seed.sant.id)
    await connection.execute("UPDATE user_session SET last_seen_at = now()")
    assert await connection.fetchval(look, seed.sant.id) == before
    await connection.execute(f"UPDATE user_session SET {column} = {value}")
    assert await connection.fetchval(look, seed.sant.id) > before


# --- the map


def polled(versions: VersionMap, timeline: Timeline, *, full: bool = False) -> None:
    versions.read_ended(VersionSnapshot([], "1", 0.0, full, timeline), versions.read_started(), boottime())


@pytest.mark.parametrize("seen", [Timeline("a", None), Timeline(None, "a"), Timeline("b", "a"), Timeline(None, None)])
def test_versions_that_do_not_stand_for_the_rows_have_no_lease(seen: Timeline) -> None:
    versions = VersionMap()
    polled(versions, WHOLE, full=True)
    assert versions.is_fresh()
    polled(versions, seen)
    assert not versions.is_fresh()
    assert not versions.is_whole
    polled(versions, WHOLE, full=True)
    assert versions.is_fresh()
    assert versions.is_whole


def test_what_looks_whole_again_after_changes_without_stamps_is_not_before_another_timeline_begins() -> None:
    """A subscription leaves no trace in the tables that it wrote."""
    versions = VersionMap()
    for timeline, is_whole, is_missing in (
        (Timeline("a", "a", "one"), True, False),
        (Timeline(None, "a", "one"), False, False),
        (Timeline("a", "a", "one"), False, True),
        (Timeline("a", "a", "two"), True, False),
        (Timeline("a", "a", "two"), True, False),
        (Timeline(None, "a", "two"), False, False),
        (Timeline("b", "a", "two"), False, False),  # triggers that were put back: whoever begins one sees by itself
    ):
        polled(versions, timeline, full=True)
        assert (versions.is_whole, versions.is_missing_stamps) == (is_whole, is_missing), timeline
        assert versions.is_fresh() == is_whole


def test_another_timeline_empties_memory_and_is_trusted_once_all_rows_were_read() -> None:
    versions = VersionMap()
    restored: list[int] = []
    versions.on_restored.append(lambda: restored.append(1))
    polled(versions, WHOLE, full=True)
    polled(versions, WHOLE)
    assert not restored
    polled(versions, Timeline("b", "b"))
    assert restored == [1]
    assert not versions.is_fresh()
    polled(versions, Timeline("b", "b"), full=True)
    assert versions.is_fresh()
    assert restored == [1]


def test_a_timeline_that_was_stamped_anew_empties_memory() -> None:
    versions = VersionMap()
    restored: list[int] = []
    versions.on_restored.append(lambda: restored.append(1))
    for identity in ("one", "one", "two"):
        polled(versions, Timeline("a", "a", identity), full=True)
    assert restored == [1]
    polled(versions, Timeline(None, "a", "two"))
    assert restored == [1, 1], "and so does one that is not whole any more"


@pytest.mark.parametrize("full", [True, False])
def test_a_poll_that_was_sent_before_another_timeline_was_seen_tells_nothing(full: bool) -> None:
    """It looked before the restore, and its answer came after the new timeline's: what was lost is higher."""
    versions = VersionMap()
    key = (5, "catalogs")
    late, late_sent_at = versions.read_started(), boottime()
    for timeline, version in ((WHOLE, 900), (Timeline("b", "a"), 10), (Timeline("b", "b"), 20)):
        versions.read_ended(
            VersionSnapshot([(*key, version)], "1", 0.0, True, timeline), versions.read_started(), boottime()
        )
    assert versions.is_fresh()
    versions.read_ended(VersionSnapshot([(*key, 900)], "1", 0.0, full, WHOLE), late, late_sent_at)
    assert versions.get(*key) == 20
    assert not versions.is_fresh()  # whoever asked for it had a reason: it is asked for again
    polled(versions, Timeline("b", "b"))
    assert versions.is_fresh()


async def test_a_write_whose_versions_are_lower_than_those_that_are_known_has_the_rows_read(
    settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    """The database was restored since the last poll: the writer would be given what it had before."""
    versions = VersionMap()
    engine = serving_engine(settings)
    database = Database(engine, versions)

    async def work(session: WriteSession) -> None:
        await session.execute(text("UPDATE doctor SET name = name || '.'"))

    await rows.doctor(connection, seed.sant.id)
    polled(versions, WHOLE)
    await database.write(work)
    assert versions.is_fresh()
    versions.learn([(seed.sant.id, "catalogs", 2**62)])
    await database.write(work)
    assert not versions.is_fresh()
    await dispose(engine)


async def test_of_a_new_timeline_every_process_is_told_at_once(connection: rows.Connection, database_url: str) -> None:
    payloads: asyncio.Queue[str] = asyncio.Queue()
    listening = await asyncpg.connect(database_url)
    await listening.add_listener("ticket_home", lambda *said: payloads.put_nowait(str(said[3])))
    await connection.execute("VACUUM FULL doctor")
    await connection.execute("SELECT cache_new_timeline()")
    async with asyncio.timeout(10):
        while await payloads.get() != "poll":
            pass
    await listening.close()


def poll(rows_told: list[tuple[int, str, int]], number: int, total: int, *, full: bool = False) -> VersionSnapshot:
    return VersionSnapshot(rows_told, "1", 0.0, full, WHOLE, number, total)


def test_a_row_that_changed_without_being_told_shows_in_the_sum() -> None:
    ledger = Ledger()
    assert ledger.agrees(poll([(1, "x", 10), (2, "x", 20)], 2, 30, full=True))
    assert ledger.agrees(poll([(1, "x", 15)], 2, 35))
    assert ledger.agrees(poll([(1, "x", 15), (3, "x", 1)], 3, 36))
    assert not ledger.agrees(poll([], 3, 31))  # put back
    assert not ledger.agrees(poll([], 2, 35))  # deleted
    assert ledger.agrees(poll([(1, "x", 10)], 1, 10, full=True))


# --- plans that DDL made void

DDL = (
    "ALTER TABLE doctor ALTER COLUMN name TYPE text",
    "ALTER TABLE doctor ADD COLUMN added integer",
    "ALTER TABLE doctor ALTER COLUMN name TYPE varchar(300) USING upper(name)",
    "DROP TABLE IF EXISTS doctor_before; ALTER TABLE doctor RENAME TO doctor_before;"
    " CREATE TABLE doctor (LIKE doctor_before INCLUDING ALL); INSERT INTO doctor SELECT * FROM doctor_before",
)
ALL = text("SELECT * FROM doctor")
Calls = Callable[[Database], Awaitable[int]]


async def reads(database: Database) -> int:
    async def work(session: ReadSession) -> int:
        return len((await session.execute(ALL)).all())

    return await database.read(work)


async def snapshots(database: Database) -> int:
    async def work(session: ReadSession) -> int:
        return len((await session.execute(ALL)).all())

    return await database.snapshot(work)


async def writes(database: Database) -> int:
    async def work(session: WriteSession) -> int:
        await session.execute(text("UPDATE clinic SET name = name"))
        return len((await session.execute(ALL)).all())

    return await database.write(work)


@pytest.mark.parametrize("ddl", DDL)
@pytest.mark.parametrize("call", [reads, snapshots, writes], ids=lambda call: call.__name__)
async def test_a_plan_that_ddl_made_void_is_made_again(
    database: Database, connection: rows.Connection, seed: Seed, call: Calls, ddl: str
) -> None:
    # On every connection of the pool, and often enough that each has a plan of its own.
    await asyncio.gather(*(call(database) for _ in range(20)))
    for statement in ddl.split(";"):
        await connection.execute(statement)
    assert await asyncio.gather(*(call(database) for _ in range(20))) == [2] * 20


async def test_statements_that_a_connection_has_forgotten_are_prepared_again(
    database: Database, connection: rows.Connection, seed: Seed
) -> None:
    async def forgetful(session: ReadSession) -> int:
        found = len((await session.execute(ALL)).all())
        await session.execute(text("DEALLOCATE ALL"))
        return found

    for _ in range(4):
        assert await database.read(forgetful) == 2
        assert await reads(database) == 2
