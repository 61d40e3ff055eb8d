"""Patients found by document in their clinic, or made: on real, parallel connections."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from core.db.transaction import Database, WriteSession
from core.errors import Conflict, Invalid
from core.patients.document import DocumentType, parse
from core.patients.mismatch import PatientMismatch, SamePerson
from core.patients.patients import Given, WrittenPatient, change, find_or_create, hold
from tests.factories import rows
from tests.factories.fixtures import Seed

ANA: dict[str, Any] = {"first_name": "Ana", "last_name": "Rojas"}


def given_of(document: str = "12.345.678-5", *, same_person: SamePerson | None = None, **fields: Any) -> Given:
    return Given(parse(DocumentType.RUT, document, "patient.document"), fields, same_person)


@pytest.fixture
def database(app: FastAPI) -> Database:
    found: Database = app.state.runtime.database
    return found


async def entered(database: Database, clinic_id: int, given: Given) -> WrittenPatient:
    async def work(session: WriteSession) -> WrittenPatient:
        return await find_or_create(session, clinic_id, given)

    return await database.write(work)


async def test_two_nurses_who_enter_the_same_new_patient_at_once_get_the_same_row(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    both_looked = asyncio.Barrier(2)

    async def nurse(given: Given) -> int:
        async def work(session: WriteSession) -> int:
            # Both transactions are open, and neither sees the other's row, when they begin.
            await session.connection()
            await both_looked.wait()
            written = await find_or_create(session, seed.sant.id, given)
            # Meanwhile the other one meets what is written and not committed.
            await asyncio.sleep(0.05)
            return written.patient.id

        return await database.write(work)

    first, second = await asyncio.gather(nurse(given_of(**ANA)), nurse(given_of("12345678-5", **ANA, age=40)))
    assert first == second
    found = await connection.fetch("SELECT document, age FROM patient WHERE document_type = 'rut'")
    assert [tuple(row) for row in found] == [("12345678-5", 40)]


async def test_what_is_empty_is_filled_age_follows_and_names_stay(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    made = await entered(database, seed.sant.id, given_of(**ANA, middle_name="María", age=40))
    assert [entry.action for entry in made.entries] == ["patient.created"]
    again = await entered(
        database,
        seed.sant.id,
        given_of(first_name="ANA", last_name=None, middle_name="Luisa", second_last_name="Soto", age=42, sex="F"),
    )
    assert (again.patient.id, again.changed, again.names_differ) == (made.patient.id, True, True)
    assert [entry.changes for entry in again.entries] == [
        {"second_last_name": [None, "Soto"], "age": [40, 42], "sex": [None, "F"]}
    ]
    assert await on_file(connection, made.patient.id) == {
        **{"first_name": "Ana", "middle_name": "María", "last_name": "Rojas", "second_last_name": "Soto"},
        **{"age": 42, "sex": "F", "revision": 2},
    }


async def on_file(connection: rows.Connection, patient_id: int) -> dict[str, Any]:
    row = await connection.fetchrow(
        "SELECT first_name, middle_name, last_name, second_last_name, age, sex, revision FROM patient WHERE id = $1",
        patient_id,
    )
    assert row is not None
    return dict(row)


async def test_somebody_of_another_name_is_shown_and_nothing_is_written(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    juana = await entered(database, seed.sant.id, given_of(first_name="Juana", last_name="Rojas", age=80, sex="F"))
    before = await on_file(connection, juana.patient.id)
    others: list[dict[str, Any]] = [{"first_name": "Juan"}, {"last_name": "Soto"}, {"age": 20}, {"sex": "M"}]
    for other in others:
        with pytest.raises(PatientMismatch) as asked:
            await entered(database, seed.sant.id, given_of(**other))
        assert asked.value.extra["patient"]["id"] == juana.patient.id
    assert await on_file(connection, juana.patient.id) == before


async def test_it_is_the_same_person_if_somebody_says_so_of_what_was_shown(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    juana = await entered(database, seed.sant.id, given_of(first_name="Juana", last_name="Rojas", age=80, sex="F"))
    pedro: dict[str, Any] = {"first_name": "Pedro", "middle_name": None, "age": 20}
    for wrong in (SamePerson(juana.patient.id, 2), SamePerson(juana.patient.id + 1, 1)):
        with pytest.raises(PatientMismatch):
            await entered(database, seed.sant.id, given_of(**pedro, same_person=wrong))
    same = await entered(database, seed.sant.id, given_of(**pedro, same_person=SamePerson(juana.patient.id, 1)))
    assert (same.patient.id, same.changed, same.names_differ) == (juana.patient.id, True, False)
    assert await on_file(connection, juana.patient.id) == {
        **{"first_name": "Pedro", "middle_name": None, "last_name": "Rojas", "second_last_name": None},
        **{"age": 20, "sex": "F", "revision": 2},
    }


@pytest.mark.parametrize("typed", ["RN", "SIN RUT", "1-9", "11.111.111-1", "s/r"])
async def test_what_identifies_nobody_makes_a_patient_of_its_own_each_time(
    database: Database, seed: Seed, connection: rows.Connection, typed: str
) -> None:
    # At once and one after the other.
    together = await asyncio.gather(*(entered(database, seed.sant.id, given_of(typed, **ANA)) for _ in range(4)))
    made = [*together, await entered(database, seed.sant.id, given_of(typed, **ANA))]
    assert len({written.patient.id for written in made}) == 5
    assert {(written.patient.shown_document, written.patient.verified) for written in made} == {(typed, False)}
    for written in made:
        [entry] = written.entries
        assert (entry.action, entry.changes) == ("patient.created", {"document": [None, typed]})
    stored = await connection.fetch("SELECT document, document_typed FROM patient WHERE document_type = 'rut'")
    assert sorted(row["document_typed"] or row["document"] for row in stored) == [typed] * 5


async def test_nobody_waits_for_an_import_that_brings_such_rows(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    async with connection.transaction():
        for _ in range(2):
            await rows.patient(connection, seed.sant.id, document_type="rut", document="RN", verified=False)
        made = await entered(database, seed.sant.id, given_of("RN", **ANA))
    assert made.patient.shown_document == "RN"


@pytest.mark.parametrize("typed", ["AB 12 34", "ab1234", "AB-12/34", "AB–1234\u200b"])
async def test_a_passport_is_found_in_any_spelling(database: Database, seed: Seed, typed: str) -> None:
    async def passport(text: str) -> WrittenPatient:
        given = Given(parse(DocumentType.PASSPORT, text, "patient.document"), ANA)
        return await entered(database, seed.sant.id, given)

    made = await passport("ab.1234")
    assert (made.patient.document, made.patient.verified) == ("AB1234", True)
    assert (await passport(typed)).patient.id == made.patient.id


async def test_the_same_again_changes_nothing(database: Database, seed: Seed) -> None:
    await entered(database, seed.sant.id, given_of(**ANA))
    again = await entered(database, seed.sant.id, given_of(**ANA))
    assert (again.changed, again.entries) == (False, [])


async def test_the_same_person_in_two_clinics_is_two_patients(database: Database, seed: Seed) -> None:
    here = await entered(database, seed.sant.id, given_of(**ANA))
    there = await entered(database, seed.maga.id, given_of(**ANA))
    assert here.patient.id != there.patient.id


async def test_a_new_patient_needs_names(database: Database, seed: Seed) -> None:
    with pytest.raises(Invalid) as refused:
        await entered(database, seed.sant.id, given_of(first_name="Ana"))
    assert [(error.path, error.code) for error in refused.value.errors] == [("patient.last_name", "required")]


async def test_a_rut_that_fails_its_check_finds_nobody_and_makes_nobody(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    wrong = "00100001-k"
    await rows.patient(connection, seed.sant.id, document_type="rut", document=wrong, verified=False, first_name="Eva")
    for typed in (wrong, "00.100.001-K", "100001k", "100.001-1"):
        with pytest.raises(Invalid) as refused:
            await entered(database, seed.sant.id, given_of(typed, **ANA))
        assert [(error.path, error.code) for error in refused.value.errors] == [("patient.document", "invalid_rut")]


async def test_another_patients_document_is_a_duplicate(database: Database, seed: Seed) -> None:
    ana = await entered(database, seed.sant.id, given_of(**ANA))
    eva = await entered(database, seed.sant.id, given_of("6.000.000-K", first_name="Eva", last_name="Lara"))

    async def work(session: WriteSession) -> None:
        await change(session, await hold(session, eva.patient.id), {"document": ana.patient.document})

    with pytest.raises(Conflict) as refused:
        await database.write(work)
    assert refused.value.code == "duplicate"
