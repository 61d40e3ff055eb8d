"""A document of somebody else's name: nothing is written before somebody said who it is."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.factories import rows
from tests.support.answers import refusal
from tests.support.audit import audits

SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
JUANA = {
    **{"document_type": "rut", "document": "12.345.678-5", "first_name": "Juana", "last_name": "Rojas"},
    **{"middle_name": None, "second_last_name": None, "age": 80, "sex": "F"},
}
PEDRO = JUANA | {"first_name": "Pedro", "last_name": "Soto", "age": 20, "sex": "M"}


async def sent(ward: Any, patient: dict[str, Any], *, key: str | None = None, **more: Any) -> httpx.Response:
    answer: httpx.Response = await ward.post(ward.new(patient=patient, surgery_at=SOON, **more), key)
    return answer


async def counts(connection: rows.Connection) -> list[int]:
    return [await connection.fetchval(f"SELECT count(*) FROM {table}") for table in ("ticket", "patient")]


async def test_who_is_on_file_is_shown_recorded_and_unchanged(nurse: Any, connection: rows.Connection) -> None:
    first = await nurse.create(patient=JUANA)
    before = await counts(connection)
    asked = await sent(nurse, PEDRO)
    assert refusal(asked) == (409, "patient_mismatch")
    assert asked.headers["Cache-Control"] == "no-store"
    on_file = JUANA | {"document": "12345678-5", "id": first["patient"]["id"], "revision": 1}
    assert asked.json()["patient"] == on_file
    assert await counts(connection) == before
    after = await nurse.get(first["id"])
    assert (after["patient"], after["revision"]) == (first["patient"], 1)
    [shown] = await audits(connection, "patient.shown")
    assert (shown["target_type"], shown["target_id"]) == ("patient", str(first["patient"]["id"]))
    assert (shown["username"], shown["clinic_id"], shown["changes"]) == ("clinical_sant", first["clinic_id"], {})


@pytest.mark.parametrize("typed", ["12345678-5", "123456785", "12 345 678 – 5", "012345678-5"])
async def test_a_document_without_its_verifier_is_not_taken_for_somebody_elses(nurse: Any, typed: str) -> None:
    await nurse.create(patient=JUANA)
    assert refusal(await sent(nurse, PEDRO | {"document": typed})) == (409, "patient_mismatch")


async def test_a_number_without_a_verifier_finds_another_and_asks(nurse: Any) -> None:
    # 10000041 is 1.000.004-1's number with its verifier, and somebody's own without.
    await nurse.create(patient=JUANA | {"document": "1.000.004-1"})
    assert refusal(await sent(nurse, PEDRO | {"document": "10000041"})) == (409, "patient_mismatch")


async def test_the_same_key_brings_the_answer_and_the_file_is_corrected(
    nurse: Any, connection: rows.Connection
) -> None:
    first = await nurse.create(patient=JUANA)
    asked = (await sent(nurse, PEDRO, key="a-key")).json()["patient"]
    assert await connection.fetchval("SELECT count(*) FROM idempotency_key") == 0
    same = {"id": asked["id"], "revision": asked["revision"]}
    answers = {"patient": PEDRO | {"same_person": same}, "key": "a-key", "second_stay": first["id"]}
    answer = await sent(nurse, **answers)
    assert answer.status_code == 201, answer.text
    ticket = answer.json()
    assert ticket["patient"] == first["patient"] | {
        **{"first_name": "Pedro", "last_name": "Soto", "age": 20, "sex": "M"}
    }
    assert ticket["warnings"] == []
    raised = await nurse.get(first["id"])
    assert (raised["revision"], raised["patient"]) == (2, ticket["patient"])
    again = await sent(nurse, **answers)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")


async def test_an_answer_to_what_was_not_shown_is_asked_again(nurse: Any) -> None:
    first = await nurse.create(patient=JUANA)
    patient_id = first["patient"]["id"]
    for same in ({"id": patient_id, "revision": 2}, {"id": patient_id + 1, "revision": 1}):
        assert refusal(await sent(nurse, PEDRO | {"same_person": same})) == (409, "patient_mismatch")
    # Of two who correct the file at once the second is asked about what the first made of it.
    same = {"id": patient_id, "revision": 1}
    others = (PEDRO, PEDRO | {"first_name": "Diego", "last_name": "Lara"})
    answers = await asyncio.gather(*(sent(nurse, other | {"same_person": same}) for other in others))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


@pytest.mark.parametrize("same", [True, {"id": 1}, {"id": "1", "revision": 1}, {"id": 1, "revision": 0}])
async def test_the_answer_names_what_was_shown(nurse: Any, same: Any) -> None:
    answer = await sent(nurse, PEDRO | {"same_person": same})
    assert refusal(answer) == (422, "invalid")


async def test_two_nurses_who_enter_two_people_by_one_document_at_once_make_one_of_them(
    nurse: Any, admin: Any, connection: rows.Connection
) -> None:
    before = await counts(connection)
    answers = await asyncio.gather(sent(nurse, JUANA), sent(admin, PEDRO))
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert await counts(connection) == [count + 1 for count in before]


async def test_a_name_typed_in_another_way_stays_and_is_told(nurse: Any) -> None:
    await nurse.create(patient=JUANA | {"last_name": "Rodríguez"})
    for last_name in ("Rodrigez", "RODRIGUEZ"):
        ticket = await nurse.create(patient=JUANA | {"last_name": last_name, "age": 82})
        assert (ticket["patient"]["last_name"], ticket["patient"]["age"]) == ("Rodríguez", 82)
        assert ticket["warnings"] == [{"code": "name_differs", "ticket_id": None}]
    assert (await nurse.create(patient=JUANA | {"last_name": "Rodríguez", "age": 81}))["warnings"] == []


async def test_newborns_are_patients_of_their_own(admin: Any) -> None:
    first, second = [
        await admin.create(patient=JUANA | {"document": "RN", "first_name": name, "age": 0})
        for name in ("Hija de Ana", "Hijo de Eva")
    ]
    assert first["patient"]["id"] != second["patient"]["id"]
    assert [(one["patient"]["document"], one["patient"]["verified"]) for one in (first, second)] == [("RN", False)] * 2
    listed = (await admin.client.get("/v1/tickets")).json()["items"]
    assert {one["patient"]["document"] for one in listed} == {"RN"}
    assert (await admin.get(first["id"]))["patient"]["first_name"] == "Hija de Ana"
    csv = (await admin.client.get("/v1/exports/tickets.csv")).text
    assert csv.count(",RN,") == 2


def edited(ticket: dict[str, Any], **patient: Any) -> dict[str, Any]:
    kept = {name: value for name, value in ticket["patient"].items() if name not in ("id", "verified")}
    return {"patient": kept | patient, "surgery_id": ticket["surgery"]["id"]}


async def test_an_edit_of_document_and_name_at_once_is_another_person(admin: Any, connection: rows.Connection) -> None:
    ticket = await admin.create(patient=JUANA)
    other = {"document": "6.000.000-K", "first_name": "Pedro"}
    asked = await admin.send("PUT", ticket, body=edited(ticket, **other))
    assert refusal(asked) == (409, "patient_mismatch")
    assert asked.json()["patient"]["id"] == ticket["patient"]["id"]
    assert (await admin.get(ticket["id"])) | {"seconds_left": 0} == ticket | {"seconds_left": 0}
    assert len(await audits(connection, "patient.shown")) == 1
    same = {"id": ticket["patient"]["id"], "revision": 1}
    after = await admin.done("PUT", ticket, body=edited(ticket, **other, same_person=same))
    assert (after["patient"]["document"], after["patient"]["first_name"]) == ("6000000-K", "Pedro")


async def test_either_of_them_alone_is_a_correction(admin: Any) -> None:
    ticket = await admin.create(patient=JUANA)
    ticket = await admin.done("PUT", ticket, body=edited(ticket, document="6.000.000-k"))
    assert ticket["patient"]["document"] == "6000000-K"
    ticket = await admin.done("PUT", ticket, body=edited(ticket, first_name="Pedro", last_name="Soto"))
    assert ticket["patient"]["last_name"] == "Soto"


async def test_a_newborn_gets_its_document_later(admin: Any) -> None:
    ticket = await admin.create(patient=JUANA | {"document": "RN", "age": 0})
    await admin.create(patient=JUANA | {"document": "RN", "age": 0})
    same = await admin.done("PUT", ticket, body=edited(ticket, age=1))
    assert (same["patient"]["document"], same["patient"]["verified"]) == ("RN", False)
    known = await admin.done("PUT", same, body=edited(same, document="25.000.000-6"))
    assert (known["patient"]["document"], known["patient"]["verified"]) == ("25000000-6", True)
