"""POST /v1/tickets/{id}/annulment and …/restoration."""

from typing import Any

import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed


async def test_a_ticket_is_annulled_with_a_reason(nurse: Any, seed: Seed, connection: rows.Connection) -> None:
    after = await nurse.annul(await nurse.create())
    assert (after["status"], after["state"], after["seconds_left"]) == ("annulled", "annulled", None)
    row = await connection.fetchrow("SELECT * FROM ticket WHERE id = $1", after["id"])
    reason = await connection.fetchval(
        "SELECT reason FROM standardized_reason WHERE id = $1", seed.sant.annulment_reason_id
    )
    assert row is not None
    assert (row["annulled_by"], row["annulment_reason"]) == ("clinical_sant", reason)
    assert row["annulled_at"] is not None


@pytest.mark.parametrize("end", ["discharge", "annul"])
async def test_only_an_active_ticket_is_annulled(nurse: Any, seed: Seed, refusal: Any, end: str) -> None:
    ticket = await getattr(nurse, end)(await nurse.create())
    answer = await nurse.send("POST", ticket, "annulment", {"reason_id": seed.sant.annulment_reason_id})
    assert refusal(answer)[:2] == (409, "ticket_not_active")


async def test_the_reason_is_one_of_annulment_and_of_the_clinic(nurse: Any, seed: Seed, refusal: Any) -> None:
    ticket = await nurse.create()
    for reason_id in (seed.sant.modification_reason_id, seed.maga.annulment_reason_id):
        answer = await nurse.send("POST", ticket, "annulment", {"reason_id": reason_id})
        assert refusal(answer) == (422, "invalid", [("reason_id", "unknown_reference")])


async def test_an_admin_restores_and_the_annulment_stays_in_the_history(nurse: Any, admin: Any, refusal: Any) -> None:
    ticket = await nurse.annul(await nurse.create())
    assert refusal(await nurse.send("POST", ticket, "restoration"))[:2] == (403, "forbidden")
    after = await admin.done("POST", ticket, "restoration")
    assert (after["status"], after["state"]) == ("active", "normal")
    annulled, restored = after["history"][-2:]
    assert (annulled["action"], annulled["by"]) == ("ticket.annulled", "clinical_sant")
    reason = annulled["changes"]["annulment_reason"][1]
    assert reason.startswith("Reason")
    assert (restored["action"], restored["by"]) == ("ticket.restored", "admin_sant")
    assert restored["changes"]["annulled_by"] == ["clinical_sant", None]
    assert restored["changes"]["annulment_reason"] == [reason, None]


async def test_only_an_annulled_ticket_is_restored(nurse: Any, admin: Any, refusal: Any) -> None:
    active = await nurse.create()
    for ticket in (active, await nurse.discharge(await nurse.create())):
        assert refusal(await admin.send("POST", ticket, "restoration"))[:2] == (409, "ticket_not_annulled")


async def test_a_reason_that_is_not_in_use_is_refused(
    nurse: Any, seed: Seed, connection: rows.Connection, refusal: Any
) -> None:
    ticket = await nurse.create()
    reason_id = seed.sant.annulment_reason_id
    await connection.execute("UPDATE standardized_reason SET is_active = false WHERE id = $1", reason_id)
    answer = await nurse.send("POST", ticket, "annulment", {"reason_id": reason_id})
    assert refusal(answer) == (422, "invalid", [("reason_id", "inactive")])
    assert (await nurse.get(ticket["id"]))["status"] == "active"


async def test_an_annulment_tells_when_by_whom_and_why_wherever_the_ticket_is_shown(nurse: Any, admin: Any) -> None:
    made = await nurse.create()
    assert made["annulment"] is None
    after = await nurse.annul(made)
    annulment = after["annulment"]
    [recorded] = [one for one in after["history"] if one["action"] == "ticket.annulled"]
    assert annulment["at"] == recorded["changes"]["annulled_at"][1]
    assert annulment["by"] == recorded["by"] == "clinical_sant"
    assert annulment["reason"] == recorded["changes"]["annulment_reason"][1]
    board = (await nurse.client.get("/v1/nursing-board", params={"view": "annulled"})).json()["items"]
    listed = (await nurse.client.get("/v1/tickets")).json()["items"]
    assert [one["annulment"] for one in (*board, *listed)] == [annulment, annulment]
    assert (await admin.done("POST", after, "restoration"))["annulment"] is None
