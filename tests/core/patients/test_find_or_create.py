"""Patients found by document in their clinic, or made: on real, parallel connections."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from core.db.transaction import Database, WriteSession
from core.errors import Conflict, Invalid
from core.patients.document import DocumentType, parse
from core.patients.service import Given, Written, change, find_or_create, hold
from tests.factories import rows
from tests.factories.fixtures import Seed

ANA = {"first_name": "Ana", "last_name": "Rojas"}


def given_of(document: str = "12.345.678-5", **fields: Any) -> Given:
    return Given(parse(DocumentType.RUT, document, "patient.document"), fields)


@pytest.fixture
def database(app: FastAPI) -> Database:
    found: Database = app.state.runtime.database
    return found


async def entered(database: Database, clinic_id: int, given: Given) -> Written:
    async def work(session: WriteSession) -> Written:
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
            await asyncio.sleep(0.05)
            return written.patient.id

        return await database.write(work)

    first, second = await asyncio.gather(nurse(given_of(**ANA)), nurse(given_of("12345678-5", **ANA, age=40)))
    assert first == second
    found = await connection.fetch("SELECT document, age FROM patient WHERE document_type = 'rut'")
    assert [tuple(row) for row in found] == [("12345678-5", 40)]


async def test_given_fields_overwrite_and_absent_ones_stay(
    database: Database, seed: Seed, connection: rows.Connection
) -> None:
    made = await entered(database, seed.sant.id, given_of(**ANA, middle_name="María", age=40, sex="F"))
    assert [entry.action for entry in made.entries] == ["patient.created"]
    again = await entered(database, seed.sant.id, given_of(last_name="Soto", middle_name=None))
    assert (again.patient.id, again.changed) == (made.patient.id, True)
    assert [entry.changes for entry in again.entries] == [
        {"last_name": ["Rojas", "Soto"], "middle_name": ["María", None]}
    ]
    row = await connection.fetchrow("SELECT * FROM patient WHERE id = $1", made.patient.id)
    assert row is not None
    assert {name: row[name] for name in ("first_name", "middle_name", "last_name", "age", "sex")} == {
        "first_name": "Ana",
        "middle_name": None,
        "last_name": "Soto",
        "age": 40,
        "sex": "F",
    }


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
