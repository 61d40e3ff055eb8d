"""Tickets, one oddity at a time."""

from datetime import UTC, datetime
from typing import Any

import pytest

from core.operations.imports.legacy.report import Outcome
from tests.conftest import SignIn
from tests.core.operations.imports.conftest import Hospital, Import, at
from tests.core.operations.imports.imported import history_of, in_santiago
from tests.factories import rows


async def test_a_ticket_without_patient_or_surgery_comes_over_and_is_told_of(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    await hospital.ticket("TH-SANT-2025-001", patient_id=None, surgery_id=None, surgery_name_snapshot=None,
                          surgery_base_hours_snapshot=None)  # fmt: skip
    report = await run_import()
    ticket = await rows.one(connection, "SELECT * FROM ticket")
    assert (ticket["imported"], ticket["patient_id"], ticket["surgery_id"]) == (True, None, None)
    assert (ticket["surgery_name"], ticket["surgery_base_hours"]) == ("(unknown)", 24)
    assert report.count(Outcome.KEPT, "ticket", "without a patient") == 1
    assert report.count(Outcome.KEPT, "ticket", "without a surgery") == 1
    answer = await (await sign_in("ana")).get("/v1/tickets/TH-SANT-2025-001")
    assert answer.status_code == 200
    assert answer.json()["patient"] is None


async def test_a_surgery_that_is_gone_is_found_again_by_its_name(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001", surgery_id=None, surgery_name_snapshot="APENDICECTOMÍA")
    await run_import()
    joined = "SELECT s.name FROM ticket t JOIN surgery s ON s.id = t.surgery_id"
    assert await connection.fetchval(joined) == "Apendicectomía"


async def test_what_belongs_to_another_clinic_is_found_or_made_in_the_tickets_own(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    other = await hospital.old.add("clinic", name="Clínica RedSalud Elqui", is_active=True)
    await hospital.old.add("surgery", name="APENDICECTOMÍA", base_stay_hours=24, is_active=True, clinic_id=other)
    await hospital.old.add("doctor", name="DRA. SOTO", is_active=True, clinic_id=other)
    await hospital.ticket("TH-ELQU-2025-001", clinic_id=other)
    report = await run_import()
    ticket = await rows.one(
        connection,
        "SELECT t.*, s.name AS surgery, d.name AS doctor, p.document FROM ticket t JOIN surgery s ON s.id = surgery_id"
        " JOIN doctor d ON d.id = doctor_id JOIN patient p ON p.id = patient_id",
    )
    assert (ticket["surgery"], ticket["doctor"], ticket["document"]) == ("APENDICECTOMÍA", "DRA. SOTO", "12345678-5")
    assert await connection.fetchval("SELECT count(DISTINCT clinic_id) FROM patient") == 2
    what = "a patient of another clinic's ticket: made there, too"
    assert report.count(Outcome.REPAIRED, "patient", what) == 1


@pytest.mark.parametrize("column", ["system_calculated_fpa", "initial_fpa", "current_fpa"])
async def test_a_missing_fpa_follows_from_the_others(
    hospital: Hospital, run_import: Import, connection: rows.Connection, column: str
) -> None:
    await hospital.ticket("TH-SANT-2025-001", **{column: None})
    await run_import()
    ticket = await rows.one(connection, "SELECT * FROM ticket")
    assert {in_santiago(ticket[name]) for name in ("system_fpa", "initial_fpa", "current_fpa")} == {"2025-01-16 13:00"}


async def test_a_missing_current_fpa_is_the_last_modifications(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    ticket = await hospital.ticket("TH-SANT-2025-001", current_fpa=None)
    for day in (18, 17):
        await hospital.old.add("fpa_modification", ticket_id=ticket, new_fpa=at(f"2025-01-{day} 10:00"),
                               modified_at=at(f"2025-01-{day - 1} 10:00"))  # fmt: skip
    await run_import()
    assert in_santiago(await connection.fetchval("SELECT current_fpa FROM ticket")) == "2025-01-18 10:00"


async def test_a_missing_time_of_surgery_is_calculated_back(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001", pavilion_end_time=None)
    await run_import()
    ticket = await rows.one(connection, "SELECT * FROM ticket")
    assert (in_santiago(ticket["surgery_at"]), in_santiago(ticket["admission_at"])) == (
        "2025-01-15 15:00",
        "2025-01-15 13:00",
    )


async def test_without_any_time_a_ticket_is_refused_with_what_hangs_on_it(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    nothing = {"system_calculated_fpa": None, "initial_fpa": None, "current_fpa": None}
    ticket = await hospital.ticket("TH-SANT-2025-001", pavilion_end_time=None, **nothing)
    await hospital.ticket("TH-SANT-2025-002", **nothing, surgery_id=None, surgery_name_snapshot="?",
                          surgery_base_hours_snapshot=None)  # fmt: skip
    await hospital.ticket("TH-SANT-2025-003", clinic_id=None)
    await hospital.old.add("fpa_modification", ticket_id=ticket, new_fpa=None, modified_at=at("2025-01-16 10:00"))
    report = await run_import()
    assert await connection.fetchval("SELECT count(*) FROM ticket") == 0
    refused = {
        one.legacy_id: one.what for one in report.findings() if one.table == "ticket" and one.outcome == "refused"
    }
    assert refused == {
        "TH-SANT-2025-001": "neither a surgery's time nor an FPA",
        "TH-SANT-2025-002": "neither base hours nor what they follow from",
        "TH-SANT-2025-003": "of no clinic",
    }
    assert report.count(Outcome.REFUSED, "fpa_modification", "its ticket is not here") == 1


@pytest.mark.parametrize(("snapshot", "hours"), [(None, 24), (0, 24), (-1, 24), (9999, 24), (36, 36)])
async def test_base_hours_that_nobody_can_mean_are_the_surgerys(
    hospital: Hospital, run_import: Import, connection: rows.Connection, snapshot: int | None, hours: int
) -> None:
    await hospital.ticket("TH-SANT-2025-001", surgery_base_hours_snapshot=snapshot)
    await run_import()
    assert await connection.fetchval("SELECT surgery_base_hours FROM ticket") == hours


async def test_times_that_nobody_meant_are_none(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001", current_fpa=at("0202-01-16 13:00"), created_at=at("9999-01-01 00:00"))
    report = await run_import()
    ticket = await rows.one(connection, "SELECT * FROM ticket")
    assert in_santiago(ticket["current_fpa"]) == "2025-01-16 13:00"
    assert ticket["created_at"] == ticket["admission_at"]
    assert report.count(Outcome.REPAIRED, "ticket", "without a time of creation: that of the admission") == 1


async def test_an_fpa_before_the_admission_is_kept_and_told_of(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001", current_fpa=at("2025-01-14 10:00"), overnight_stays=0)
    report = await run_import()
    assert in_santiago(await connection.fetchval("SELECT current_fpa FROM ticket")) == "2025-01-14 10:00"
    assert report.count(Outcome.KEPT, "ticket", "an FPA before the admission") == 1


async def test_annulled_tickets_say_who_when_and_why_as_far_as_it_is_known(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    whole = {"annulled_at": at("2025-01-15 18:00"), "annulled_by": "ana", "annulled_reason": "Error de ingreso"}
    await hospital.ticket("TH-SANT-2025-001", status="ANULADO", **whole)
    ticket = await hospital.ticket("TH-SANT-2025-002", status=" anulado ")
    await hospital.old.add("fpa_modification", ticket_id=ticket, new_fpa=at("2025-01-17 10:00"),
                           modified_at=at("2025-01-16 10:00"))  # fmt: skip
    await hospital.ticket("TH-SANT-2025-003", status="Anulado")
    await hospital.ticket("TH-SANT-2025-004", status=None, **whole)
    await hospital.ticket("TH-SANT-2025-005", status="Alta")
    report = await run_import()
    found = await connection.fetch("SELECT status, annulled_at, annulled_by, annulment_reason FROM ticket ORDER BY id")
    at_six = datetime(2025, 1, 15, 18, tzinfo=UTC)
    assert [tuple(row) for row in found] == [
        ("annulled", at_six, "ana", "Error de ingreso"),
        ("annulled", datetime(2025, 1, 16, 10, tzinfo=UTC), None, None),
        ("annulled", datetime(2025, 1, 15, 12, tzinfo=UTC), None, None),
        ("annulled", at_six, "ana", "Error de ingreso"),
        ("active", None, None, None),
    ]
    assert report.count(Outcome.REPAIRED, "ticket", "annulled at no time: the last time that is known of it") == 2


async def test_ids_that_no_path_leads_to_become_ids(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    for legacy_id in ("TH-SANT-2025-041", "th-sant-2025-007", "TH-SANT-2025-9", "T 17/a", "TH-SANT-2025-000"):
        await hospital.ticket(legacy_id)
        await hospital.old.add("fpa_modification", ticket_id=legacy_id, new_fpa=at("2025-01-17 10:00"),
                               modified_at=at("2025-01-16 10:00"))  # fmt: skip
        await hospital.old.add("action_audit", username="ana", clinic_id=hospital.clinic, action="create",
                               timestamp=at("2025-01-15 12:00"), target_type="Ticket", target_id=legacy_id)  # fmt: skip
    await run_import()
    found = await connection.fetch("SELECT id, number FROM ticket ORDER BY id")
    assert [row["id"] for row in found] == [f"TH-SANT-2025-{number:03d}" for number in (0, 7, 41, 42, 43)]
    assert [row["number"] for row in found] == [44, 7, 41, 42, 43]
    assert await connection.fetchval("SELECT last_number FROM ticket_counter") == 44
    renamed = await connection.fetchval("SELECT id FROM legacy_map WHERE kind = 'ticket' AND legacy_id = 'T 17/a'")
    assert (await history_of(connection, renamed))["id"] == ["T 17/a", renamed]
    answer = await (await sign_in("ana")).get(f"/v1/tickets/{renamed}")
    assert answer.status_code == 200
    assert len(answer.json()["modifications"]) == 1
    assert "create" in {one["action"] for one in answer.json()["history"]}
    assert (await run_import()).imported == 0


async def test_two_ids_of_one_number_are_two_tickets(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    """A clinic that was renamed there began with 001 again, under other letters."""
    for legacy_id in ("TH-SANT-2025-001", "TH-OLDN-2025-001", "TH-SANT-2025-0001"):
        await hospital.ticket(legacy_id)
    await run_import()
    found = await connection.fetch("SELECT id, year, number FROM ticket ORDER BY number")
    assert {row["id"] for row in found} == {"TH-SANT-2025-001", "TH-OLDN-2025-001", "TH-SANT-2025-0001"}
    assert [(row["year"], row["number"]) for row in found] == [(2025, 1), (2025, 2), (2025, 3)]


async def test_another_ticket_of_the_same_id_is_never_written_over(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    clinic = await rows.clinic(connection, "SANT", name="Clínica RedSalud Santiago")
    specialty = await rows.specialty(connection, clinic)
    surgery, patient = await rows.surgery(connection, clinic, specialty), await rows.patient(connection, clinic)
    mine: dict[str, Any] = {"id": "TH-SANT-2025-001", "year": 2025, "number": 1}
    await rows.ticket(connection, clinic, patient, surgery, **mine, bed_number="mine")
    await hospital.ticket("TH-SANT-2025-001", bed_number="theirs")
    await hospital.ticket("TH-SANT-2025-002")
    report = await run_import()
    assert await connection.fetchval("SELECT bed_number FROM ticket WHERE number = 1") == "mine"
    assert report.count(Outcome.REFUSED, "ticket", "another ticket has this id here") == 1
    assert report.of("ticket").imported == 1


async def test_an_episode_goes_to_the_patients_latest_ticket(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.old.connection.execute("UPDATE patient SET episode_id = 'E-1'")
    lost = await hospital.old.add("patient", rut="1-9", episode_id="E-2", clinic_id=hospital.clinic)
    await hospital.old.add("patient", rut="2-7", episode_id=" ", clinic_id=hospital.clinic)
    for number, created_at in ((999, "2025-01-02 00:00"), (1000, "2025-01-02 00:00"), (3, "2025-01-01 00:00")):
        await hospital.ticket(f"TH-SANT-2025-{number:03d}", created_at=at(created_at))
    report = await run_import()
    found = await connection.fetch("SELECT id, episode_id FROM ticket WHERE episode_id IS NOT NULL")
    assert [tuple(row) for row in found] == [("TH-SANT-2025-1000", "E-1")]
    what = "an episode of a patient without tickets"
    assert [one.legacy_id for one in report.findings() if one.what == what] == [str(lost)]


async def test_texts_that_are_too_long_are_cut_and_whole_in_the_history(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket("TH-SANT-2025-001", bed_number="b" * 12, location="l" * 60, created_by="c" * 90,
                          surgery_name_snapshot="s" * 250)  # fmt: skip
    await hospital.ticket("TH-SANT-2025-002", status="Anulado", annulled_at=at("2025-01-15 18:00"),
                          annulled_reason="r" * 600)  # fmt: skip
    report = await run_import()
    assert await history_of(connection, "TH-SANT-2025-001") == {
        "bed_number": ["b" * 12, "b" * 10], "location": ["l" * 60, "l" * 50],
        "surgery_name": ["s" * 250, "s" * 200], "created_by": ["c" * 90, "c" * 80],
    }  # fmt: skip
    assert await history_of(connection, "TH-SANT-2025-002") == {"annulment_reason": ["r" * 600, "r" * 500]}
    assert report.count(Outcome.REPAIRED, "ticket", "a text longer than its column: cut") == 2


async def test_what_no_column_holds_is_in_the_history(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket(
        "TH-SANT-2025-001", initial_reason="Dolor", initial_justification="EVA 6",
        medical_discharge_date=at("2025-01-16 11:00"), original_fpa_date=at("2025-01-16 13:00"),
    )  # fmt: skip
    await hospital.ticket("TH-SANT-2025-002", medical_discharge_date=at("2025-01-16 13:00"))
    await run_import()
    assert await history_of(connection, "TH-SANT-2025-001") == {
        "initial_reason": [None, "Dolor"],
        "initial_justification": [None, "EVA 6"],
        "medical_discharge_date": [None, "2025-01-16T11:00:00"],
    }
    assert await history_of(connection, "TH-SANT-2025-002") == {}
