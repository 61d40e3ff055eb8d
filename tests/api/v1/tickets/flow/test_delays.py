"""POST /v1/tickets/{id}/delays and DELETE …/delays/{delay_id}: why a patient is still here."""

import asyncio
from typing import Any

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.audit import audits

LATER = "UPDATE delay SET set_at = set_at - interval '11 minutes'"


def because(ward: Any, **changes: Any) -> dict[str, Any]:
    return {"reason_id": ward.clinic.delay_reason_id} | changes


async def test_a_delay_says_why_since_when_and_by_whom_wherever_the_ticket_is_shown(
    nurse: Any, connection: Any
) -> None:
    made = await nurse.create("overdue")
    assert made["delays"] == []
    answer = await nurse.send("POST", made, "delays", because(nurse, note=" Ambulancia  pedida "))
    assert answer.status_code == 201
    assert f"{nurse.clinic.id}/figures=" in answer.headers["Cache-Version"]
    after = answer.json()
    (delay,) = after["delays"]
    assert set(delay) == {"id", "reason", "note", "at", "by"}
    assert (delay["note"], delay["by"]) == ("Ambulancia pedida", "clinical_sant")
    assert delay["reason"].startswith("Reason")
    entry = after["history"][-1]
    assert (entry["action"], entry["at"]) == ("ticket.delayed", delay["at"])
    assert entry["changes"] == {"delay": [None, delay["reason"]], "note": [None, "Ambulancia pedida"]}
    assert after["revision"] == made["revision"] + 1
    board = (await nurse.client.get("/v1/nursing-board", params={"view": "overdue"})).json()["items"]
    listed = (await nurse.client.get("/v1/tickets")).json()["items"]
    assert [one["delays"] for one in (*board, *listed)] == [[delay]] * 2
    # A catalog's later change does not rewrite it.
    await connection.execute("UPDATE standardized_reason SET reason = 'Otro'")
    assert (await nurse.get(made["id"]))["delays"] == [delay]


async def test_several_reasons_are_open_at_once_and_the_same_one_once(
    nurse: Any, connection: rows.Connection, refusal: Any
) -> None:
    ticket = await nurse.done("POST", await nurse.create(), "delays", because(nurse))
    assert refusal(await nurse.send("POST", ticket, "delays", because(nurse, note="x")))[:2] == (409, "duplicate")
    other = await rows.reason(connection, nurse.clinic.id, "delay")
    both = await nurse.done("POST", ticket, "delays", because(nurse, reason_id=other))
    assert [one["id"] for one in both["delays"]] == sorted(one["id"] for one in both["delays"])
    assert len(both["delays"]) == 2
    # Once it has ended it may come again.
    await connection.execute(LATER)
    left = await nurse.done("DELETE", both, f"delays/{both['delays'][0]['id']}")
    assert [one["id"] for one in left["delays"]] == [both["delays"][1]["id"]]
    assert len((await nurse.done("POST", left, "delays", because(nurse)))["delays"]) == 2


async def test_from_admission_on_and_of_active_tickets_only(nurse: Any, refusal: Any) -> None:
    scheduled = await nurse.create("scheduled")
    assert refusal(await nurse.send("POST", scheduled, "delays", because(nurse)))[:2] == (409, "before_admission")
    await nurse.annul(scheduled)
    for end in ("annul", "discharge"):
        ticket = await nurse.done("POST", await nurse.create("overdue"), "delays", because(nurse))
        over = await getattr(nurse, end)(ticket)
        # It ended with the stay: computed, and not stored.
        assert over["delays"] == []
        assert refusal(await nurse.send("POST", over, "delays", because(nurse)))[:2] == (409, "ticket_not_active")
        ending = await nurse.send("DELETE", over, f"delays/{ticket['delays'][0]['id']}")
        assert refusal(ending)[:2] == (409, "ticket_not_active")
        if end == "discharge":
            assert (await nurse.done("DELETE", over, "discharge"))["delays"] == ticket["delays"]


async def test_the_reason_is_an_active_one_of_category_delay_and_of_the_clinic(
    nurse: Any, seed: Seed, connection: rows.Connection, refusal: Any
) -> None:
    ticket = await nurse.create()
    for reason_id in (seed.maga.delay_reason_id, seed.sant.modification_reason_id, 2**31 - 1):
        answer = await nurse.send("POST", ticket, "delays", because(nurse, reason_id=reason_id))
        assert refusal(answer) == (422, "invalid", [("reason_id", "unknown_reference")])
    await connection.execute("UPDATE standardized_reason SET is_active = false WHERE category = 'delay'")
    answer = await nurse.send("POST", ticket, "delays", because(nurse))
    assert refusal(answer) == (422, "invalid", [("reason_id", "inactive")])
    for body, path in ((because(nurse, note="x" * 1001), "note"), ({}, "reason_id"), (because(nurse, at=1), "at")):
        assert [where for where, _ in refusal(await nurse.send("POST", ticket, "delays", body))[2]] == [path]


async def test_within_ten_minutes_by_whoever_set_it_it_was_a_mistake_and_costs_nothing(
    nurse: Any, admin: Any, connection: rows.Connection
) -> None:
    async def ended(by: Any, *, late: bool) -> tuple[str, bool]:
        """What the history says, and whether it counts."""
        ticket = await nurse.done("POST", await nurse.create(), "delays", because(nurse))
        if late:
            await connection.execute(LATER)
        (delay,) = ticket["delays"]
        after = await by.done("DELETE", ticket, f"delays/{delay['id']}")
        assert (after["delays"], after["revision"]) == ([], ticket["revision"] + 1)
        assert after["history"][-1]["changes"] == {"delay": [delay["reason"], None]}
        row = await connection.fetchrow("SELECT * FROM delay WHERE id = $1", delay["id"])
        assert row is None or (row["ended_by"], row["ended_at"] > row["set_at"]) == (after["history"][-1]["by"], True)
        return after["history"][-1]["action"], row is not None

    assert await ended(nurse, late=False) == ("ticket.delay_removed", False)
    assert await ended(nurse, late=True) == ("ticket.delay_ended", True)
    assert await ended(admin, late=False) == ("ticket.delay_ended", True)
    assert len(await audits(connection, "ticket.delay_ended")) == 2


async def test_one_that_ended_or_is_another_tickets_is_not_found(nurse: Any, foreign_admin: Any, refusal: Any) -> None:
    ticket, other = await nurse.create(), await nurse.create()
    ticket = await nurse.done("POST", ticket, "delays", because(nurse))
    verb = f"delays/{ticket['delays'][0]['id']}"
    assert refusal(await nurse.send("DELETE", other, verb))[:2] == (404, "not_found")
    assert refusal(await foreign_admin.send("DELETE", ticket, verb))[:2] == (404, "not_found")
    path = f"/v1/tickets/{ticket['id']}"
    assert refusal(await nurse.client.delete(f"{path}/{verb}"))[:2] == (428, "revision_required")
    assert refusal(await nurse.client.delete(f"{path}/{verb}?colour=red"))[:2] == (422, "invalid")
    assert refusal(await nurse.client.delete(f"{path}/delays/999999?colour=red"))[:2] == (404, "not_found")
    stale = await nurse.client.delete(f"{path}/{verb}", headers={"If-Match": '"1"'})
    assert refusal(stale)[:2] == (412, "revision_mismatch")
    after = await nurse.done("DELETE", ticket, verb)
    assert refusal(await nurse.send("DELETE", after, verb))[:2] == (404, "not_found")


async def test_of_two_who_set_or_end_it_at_once_one_is_told(nurse: Any, admin: Any) -> None:
    ticket = await nurse.create()
    answers = await asyncio.gather(*(ward.send("POST", ticket, "delays", because(ward)) for ward in (nurse, admin)))
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (201, 412)
    assert lost.json()["current"]["delays"] == won.json()["delays"]
    ticket = won.json()
    verb = f"delays/{ticket['delays'][0]['id']}"
    answers = await asyncio.gather(*(ward.send("DELETE", ticket, verb) for ward in (nurse, admin)))
    assert sorted(answer.status_code for answer in answers) == [200, 404]
