"""What hangs on tickets and stands around them: modifications, who did it, patients, audits; one oddity at a time."""

from datetime import UTC, datetime

import pytest

from core.operations.imports.legacy.report import Outcome
from tests.core.operations.imports.conftest import Hospital, Import, at
from tests.factories import rows


async def test_reasons_keep_their_text_and_are_linked_where_one_matches(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    add, clinic = hospital.old.add, hospital.clinic
    for reason, category in (("Dolor", "anulacion"), ("Dolor", "modificacion"), ("Fiebre", "inicial")):
        await add("standardized_reason", reason=reason, category=category, is_active=True, clinic_id=clinic)
    ticket = await hospital.ticket("TH-SANT-2025-001")
    written = (" DOLOR", "fiebre", "Otra cosa", None, "x" * 600)
    for hour, text in enumerate(written, start=10):
        await add("fpa_modification", ticket_id=ticket, new_fpa=at(f"2025-01-17 {hour}:00"), reason=text,
                  modified_at=at(f"2025-01-16 {hour}:00"), modified_by="ana")  # fmt: skip
    await run_import()
    found = await connection.fetch(
        "SELECT m.reason, r.category, m.justification FROM fpa_modification m"
        " LEFT JOIN standardized_reason r ON r.id = m.reason_id ORDER BY m.id"
    )
    assert [tuple(row) for row in found] == [
        ("DOLOR", "modification", None),
        ("fiebre", "initial", None),
        ("Otra cosa", None, None),
        ("(unknown)", None, None),
        ("x" * 500, None, "x" * 600),
    ]


async def test_modifications_without_a_time_or_a_name_come_over(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    ticket = await hospital.ticket("TH-SANT-2025-001")
    await hospital.old.add("fpa_modification", ticket_id=ticket, new_fpa=at("2025-01-17 10:00"))
    report = await run_import()
    change = await rows.one(connection, "SELECT * FROM fpa_modification")
    assert (change["modified_at"], change["modified_by"]) == (datetime(2025, 1, 15, 12, tzinfo=UTC), "(unknown)")
    what = "without a time: that of the ticket's creation"
    assert report.count(Outcome.REPAIRED, "fpa_modification", what) == 1


async def test_who_did_it_is_linked_by_name_email_or_id(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001", created_by="ANA")
    await hospital.ticket("TH-SANT-2025-002", created_by="ana@example.org")
    await hospital.ticket("TH-SANT-2025-003", created_by="somebody")
    await run_import()
    ana = await connection.fetchval("SELECT id FROM app_user")
    found = await connection.fetch("SELECT created_by, created_by_id FROM ticket ORDER BY id")
    assert [tuple(row) for row in found] == [("ANA", ana), ("ana@example.org", ana), ("somebody", None)]


async def test_names_in_columns_of_numbers_are_users_ids(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.old.connection.execute("ALTER TABLE ticket ALTER created_by TYPE integer USING NULL")
    await hospital.ticket("TH-SANT-2025-001", created_by=1)
    await run_import()
    ana = await connection.fetchval("SELECT id FROM app_user")
    assert tuple(await rows.one(connection, "SELECT created_by, created_by_id FROM ticket")) == ("ana", ana)


SEXES: dict[str | None, str | None] = {
    **dict.fromkeys(("M", "Male", "Masculino"), "M"),
    **dict.fromkeys(("f", "FEMALE", "femenino"), "F"),
    **dict.fromkeys(("Other", "OTRO", " otra ", "x"), "X"),
    "?": None,
    None: None,
}


async def test_sex_is_mapped(hospital: Hospital, run_import: Import, connection: rows.Connection) -> None:
    await hospital.old.connection.execute("DELETE FROM patient")
    for number, given in enumerate(SEXES):
        await hospital.old.add(
            "patient", clinic_id=hospital.clinic, rut=f"PASS{number:02d}", sex=given, primer_nombre="A",
            apellido_paterno="B",
        )  # fmt: skip
    report = await run_import()
    found = await connection.fetch("SELECT sex FROM patient ORDER BY document")
    assert dict(zip(SEXES, (row["sex"] for row in found), strict=True)) == SEXES
    assert report.count(Outcome.REPAIRED, "patient", "a sex that is none of those known: none here") == 1


@pytest.mark.parametrize(("given", "age"), [(0, 0), (150, 150), (151, None), (-1, None), (None, None)])
async def test_ages_out_of_range_are_none(
    hospital: Hospital, run_import: Import, connection: rows.Connection, given: int | None, age: int | None
) -> None:
    await hospital.old.connection.execute("UPDATE patient SET age = $1", given)
    report = await run_import()
    assert await connection.fetchval("SELECT age FROM patient") == age
    assert report.count(Outcome.REPAIRED, "patient", "an age out of 0 to 150: none here") == (given in (151, -1))


async def test_patients_without_what_they_cannot_be_without(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    add = hospital.old.add
    nameless = await add("patient", rut=" ", primer_nombre=None, apellido_paterno=" ", clinic_id=hospital.clinic)
    homeless = await add("patient", rut="7.654.321-6", primer_nombre="x" * 90, apellido_paterno="Soto", clinic_id=None)
    lost = await add("patient", rut="1-9", clinic_id=None)
    await add("patient", rut="9" * 50, primer_nombre="A", apellido_paterno="B", clinic_id=hospital.clinic)
    await hospital.ticket("TH-SANT-2025-001", patient_id=homeless)
    report = await run_import()
    found = await connection.fetch(
        "SELECT document_type, document, verified, first_name, last_name FROM patient WHERE document <> '12345678-5'"
        " ORDER BY document"
    )
    assert [tuple(row) for row in found] == [
        ("rut", "7654321-6", True, "x" * 80, "Soto"),
        ("rut", "9" * 40, False, "A", "B"),
        ("other", f"LEGACY-{nameless}", False, "(unknown)", "(unknown)"),
    ]
    refused = {one.legacy_id: one.what for one in report.findings() if one.outcome is Outcome.REFUSED}
    assert refused == {str(lost): "of no clinic"}


async def test_audits_come_over_once_and_point_at_rows_of_here(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await rows.user(connection, "before", "superuser", None)
    add, clinic = hospital.old.add, hospital.clinic
    when = at("2025-01-15 12:00")
    who = {"user_id": 1, "username": "ana", "clinic_id": clinic, "timestamp": when}
    for _ in range(2):
        await add("login_audit", **who, ip_address="10.0.0.1")
    await add("login_audit", username="gone", timestamp=None, ip_address="x" * 50)
    targets = (("Ticket", "TH-SANT-2025-001"), ("User", "1"), ("surgery", "1"), ("Parking", "7"), ("User", "99"),
               ("StandardizedReason", "12"), (None, None))  # fmt: skip
    for target_type, target_id in targets:
        await add("action_audit", **who, action="a" * 70, target_type=target_type, target_id=target_id)
    report = await run_import()
    logins = await connection.fetch("SELECT * FROM login_audit ORDER BY id")
    ana = await connection.fetchval("SELECT id FROM app_user WHERE username = 'ana'")
    assert [(row["at"], row["user_id"], row["username"], row["ip"]) for row in logins] == [
        (datetime(2025, 1, 15, 12, tzinfo=UTC), ana, "ana", "10.0.0.1"),
        (datetime(2025, 1, 15, 12, tzinfo=UTC), ana, "ana", "10.0.0.1"),
        (datetime(2025, 1, 15, 12, tzinfo=UTC), None, "gone", None),
    ]
    assert report.count(Outcome.REPAIRED, "login_audit", "without a time: that of the one before") == 1
    surgery = await connection.fetchval("SELECT id FROM surgery")
    actions = await connection.fetch(
        "SELECT target_type, target_id FROM action_audit WHERE username = 'ana' ORDER BY id"
    )
    assert [tuple(row) for row in actions] == [
        ("ticket", "TH-SANT-2025-001"),
        ("user", str(ana)),
        ("surgery", str(surgery)),
        ("parking", "legacy 7"),
        ("user", "legacy 99"),
        ("reason", "legacy 12"),
        ("(unknown)", "(unknown)"),
    ]
    assert ana != 1
    await add("login_audit", **who)
    again = await run_import()
    assert (again.of("login_audit").imported, again.of("login_audit").present) == (1, 3)
    assert (again.of("action_audit").imported, again.of("action_audit").present) == (0, 7)


async def test_the_first_audit_rows_without_a_time_are_refused(hospital: Hospital, run_import: Import) -> None:
    await hospital.old.add("action_audit", username="ana", timestamp=None)
    report = await run_import()
    assert report.count(Outcome.REFUSED, "action_audit", "without a time") == 1
