"""The server, our role in it, how far it is migrated, notifications, users."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from core.operations.doctor.configuration import Addresses
from core.operations.doctor.finding import Verdict
from core.settings import DEMO_DOMAIN
from tests.core.operations.doctor.conftest import Round, unwell
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.migrations import downgrade
from tests.support.servers.databases import administer, database_named


async def test_an_old_migration_is_told_and_nothing_is_repaired_before(round_of: Round, database_url: str) -> None:
    await downgrade(database_url, "0007")
    found = await round_of(repair=True)
    assert found["Migrations"].verdict is Verdict.FAILED
    assert found["Migrations"].seen.startswith("at 0007, ")
    assert found["Migrations"].remedy == "run ticket-home migrate"
    assert found["The tables"].verdict is Verdict.SKIPPED
    assert found["Redis"].verdict is Verdict.OK, "the others go on"


async def test_a_database_of_a_newer_release_is_told(round_of: Round, connection: rows.Connection) -> None:
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    found = await round_of()
    assert "9999, newer than this code" in found["Migrations"].seen


async def test_other_rules_of_sorting_than_the_indexes_were_built_with_are_told(
    round_of: Round, connection: rows.Connection
) -> None:
    """As after the system below was upgraded, or a server's files were put beside another system."""
    note = "UPDATE pg_database SET datcollversion = $1::text WHERE datname = current_database()"
    await connection.execute(note, "0")
    found = (await round_of())["Sort order"]
    assert found.verdict is Verdict.WARNING
    assert "rules 0, the system has 1" in found.seen
    for statement in found.remedy.split("; "):
        await connection.execute(statement)
    assert (await round_of())["Sort order"].verdict is Verdict.OK
    # Where none was noted PostgreSQL itself cannot tell, and takes no newer one.
    await connection.execute(note, None)
    assert (await round_of())["Sort order"].verdict is Verdict.OK


async def test_an_empty_database_is_told(addresses: Addresses, round_of: Round, migrated: str) -> None:
    name = f"test_{secrets.token_hex(6)}"
    await administer(migrated, f"CREATE DATABASE {name}")
    try:
        found = await round_of(replace(addresses, database_url=database_named(migrated, name)))
        assert (found["Migrations"].seen, found["Migrations"].remedy) == (
            "the database is empty",
            "run ticket-home migrate",
        )
    finally:
        await administer(migrated, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ALTER TABLE doctor DROP COLUMN rut", "add_column doctor rut"),
        ("DROP INDEX ix_ticket_board", "add_index ix_ticket_board"),
        ("ALTER TABLE surgery ALTER COLUMN base_stay_hours TYPE bigint", "surgery base_stay_hours"),
    ],
)
async def test_a_table_changed_by_hand_is_told(
    round_of: Round, connection: rows.Connection, statement: str, expected: str
) -> None:
    await connection.execute(statement)
    found = await round_of()
    assert found["Tables"].verdict is Verdict.FAILED
    assert expected in found["Tables"].seen


async def test_an_index_that_somebody_added_is_nobodys_business(round_of: Round, connection: rows.Connection) -> None:
    await connection.execute("CREATE INDEX mine ON ticket (bed_number)")
    assert unwell(await round_of()) == set()


@pytest.fixture
async def limited(connection: rows.Connection, database_url: str) -> AsyncIterator[str]:
    """The address for a role that owns nothing, and may do what serving needs."""
    role = f"limited_{secrets.token_hex(4)}"
    await connection.execute(
        f"CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
        f" REVOKE INSERT, UPDATE, DELETE ON cache_version FROM {role};"
        f" REVOKE UPDATE, DELETE ON action_audit FROM {role}"
    )
    yield make_url(database_url).set(username=role).render_as_string(hide_password=False)
    await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_a_role_that_may_only_serve_is_well(round_of: Round, addresses: Addresses, limited: str) -> None:
    found = await round_of(replace(addresses, database_url=limited))
    assert unwell(found) == set()
    assert "run as the tables' owner" in found["Rights"].seen


@pytest.mark.long
async def test_a_lacking_right_is_told_and_a_repair_asks_for_the_owner(
    round_of: Round, addresses: Addresses, limited: str, connection: rows.Connection
) -> None:
    role = make_url(limited).username
    await connection.execute(f"REVOKE UPDATE ON ticket FROM {role}; REVOKE SELECT ON cache_version FROM {role}")
    found = await round_of(replace(addresses, database_url=limited))
    assert found["Rights"].seen == f"{role} lacks SELECT on cache_version, UPDATE on ticket"
    assert f"GRANT UPDATE ON ticket TO {role}".lower() in found["Rights"].remedy.lower()

    await connection.execute(f"GRANT UPDATE ON ticket TO {role}; GRANT SELECT ON cache_version TO {role}")
    await connection.execute("DROP TRIGGER cache_stamp_update ON ticket")
    found = await round_of(replace(addresses, database_url=limited), repair=True)
    assert found["Triggers"].verdict is Verdict.FAILED
    assert "run it as the role that owns the tables" in found["Triggers"].remedy
    assert unwell(await round_of(repair=True)) == set()


async def test_a_missing_extension_is_told(round_of: Round, connection: rows.Connection) -> None:
    await connection.execute("DROP EXTENSION pg_trgm CASCADE")
    found = await round_of()
    assert found["Extensions"].seen == "pg_trgm missing"
    assert "CREATE EXTENSION pg_trgm" in found["Extensions"].remedy
    assert "ix_patient_search" in found["Tables"].seen, "what went with it"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://nobody@/{name}?host={host}", "nobody"),
        ("postgresql://{user}@/nowhere?host={host}", "nowhere"),
        ("postgresql://{user}@/{name}?host=/nonexistent", "does not answer"),
        ("postgresql://{user}@127.0.0.1:1/{name}", "does not answer"),
        ("not an address", "is no address"),
        ("postgresql://a:b:c:secret@host:x/y", "is no address"),
    ],
)
async def test_a_database_that_cannot_be_reached_is_told(
    round_of: Round, addresses: Addresses, database_url: str, url: str, expected: str
) -> None:
    parts = make_url(database_url)
    given = url.format(user=parts.username, name=parts.database, host=parts.query["host"])
    found = await round_of(replace(addresses, database_url=given))
    assert unwell(found) == {"PostgreSQL", "The database"}
    assert expected in found["PostgreSQL"].seen
    assert "secret" not in str(found["PostgreSQL"])
    assert found["Redis"].verdict is Verdict.OK


async def test_a_read_only_database_is_told(round_of: Round, connection: rows.Connection, database_url: str) -> None:
    await connection.execute(f"ALTER DATABASE {make_url(database_url).database} SET default_transaction_read_only = on")
    found = await round_of()
    assert "read only" in found["PostgreSQL"].seen
    assert unwell(found) == {"PostgreSQL", "The tables"}


async def test_where_notifications_do_not_come_through_it_is_told(
    round_of: Round, addresses: Addresses, migrated: str
) -> None:
    """Another database of the server stands for a pooler: it takes LISTEN, and nothing comes."""
    elsewhere = replace(addresses, listen_url=database_named(migrated, "postgres"))
    found = await round_of(elsewhere)
    assert unwell(found) == {"Addresses", "Notifications"}
    assert "two databases" in found["Addresses"].seen
    assert found["Notifications"].verdict is Verdict.WARNING
    assert "DATABASE_LISTEN_URL" in found["Notifications"].remedy
    assert unwell(await round_of(replace(elsewhere, push=False))) == {"Addresses"}
    nobody = await round_of(replace(addresses, listen_url="postgresql://x@127.0.0.1:1/y"))
    assert "nobody answers" in nobody["Notifications"].seen
    assert "DATABASE_LISTEN_URL" in nobody["Addresses"].remedy


async def test_without_an_active_superuser_nobody_can_make_users(round_of: Round, connection: rows.Connection) -> None:
    await connection.execute("UPDATE app_user SET is_active = false WHERE role = 'superuser'")
    found = await round_of()
    assert unwell(found) == {"Users"}
    assert "user create" in found["Users"].remedy


async def test_a_pool_that_the_server_cannot_hold_is_told(round_of: Round, addresses: Addresses) -> None:
    found = await round_of(replace(addresses, pool_size=500))
    assert unwell(found) == {"PostgreSQL"}
    assert "501" in found["PostgreSQL"].seen


async def test_a_round_beside_writers_neither_waits_nor_blocks(
    round_of: Round, connection: rows.Connection, database_url: str
) -> None:
    """Writers go on while it looks and repairs, and both see each other's versions go up only."""
    seen: list[dict[tuple[int, str], int]] = []
    done = asyncio.Event()

    async def write() -> None:
        writer = await asyncpg.connect(database_url)
        while not done.is_set():
            await writer.execute("UPDATE ticket SET revision = revision + 1")
            found = await writer.fetch("SELECT clinic_id, topic, version FROM cache_version")
            seen.append({(row["clinic_id"], row["topic"]): row["version"] for row in found})
        await writer.close()

    writing = asyncio.ensure_future(write())
    try:
        await connection.execute("ALTER TABLE doctor DISABLE TRIGGER ALL")
        assert unwell(await round_of(repair=True)) == set()
    finally:
        done.set()
        await writing
    assert len(seen) > 10
    for earlier, later in pairwise(seen):
        assert all(later[key] >= version for key, version in earlier.items())


async def test_the_demo_s_accounts_in_production_are_told(
    round_of: Round, addresses: Addresses, connection: rows.Connection, seed: Seed
) -> None:
    production = replace(addresses, is_production=True)
    assert "Users" not in await round_of(production)
    await connection.execute(
        "UPDATE app_user SET email = username || '@' || $2 WHERE username = $1", seed.sant.viewer, DEMO_DOMAIN
    )
    found = (await round_of(production))["Users"]
    assert (found.verdict, found.seen.startswith("1 of the demo's accounts")) == (Verdict.FAILED, True)
    assert "Users" not in await round_of()
