"""POST /v1/tickets/{id}/reassignment: it was written for the wrong patient."""

import asyncio
from typing import Any

import pytest

from tests.factories import rows
from tests.support.answers import codes, refusal
from tests.support.audit import audits

ANA: dict[str, Any] = {"document_type": "rut", "document": "12.345.678-5", "first_name": "Ana", "last_name": "Rojas"}
PEDRO: dict[str, Any] = {"document_type": "passport", "document": "X123456", "first_name": "Pedro", "last_name": "Soto"}
EVA = PEDRO | {"document": "X777777", "first_name": "Eva"}


async def reassigned(ward: Any, ticket: dict[str, Any], patient: dict[str, Any], **more: Any) -> Any:
    return await ward.send("POST", ticket, "reassignment", {"patient": patient, **more})


async def test_it_goes_to_another_patient_and_its_history_tells_ids_alone(
    admin: Any, connection: rows.Connection
) -> None:
    ticket = await admin.create(patient=ANA)
    ticket = await admin.done("PATCH", ticket, body={"patient": {"second_last_name": "Lara"}})
    pedros = await admin.discharge(await admin.create(patient=PEDRO))
    answer = await reassigned(admin, ticket, PEDRO | {"age": 30})
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert after["patient"] == pedros["patient"] | {"age": 30}
    assert (after["revision"], answer.headers["ETag"]) == (ticket["revision"] + 1, '"3"')
    # Neither hers nor what was said of his file before it was his ticket, nor with it.
    assert [one["action"] for one in after["history"]] == ["ticket.created", "ticket.reassigned"]
    ids = [ticket["patient"]["id"], pedros["patient"]["id"]]
    assert after["history"][-1]["changes"] == {"patient_id": ids}
    assert "Lara" not in answer.text
    [audited] = await audits(connection, "ticket.reassigned")
    assert (audited["changes"], audited["username"]) == ({"patient_id": ids}, "admin_sant")
    # From here on his file's changes are told, and hers are not.
    after = await admin.done("PATCH", after, body={"patient": {"age": 31}})
    assert after["history"][-1]["changes"] == {"age": [30, 31]}
    # And back again: what was told of her before stays hidden.
    back = (await reassigned(admin, after, ANA)).json()
    assert [one["action"] for one in back["history"]] == ["ticket.created", "ticket.reassigned", "ticket.reassigned"]
    assert back["patient"] == ticket["patient"]


async def test_the_active_tickets_of_both_patients_must_be_read_again(admin: Any) -> None:
    hers, his, wrong = [await admin.create(patient=one) for one in (ANA, PEDRO, ANA)]
    left = await admin.discharge(await admin.create("overdue", patient=ANA))
    assert (await reassigned(admin, wrong, PEDRO, second_stay=his["id"])).status_code == 200
    for ticket, raised in ((hers, 1), (his, 1), (left, 0)):
        assert (await admin.get(ticket["id"]))["revision"] == ticket["revision"] + raised


async def test_it_asks_what_a_new_ticket_asks(admin: Any, connection: rows.Connection) -> None:
    ticket, his = await admin.create(patient=ANA), await admin.create(patient=PEDRO)
    juan = PEDRO | {"first_name": "Juan"}
    answer = await reassigned(admin, ticket, juan)
    assert refusal(answer) == (409, "patient_mismatch")
    shown = answer.json()["patient"]
    assert len(await audits(connection, "patient.shown")) == 1
    juan |= {"same_person": {"id": shown["id"], "revision": shown["revision"]}}
    answer = await reassigned(admin, ticket, juan)
    assert (refusal(answer), answer.json()["ticket_id"]) == ((409, "already_admitted"), his["id"])
    assert refusal(await reassigned(admin, ticket, ANA)) == (409, "patient_unchanged")
    assert refusal(await reassigned(admin, ticket, ANA | {"first_name": "Eva"})) == (409, "patient_unchanged")
    assert (await admin.get(ticket["id"]))["revision"] == 1
    key = {"Idempotency-Key": "a-key", "If-Match": '"1"'}
    path, body = f"/v1/tickets/{ticket['id']}/reassignment", {"patient": juan, "second_stay": his["id"]}
    first, again = [await admin.client.post(path, json=body, headers=key) for _ in range(2)]
    assert (first.status_code, again.content, again.headers["Idempotency-Replayed"]) == (200, first.content, "true")
    assert first.json()["patient"]["first_name"] == "Juan"


@pytest.mark.parametrize("end", ["discharge", "annul"])
async def test_of_a_discharged_ticket_too_and_of_an_annulled_one_not(admin: Any, end: str) -> None:
    ticket = await getattr(admin, end)(await admin.create("overdue", patient=ANA))
    answer = await reassigned(admin, ticket, PEDRO)
    if end == "annul":
        assert refusal(answer) == (409, "ticket_not_active")
    else:
        assert (answer.json()["status"], answer.json()["patient"]["first_name"]) == ("discharged", "Pedro")


async def test_of_several_reasons_to_refuse_it_the_first_is_told(
    nurse: Any, admin: Any, foreign_admin: Any, connection: rows.Connection
) -> None:
    ticket = await nurse.create(patient=ANA)
    path = f"/v1/tickets/{ticket['id']}/reassignment"
    for ward, expected in ((nurse, (403, "forbidden")), (foreign_admin, (404, "not_found"))):
        for sent in ({"patient": PEDRO}, {"colour": "red"}):
            assert refusal(await ward.client.post(path, json=sent)) == expected
    wrong, nameless = ANA | {"document": "12.345.678-4"}, {"document_type": "passport", "document": "X1"}
    assert codes(await admin.client.post(path, json={"patient": wrong})) == [("patient.document", "invalid_rut")]
    assert [one for _, one in codes(await admin.client.post(path, json={"patient": nameless}))] == ["required"] * 2
    assert refusal(await admin.client.post(path, json={"patient": ANA})) == (428, "revision_required")
    old = await admin.client.post(path, json={"patient": ANA}, headers={"If-Match": '"7"'})
    assert (refusal(old), old.json()["current"]["id"]) == ((412, "revision_mismatch"), ticket["id"])
    assert await connection.fetchval("SELECT count(*) FROM patient WHERE document = 'X123456'") == 0


async def test_an_imported_ticket_without_a_patient_gets_one(admin: Any, connection: rows.Connection) -> None:
    imported = await admin.create(patient=ANA)
    await connection.execute("UPDATE ticket SET imported = true, patient_id = NULL")
    after = (await reassigned(admin, imported, PEDRO)).json()
    assert after["history"][-1]["changes"] == {"patient_id": [None, after["patient"]["id"]]}


async def test_tickets_that_change_their_patients_for_each_other_at_once_do_not_wait_for_each_other(
    nurse: Any, admin: Any, superuser: Any, deadlocks: list[str]
) -> None:
    """Both patients are locked by id, then the ticket: whatever else is written of them meanwhile, no deadlock."""
    for turn in range(3):
        people = [PEDRO | {"document": f"X{turn}00{n}", "first_name": name} for n, name in enumerate(("Ana", "Eva"))]
        hers, evas = [await admin.create(patient=one) for one in people]
        seen = {"second_stay": hers["id"]}
        answers = await asyncio.gather(
            reassigned(admin, hers, people[1], second_stay=evas["id"]),
            reassigned(superuser, evas, people[0], **seen),
            nurse.send("PATCH", hers, body={"patient": {"age": 41}, "bed_number": "1"}),
            nurse.send("PATCH", evas, body={"patient": {"age": 42}, "episode_id": f"E-{turn}"}),
            nurse.client.post("/v1/tickets", json=nurse.new(patient=people[0] | {"age": 40}) | seen),
            admin.send("POST", hers, "discharge", {}),
        )
        found = [(answer.status_code, answer.json().get("code")) for answer in answers]
        # 403: who was discharged meanwhile is an admin's to correct.
        assert {status for status, _ in found} <= {200, 201, 403, 409, 412}, found
        assert {code for status, code in found if status == 409} <= {"already_admitted", "ticket_not_active"}, found
        assert any(status < 300 for status, _ in found), found
        assert deadlocks == []
        for ticket in (hers, evas):
            assert (await admin.get(ticket["id"]))["patient"]["first_name"] in ("Ana", "Eva")


async def test_of_two_who_reassign_to_one_new_patient_at_once_the_second_is_told(admin: Any, superuser: Any) -> None:
    made = [await admin.create(patient=ANA | {"document_type": "other", "document": "RN"}) for _ in range(2)]
    answers = await asyncio.gather(reassigned(admin, made[0], EVA), reassigned(superuser, made[1], EVA))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    [told] = [answer.json() for answer in answers if answer.status_code == 409]
    [done] = [answer.json() for answer in answers if answer.status_code == 200]
    assert (told["code"], told["ticket_id"]) == ("already_admitted", done["id"])
