"""Clinics and catalogs: by name, which is unique here and was not there."""

from typing import Any

import pytest

from core.operations.imports.legacy.report import Outcome
from tests.core.operations.imports.conftest import Hospital, Import, Old
from tests.factories import rows


async def all_of(connection: rows.Connection, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(f"SELECT {', '.join(columns)} FROM {table} ORDER BY id")]


async def test_clinics_get_prefixes_by_the_rule_and_the_zone_of_where_they_stand(
    old: Old, run_import: Import, connection: rows.Connection
) -> None:
    await rows.clinic(connection, "SANT", name="Clínica Santa Ana")
    for name in ("Clínica RedSalud Santiago", "Clínica RedSalud Magallanes", "Clínica RedSalud Ñuñoa", None):
        await old.add("clinic", name=name, is_active=name is not None)
    report = await run_import()
    assert await all_of(connection, "clinic", "name", "prefix", "timezone", "is_active") == [
        ("Clínica Santa Ana", "SANT", "America/Santiago", True),
        ("Clínica RedSalud Santiago", "SANI", "America/Santiago", True),
        ("Clínica RedSalud Magallanes", "MAGA", "America/Punta_Arenas", True),
        ("Clínica RedSalud Ñuñoa", "NUNO", "America/Santiago", True),
        ("(unnamed 4)", "UNNA", "America/Santiago", False),
    ]
    assert report.count(Outcome.REPAIRED, "clinic", "without a name: got one") == 1


async def test_two_of_one_name_are_one(hospital: Hospital, run_import: Import, connection: rows.Connection) -> None:
    add, clinic = hospital.old.add, hospital.clinic
    await add("clinic", name=" clínica redsalud SANTIAGO ", is_active=True)
    twin = await add("specialty", name="CIRUGÍA general", is_active=True, clinic_id=clinic)
    await add("surgery", name="APENDICECTOMÍA", base_stay_hours=24, specialty_id=twin, clinic_id=clinic)
    for category in ("modificacion", "Modification", "anulación"):
        await add("standardized_reason", reason="Dolor", category=category, is_active=True, clinic_id=clinic)
    report = await run_import()
    for table in ("clinic", "specialty", "surgery", "standardized_reason"):
        assert report.of(table).merged == 1, table
    assert await all_of(connection, "standardized_reason", "reason", "category") == [
        ("Dolor", "modification"),
        ("Dolor", "annulment"),
    ]


async def test_names_are_told_apart_as_catalogs_do(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """Without case, accents and the kind of an apostrophe; also what an earlier run has brought."""
    add, clinic = hospital.old.add, hospital.clinic
    await run_import()
    twin = await add("specialty", name="cirugia  GENERAL", is_active=True, clinic_id=clinic)
    await add("surgery", name="Apendicectomia", base_stay_hours=24, specialty_id=twin, clinic_id=clinic)
    for reason in ("Evolución d\u2019origen", "evolucion d'origen"):
        await add("standardized_reason", reason=reason, category="Modification", is_active=True, clinic_id=clinic)
    report = await run_import()
    assert await all_of(connection, "specialty", "name") == [("Cirugía General",)]
    assert await all_of(connection, "surgery", "name") == [("Apendicectomía",)]
    assert await all_of(connection, "standardized_reason", "reason") == [("Evolución d\u2019origen",)]
    assert report.of("standardized_reason").merged == 1


async def test_two_surgeries_of_one_name_with_other_hours_stay_two(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    longer = await hospital.old.add(
        "surgery", name="apendicectomía", base_stay_hours=48, specialty_id=hospital.specialty, is_active=True,
        clinic_id=hospital.clinic,
    )  # fmt: skip
    await hospital.ticket("TH-SANT-2025-001", surgery_id=longer)
    await run_import()
    surgeries = await all_of(connection, "surgery", "name", "base_stay_hours")
    assert surgeries == [("Apendicectomía", 24), (f"apendicectomía ({longer})", 48)]
    joined = "SELECT s.base_stay_hours FROM ticket t JOIN surgery s ON s.id = t.surgery_id"
    assert await connection.fetchval(joined) == 48


@pytest.mark.parametrize(("given", "hours"), [(0, 1), (-5, 1), (2161, 2160), (None, 24), (1, 1), (2160, 2160)])
async def test_base_hours_out_of_range_are_put_right_and_wait_for_somebody(
    hospital: Hospital, run_import: Import, connection: rows.Connection, given: int | None, hours: int
) -> None:
    await hospital.old.connection.execute("UPDATE surgery SET base_stay_hours = $1, ambulatory_cutoff_hour = 24", given)
    report = await run_import()
    repaired = given not in (1, 2160)
    assert await all_of(connection, "surgery", "base_stay_hours", "is_active", "ambulatory_cutoff_hour") == [
        (hours, not repaired, None)
    ]
    what = "base hours out of 1 to 2160: the nearest, and inactive until somebody looks at it"
    assert report.count(Outcome.REPAIRED, "surgery", what) == repaired
    assert report.count(Outcome.REPAIRED, "surgery", "a cut-off hour out of 0 to 23: none here") == 1


async def test_rows_of_no_clinic_are_refused_and_specialties_stay_within_their_clinic(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    add = hospital.old.add
    other = await add("clinic", name="Clínica RedSalud Elqui", is_active=True)
    for table, name in (
        ("specialty", "name"),
        ("surgery", "name"),
        ("doctor", "name"),
        ("standardized_reason", "reason"),
    ):
        await add(table, **{name: "Lost"}, clinic_id=None)
    await add("surgery", name="Elsewhere", base_stay_hours=6, specialty_id=hospital.specialty, clinic_id=other)
    await add("surgery", name="None", base_stay_hours=6, specialty_id=None, clinic_id=other)
    report = await run_import()
    for table in ("specialty", "surgery", "doctor", "standardized_reason"):
        assert report.count(Outcome.REFUSED, table, "of no clinic") == 1
    found = await connection.fetch(
        "SELECT s.name, p.name AS specialty, p.is_active, p.clinic_id = s.clinic_id AS own"
        " FROM surgery s JOIN specialty p ON p.id = s.specialty_id ORDER BY s.id"
    )
    assert [tuple(row) for row in found] == [
        ("Apendicectomía", "Cirugía General", True, True),
        ("Elsewhere", "Cirugía General", False, True),
        ("None", "(none)", False, True),
    ]


async def test_a_doctors_specialty_is_linked_by_its_name_or_made_inactive(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    for name, specialty in (("A", "cirugía general"), ("B", "Urología"), ("C", " "), ("D", "UROLOGÍA")):
        await hospital.old.add("doctor", name=name, specialty=specialty, is_active=True, clinic_id=hospital.clinic)
    report = await run_import()
    found = await connection.fetch(
        "SELECT d.name, p.name AS specialty, p.is_active"
        " FROM doctor d LEFT JOIN specialty p ON p.id = d.specialty_id WHERE length(d.name) = 1 ORDER BY d.id"
    )
    assert [tuple(row) for row in found] == [
        ("A", "Cirugía General", True),
        ("B", "Urología", False),
        ("C", None, None),
        ("D", "Urología", False),
    ]
    assert report.count(Outcome.REPAIRED, "doctor", "a specialty that the catalog lacks: made, inactive") == 1


async def test_doctors_keep_their_rut_checked_or_not(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    for name, rut in (("A", "12345678-k"), ("B", "1234567890123-4"), ("C", "7.654.321-6"), ("A", None)):
        await hospital.old.add("doctor", name=name, rut=rut, is_active=True, clinic_id=hospital.clinic)
    report = await run_import()
    # Two of one name are two people.
    assert await all_of(connection, "doctor", "name", "rut") == [
        ("Dra. Soto", "12345678-5"),
        ("A", "12345678-k"),
        ("B", None),
        ("C", "7654321-6"),
        ("A", None),
    ]
    assert report.count(Outcome.KEPT, "doctor", "a RUT that fails its check") == 1
    assert report.count(Outcome.KEPT, "doctor", "a RUT that is none, and too long: left out") == 1


async def test_catalogs_of_the_target_are_met_by_name_and_left_as_they_are(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    clinic = await rows.clinic(connection, "STGO", name="clínica redsalud santiago", timezone="America/Punta_Arenas")
    specialty = await rows.specialty(connection, clinic, name="CIRUGÍA GENERAL")
    surgery = await rows.surgery(connection, clinic, specialty, name="APENDICECTOMÍA", base_stay_hours=36)
    doctor = await rows.doctor(connection, clinic, name="Soto, Marcela", rut="12345678-5")
    patient = await rows.patient(
        connection, clinic, document_type="rut", document="12345678-5", first_name="ANA", last_name="Rójas"
    )
    await hospital.ticket("TH-SANT-2025-001")
    report = await run_import()
    assert await all_of(connection, "surgery", "id", "base_stay_hours") == [(surgery, 36)]
    assert await all_of(connection, "patient", "id", "first_name") == [(patient, "ANA")]
    assert report.count(Outcome.KEPT, "surgery", "has other hours here: left as it is here") == 1
    ticket = await rows.one(connection, "SELECT * FROM ticket")
    assert (ticket["surgery_id"], ticket["doctor_id"], ticket["patient_id"]) == (surgery, doctor, patient)
    # The clinic's zone here is what its wall clock shows.
    assert ticket["current_fpa"].isoformat() == "2025-01-16T16:00:00+00:00"
    for table in ("clinic", "specialty", "surgery", "doctor", "patient"):
        assert report.of(table).present == 1, table


async def test_reasons_of_an_unknown_category_are_inactive(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    for reason, category in (
        ("A", "inicial"),
        ("B", "Anulacion"),
        ("C", None),
        (" ", "initial"),
        ("x" * 550, "initial"),
    ):
        await hospital.old.add(
            "standardized_reason", reason=reason, category=category, is_active=True, clinic_id=hospital.clinic
        )
    report = await run_import()
    assert await all_of(connection, "standardized_reason", "left(reason, 11)", "category", "is_active") == [
        ("A", "initial", True),
        ("B", "annulment", True),
        ("C", "modification", False),
        ("(unnamed 4)", "initial", True),
        ("x" * 11, "initial", True),
    ]
    assert report.count(Outcome.REPAIRED, "standardized_reason", "a text longer than its column: cut") == 1
