"""POST and DELETE /v1/tickets/{id}/discharge."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

MINUTE = timedelta(minutes=1)


def ago(**distance: int) -> str:
    return (datetime.now(UTC) - timedelta(**distance)).isoformat()


async def test_a_patient_left_now_or_at_a_given_time(nurse: Any) -> None:
    now = await nurse.done("POST", await nurse.create(), "discharge", {"discharged_at": None})
    assert (now["status"], now["state"], now["seconds_left"]) == ("discharged", "discharged", None)
    assert abs(datetime.fromisoformat(now["discharged_at"]) - datetime.now(UTC)) < MINUTE
    bodiless = await nurse.done("POST", await nurse.create(), "discharge")
    assert bodiless["status"] == "discharged"
    earlier = ago(hours=20)
    then = await nurse.done("POST", await nurse.create("overdue"), "discharge", {"discharged_at": earlier})
    assert datetime.fromisoformat(then["discharged_at"]) == datetime.fromisoformat(earlier).replace(microsecond=0)
    assert then["history"][-1]["action"] == "ticket.discharged"
    assert then["history"][-1]["changes"]["status"] == ["active", "discharged"]


async def test_not_in_the_future(nurse: Any, refusal: Any) -> None:
    answer = await nurse.send("POST", await nurse.create(), "discharge", {"discharged_at": ago(minutes=-6)})
    assert refusal(answer) == (422, "invalid", [("discharged_at", "in_the_future")])


async def test_a_clock_up_to_five_minutes_fast_means_now(nurse: Any) -> None:
    ahead = ago(minutes=-4)
    ticket = await nurse.done("POST", await nurse.create(), "discharge", {"discharged_at": ahead})
    assert datetime.fromisoformat(ticket["discharged_at"]) < datetime.fromisoformat(ahead) - 3 * MINUTE
    assert ticket["discharge"]["recorded_at"] >= ticket["discharged_at"]


@pytest.mark.parametrize(("state", "body"), [("normal", {"discharged_at": ago(hours=2)}), ("scheduled", {})])
async def test_not_before_admission(nurse: Any, refusal: Any, state: str, body: dict[str, Any]) -> None:
    answer = await nurse.send("POST", await nurse.create(state), "discharge", body)
    assert refusal(answer) == (422, "invalid", [("discharged_at", "before_admission")])


async def test_a_local_time_that_does_not_exist_is_refused(nurse: Any, refusal: Any) -> None:
    answer = await nurse.send("POST", await nurse.create(), "discharge", {"discharged_at": "2026-09-06T00:30"})
    assert refusal(answer) == (422, "nonexistent_local_time", [("discharged_at", "nonexistent_local_time")])


@pytest.mark.parametrize("end", ["discharge", "annul"])
async def test_only_an_active_ticket_is_discharged(nurse: Any, refusal: Any, end: str) -> None:
    ticket = await getattr(nurse, end)(await nurse.create())
    assert refusal(await nurse.send("POST", ticket, "discharge", {}))[:2] == (409, "ticket_not_active")


async def test_an_admin_undoes_a_discharge(nurse: Any, admin: Any, refusal: Any) -> None:
    ticket = await nurse.discharge(await nurse.create())
    after = await admin.done("DELETE", ticket, "discharge")
    assert (after["status"], after["state"], after["discharged_at"]) == ("active", "normal", None)
    assert after["history"][-1]["changes"]["discharged_at"] == [ticket["discharged_at"], None]
    assert refusal(await admin.send("DELETE", after, "discharge"))[:2] == (409, "ticket_not_discharged")


async def test_within_half_an_hour_of_writing_it_a_nurse_undoes_her_own(
    nurse: Any, admin: Any, refusal: Any, connection: Any
) -> None:
    of_long_ago = {"discharged_at": ago(hours=20)}
    ticket = await nurse.done("POST", await nurse.create("overdue"), "discharge", of_long_ago)
    undone = await nurse.done("DELETE", ticket, "discharge")
    assert undone["status"] == "active"
    await nurse.annul(undone)
    others = await admin.discharge(await nurse.create())
    assert refusal(await nurse.send("DELETE", others, "discharge"))[:2] == (403, "forbidden")
    assert refusal(await nurse.client.delete(f"/v1/tickets/{others['id']}/discharge"))[:2] == (403, "forbidden")
    # Only who wrote the latest one may take it back.
    again = await nurse.discharge(await admin.done("DELETE", others, "discharge"))
    assert (await nurse.done("DELETE", again, "discharge"))["status"] == "active"
    active = await nurse.create()
    assert refusal(await nurse.send("DELETE", active, "discharge"))[:2] == (409, "ticket_not_discharged")


async def test_after_half_an_hour_an_admin_undoes_it(nurse: Any, admin: Any, refusal: Any, connection: Any) -> None:
    ticket = await nurse.discharge(await nurse.create())
    # The audit takes no change: the day's clock is moved under it.
    await connection.execute(
        "ALTER TABLE action_audit DISABLE TRIGGER USER;"
        "UPDATE action_audit SET at = at - interval '31 minutes' WHERE action = 'ticket.discharged';"
        "ALTER TABLE action_audit ENABLE TRIGGER USER"
    )
    assert refusal(await nurse.send("DELETE", ticket, "discharge"))[:2] == (403, "forbidden")
    assert (await admin.done("DELETE", ticket, "discharge"))["status"] == "active"


async def test_a_discharge_tells_when_it_was_written_and_by_whom_wherever_the_ticket_is_shown(
    nurse: Any, admin: Any
) -> None:
    made = await nurse.create("overdue")
    assert made["discharge"] is None
    at = ago(hours=20)
    after = await nurse.done("POST", made, "discharge", {"discharged_at": at})
    discharge = after["discharge"]
    assert (discharge["at"], discharge["by"], discharge["assumed"]) == (after["discharged_at"], "clinical_sant", False)
    assert abs(datetime.fromisoformat(discharge["recorded_at"]) - datetime.now(UTC)) < MINUTE
    board = (await nurse.client.get("/v1/nursing-board", params={"view": "discharged"})).json()["items"]
    listed = (await nurse.client.get("/v1/tickets")).json()["items"]
    assert [one["discharge"] for one in (*board, *listed)] == [discharge, discharge]
    undone = await admin.done("DELETE", after, "discharge")
    assert undone["discharge"] is None
    # Who wrote the first one has nothing to do with the second.
    again = await admin.done("POST", undone, "discharge", {"discharged_at": at})
    assert again["discharge"]["by"] == "admin_sant"
