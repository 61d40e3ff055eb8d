"""PATCH /v1/tickets/{id}: bed, location, episode."""

from typing import Any

import pytest

from tests.factories.fixtures import Seed

BED = {"bed_number": "12B"}
EPISODE = {"episode_id": "E-1"}


def placed(ticket: dict[str, Any]) -> tuple[Any, ...]:
    return ticket["bed_number"], ticket["location"], ticket["episode_id"]


async def test_an_absent_field_stays_and_null_clears(nurse: Any, seed: Seed) -> None:
    ticket = await nurse.create(location="Piso 3")
    answer = await nurse.send("PATCH", ticket, body=BED | EPISODE)
    after = answer.json()
    assert placed(after) == ("12B", "Piso 3", "E-1")
    assert after["revision"] == 2
    assert after["history"][-1]["changes"] == {"bed_number": [None, "12B"], "episode_id": [None, "E-1"]}
    # The board shows it; the dashboard's figures do not count beds.
    assert "/tickets=" in answer.headers["Cache-Version"]
    assert "/figures=" not in answer.headers["Cache-Version"]
    after = await nurse.done("PATCH", after, body={"bed_number": None})
    assert placed(after) == (None, "Piso 3", "E-1")


@pytest.mark.parametrize("body", [{}, {"location": None}])
async def test_what_changes_nothing_leaves_no_trace(nurse: Any, body: dict[str, Any]) -> None:
    ticket = await nurse.create()
    after = await nurse.done("PATCH", ticket, body=body)
    assert (after["revision"], after["history"]) == (1, ticket["history"])


@pytest.mark.parametrize("body", [BED, EPISODE, {}])
async def test_an_annulled_ticket_takes_nothing(nurse: Any, refusal: Any, body: dict[str, Any]) -> None:
    ticket = await nurse.annul(await nurse.create())
    assert refusal(await nurse.send("PATCH", ticket, body=body))[:2] == (409, "ticket_not_active")


@pytest.mark.parametrize("body", [BED, BED | EPISODE, {"location": "Piso 3"}])
async def test_an_overdue_one_takes_all_and_a_discharged_one_only_the_episode(
    nurse: Any, refusal: Any, body: dict[str, Any]
) -> None:
    overdue = await nurse.done("PATCH", await nurse.create("overdue"), body=body)
    assert {name: overdue[name] for name in body} == body
    overdue = await nurse.done("PATCH", overdue, body=EPISODE)
    assert overdue["episode_id"] == "E-1"
    await nurse.done("PATCH", overdue, body={"episode_id": None})
    discharged = await nurse.discharge(await nurse.create("overdue"))
    assert refusal(await nurse.send("PATCH", discharged, body=body))[:2] == (409, "ticket_not_active")
    assert placed(await nurse.done("PATCH", discharged, body=EPISODE)) == (None, None, "E-1")


async def test_a_nurse_corrects_the_patient_field_by_field(nurse: Any, refusal: Any) -> None:
    """Absent stays, null clears, names and documents cannot be cleared."""
    other = await nurse.create(patient=nurse.new()["patient"] | {"age": 40, "middle_name": "María"})
    ticket = await nurse.create()
    changes = {"age": 41, "middle_name": None, "last_name": "Rojo"}
    after = await nurse.done("PATCH", ticket, body=BED | {"patient": changes})
    assert after["patient"] == other["patient"] | changes
    assert (after["bed_number"], after["revision"]) == ("12B", 2)
    assert [one["action"] for one in after["history"][-2:]] == ["patient.changed", "ticket.placed"]
    assert (await nurse.get(other["id"]))["revision"] == other["revision"] + 1
    after = await nurse.done("PATCH", after, body={"patient": {"document": "6.000.000-k"}})
    assert (after["patient"]["document"], after["patient"]["first_name"]) == ("6000000-K", "Ana")
    for nothing in ({}, {"age": 41}, {"document_type": "rut"}):
        told = await nurse.done("PATCH", after, body={"patient": nothing})
        assert told | {"seconds_left": 0} == await nurse.get(after["id"]) | {"seconds_left": 0}
    for null in ("document", "document_type", "first_name", "last_name"):
        answer = await nurse.send("PATCH", after, body={"patient": {null: None}})
        assert [one for one, _ in refusal(answer)[2]] == [f"patient.{null}"]
    answer = await nurse.send("PATCH", after, body={"patient": {"document": "6.000.000-1"}})
    assert refusal(answer) == (422, "invalid", [("patient.document", "invalid_rut")])


async def test_a_correction_asks_who_it_is_as_an_edit_does(nurse: Any, refusal: Any) -> None:
    eva = {"document_type": "rut", "document": "6.000.000-K", "first_name": "Eva", "last_name": "Lara"}
    await nurse.create(patient=eva)
    ticket = await nurse.create()
    answer = await nurse.send("PATCH", ticket, body={"patient": {"document": "6000000-k"}})
    assert refusal(answer)[:2] == (409, "duplicate")
    both: dict[str, Any] = {"document_type": "passport", "document": "x1", "first_name": "Pedro"}
    answer = await nurse.send("PATCH", ticket, body={"patient": both})
    assert refusal(answer)[:2] == (409, "patient_mismatch")
    shown = answer.json()["patient"]
    both |= {"same_person": {"id": shown["id"], "revision": shown["revision"]}}
    after = await nurse.done("PATCH", ticket, body={"patient": both})
    assert (after["patient"]["document"], after["patient"]["first_name"]) == ("X1", "Pedro")


async def test_of_who_has_left_an_admin_corrects_the_data_and_of_an_annulled_ticket_nobody(
    nurse: Any, admin: Any, refusal: Any
) -> None:
    age = {"patient": {"age": 41}}
    left = await nurse.discharge(await nurse.create("overdue"))
    # Told before the document is looked at, and before the revision is asked for.
    wrong = {"patient": {"document": "6.000.000-1"}}
    assert refusal(await nurse.client.patch(f"/v1/tickets/{left['id']}", json=wrong))[:2] == (403, "forbidden")
    after = await admin.done("PATCH", left, body=age | EPISODE)
    assert (after["patient"]["age"], after["status"], after["revision"]) == (41, "discharged", left["revision"] + 1)
    annulled = await admin.annul(await admin.create())
    assert refusal(await admin.send("PATCH", annulled, body=age))[:2] == (409, "ticket_not_active")
