"""Counters, search texts, indexes, thresholds: made wrong, told, rebuilt."""

import asyncpg
import pytest

from core.operations.doctor.finding import Verdict
from core.operations.doctor.tables import derived
from tests.core.operations.doctor.conftest import Round, of, unwell
from tests.factories import rows
from tests.factories.fixtures import Seed

FAR = 1_000_000_000
"""Ahead of every ticket that a run's tests have made."""


async def repaired(round_of: Round, check: str) -> None:
    found = await round_of(repair=True)
    assert (of(found, Verdict.REPAIRED), unwell(found)) == ({check}, set())
    assert unwell(await round_of()) == set()


async def test_a_counter_behind_its_tickets_is_set(round_of: Round, seed: Seed, connection: rows.Connection) -> None:
    await connection.execute("UPDATE ticket_counter SET last_number = 0 WHERE clinic_id = $1", seed.sant.id)
    await connection.execute("DELETE FROM ticket_counter WHERE clinic_id = $1", seed.maga.id)
    found = await round_of()
    assert unwell(found) == {"Ticket numbers"}
    assert "SANT 2026 is at 0" in found["Ticket numbers"].seen
    assert "MAGA 2026 is at 0" in found["Ticket numbers"].seen
    await repaired(round_of, "Ticket numbers")
    behind = await connection.fetchval(
        "SELECT count(*) FROM ticket t LEFT JOIN ticket_counter k USING (clinic_id, year)"
        " WHERE t.number > coalesce(k.last_number, 0)"
    )
    assert behind == 0


async def test_a_counter_ahead_of_its_tickets_stays(round_of: Round, seed: Seed, connection: rows.Connection) -> None:
    """Its last tickets were deleted by hand, perhaps: their numbers are on paper somewhere."""
    await connection.execute("UPDATE ticket_counter SET last_number = $1 WHERE clinic_id = $2", FAR, seed.sant.id)
    await connection.execute("UPDATE ticket_counter SET last_number = 0 WHERE clinic_id = $1", seed.maga.id)
    await repaired(round_of, "Ticket numbers")
    ahead = await connection.fetchval("SELECT last_number FROM ticket_counter WHERE clinic_id = $1", seed.sant.id)
    assert ahead == FAR


async def test_old_search_texts_are_written_anew(round_of: Round, seed: Seed, connection: rows.Connection) -> None:
    """As after an upgrade that brings another dictionary of accents."""
    right = await connection.fetchval("SELECT pg_get_functiondef('search_text(text)'::regprocedure)")
    await connection.execute(
        "CREATE OR REPLACE FUNCTION search_text(written text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE"
        " RETURN lower(written)"
    )
    patient = await rows.patient(connection, seed.sant.id, last_name="Ñandú")
    surgery = await rows.surgery(connection, seed.sant.id, seed.sant.specialty_id)
    ticket = await rows.ticket(connection, seed.sant.id, patient, surgery, surgery_name="Cirugía", location="Célula")
    await connection.execute("UPDATE ticket_counter SET last_number = $1", FAR)
    await connection.execute(right)
    found = await round_of()
    assert unwell(found) == {"Search texts"}
    assert found["Search texts"].seen.startswith("1 of patient.search, 1 of ticket.search, 1 of ticket.surgery_key")
    before = await connection.fetchval(
        "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'tickets'", seed.sant.id
    )
    await repaired(round_of, "Search texts")
    assert "nandu" in await connection.fetchval("SELECT search FROM patient WHERE id = $1", patient)
    row = await connection.fetchrow("SELECT search, surgery_key, revision FROM ticket WHERE id = $1", ticket)
    assert row is not None
    assert ("celula" in row["search"], row["surgery_key"], row["revision"]) == (True, "cirugia", 1)
    after = await connection.fetchval(
        "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'tickets'", seed.sant.id
    )
    assert after > before


async def test_search_texts_of_many_rows_are_written_in_batches(
    round_of: Round, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived, "AT_ONCE", 7)
    right = await connection.fetchval("SELECT pg_get_functiondef('search_text(text)'::regprocedure)")
    await connection.execute(right.replace("lower(", "upper("))
    for number in range(50):
        await rows.patient(connection, seed.maga.id, last_name=f"Peña {number}")
    await connection.execute(right)
    assert (await round_of())["Search texts"].seen.startswith("50 of patient.search, 50 of patient.name_order are old")
    await repaired(round_of, "Search texts")


async def test_an_index_whose_build_was_broken_off_is_built_anew(round_of: Round, connection: rows.Connection) -> None:
    await connection.execute("DROP INDEX ix_doctor_clinic_id_name")
    await connection.execute("INSERT INTO doctor (clinic_id, name) SELECT id, 'Twin' FROM clinic")
    await connection.execute("INSERT INTO doctor (clinic_id, name) SELECT id, 'Twin' FROM clinic")
    try:
        await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY twins ON doctor (clinic_id, name)")
    except asyncpg.UniqueViolationError:
        await connection.execute("DELETE FROM doctor WHERE name = 'Twin'")
    await connection.execute("CREATE INDEX ix_doctor_clinic_id_name ON doctor (clinic_id, name)")
    found = await round_of()
    assert unwell(found) == {"Indexes"}
    assert "twins" in found["Indexes"].seen
    await repaired(round_of, "Indexes")


async def test_without_global_thresholds_there_are_the_first_ones_again(
    round_of: Round, connection: rows.Connection
) -> None:
    await connection.execute("DELETE FROM urgency_threshold WHERE clinic_id IS NULL")
    found = await round_of()
    assert unwell(found) == {"Thresholds"}
    await repaired(round_of, "Thresholds")
    row = await connection.fetchrow("SELECT red_hours, yellow_hours, green_hours FROM urgency_threshold")
    assert tuple(row or ()) == (2, 4, 8)
