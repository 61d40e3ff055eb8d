"""POST /v1/tickets: patient found or made, FPA calculated, number given."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.days import calm_day, day_without_midnight

SANTIAGO = ZoneInfo("America/Santiago")
# fmt: off
FIELDS = [
    "id", "clinic_id", "revision", "status", "state", "warning_level", "seconds_left", "patient", "surgery", "doctor",
    "surgery_at", "admission_at", "system_fpa", "initial_fpa", "current_fpa", "block", "overnight_stays",
    "initial_overnight_stays", "bed_number", "location", "episode_id", "ready", "delays", "discharged_at", "discharge",
    "annulment", "created_at", "created_by",
    "modifications", "history", "warnings",
]
# fmt: on


async def test_a_ticket_is_created_and_read_back(nurse: Any, seed: Seed) -> None:
    day = calm_day(-10)
    body = nurse.new(
        patient=nurse.new()["patient"] | {"age": 40, "sex": "F"},
        surgery_at=day.at("14:30"),
        doctor_id=seed.sant.doctor_id,
        bed_number=" 12B ",
    )
    answer = await nurse.client.post("/v1/tickets", json=body)
    assert answer.status_code == 201
    ticket = answer.json()
    year = datetime.now(SANTIAGO).year
    assert list(ticket) == FIELDS
    assert ticket["id"] == f"TH-SANT-{year}-001"
    assert answer.headers["Location"] == f"/v1/tickets/{ticket['id']}"
    assert (answer.headers["ETag"], ticket["revision"]) == ('"1"', 1)
    assert "no-store" in answer.headers["Cache-Control"]
    assert f"{seed.sant.id}/tickets=" in answer.headers["Cache-Version"]
    assert f"{seed.sant.id}/figures=" in answer.headers["Cache-Version"]
    assert ticket["patient"] == {
        "id": ticket["patient"]["id"],
        "document_type": "rut",
        "document": "12345678-5",
        "verified": True,
        "first_name": "Ana",
        "middle_name": None,
        "last_name": "Rojas",
        "second_last_name": None,
        "age": 40,
        "sex": "F",
    }
    assert ticket["surgery_at"] == day.shown("14:30")
    assert ticket["admission_at"] == day.shown("12:30")
    assert ticket["system_fpa"] == ticket["initial_fpa"] == ticket["current_fpa"] == day.shown("13:00", days=1)
    assert (ticket["overnight_stays"], ticket["initial_overnight_stays"]) == (1, 1)
    assert ticket["block"] == {"start_hour": 11, "end_hour": 13, "label": "11:00 - 13:00"}
    assert (ticket["surgery"]["id"], ticket["surgery"]["base_stay_hours"]) == (seed.sant.surgery_id, 24)
    assert ticket["doctor"]["id"] == seed.sant.doctor_id
    assert (ticket["status"], ticket["state"], ticket["seconds_left"]) == ("active", "overdue", None)
    assert (ticket["bed_number"], ticket["created_by"]) == ("12B", "clinical_sant")
    assert [(entry["action"], entry["by"]) for entry in ticket["history"]] == [("ticket.created", "clinical_sant")]
    assert ticket["history"][0]["changes"]["current_fpa"] == [None, day.shown("13:00", days=1)]

    read = await nurse.client.get(answer.headers["Location"], headers={"If-None-Match": '"1"'})
    assert (read.status_code, read.headers["ETag"], read.headers["Cache-Control"]) == (200, '"1"', "no-store")
    assert read.json() == ticket


async def test_the_state_and_the_seconds_left_are_those_of_now(nurse: Any) -> None:
    scheduled = await nurse.create("scheduled")
    assert 0 < scheduled["seconds_left"] - (46 + 24) * 3600 <= 3600
    assert (await nurse.create("normal"))["warning_level"] is None
    assert (await nurse.create("overdue"))["seconds_left"] is None


async def test_a_local_time_that_does_not_exist_is_refused(nurse: Any, refusal: Any) -> None:
    skipped = f"{day_without_midnight()}T00:30"
    answer = await nurse.client.post("/v1/tickets", json=nurse.new(surgery_at=skipped))
    assert refusal(answer) == (422, "nonexistent_local_time", [("surgery_at", "nonexistent_local_time")])
    # In Punta Arenas' zone, and with an offset, the same digits are a time.
    assert (await nurse.client.post("/v1/tickets", json=nurse.new(surgery_at=f"{skipped}-04:00"))).status_code == 201


async def test_a_surgery_of_another_month_or_year_is_an_implausible_time(
    nurse: Any, refusal: Any, connection: rows.Connection
) -> None:
    """30 days of 24 hours back and 400 ahead; the preview of it is refused likewise."""
    now, minute = datetime.now(UTC), timedelta(minutes=1)
    for path, status in (("/v1/fpa/preview", 200), ("/v1/tickets", 201)):
        for end, beyond in ((now - timedelta(days=30), -minute), (now + timedelta(days=400), minute)):
            body = nurse.new() if path == "/v1/tickets" else {"surgery_id": nurse.clinic.surgery_id}
            mistyped = body | {"surgery_at": (end + beyond).isoformat()}
            answer = await nurse.client.post(path, json=mistyped)
            assert refusal(answer) == (422, "implausible_time", [("surgery_at", "implausible_time")])
            both = await nurse.client.post(path, json=mistyped | {"surgery_id": 2**31 - 1})
            assert [one for one, _ in refusal(both)[2]] == ["surgery_id", "surgery_at"]
            meant = body | {"surgery_at": (end - beyond).isoformat()}
            assert (await nurse.client.post(path, json=meant)).status_code == status
            await connection.execute("DELETE FROM ticket")


async def test_surgery_and_doctor_must_be_active_and_of_the_clinic(
    nurse: Any, seed: Seed, connection: rows.Connection, refusal: Any
) -> None:
    async def refused(**changes: int) -> list[tuple[str, str]]:
        answer = await nurse.client.post("/v1/tickets", json=nurse.new(**changes))
        status, code, errors = refusal(answer)
        assert (status, code) == (422, "invalid")
        found: list[tuple[str, str]] = errors
        return found

    unknown = [("surgery_id", "unknown_reference"), ("doctor_id", "unknown_reference")]
    assert await refused(surgery_id=2**31 - 1, doctor_id=2**31 - 1) == unknown
    assert await refused(surgery_id=seed.maga.surgery_id, doctor_id=seed.maga.doctor_id) == unknown
    await connection.execute("UPDATE surgery SET is_active = false WHERE id = $1", seed.sant.surgery_id)
    await connection.execute("UPDATE doctor SET is_active = false WHERE id = $1", seed.sant.doctor_id)
    inactive = [("surgery_id", "inactive"), ("doctor_id", "inactive")]
    assert await refused(doctor_id=seed.sant.doctor_id) == inactive
    assert await connection.fetchval("SELECT count(*) FROM ticket") == 0


async def test_a_superuser_names_the_clinic_and_others_may_name_their_own(
    nurse: Any, superuser: Any, seed: Seed, connection: rows.Connection, refusal: Any
) -> None:
    assert refusal(await superuser.client.post("/v1/tickets", json=superuser.new())) == (
        422,
        "invalid",
        [("clinic_id", "required")],
    )
    unknown = superuser.new(clinic_id=2**31 - 1)
    assert refusal(await superuser.client.post("/v1/tickets", json=unknown))[2] == [("clinic_id", "unknown_reference")]
    made = await superuser.create(clinic_id=seed.sant.id)
    assert (made["clinic_id"], made["created_by"]) == (seed.sant.id, "superuser")
    audited = await connection.fetchrow("SELECT * FROM action_audit WHERE action = 'ticket.created'")
    assert audited is not None
    assert (audited["clinic_id"], audited["username"], audited["target_id"]) == (seed.sant.id, "superuser", made["id"])

    assert (await nurse.create(clinic_id=seed.sant.id))["clinic_id"] == seed.sant.id
    foreign = await nurse.client.post("/v1/tickets", json=nurse.new(clinic_id=seed.maga.id))
    assert refusal(foreign) == (404, "not_found", [])

    await connection.execute("UPDATE clinic SET is_active = false WHERE id = $1", seed.sant.id)
    closed = await superuser.client.post("/v1/tickets", json=superuser.new(clinic_id=seed.sant.id))
    assert refusal(closed)[2] == [("clinic_id", "inactive")]


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"surgery_at": "9999-12-31T23:59"}, "surgery_at"),
    ({"surgery_at": "0001-01-01T00:00+23:59"}, "surgery_at"),
    ({"surgery_at": "9999-12-31T23:59-23:59"}, "surgery_at"),
    ({"surgery_at": "2025-02-30T10:00"}, "surgery_at"),
    ({"surgery_at": "2025-01-15"}, "surgery_at"),
    ({"surgery_at": 1736951400}, "surgery_at"),
    ({"surgery_id": True}, "surgery_id"),
    ({"surgery_id": "1"}, "surgery_id"),
    ({"surgery_id": 2**31}, "surgery_id"),
    ({"surgery_id": 10**400}, "surgery_id"),
    ({"bed_number": "x" * 11}, "bed_number"),
    ({"bed_number": "a\x00b"}, "bed_number"),
    ({"bed_number": "\ud800"}, "bed_number"),
    ({"location": "x" * 51}, "location"),
    ({"episode_id": "x" * 51}, "episode_id"),
    ({"colour": "red"}, "colour"),
    ({"\ud800": 1}, "body"),
    ({"patient": None}, "patient"),
]


async def test_bad_fields_are_refused_by_name(nurse: Any, refusal: Any) -> None:
    for changes, path in BAD_FIELDS:
        sent = json.dumps(nurse.new(**changes))  # in ASCII: a lone surrogate has no UTF-8
        answer = await nurse.client.post("/v1/tickets", content=sent, headers={"Content-Type": "application/json"})
        status, code, errors = refusal(answer)
        assert (status, code, [where for where, _ in errors]) == (422, "invalid", [path]), changes


BAD_PATIENTS = [
    ({"document": "12.345.678-4"}, "patient.document", "invalid_rut"),
    ({"document_type": "ruc"}, "patient.document_type", "enum"),
    ({"first_name": None}, "patient.first_name", "string_type"),
    ({"first_name": " "}, "patient.first_name", "string_too_short"),
    ({"first_name": "a\x00"}, "patient.first_name", "invalid"),
    ({"last_name": "x" * 81}, "patient.last_name", "string_too_long"),
    ({"age": -1}, "patient.age", "greater_than_equal"),
    ({"age": 151}, "patient.age", "less_than_equal"),
    ({"sex": "m"}, "patient.sex", "literal_error"),
    ({"rut": "1"}, "patient.rut", "unknown_field"),
]


async def test_bad_patients_are_refused_by_field(nurse: Any, refusal: Any) -> None:
    for changes, path, code in BAD_PATIENTS:
        body = nurse.new(patient=nurse.new()["patient"] | changes)
        assert refusal(await nurse.client.post("/v1/tickets", json=body)) == (422, "invalid", [(path, code)]), (
            changes,
            path,
            code,
        )


async def test_a_change_of_the_patient_raises_the_revision_of_all_its_active_tickets(nurse: Any) -> None:
    left = await nurse.discharge(await nurse.create())
    first = await nurse.create()
    patient = {"document_type": "rut", "document": "12345678-5", "second_last_name": "Soto"}
    second = await nurse.create(patient=patient)
    assert second["revision"] == 1
    assert second["patient"]["first_name"] == "Ana"
    raised = await nurse.get(first["id"])
    assert (raised["revision"], raised["patient"]["second_last_name"]) == (first["revision"] + 1, "Soto")
    assert [(one["action"], one["changes"]) for one in raised["history"][1:]] == [
        ("patient.changed", {"second_last_name": [None, "Soto"]})
    ]
    assert (await nurse.get(left["id"]))["revision"] == left["revision"]
    # The same data again is no change.
    await nurse.create(patient=patient)
    assert (await nurse.get(first["id"]))["revision"] == raised["revision"]


async def test_a_refused_create_takes_no_number(nurse: Any) -> None:
    nameless = nurse.new(patient={"document_type": "rut", "document": "12.345.678-5"})
    assert (await nurse.client.post("/v1/tickets", json=nameless)).status_code == 422
    assert (await nurse.create())["id"].endswith("-001")


async def test_numbers_are_per_clinic_and_local_year_and_go_past_999(
    nurse: Any, foreign_admin: Any, seed: Seed, connection: rows.Connection
) -> None:
    year = datetime.now(SANTIAGO).year
    await connection.execute(
        "INSERT INTO ticket_counter VALUES ($1, $2, 998), ($1, $3, 7)", seed.sant.id, year, year - 1
    )
    assert [(await nurse.create())["id"] for _ in range(3)] == [
        f"TH-SANT-{year}-999",
        f"TH-SANT-{year}-1000",
        f"TH-SANT-{year}-1001",
    ]
    assert (await foreign_admin.create())["id"] == f"TH-MAGA-{year}-001"


async def test_the_same_key_twice_at_once_gives_one_ticket_and_two_equal_answers(
    nurse: Any, connection: rows.Connection
) -> None:
    body, headers = nurse.new(), {"Idempotency-Key": "a-key"}
    first, second = await asyncio.gather(
        *(nurse.client.post("/v1/tickets", json=body, headers=headers) for _ in range(2))
    )
    assert (first.status_code, first.content) == (second.status_code, second.content)
    for name in ("ETag", "Location"):
        assert first.headers[name] == second.headers[name]
    assert await connection.fetchval("SELECT count(*) FROM ticket") == 1
    assert datetime.fromisoformat(first.json()["created_at"]) <= datetime.now(UTC)


async def test_two_nurses_who_enter_two_stays_of_the_same_new_patient_at_once_make_one_patient(
    nurse: Any, admin: Any, connection: rows.Connection
) -> None:
    answers = await asyncio.gather(*(ward.post(ward.new()) for ward in (nurse, admin)))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 2
    assert len({answer.json()["patient"]["id"] for answer in answers}) == 1
    assert await connection.fetchval("SELECT count(*) FROM patient WHERE document = '12345678-5'") == 1


async def test_what_cannot_be_audited_is_not_done(nurse: Any, refusal: Any, connection: rows.Connection) -> None:
    """The audit's row is written in the write's own transaction: neither a ticket is left, nor a number used."""
    await connection.execute(
        "CREATE FUNCTION refuse_audit() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'no room for Ana Rojas'; END $$;"
        " CREATE TRIGGER refuse BEFORE INSERT ON action_audit FOR EACH ROW EXECUTE FUNCTION refuse_audit()"
    )
    answer = await nurse.client.post("/v1/tickets", json=nurse.new(), headers={"Idempotency-Key": "a-key"})
    assert refusal(answer)[:2] == (500, "internal")
    assert "room" not in answer.text
    for table in ("ticket", "ticket_counter", "idempotency_key"):
        assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert await connection.fetchval("SELECT count(*) FROM patient WHERE document = '12345678-5'") == 0
    await connection.execute("DROP TRIGGER refuse ON action_audit")
    again = await nurse.client.post("/v1/tickets", json=nurse.new(), headers={"Idempotency-Key": "a-key"})
    assert (again.status_code, again.json()["id"][-4:]) == (201, "-001")
