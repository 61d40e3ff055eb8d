"""POST and DELETE /v1/tickets/{id}/ready: the criteria for discharge are met."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.audit import audits

MINUTE = timedelta(minutes=1)


def ago(**distance: int) -> str:
    return (datetime.now(UTC) - timedelta(**distance)).replace(microsecond=0).isoformat()


def same(one: str, other: str) -> bool:
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)


async def test_a_patient_is_ready_now_or_since_a_given_time_and_everybody_sees_since_when_and_by_whom(
    nurse: Any, connection: Any
) -> None:
    made = await nurse.create("overdue")
    assert made["ready"] is None
    at = ago(hours=2)
    after = await nurse.done("POST", made, "ready", {"ready_at": at})
    assert same(after["ready"]["at"], at)
    assert (after["ready"]["by"], after["status"]) == ("clinical_sant", "active")
    assert after["history"][-1]["action"] == "ticket.ready"
    assert after["history"][-1]["changes"] == {
        "ready_at": [None, after["ready"]["at"]], "ready_by": [None, "clinical_sant"],
    }  # fmt: skip
    (audit,) = await audits(connection, "ticket.ready")
    assert (audit["username"], audit["target_id"]) == ("clinical_sant", made["id"])
    board = (await nurse.client.get("/v1/nursing-board", params={"view": "overdue"})).json()["items"]
    listed = (await nurse.client.get("/v1/tickets")).json()["items"]
    assert [one["ready"] for one in (*board, *listed)] == [after["ready"]] * 2
    # The board's revision is what If-Match takes.
    undone = await nurse.done("DELETE", board[0], "ready")
    assert undone["ready"] is None
    for body in (None, {}, {"ready_at": None}):
        ready = await nurse.done("POST", undone, "ready", body)
        assert abs(datetime.fromisoformat(ready["ready"]["at"]) - datetime.now(UTC)) < MINUTE
        undone = await nurse.done("DELETE", ready, "ready")
    assert undone["history"][-1]["action"] == "ticket.ready_undone"
    assert undone["history"][-1]["changes"]["ready_by"] == ["clinical_sant", None]


async def test_not_before_admission_and_not_in_the_future_but_for_a_clock_that_is_fast(
    nurse: Any, refusal: Any
) -> None:
    here, scheduled = await nurse.create(), await nurse.create("scheduled")
    for ticket, body, code in (
        (here, {"ready_at": ago(minutes=-6)}, "in_the_future"),
        (here, {"ready_at": ago(hours=2)}, "before_admission"),
        (scheduled, {}, "before_admission"),
        (here, {"ready_at": "2026-09-06T00:30"}, "nonexistent_local_time"),
    ):
        answer = await nurse.send("POST", ticket, "ready", body)
        assert refusal(answer)[0] == 422, code
        assert refusal(answer)[2] == [("ready_at", code)]
    ahead = ago(minutes=-4)
    ready = await nurse.done("POST", here, "ready", {"ready_at": ahead})
    assert datetime.fromisoformat(ready["ready"]["at"]) < datetime.fromisoformat(ahead) - 3 * MINUTE


async def test_once_only_and_of_an_active_ticket_only(nurse: Any, refusal: Any) -> None:
    ticket = await nurse.create("overdue")
    assert refusal(await nurse.send("DELETE", ticket, "ready"))[:2] == (409, "not_ready")
    ready = await nurse.done("POST", ticket, "ready")
    assert refusal(await nurse.send("POST", ready, "ready"))[:2] == (409, "already_ready")
    for end in ("annul", "discharge"):
        over = await getattr(nurse, end)(ready)
        for method in ("POST", "DELETE"):
            assert refusal(await nurse.send(method, over, "ready"))[:2] == (409, "ticket_not_active"), (end, method)
        ready = await nurse.done("POST", await nurse.create("overdue"), "ready")


async def test_a_discharge_before_it_moves_it_and_says_so_in_the_history(nurse: Any) -> None:
    ready = await nurse.done("POST", await nurse.create("overdue"), "ready", {"ready_at": ago(hours=1)})
    left = ago(hours=3)
    gone = await nurse.done("POST", ready, "discharge", {"discharged_at": left})
    assert same(gone["ready"]["at"], left)
    assert gone["ready"]["by"] == ready["ready"]["by"]
    changes = gone["history"][-1]["changes"]
    assert changes["ready_at"] == [ready["ready"]["at"], gone["ready"]["at"]]
    # An undone discharge leaves it as it was moved; a later one leaves it, too.
    back = await nurse.done("DELETE", gone, "discharge")
    assert back["ready"] == gone["ready"]
    later = await nurse.done("POST", back, "discharge", {"discharged_at": ago(hours=2)})
    assert later["ready"] == gone["ready"]
    assert "ready_at" not in later["history"][-1]["changes"]


async def test_a_modified_fpa_leaves_it(nurse: Any) -> None:
    ready = await nurse.done("POST", await nurse.create(), "ready")
    assert (await nurse.modify(ready))["ready"] == ready["ready"]


async def test_of_two_who_say_it_at_once_one_is_told_what_the_other_did(nurse: Any, admin: Any) -> None:
    ticket = await nurse.create()
    answers = await asyncio.gather(*(ward.send("POST", ticket, "ready") for ward in (nurse, admin)))
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 412)
    assert lost.json()["current"]["ready"] == won.json()["ready"]


async def test_a_double_click_with_one_key_is_one(nurse: Any) -> None:
    ticket = await nurse.create()
    headers = {"If-Match": f'"{ticket["revision"]}"', "Idempotency-Key": "one"}
    path = f"/v1/tickets/{ticket['id']}/ready"
    both = await asyncio.gather(*(nurse.client.post(path, json={}, headers=headers) for _ in range(2)))
    assert [answer.status_code for answer in both] == [200, 200]
    assert both[0].content == both[1].content
    assert sorted("Idempotency-Replayed" in answer.headers for answer in both) == [False, True]


@pytest.mark.parametrize("body", [{"ready_at": "tomorrow"}, {"ready_at": 5}, {"at": None}])
async def test_bad_fields_are_refused_by_name(nurse: Any, refusal: Any, body: dict[str, Any]) -> None:
    answer = await nurse.send("POST", await nurse.create(), "ready", body)
    assert refusal(answer)[0] == 422
    assert [path for path, _ in refusal(answer)[2]] == list(body)
