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
    answer = await nurse.send("POST", await nurse.create(), "discharge", {"discharged_at": ago(minutes=-1)})
    assert refusal(answer) == (422, "invalid", [("discharged_at", "in_the_future")])


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
    assert refusal(await nurse.send("DELETE", ticket, "discharge"))[:2] == (403, "forbidden")
    after = await admin.done("DELETE", ticket, "discharge")
    assert (after["status"], after["state"], after["discharged_at"]) == ("active", "normal", None)
    assert after["history"][-1]["changes"]["discharged_at"] == [ticket["discharged_at"], None]
    assert refusal(await admin.send("DELETE", after, "discharge"))[:2] == (409, "ticket_not_discharged")


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
