"""A table of a new migration stamps versions as those of the first ones do, after one call."""

import re
from collections.abc import Callable

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection

from core.db.connections.engine import migration_engine
from core.db.schema import stamping
from core.db.schema.migrate import config
from core.db.schema.stamping import CATALOG, STAMPED_BY_0015, STAMPED_BY_0025, stamp_table, unstamp_table
from core.operations.doctor.tables.migrations import made
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.cache.bumps import bumps


def migration(revision: str) -> object:
    return ScriptDirectory.from_config(config()).get_revision(revision).module


def as_made_before(statement: str) -> str:
    return " ".join(statement.replace("CREATE OR REPLACE", "CREATE").split())


def test_it_makes_what_the_first_migrations_made() -> None:
    first = migration("0003")
    assert set(first.RULES) == set(STAMPED_BY_0015)  # type: ignore[attr-defined]
    for table, rules in first.RULES.items():  # type: ignore[attr-defined]
        function, *others = first.stamp(table, rules)  # type: ignore[attr-defined]
        assert stamping.trigger_function(table, rules) == function
        assert stamping.triggers(table) == others
    then = migration("0015").FINGERPRINT  # type: ignore[attr-defined]
    assert as_made_before(stamping.fingerprint(STAMPED_BY_0015)) == as_made_before(then)


def test_the_fingerprint_has_every_table_that_stamps() -> None:
    stamped = set(made().stamped())
    statement = made().functions["cache_fingerprint"]
    listed = re.search(r"c\.relname IN \(([^)]*)\)", statement)
    assert listed is not None
    assert set(re.findall(r"'(\w+)'", listed[1])) == stamped | {"cache_flush", "cache_version"}
    assert f"tgenabled = 'A') = {4 * len(stamped) + 2}\n" in statement


async def migrated(url: str, change: Callable[[], None]) -> None:
    """Run `change` as a migration's `upgrade` or `downgrade`."""

    def run(connection: SyncConnection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            change()

    engine = migration_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


@pytest.fixture
async def ward(database_url: str, connection: rows.Connection) -> str:
    await connection.execute(
        "CREATE TABLE ward (id serial PRIMARY KEY, clinic_id integer NOT NULL REFERENCES clinic, name text NOT NULL)"
    )
    await migrated(database_url, lambda: stamp_table("ward", CATALOG, beside=STAMPED_BY_0025))
    return "ward"


async def test_every_change_of_a_new_catalog_bumps_its_clinic(
    ward: str, connection: rows.Connection, seed: Seed
) -> None:
    own = (seed.sant.id, "catalogs")
    async with bumps(connection) as noted:
        await connection.execute(f"INSERT INTO {ward} (clinic_id, name) VALUES ($1, 'UCI')", seed.sant.id)
    assert noted.seen == {own}
    async with bumps(connection) as noted:
        await connection.execute(f"UPDATE {ward} SET name = 'UTI'")
    assert noted.seen == {own}
    async with bumps(connection) as noted:
        await connection.execute(f"UPDATE {ward} SET name = name")
    assert noted.seen == set()
    async with bumps(connection) as noted:
        await connection.execute(f"DELETE FROM {ward}")
    assert noted.seen == {own}
    async with bumps(connection) as noted:
        await connection.execute(f"TRUNCATE {ward}")
    assert noted.seen == {(clinic, "catalogs") for clinic in (0, seed.sant.id, seed.maga.id)}


async def test_a_new_catalogs_trigger_that_is_missing_shows(ward: str, connection: rows.Connection) -> None:
    assert await connection.fetchval("SELECT cache_fingerprint()") is not None
    await connection.execute(f"ALTER TABLE {ward} DISABLE TRIGGER cache_stamp_delete")
    assert await connection.fetchval("SELECT cache_fingerprint()") is None


async def test_a_new_catalog_is_taken_back(ward: str, database_url: str, connection: rows.Connection) -> None:
    await migrated(database_url, lambda: unstamp_table(ward, beside=STAMPED_BY_0025))
    triggers = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'ward'::regclass AND tgname LIKE 'cache_stamp%'"
    assert await connection.fetchval(triggers) == 0
    assert await connection.fetchval("SELECT cache_fingerprint()") is not None
    await connection.execute("DROP TABLE ward")
    assert await connection.fetchval("SELECT cache_fingerprint()") is not None
