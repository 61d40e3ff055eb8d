"""What stamps versions is broken in every way that an operator could break it; the doctor sees it and puts it back."""

from collections.abc import Sequence

import pytest

from core.cache.policy import TOPICS
from core.operations.doctor.finding import Verdict
from core.operations.doctor.tables.migrations import made, normal
from core.operations.doctor.tables.triggers import FOUND, wrong_functions, wrong_triggers
from tests.core.operations.doctor.conftest import Round, of, unwell
from tests.factories import rows
from tests.factories.fixtures import Seed

Versions = dict[tuple[int, str], int]


async def versions(connection: rows.Connection) -> Versions:
    found = await connection.fetch("SELECT clinic_id, topic, version FROM cache_version")
    return {(row["clinic_id"], row["topic"]): row["version"] for row in found}


async def test_a_database_as_it_should_be_is_well_and_stays_as_it_is(
    round_of: Round, connection: rows.Connection
) -> None:
    before = await versions(connection), await connection.fetchval("SELECT max(id) FROM clinic")
    found = await round_of()
    assert unwell(found) == set()
    assert unwell(await round_of(repair=True)) == set()
    assert (await versions(connection), await connection.fetchval("SELECT max(id) FROM clinic")) == before
    assert await connection.fetchval("SELECT count(*) FROM action_audit") == 0


async def test_the_migrations_tell_what_is_there(connection: rows.Connection) -> None:
    """Without a database they tell the same as with one: nothing more, nothing less."""
    there = {(row["on_table"], row["name"]): row for row in await connection.fetch(FOUND)}
    assert {key: normal(row["printed"]) for key, row in there.items()} == {
        key: normal(statement) for key, statement in made().triggers.items()
    }
    assert {key for key, row in there.items() if row["enabled"] == "A"} == made().always
    functions = await connection.fetch(
        "SELECT proname FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS"
        " (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
    )
    assert {row["proname"] for row in functions} == set(made().functions)
    assert (await wrong_functions(connection), await wrong_triggers(connection)) == ({}, {})


TRIGGERS = "Triggers"
LIVE = "Versions in action"
BROKEN = [
    ("DROP TRIGGER cache_stamp_update ON ticket", {TRIGGERS, LIVE}, "cache_stamp_update on ticket is missing"),
    ("ALTER TABLE patient DISABLE TRIGGER cache_stamp_insert", {TRIGGERS, LIVE}, "on patient is disabled"),
    ("ALTER TABLE doctor DISABLE TRIGGER ALL", {TRIGGERS, LIVE}, "cache_stamp_delete on doctor is disabled"),
    # It fires all the same, but not for who sets session_replication_role.
    ("ALTER TABLE surgery ENABLE TRIGGER cache_stamp_delete", {TRIGGERS}, "is not always on"),
    ("ALTER TABLE login_audit DISABLE TRIGGER kept", {TRIGGERS}, "kept on login_audit is disabled"),
    ("ALTER TABLE cache_flush DISABLE TRIGGER cache_flush", {TRIGGERS, LIVE}, "cache_flush on cache_flush is disabled"),
    (
        "DROP TRIGGER cache_stamp_delete ON ticket; CREATE TRIGGER cache_stamp_delete AFTER DELETE ON ticket"
        " REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION cache_stamp_patient();"
        " ALTER TABLE ticket ENABLE ALWAYS TRIGGER cache_stamp_delete",
        {TRIGGERS, LIVE},
        "cache_stamp_delete on ticket is changed",
    ),
    (
        "CREATE OR REPLACE FUNCTION cache_stamp_specialty() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NULL; END'",
        {"Functions", LIVE},
        "cache_stamp_specialty is changed",
    ),
    ("DROP FUNCTION cache_stamp_app_user() CASCADE", {"Functions", TRIGGERS, LIVE}, "cache_stamp_app_user is missing"),
    ("DROP FUNCTION cache_remember(text[])", {"Functions", LIVE}, "cache_remember is missing"),
    ("ALTER FUNCTION cache_flush_remembered() SECURITY INVOKER", {"Functions"}, "cache_flush_remembered is changed"),
    (
        "CREATE OR REPLACE FUNCTION search_pattern(word text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE"
        " RETURN '%' || word || '%'",
        {"Functions"},
        "search_pattern is changed",
    ),
]


@pytest.mark.parametrize(("statement", "checks", "expected"), BROKEN, ids=[expected for _, _, expected in BROKEN])
async def test_what_is_broken_is_told_and_put_back(
    round_of: Round, seed: Seed, connection: rows.Connection, statement: str, checks: set[str], expected: str
) -> None:
    await connection.execute(statement)
    found = await round_of()
    assert unwell(found) == checks
    assert expected in found["Functions" if "Functions" in checks else TRIGGERS].seen
    assert all("--repair" in found[name].remedy or "could not" in found[name].seen for name in checks)

    before = await versions(connection)
    repaired = await round_of(repair=True)
    assert unwell(repaired) == set()
    # What is tried out in action is well once the rest is.
    assert of(repaired, Verdict.REPAIRED) == checks - {LIVE}
    assert "invalidated everything" in str(repaired[(checks - {LIVE}).pop()])
    assert unwell(await round_of()) == set()
    # Whatever was written while it was broken: nothing that was cached then is found any more.
    after = await versions(connection)
    everything = {(clinic, topic) for clinic in (0, seed.sant.id, seed.maga.id) for topic in TOPICS}
    assert everything <= after.keys()
    assert all(after[key] > before.get(key, 0) for key in everything)


async def test_an_unstamped_write_is_seen_after_the_repair(
    round_of: Round, seed: Seed, connection: rows.Connection
) -> None:
    """A disabled flush leaves its rows behind."""
    await connection.execute("ALTER TABLE cache_flush DISABLE TRIGGER cache_flush")
    await connection.execute("UPDATE ticket SET bed_number = '7'")
    await connection.execute("ALTER TABLE cache_flush ENABLE ALWAYS TRIGGER cache_flush")
    found = await round_of()
    assert unwell(found) == {"Versions"}
    assert "1 transactions" in found["Versions"].seen
    before = await versions(connection)
    assert (await round_of(repair=True))["Versions"].verdict is Verdict.REPAIRED
    after = await versions(connection)
    assert all(after[key] > version for key, version in before.items())
    assert await connection.fetchval("SELECT count(*) FROM cache_flush") == 0


async def lose(connection: rows.Connection, lost: Sequence[tuple[int, str]]) -> None:
    await connection.execute("ALTER TABLE cache_version DISABLE TRIGGER kept")
    for clinic, topic in lost:
        await connection.execute("DELETE FROM cache_version WHERE clinic_id = $1 AND topic = $2", clinic, topic)
    await connection.execute("ALTER TABLE cache_version ENABLE ALWAYS TRIGGER kept")


async def test_a_lost_version_row_comes_back_higher(round_of: Round, seed: Seed, connection: rows.Connection) -> None:
    lost = [(seed.sant.id, "tickets"), (0, "users"), (seed.maga.id, "catalogs")]
    for _ in range(20):
        await connection.execute("UPDATE ticket SET revision = revision + 1")
    before = await versions(connection)
    await lose(connection, lost)
    found = await round_of()
    assert unwell(found) == {"Versions"}
    assert f"{seed.sant.id}/tickets" in found["Versions"].seen
    repaired = await round_of(repair=True)
    assert repaired["Versions"].verdict is Verdict.REPAIRED
    after = await versions(connection)
    assert all(after[key] > before[key] for key in before), "a version went down"
    assert max(after.values()) < 2**53, "clients hold it in a double"


async def test_a_clinic_that_has_nothing_lacks_nothing(round_of: Round, connection: rows.Connection) -> None:
    await rows.clinic(connection, "NUEV")
    assert unwell(await round_of()) == set()


async def test_a_table_that_somebody_holds_is_not_waited_for(
    round_of: Round, connection: rows.Connection, database_url: str
) -> None:
    await connection.execute("DROP TRIGGER cache_stamp_update ON ticket")
    async with connection.transaction():
        await connection.execute("LOCK TABLE ticket IN ROW EXCLUSIVE MODE")
        found = await round_of(repair=True)
    assert found["Triggers"].verdict is Verdict.FAILED
    assert "try again" in found["Triggers"].remedy
    assert unwell(await round_of(repair=True)) == set()
