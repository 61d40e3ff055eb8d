"""What the old application wrote down comes over whole, in its clinic; what says nothing is not told."""

import json
from datetime import date, datetime
from typing import Any

import pytest

from core.operations.imports.legacy.report import Outcome
from tests.conftest import SignIn
from tests.core.operations.imports.conftest import Hospital, Import, at
from tests.core.operations.imports.imported import history_of
from tests.factories import rows

LONG = "Editó paciente: nombre 'Ana Rojas' → 'Ana María Rojas', RUT '12.345.678-5' → '12.345.678-5', edad 40 → 41"


TEXTS = ("action", "target_id", "target_type", "username")


async def test_an_audits_text_is_kept_whole_whatever_its_length(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    types = ", ".join(f"ALTER {name} TYPE text" for name in TEXTS)
    await hospital.old.connection.execute(f"ALTER TABLE action_audit {types}")
    usual = {"username": "ana", "action": "edit", "target_type": "Parking", "target_id": "A"}
    cases = [(column, length) for column in TEXTS for length in (60, 61, 105, 1000, 20_000)]
    for minute, (column, length) in enumerate(cases):
        row = usual | {column: ("parking lot " * 2000)[:length].strip()}
        moment = at(f"2025-01-15 12:{minute:02d}")
        await hospital.old.add("action_audit", **row, timestamp=moment, clinic_id=hospital.clinic)
    await run_import()
    found = await connection.fetch("SELECT * FROM action_audit WHERE request_id LIKE 'legacy/%' ORDER BY at")
    for (column, length), audit in zip(cases, found, strict=True):
        written = ("parking lot " * 2000)[:length].strip()
        changes = json.loads(audit["changes"])
        # An id that leads nowhere here is marked as one of there.
        expected = f"legacy {written}" if column == "target_id" else written
        assert changes.get(column, [None, audit[column]]) == [None, expected]
        assert expected.startswith(audit[column].removesuffix("…"))


async def test_a_long_audit_is_whole_in_the_tickets_history(
    hospital: Hospital, run_import: Import, sign_in: SignIn
) -> None:
    ticket = await hospital.ticket("TH-SANT-2025-001")
    await hospital.old.connection.execute("ALTER TABLE action_audit ALTER action TYPE text")
    await hospital.old.add("action_audit", username="ana", action=LONG, target_type="Ticket", target_id=ticket,
                           timestamp=at("2025-01-15 12:00"), clinic_id=hospital.clinic)  # fmt: skip
    await run_import()
    history = (await (await sign_in("ana")).get(f"/v1/tickets/{ticket}")).json()["history"]
    [entry] = [one for one in history if one["action"].startswith("Editó")]
    assert entry["changes"] == {"action": [None, LONG]}


async def test_what_superusers_did_belongs_to_the_clinic_of_its_target(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    add, clinic = hospital.old.add, hospital.clinic
    other = await add("clinic", name="Clínica RedSalud Elqui", is_active=True)
    root = await add("user", username="root", email="root@example.org", role="superuser", password="x" * 20)
    bea = await add("user", username="bea", email="bea@example.org", role="admin", clinic_id=other, password="y" * 20)
    reason = await add("standardized_reason", reason="Dolor", category="modification", clinic_id=clinic)
    ticket = await hospital.ticket("TH-SANT-2025-001")
    await hospital.ticket("th-sant-2025-002")
    targets = {
        ("Ticket", ticket): clinic,
        ("Ticket", "th-sant-2025-002"): clinic,
        ("Surgery", hospital.surgery): clinic,
        ("Specialty", hospital.specialty): clinic,
        ("Doctor", hospital.doctor): clinic,
        ("Patient", hospital.patient): clinic,
        ("StandardizedReason", reason): clinic,
        ("User", bea): other,
        ("Clinic", other): other,
        ("User", root): None,
        ("Ticket", "TH-GONE-2025-001"): None,
        ("Parking", 1): None,
    }
    for number, (kind, target) in enumerate(targets):
        await add("action_audit", user_id=root, username="root", action=f"did {number}", target_type=kind,
                  target_id=str(target), timestamp=at("2025-01-15 12:00"), clinic_id=None)  # fmt: skip
    # In a session for another clinic it is the ticket's all the same.
    await add("action_audit", user_id=root, username="root", action="beside", target_type="Ticket", target_id=ticket,
              timestamp=at("2025-01-15 12:00"), clinic_id=other)  # fmt: skip
    await run_import()
    rows_of = "SELECT a.action, c.name FROM action_audit a LEFT JOIN clinic c ON c.id = a.clinic_id"
    found = await connection.fetch(f"{rows_of} WHERE action LIKE 'did %' OR action = 'beside'")
    names = {clinic: "Clínica RedSalud Santiago", other: "Clínica RedSalud Elqui", None: None}
    expected = {f"did {number}": names[home] for number, home in enumerate(targets.values())}
    assert {row["action"]: row["name"] for row in found} == expected | {"beside": names[clinic]}
    history = (await (await sign_in("ana")).get(f"/v1/tickets/{ticket}")).json()["history"]
    assert {"did 0", "beside"} <= {one["action"] for one in history}


FPA = "2025-01-16 13:00"


DATES: dict[str, dict[Any, bool]] = {
    "timestamp": {
        at(FPA): False,
        at("2025-01-16 13:00:27.5"): False,
        at("2025-01-16 00:00"): False,
        at("2025-01-16 12:00"): True,
        at("2025-01-17 00:00"): True,
    },
    "date": {date(2025, 1, 16): False, date(2025, 1, 17): True, None: False},
    "text": {FPA: False, "2025-01-16": False, "2025-01-16 14:00": True, "mañana": True, " ": False},
}
"""By the column's type, what may be written in it, and whether that is kept."""


@pytest.mark.parametrize("column", ["medical_discharge_date", "original_fpa_date"])
@pytest.mark.parametrize("kind", DATES)
async def test_a_date_is_told_where_it_says_something_else_than_the_fpa(
    hospital: Hospital, run_import: Import, connection: rows.Connection, column: str, kind: str
) -> None:
    await hospital.old.connection.execute(f"ALTER TABLE ticket ALTER {column} TYPE {kind}")
    tickets = [
        await hospital.ticket(f"TH-SANT-2025-{number:03d}", **{column: written})
        for number, written in enumerate(DATES[kind], start=1)
    ]
    await run_import()
    for ticket, (written, is_kept) in zip(tickets, DATES[kind].items(), strict=True):
        said = written.isoformat() if isinstance(written, date | datetime) else written
        assert await history_of(connection, ticket) == ({column: [None, said]} if is_kept else {}), written


async def test_a_row_counts_once_however_many_of_its_columns_needed_it(hospital: Hospital, run_import: Import) -> None:
    skipped = at("2024-09-08 00:30")  # the clock goes from 0:00 to 1:00
    times = ("pavilion_end_time", "system_calculated_fpa", "initial_fpa", "current_fpa")
    await hospital.ticket("TH-SANT-2025-001", **dict.fromkeys(times, skipped))
    report = await run_import()
    assert report.count(Outcome.REPAIRED, "ticket", "a local time that the clock skips: shifted forward") == 1


async def test_a_superusers_email_without_a_user_comes_with_advice(hospital: Hospital, run_import: Import) -> None:
    await hospital.old.add("superuser", email="gone@example.org")
    report = await run_import()
    [advice] = [one.what for one in report.findings() if one.table == "superuser"]
    assert "ticket-home user create" in advice
    assert "gone@" not in str(report)


async def test_a_modifications_texts_are_whole_in_the_tickets_history_where_its_columns_cannot_hold_them(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    ticket = await hospital.ticket("TH-SANT-2025-001")
    usual = {"ticket_id": ticket, "new_fpa": at("2025-01-17 10:00"), "reason": "Dolor"}
    long = "j" * 3000
    await hospital.old.add("fpa_modification", **usual, justification=long, modified_at=at("2025-01-16 10:00"))
    await hospital.old.add("fpa_modification", **usual, justification="EVA 6", modified_at=at("2025-01-16 11:00"))
    await run_import()
    assert await history_of(connection, ticket) == {"justification": [long, long[:1000]]}
    [kept, _] = await connection.fetch("SELECT justification FROM fpa_modification ORDER BY id")
    assert kept["justification"] == long[:1000]
