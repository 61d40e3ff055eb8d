"""PUT /v1/tickets/{id}: an admin corrects patient, surgery, doctor, and when the surgery is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.days import calm_day


def edit_of(ticket: dict[str, Any], **patient: Any) -> dict[str, Any]:
    """A body that replaces the ticket's data by itself, but for what is given of the patient."""
    kept = {name: value for name, value in ticket["patient"].items() if name not in ("id", "verified")}
    return {"patient": kept | patient, "surgery_id": ticket["surgery"]["id"], "doctor_id": None}


async def test_the_patient_is_replaced_and_its_other_active_tickets_must_be_read_again(admin: Any) -> None:
    other = await admin.create()
    ended = await admin.annul(await admin.create())
    ticket = await admin.create()
    body = edit_of(ticket, document="6.000.000-k", age=41)
    del body["patient"]["middle_name"]
    after = await admin.done("PUT", ticket, body=body)
    assert (after["patient"]["document"], after["patient"]["age"]) == ("6000000-K", 41)
    assert after["patient"]["id"] == ticket["patient"]["id"]
    assert after["revision"] == ticket["revision"] + 1
    assert (await admin.get(other["id"]))["revision"] == other["revision"] + 1
    assert (await admin.get(ended["id"]))["revision"] == ended["revision"]
    assert after["history"][-1]["action"] == "patient.changed"
    assert after["history"][-1]["changes"]["document"] == ["12345678-5", "6000000-K"]


async def test_a_put_replaces(admin: Any) -> None:
    patient = admin.new()["patient"] | {"middle_name": "María", "age": 40, "sex": "F"}
    ticket = await admin.create(patient=patient)
    body = edit_of(ticket)
    for name in ("middle_name", "age", "sex"):
        del body["patient"][name]
    after = (await admin.done("PUT", ticket, body=body))["patient"]
    assert (after["middle_name"], after["age"], after["sex"]) == (None, None, None)


async def test_a_changed_surgery_updates_its_snapshots_never_the_times(
    admin: Any, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await admin.create()
    surgery_id = await rows.surgery(
        connection, seed.sant.id, seed.sant.specialty_id, name="Another", base_stay_hours=72
    )
    body = edit_of(ticket) | {"surgery_id": surgery_id, "doctor_id": seed.sant.doctor_id}
    after = await admin.done("PUT", ticket, body=body)
    assert after["surgery"] == {"id": surgery_id, "name": "Another", "base_stay_hours": 72}
    assert after["doctor"]["id"] == seed.sant.doctor_id
    for name in ("surgery_at", "admission_at", "current_fpa", "system_fpa", "overnight_stays"):
        assert after[name] == ticket[name]
    changes = after["history"][-1]["changes"]
    assert changes["surgery_name"] == [ticket["surgery"]["name"], "Another"]


async def test_a_renamed_surgery_that_stays_keeps_its_snapshot_and_may_be_inactive(
    admin: Any, seed: Seed, connection: rows.Connection
) -> None:
    ticket = await admin.create(doctor_id=seed.sant.doctor_id)
    await connection.execute(
        "UPDATE surgery SET name = 'Renamed', is_active = false WHERE id = $1", seed.sant.surgery_id
    )
    await connection.execute("UPDATE doctor SET is_active = false WHERE id = $1", seed.sant.doctor_id)
    body = edit_of(ticket, first_name="Anna") | {"doctor_id": seed.sant.doctor_id}
    after = await admin.done("PUT", ticket, body=body)
    assert after["surgery"] == ticket["surgery"]
    assert after["doctor"]["id"] == seed.sant.doctor_id


async def test_new_references_must_be_active_and_of_the_clinic(
    admin: Any, seed: Seed, connection: rows.Connection, refusal: Any
) -> None:
    ticket = await admin.create()
    foreign = edit_of(ticket) | {"surgery_id": seed.maga.surgery_id, "doctor_id": seed.maga.doctor_id}
    assert refusal(await admin.send("PUT", ticket, body=foreign)) == (
        422,
        "invalid",
        [("surgery_id", "unknown_reference"), ("doctor_id", "unknown_reference")],
    )
    await connection.execute("UPDATE doctor SET is_active = false WHERE id = $1", seed.sant.doctor_id)
    inactive = edit_of(ticket) | {"doctor_id": seed.sant.doctor_id}
    assert refusal(await admin.send("PUT", ticket, body=inactive))[2] == [("doctor_id", "inactive")]


async def test_another_patients_document_is_a_duplicate(admin: Any, refusal: Any) -> None:
    eva = {"document_type": "rut", "document": "6.000.000-K", "first_name": "Eva", "last_name": "Lara"}
    await admin.create(patient=eva)
    ticket = await admin.create()
    answer = await admin.send("PUT", ticket, body=edit_of(ticket, document="6000000-k"))
    assert refusal(answer)[:2] == (409, "duplicate")
    assert await admin.get(ticket["id"]) | {"seconds_left": 0} == ticket | {"seconds_left": 0}


async def test_an_imported_rut_that_fails_its_check_stays_usable(
    admin: Any, connection: rows.Connection, refusal: Any
) -> None:
    ticket = await admin.create()
    await connection.execute("UPDATE patient SET document = '00000001-K', verified = false WHERE document_type = 'rut'")
    ticket = await admin.get(ticket["id"])
    after = await admin.done("PUT", ticket, body=edit_of(ticket, first_name="Anna"))
    assert (after["patient"]["document"], after["patient"]["verified"]) == ("00000001-K", False)
    answer = await admin.send("PUT", after, body=edit_of(after, document="12.345.678-4"))
    assert refusal(answer) == (422, "invalid", [("patient.document", "invalid_rut")])
    mended = await admin.done("PUT", after, body=edit_of(after, document="12.345.678-5"))
    assert (mended["patient"]["document"], mended["patient"]["verified"]) == ("12345678-5", True)


@pytest.mark.parametrize("end", ["discharge", "annul"])
async def test_only_an_active_ticket_is_edited(admin: Any, refusal: Any, end: str) -> None:
    ticket = await getattr(admin, end)(await admin.create())
    assert refusal(await admin.send("PUT", ticket, body=edit_of(ticket)))[:2] == (409, "ticket_not_active")


async def test_an_overdue_patient_is_still_in_a_bed_and_edited(admin: Any) -> None:
    ticket = await admin.create("overdue")
    after = await admin.done("PUT", ticket, body=edit_of(ticket, age=51))
    assert (after["patient"]["age"], after["state"], after["current_fpa"]) == (51, "overdue", ticket["current_fpa"])


async def test_only_admins_edit(nurse: Any, refusal: Any) -> None:
    ticket = await nurse.create()
    assert refusal(await nurse.send("PUT", ticket, body=edit_of(ticket)))[:2] == (403, "forbidden")


async def test_nothing_changed_leaves_no_trace(admin: Any) -> None:
    ticket = await admin.create()
    after = await admin.done("PUT", ticket, body=edit_of(ticket))
    assert (after["revision"], after["history"]) == (ticket["revision"], ticket["history"])


TIMES = ("surgery_at", "admission_at", "system_fpa", "current_fpa")


async def test_another_surgery_time_calculates_admission_and_fpa_anew_and_initial_values_stay(
    admin: Any, seed: Seed, connection: rows.Connection
) -> None:
    day = calm_day(-10)
    ticket = await admin.create("overdue", surgery_at=day.at("14:30"))
    surgery_id = await rows.surgery(connection, seed.sant.id, seed.sant.specialty_id, name="Long", base_stay_hours=48)
    later = edit_of(ticket) | {"surgery_id": surgery_id, "surgery_at": day.at("08:00", days=3)}
    after = await admin.done("PUT", ticket, body=later)
    assert [after[name] for name in TIMES] == [
        day.shown("08:00", days=3),
        day.shown("06:30", days=3),
        # By the base hours after the edit.
        day.shown("07:00", days=5),
        day.shown("07:00", days=5),
    ]
    assert (after["overnight_stays"], after["initial_overnight_stays"]) == (2, 1)
    # Before the new admission, and still what was said first.
    assert after["initial_fpa"] == ticket["initial_fpa"] == day.shown("13:00", days=1)
    changes = after["history"][-1]["changes"]
    assert changes["surgery_at"] == [ticket["surgery_at"], after["surgery_at"]]
    assert changes["current_fpa"] == [ticket["current_fpa"], after["current_fpa"]]


async def test_an_absent_or_unchanged_surgery_time_stays_however_long_ago(
    admin: Any, connection: rows.Connection, refusal: Any
) -> None:
    ticket = await admin.create("overdue")
    long_ago = ", ".join(f"{name} = {name} - interval '60 days'" for name in ("surgery_at", "admission_at"))
    await connection.execute(f"UPDATE ticket SET {long_ago}")
    ticket = await admin.get(ticket["id"])
    for same in ({}, {"surgery_at": None}, {"surgery_at": ticket["surgery_at"]}):
        after = await admin.done("PUT", ticket, body=edit_of(ticket) | same)
        assert (after["revision"], [after[name] for name in TIMES]) == (1, [ticket[name] for name in TIMES]), same
    mistyped = edit_of(ticket) | {"surgery_at": (datetime.now(UTC) + timedelta(days=401)).isoformat()}
    answer = await admin.send("PUT", ticket, body=mistyped)
    assert refusal(answer) == (422, "implausible_time", [("surgery_at", "implausible_time")])


async def test_a_modified_fpa_stays_and_neither_it_nor_ready_is_before_the_new_admission(
    admin: Any, connection: rows.Connection, refusal: Any
) -> None:
    day = calm_day(-10)
    ticket = await admin.create("overdue", surgery_at=day.at("14:30"))
    body = admin.modification(ticket) | {"date": str(day.after(2)), "block_end_hour": 10}
    ticket = await admin.done("POST", ticket, "fpa-modifications", body)
    after = await admin.done("PUT", ticket, body=edit_of(ticket) | {"surgery_at": day.at("10:00", days=1)})
    assert after["system_fpa"] == day.shown("08:00", days=2)
    assert (after["current_fpa"], after["overnight_stays"]) == (day.shown("10:00", days=2), 1)
    beyond = edit_of(after) | {"surgery_at": day.at("12:01", days=2)}
    assert refusal(await admin.send("PUT", after, body=beyond))[:2] == (409, "fpa_before_admission")
    at = datetime.fromisoformat(day.shown("09:00", days=1))
    await connection.execute("UPDATE ticket SET ready_at = $1, ready_by = 'x'", at)
    beyond = edit_of(after) | {"surgery_at": day.at("11:01", days=1)}
    assert refusal(await admin.send("PUT", after, body=beyond))[:2] == (409, "fpa_before_admission")
    annulled = await admin.annul(after)
    assert refusal(await admin.send("PUT", annulled, body=beyond))[:2] == (409, "ticket_not_active")
