"""POST /v1/tickets/{id}/fpa-modifications."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.days import calm_day


async def modified(ward: Any, ticket: dict[str, Any], **changes: Any) -> Any:
    return await ward.send("POST", ticket, "fpa-modifications", ward.modification(ticket) | changes)


async def test_the_fpa_and_the_nights_follow_and_the_initial_values_stay(nurse: Any, seed: Seed) -> None:
    day = calm_day(-10)
    ticket = await nurse.create(surgery_at=day.at("14:30"), state="overdue")
    body = {"date": str(day.after(2)), "block_end_hour": 14, "reason_id": seed.sant.modification_reason_id}
    answer = await nurse.send("POST", ticket, "fpa-modifications", body | {"justification": " Fiebre "})
    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"2"'
    assert f"{seed.sant.id}/figures=" in answer.headers["Cache-Version"]
    after = answer.json()
    assert after["current_fpa"] == day.shown("14:00", days=2)
    assert after["block"]["label"] == "12:00 - 14:00"
    assert (after["overnight_stays"], after["initial_overnight_stays"]) == (2, 1)
    assert after["initial_fpa"] == after["system_fpa"] == ticket["current_fpa"]
    (modification,) = after["modifications"]
    assert modification["previous_fpa"] == ticket["current_fpa"]
    assert modification["new_fpa"] == after["current_fpa"]
    assert (modification["justification"], modification["by"]) == ("Fiebre", "clinical_sant")
    assert modification["reason"].startswith("Reason")
    entry = after["history"][-1]
    assert entry["action"] == "ticket.fpa_modified"
    assert entry["changes"]["current_fpa"] == [ticket["current_fpa"], after["current_fpa"]]
    assert entry["changes"]["overnight_stays"] == [1, 2]
    assert after | {"seconds_left": 0} == await nurse.get(ticket["id"]) | {"seconds_left": 0}


async def test_hour_0_is_the_midnight_that_begins_the_date(nurse: Any) -> None:
    day = calm_day(-10)
    ticket = await nurse.create(surgery_at=day.at("14:30"), state="overdue")
    after = (await modified(nurse, ticket, date=str(day.after(2)), block_end_hour=0)).json()
    assert (after["current_fpa"], after["block"]["label"]) == (day.shown("00:00", days=2), "22:00 - 00:00")


async def test_the_limit_is_five_modifications(nurse: Any, refusal: Any) -> None:
    ticket = await nurse.create()
    for _ in range(5):
        ticket = await nurse.modify(ticket, hours=1)
    assert len(ticket["modifications"]) == 5
    assert refusal(await modified(nurse, ticket))[:2] == (409, "modification_limit")


@pytest.mark.parametrize("end", ["discharge", "annul"])
async def test_only_an_active_ticket_is_modified(nurse: Any, refusal: Any, end: str) -> None:
    ticket = await getattr(nurse, end)(await nurse.create())
    assert refusal(await modified(nurse, ticket))[:2] == (409, "ticket_not_active")


async def test_an_overdue_ticket_is_modified(nurse: Any) -> None:
    after = await nurse.modify(await nurse.create("overdue"), hours=240)
    assert after["state"] == "normal"


async def test_the_fpa_is_not_before_admission(nurse: Any, refusal: Any) -> None:
    day = calm_day(-10)
    ticket = await nurse.create(surgery_at=day.at("14:30"), state="overdue")
    early = await modified(nurse, ticket, date=str(day.first), block_end_hour=12)
    assert refusal(early)[:2] == (409, "fpa_before_admission")
    after = (await modified(nurse, ticket, date=str(day.first), block_end_hour=13)).json()
    assert after["overnight_stays"] == 0


async def test_the_fpa_changes(nurse: Any, refusal: Any) -> None:
    ticket = await nurse.create()
    body = nurse.modification(ticket, hours=0)
    assert refusal(await modified(nurse, ticket, **body))[:2] == (409, "fpa_unchanged")


async def test_the_reason_is_an_active_one_of_its_category_and_clinic(
    nurse: Any, seed: Seed, connection: rows.Connection, refusal: Any
) -> None:
    ticket = await nurse.create()
    for reason_id in (seed.maga.modification_reason_id, seed.sant.annulment_reason_id, 2**31 - 1):
        answer = await modified(nurse, ticket, reason_id=reason_id)
        assert refusal(answer) == (422, "invalid", [("reason_id", "unknown_reference")])
    await connection.execute(
        "UPDATE standardized_reason SET is_active = false WHERE id = $1", seed.sant.modification_reason_id
    )
    assert refusal(await modified(nurse, ticket)) == (422, "invalid", [("reason_id", "inactive")])


async def test_a_block_that_the_clock_skips_is_refused(nurse: Any, refusal: Any) -> None:
    answer = await modified(nurse, await nurse.create(), date="2026-09-06", block_end_hour=0)
    assert refusal(answer) == (422, "nonexistent_local_time", [("block_end_hour", "nonexistent_local_time")])


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"date": "9999-12-31"}, "date"),
        ({"date": "0001-01-01"}, "date"),
        ({"date": "2025-02-30"}, "date"),
        ({"date": "2025-01-17T10:00"}, "date"),
        ({"date": 1736951400}, "date"),
        ({"block_end_hour": 24}, "block_end_hour"),
        ({"block_end_hour": -1}, "block_end_hour"),
        ({"block_end_hour": "14"}, "block_end_hour"),
        ({"justification": "x" * 1001}, "justification"),
        ({"reason_id": 0}, "reason_id"),
    ],
)
async def test_bad_fields_are_refused_by_name(nurse: Any, refusal: Any, changes: dict[str, Any], path: str) -> None:
    status, code, errors = refusal(await modified(nurse, await nurse.create(), **changes))
    assert (status, code, [where for where, _ in errors]) == (422, "invalid", [path])


async def test_of_two_modifications_with_one_revision_one_is_told_what_the_other_did(nurse: Any, admin: Any) -> None:
    ticket = await nurse.create()
    bodies = [nurse.modification(ticket, hours=hours) for hours in (1, 2)]
    began = machine.now()
    answers = await asyncio.gather(
        nurse.send("POST", ticket, "fpa-modifications", bodies[0]),
        admin.send("POST", ticket, "fpa-modifications", bodies[1]),
    )
    won, lost = sorted(answers, key=lambda answer: answer.status_code)
    assert (won.status_code, lost.status_code) == (201, 412)
    problem = lost.json()
    assert problem["code"] == "revision_mismatch"
    # All of the ticket as it is now, so that the nurse sees what the other changed.
    current, made = problem["current"], won.json()
    assert abs(current.pop("seconds_left") - made.pop("seconds_left")) <= machine.bound(2, began)
    assert current == made
    moved = datetime.fromisoformat(made["current_fpa"]) - datetime.fromisoformat(ticket["current_fpa"])
    assert moved in (timedelta(hours=1), timedelta(hours=2))
