"""The old application's defects that docs/design/legacy.md names: each that its data carries must not come over."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from core.operations.imports.legacy.report import Outcome
from core.tickets.state import State, Thresholds, state_at
from tests.conftest import SignIn
from tests.core.operations.imports.conftest import Hospital, Import, at
from tests.core.operations.imports.imported import SANTIAGO
from tests.factories import rows
from tests.support.days import lately


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def test_local_and_utc_times_are_told_apart(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """There, states were three hours off: an FPA of 13:00 on the wall was compared with UTC."""
    await hospital.ticket("TH-SANT-2025-001")
    await hospital.old.add(
        "fpa_modification", ticket_id="TH-SANT-2025-001", previous_fpa=at("2025-01-16 13:00"),
        new_fpa=at("2025-01-16 13:00"), modified_at=at("2025-01-16 15:00"), modified_by="ana", reason="Dolor",
    )  # fmt: skip
    await run_import()
    ticket = await rows.one(connection, "SELECT * FROM ticket")
    assert ticket["surgery_at"] == utc("2025-01-15 17:30")
    assert ticket["admission_at"] == utc("2025-01-15 15:30")
    assert ticket["system_fpa"] == ticket["initial_fpa"] == ticket["current_fpa"] == utc("2025-01-16 16:00")
    assert ticket["created_at"] == utc("2025-01-15 12:00")
    change = await rows.one(connection, "SELECT * FROM fpa_modification")
    assert (change["new_fpa"], change["modified_at"]) == (utc("2025-01-16 16:00"), utc("2025-01-16 15:00"))
    states = {
        now: state_at(
            utc(f"2025-01-16 {now}"),
            status=ticket["status"],
            admission_at=ticket["admission_at"],
            current_fpa=ticket["current_fpa"],
            thresholds=Thresholds(),
        ).state
        for now in ("13:30", "14:30", "16:00")
    }
    assert states == {"13:30": State.WARNING, "14:30": State.CRITICAL, "16:00": State.OVERDUE}


async def test_a_clinic_of_magallanes_keeps_its_own_time(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    south = await hospital.old.add("clinic", name="Clínica RedSalud Magallanes", is_active=True)
    winter = {"pavilion_end_time": at("2025-07-15 14:30"), "current_fpa": at("2025-07-16 13:00")}
    await hospital.ticket("TH-SANT-2025-001", **winter)
    await hospital.ticket("TH-MAGA-2025-001", **winter, clinic_id=south)
    await run_import()
    found = {row["id"]: row["current_fpa"] for row in await connection.fetch("SELECT id, current_fpa FROM ticket")}
    assert found == {"TH-SANT-2025-001": utc("2025-07-16 17:00"), "TH-MAGA-2025-001": utc("2025-07-16 16:00")}


async def test_a_time_that_the_clock_skips_is_shifted_forward_and_one_that_comes_twice_is_its_first(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2026-001", current_fpa=at("2026-09-06 00:30"))
    await hospital.ticket("TH-SANT-2026-002", current_fpa=at("2026-04-04 23:30"))
    report = await run_import()
    found = {row["id"]: row["current_fpa"] for row in await connection.fetch("SELECT id, current_fpa FROM ticket")}
    assert found["TH-SANT-2026-001"].astimezone(SANTIAGO).isoformat() == "2026-09-06T01:30:00-03:00"
    assert found["TH-SANT-2026-002"].astimezone(SANTIAGO).isoformat() == "2026-04-04T23:30:00-03:00"
    assert report.count(Outcome.REPAIRED, "ticket", "a local time that the clock skips: shifted forward") == 1


@pytest.mark.parametrize(
    ("surgery", "admission"),
    [("2025-01-15 08:00", "06:30"), ("2025-01-15 08:01", "06:01"), ("2025-01-15 10:00", "08:00")],
)
async def test_scheduled_means_before_the_admission(
    hospital: Hospital, run_import: Import, connection: rows.Connection, surgery: str, admission: str
) -> None:
    """There were three definitions, and no time of admission: it follows from the surgery's time."""
    await hospital.ticket("TH-SANT-2025-001", pavilion_end_time=at(surgery))
    await run_import()
    found = await connection.fetchval("SELECT admission_at FROM ticket")
    assert found.astimezone(SANTIAGO).isoformat() == f"2025-01-15T{admission}:00-03:00"


async def test_nights_are_counted_by_the_calendar(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """There were two formulas, and neither was the calendar's."""
    await hospital.ticket("TH-SANT-2025-001", overnight_stays=3, current_fpa=at("2025-01-18 00:00"))
    await hospital.ticket("TH-SANT-2025-002", overnight_stays=2, original_overnight_stays=None)
    await hospital.ticket("TH-SANT-2025-003")
    report = await run_import()
    found = await connection.fetch("SELECT overnight_stays, initial_overnight_stays FROM ticket ORDER BY id")
    assert [tuple(row) for row in found] == [(3, 1), (1, 1), (1, 1)]
    what = "nights that the calendar does not have: counted anew"
    assert report.count(Outcome.REPAIRED, "ticket", what) == 1


async def test_a_clinics_thresholds_hold(hospital: Hospital, run_import: Import, connection: rows.Connection) -> None:
    """There, the hours were in the code, and the table decorated a page."""
    add = hospital.old.add
    other, third = [await add("clinic", name=name, is_active=True) for name in ("Elqui", "Vitacura")]
    for clinic_id, hours, updated_at in (
        (hospital.clinic, (1, 3, 6), None),
        (hospital.clinic, (2, 5, 9), at("2025-01-01 00:00")),
        (other, (4, 4, 8), None),
        (third, (1, 2, 73), None),
        (None, (3, 6, 12), None),
    ):
        red, yellow, green = hours
        await add("urgency_threshold", clinic_id=clinic_id, red_threshold_hours=red, yellow_threshold_hours=yellow,
                  green_threshold_hours=green, updated_at=updated_at)  # fmt: skip
    report = await run_import()
    found = await connection.fetch(
        "SELECT c.name, red_hours, yellow_hours, green_hours FROM urgency_threshold t"
        " LEFT JOIN clinic c ON c.id = t.clinic_id ORDER BY c.name"
    )
    assert [tuple(row) for row in found] == [("Clínica RedSalud Santiago", 2, 5, 9), (None, 3, 6, 12)]
    assert (report.of("urgency_threshold").imported, report.of("urgency_threshold").refused) == (2, 3)


async def test_global_thresholds_that_somebody_set_here_stay(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await connection.execute("UPDATE urgency_threshold SET red_hours = 1 WHERE clinic_id IS NULL")
    hours = {"red_threshold_hours": 3, "yellow_threshold_hours": 6, "green_threshold_hours": 12}
    await hospital.old.add("urgency_threshold", clinic_id=None, **hours)
    report = await run_import()
    assert await connection.fetchval("SELECT red_hours FROM urgency_threshold WHERE clinic_id IS NULL") == 1
    assert report.of("urgency_threshold").refused == 1


async def test_only_what_matters_now_is_on_the_board(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    """There, the nursing board loaded every ticket ever; none was ever discharged."""
    now = await connection.fetchval("SELECT now()")
    for number, overdue in enumerate((1000, 73, 71, 1, -5), start=1):
        fpa = (now - timedelta(hours=overdue)).astimezone(SANTIAGO).replace(tzinfo=None, microsecond=0)
        await hospital.ticket(f"TH-SANT-2025-{number:03d}", current_fpa=fpa)
    await run_import(assume=timedelta(hours=72))
    assert await connection.fetchval("SELECT count(*) FROM ticket WHERE discharge_assumed") == 2
    board = (await (await sign_in("ana")).get("/v1/nursing-board", params={"view": "all"})).json()
    shown = {item["id"] for item in board["items"]}
    assert shown == {"TH-SANT-2025-003", "TH-SANT-2025-004", "TH-SANT-2025-005"}


async def test_discharges_are_assumed_only_where_it_is_asked_for_and_marked_as_such(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001")
    await hospital.ticket("TH-SANT-2025-002", status="Anulado", annulled_at=at("2025-01-16 10:00"))
    await run_import()
    statuses = await connection.fetch("SELECT status, discharge_assumed FROM ticket ORDER BY id")
    assert [tuple(row) for row in statuses] == [("active", False), ("annulled", False)]


async def test_an_assumed_discharge_is_at_the_fpa(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001")
    report = await run_import(assume=timedelta(hours=72))
    ticket = await rows.one(connection, "SELECT * FROM ticket")
    assert (ticket["status"], ticket["discharge_assumed"]) == ("discharged", True)
    assert ticket["discharged_at"] == ticket["current_fpa"]
    assert "1 tickets count as discharged at their FPA (assumed)." in report.remarks


async def test_discharges_that_are_assumed_in_a_later_run_are_those_nobody_touched(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    for number in range(1, 6):
        await hospital.ticket(f"TH-SANT-2025-{number:03d}")
    await run_import()
    await connection.execute("UPDATE ticket SET bed_number = '7', revision = 2 WHERE id = 'TH-SANT-2025-002'")
    await connection.execute("UPDATE ticket SET current_fpa = now() WHERE id = 'TH-SANT-2025-003'")
    await hospital.old.connection.execute(
        "UPDATE ticket SET status = 'Anulado', annulled_at = now() WHERE id = 'TH-SANT-2025-004'"
    )
    report = await run_import(assume=timedelta(hours=72))
    found = await connection.fetch(
        "SELECT id FROM ticket WHERE status = 'discharged' AND discharge_assumed AND discharged_at = current_fpa"
        " AND revision = 2 ORDER BY id"
    )
    assert [row["id"] for row in found] == ["TH-SANT-2025-001", "TH-SANT-2025-005"]
    assert await connection.fetchval("SELECT count(*) FROM ticket WHERE status = 'active'") == 2
    assert await connection.fetchval("SELECT status FROM ticket WHERE id = 'TH-SANT-2025-004'") == "annulled"
    assert "2 tickets count as discharged at their FPA (assumed)." in report.remarks
    changes = "SELECT changes FROM action_audit WHERE action = 'legacy.imported' ORDER BY id DESC LIMIT 1"
    assert json.loads(await connection.fetchval(changes)) == {
        "taken_over": [None, 1], "discharges_assumed": [None, 2],
    }  # fmt: skip
    again = await run_import(assume=timedelta(hours=72))
    assert not [remark for remark in again.remarks if "assumed" in remark]
    assert await connection.fetchval("SELECT count(*) FROM action_audit WHERE action = 'legacy.imported'") == 2


async def test_a_restored_ticket_still_tells_who_had_annulled_it(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    """There, restoring erased it; what is left of it goes to the history."""
    await hospital.ticket(
        "TH-SANT-2025-001", annulled_at=at("2025-01-15 18:00"), annulled_by="ana", annulled_reason="Error de ingreso"
    )
    await run_import()
    answer = await (await sign_in("ana")).get("/v1/tickets/TH-SANT-2025-001")
    ticket = answer.json()
    assert ticket["status"] == "active"
    [entry] = [one for one in ticket["history"] if one["action"] == "ticket.imported"]
    assert entry["changes"] == {
        "annulled_at": ["2025-01-15T18:00:00+00:00", None],
        "annulled_by": ["ana", None],
        "annulment_reason": ["Error de ingreso", None],
    }


async def test_a_modification_tells_the_fpa_that_was_before_it(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """There, the new FPA was written down as the old one."""
    ticket = await hospital.ticket("TH-SANT-2025-001", current_fpa=at("2025-01-19 10:00"))
    for day, previous in ((17, at("2025-01-17 10:00")), (18, None), (19, at("2025-01-17 22:00"))):
        await hospital.old.add(
            "fpa_modification", ticket_id=ticket, previous_fpa=previous, new_fpa=at(f"2025-01-{day} 10:00"),
            modified_at=at(f"2025-01-{day - 1} 10:00"), reason="Dolor", modified_by="ana",
        )  # fmt: skip
    report = await run_import()
    found = await connection.fetch("SELECT previous_fpa, new_fpa FROM fpa_modification ORDER BY id")
    shown = [tuple(f"{instant.astimezone(SANTIAGO):%d %H}" for instant in row) for row in found]
    # The last one says what it says: nobody here knows better.
    assert shown == [("16 13", "17 10"), ("17 10", "18 10"), ("17 22", "19 10")]
    what = "the new FPA as the previous one, or none: that of the modification before, or the initial one"
    assert report.count(Outcome.REPAIRED, "fpa_modification", what) == 2


async def test_numbering_continues_after_the_highest_number(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    """There, the highest string came first: after 999 every new ticket was a second 1000."""
    year = (await connection.fetchval("SELECT now()")).astimezone(SANTIAGO).year
    for number in ("998", "999", "1000", "1001"):
        await hospital.ticket(f"TH-SANT-{year}-{number}")
    await hospital.ticket(f"TH-SANT-{year - 1}-2000")
    await run_import()
    client = await sign_in("ana")
    surgery_id = await connection.fetchval("SELECT id FROM surgery")
    body = {
        "patient": {"document_type": "rut", "document": "12.345.678-5"},
        "surgery_id": surgery_id,
        "surgery_at": lately(),
    }
    # Imported tickets are not asked about, and new ones are.
    asked = await client.post("/v1/tickets", json=body)
    assert (asked.status_code, asked.json()["code"]) == (409, "already_admitted")
    made = await client.post("/v1/tickets", json=body | {"second_stay": asked.json()["ticket_id"]})
    assert made.status_code == 201, made.text
    assert made.json()["id"] == f"TH-SANT-{year}-1002"
    assert await connection.fetchval("SELECT count(*) FROM patient") == 1


async def test_numbering_passes_ids_that_another_clinic_gave_with_the_same_letters(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """Two clinics of like names had the same letters there. Here the second has its own; ids stay."""
    twin = await hospital.old.add("clinic", name="Clínica RedSalud Santa Rosa", is_active=True)
    await hospital.ticket("TH-SANT-2025-007")
    await hospital.ticket("TH-SANT-2025-010", clinic_id=twin)
    report = await run_import()
    counters = await connection.fetch(
        "SELECT c.prefix, t.last_number FROM ticket_counter t JOIN clinic c ON c.id = t.clinic_id ORDER BY c.id"
    )
    assert [tuple(row) for row in counters] == [("SANT", 10), ("SANA", 10)]
    assert report.count(Outcome.KEPT, "clinic", "tickets whose ids have other letters than its prefix") == 1


async def test_one_patient_who_was_entered_twice_is_one(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """There, two nurses who entered a patient at once made two, and dots made another."""
    add, clinic = hospital.old.add, hospital.clinic
    second = await add("patient", rut="12345678-5", primer_nombre="Ana", apellido_paterno="Rojas",
                       apellido_materno="Núñez", clinic_id=clinic)  # fmt: skip
    third = await add("patient", rut=" 12.345.678-5 ", primer_nombre="ANA", apellido_paterno="Rójas",
                      sex="f", clinic_id=clinic)  # fmt: skip
    for number, patient in enumerate((hospital.patient, second, third), start=1):
        await hospital.ticket(f"TH-SANT-2025-{number:03d}", patient_id=patient)
    report = await run_import()
    [patient] = await connection.fetch("SELECT * FROM patient")
    assert (patient["document"], patient["verified"]) == ("12345678-5", True)
    # The latest row's, and what it left open from the ones before.
    assert (patient["first_name"], patient["last_name"]) == ("ANA", "Rójas")
    assert (patient["second_last_name"], patient["age"], patient["sex"]) == ("Núñez", 40, "F")
    assert await connection.fetchval("SELECT count(*) FROM ticket WHERE patient_id = $1", patient["id"]) == 3
    assert report.of("patient").merged == 2


async def test_a_rut_that_fails_its_check_is_kept_marked_and_told(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    invented = await hospital.old.add(
        "patient", rut="23456789-k", primer_nombre="A", apellido_paterno="B", clinic_id=hospital.clinic
    )
    report = await run_import()
    found = await connection.fetch("SELECT document, document_type, verified FROM patient ORDER BY document")
    assert [tuple(row) for row in found] == [("12345678-5", "rut", True), ("23456789-k", "rut", False)]
    what = "a RUT that fails its check: marked as unverified"
    assert [one.legacy_id for one in report.findings() if one.what == what] == [str(invented)]
