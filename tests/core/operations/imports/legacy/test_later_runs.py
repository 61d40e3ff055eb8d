"""A later run: what changed there since comes over where nobody touched it here, and nothing contradicts itself."""

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from core.operations.imports.legacy.report import Outcome
from tests.conftest import SignIn
from tests.core.operations.imports.conftest import Hospital, Import, at
from tests.core.operations.imports.imported import in_santiago
from tests.core.operations.imports.legacy.old_database import checksums
from tests.factories import rows

TICKET = "TH-SANT-2025-001"
TAKEN = "changed there since the last import, and untouched here"
APART = "changed on both sides: left as it is here"
ANNULLED = "status = 'Anulado', annulled_at = '2025-01-16 15:00', annulled_by = 'ana', annulled_reason = 'Error'"

Row = dict[str, Any]
CHANGES: dict[str, tuple[str, Row]] = {
    "annulled": (
        ANNULLED,
        {
            "status": "annulled",
            "annulled_at": datetime(2025, 1, 16, 15, tzinfo=UTC),
            "annulled_by": "ana",
            "annulment_reason": "Error",
        },
    ),
    "moved": ("bed_number = '12B', location = 'Piso 3'", {"bed_number": "12B", "location": "Piso 3"}),
    "its FPA": ("current_fpa = '2025-01-18 10:00', overnight_stays = 3", {"overnight_stays": 3}),
    "its surgery": ("surgery_base_hours_snapshot = 36", {"surgery_base_hours": 36}),
    "its doctor": ("doctor_id = NULL", {"doctor_id": None}),
    "its patient": ("patient_id = NULL", {"patient_id": None}),
}


async def there(hospital: Hospital, changes: str, ticket: str = TICKET) -> None:
    await hospital.old.connection.execute(f"UPDATE ticket SET {changes} WHERE id = '{ticket}'")


async def here(connection: rows.Connection, ticket: str = TICKET) -> Row:
    return dict(await rows.one(connection, "SELECT * FROM ticket WHERE id = $1", ticket))


async def history(connection: rows.Connection, ticket: str = TICKET) -> list[tuple[str, dict[str, Any]]]:
    found = await connection.fetch("SELECT action, changes FROM action_audit WHERE target_id = $1 ORDER BY id", ticket)
    return [(row["action"], json.loads(row["changes"])) for row in found]


async def one_for_each_change(hospital: Hospital) -> dict[str, str]:
    """Tickets there, by the change that is going to befall them."""
    return {
        change: await hospital.ticket(f"TH-SANT-2025-{number:03d}") for number, change in enumerate(CHANGES, start=1)
    }


@pytest.mark.parametrize("remembered", [True, False], ids=["remembered", "from before it was remembered"])
async def test_what_changed_there_comes_over_to_a_ticket_that_nobody_touched_here(
    hospital: Hospital, run_import: Import, connection: rows.Connection, remembered: bool
) -> None:
    tickets = await one_for_each_change(hospital)
    await run_import()
    if not remembered:
        await connection.execute("DELETE FROM legacy_ticket")
    before = {change: await here(connection, ticket) for change, ticket in tickets.items()}
    for change, ticket in tickets.items():
        await there(hospital, CHANGES[change][0], ticket)
    report = await run_import()
    for change, ticket in tickets.items():
        after, expected = await here(connection, ticket), CHANGES[change][1]
        assert {name: after[name] for name in expected} == expected, change
        assert after["revision"] == before[change]["revision"] + 1, change
        changes = dict(await history(connection, ticket))
        assert set(expected) <= set(changes["ticket.imported"]), change
        assert ("ticket.annulled" in changes) == (change == "annulled"), change
    assert report.count(Outcome.TAKEN, "ticket", TAKEN) == len(tickets)
    assert report.of("ticket").present == len(tickets)
    # And then they are the same.
    unchanged = await checksums(connection)
    again = await run_import()
    assert await checksums(connection) == unchanged
    assert not [one for one in again.findings() if one.outcome is Outcome.TAKEN]


async def test_a_ticket_that_changed_on_both_sides_stays_and_is_reported_with_what_hangs_on_it(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    tickets = await one_for_each_change(hospital)
    await run_import()
    nurse = await sign_in("ana")
    for change, ticket in tickets.items():
        etag = (await nurse.get(f"/v1/tickets/{ticket}")).headers["etag"]
        left = await nurse.post(f"/v1/tickets/{ticket}/discharge", json={}, headers={"If-Match": etag})
        assert left.status_code == 200, left.text
        await there(hospital, CHANGES[change][0], ticket)
        await hospital.old.add("fpa_modification", ticket_id=ticket, new_fpa=at("2025-01-18 10:00"),
                               modified_at=at("2025-01-16 10:00"))  # fmt: skip
        await hospital.old.add("action_audit", action="annulled", target_type="Ticket", target_id=ticket,
                               timestamp=at("2025-01-16 15:00"), clinic_id=hospital.clinic)  # fmt: skip
    before = {
        change: (await here(connection, ticket), await history(connection, ticket))
        for change, ticket in tickets.items()
    }
    for _ in range(2):
        report = await run_import()
        for change, ticket in tickets.items():
            assert (await here(connection, ticket), await history(connection, ticket)) == before[change], change
        assert report.count(Outcome.KEPT, "ticket", APART) == len(tickets)
        assert (report.of("fpa_modification").imported, report.of("fpa_modification").refused) == (0, len(tickets))
        assert (report.of("action_audit").imported, report.of("action_audit").refused) == (0, len(tickets))


async def test_a_ticket_that_changed_here_alone_is_nobodys_business(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket(TICKET)
    await run_import()
    await connection.execute("UPDATE ticket SET bed_number = '7A', revision = revision + 1")
    await hospital.old.add("action_audit", action="printed", target_type="Ticket", target_id=TICKET,
                           timestamp=at("2025-01-16 15:00"), clinic_id=hospital.clinic)  # fmt: skip
    report = await run_import()
    assert (await here(connection))["bed_number"] == "7A"
    assert not [one for one in report.findings() if one.table == "ticket"]
    assert report.of("action_audit").imported == 1


async def test_an_annulment_there_of_a_ticket_touched_before_changes_were_remembered_is_reported(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket(TICKET)
    await run_import()
    await connection.execute("DELETE FROM legacy_ticket")
    await connection.execute("UPDATE ticket SET bed_number = '7A', revision = revision + 1")
    assert not [one for one in (await run_import()).findings() if one.table == "ticket"]
    await there(hospital, ANNULLED)
    report = await run_import()
    assert report.count(Outcome.KEPT, "ticket", APART) == 1
    assert (await here(connection))["status"] == "active"


async def test_a_later_modification_comes_with_its_ticket(
    hospital: Hospital, run_import: Import, connection: rows.Connection
) -> None:
    await hospital.ticket(TICKET)
    first = {"ticket_id": TICKET, "new_fpa": at("2025-01-17 10:00"), "modified_at": at("2025-01-16 10:00")}
    await hospital.old.add("fpa_modification", **first)
    await there(hospital, "current_fpa = '2025-01-17 10:00'")
    await run_import()
    await hospital.old.add("fpa_modification", ticket_id=TICKET, new_fpa=at("2025-01-18 10:00"),
                           modified_at=at("2025-01-17 10:00"))  # fmt: skip
    await there(hospital, "current_fpa = '2025-01-18 10:00'")
    report = await run_import()
    assert (report.of("fpa_modification").present, report.of("fpa_modification").imported) == (1, 1)
    found = await connection.fetch("SELECT previous_fpa, new_fpa FROM fpa_modification ORDER BY id")
    assert [(in_santiago(row["previous_fpa"]), in_santiago(row["new_fpa"])) for row in found] == [
        ("2025-01-16 13:00", "2025-01-17 10:00"), ("2025-01-17 10:00", "2025-01-18 10:00"),
    ]  # fmt: skip
    assert in_santiago((await here(connection))["current_fpa"]) == "2025-01-18 10:00"


async def test_an_assumed_discharge_is_told_and_stays_until_the_source_knows_better(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    await hospital.ticket(TICKET)
    await hospital.ticket("TH-SANT-2025-002")
    await run_import()
    await run_import(assume=timedelta(hours=72))
    nurse = await sign_in("ana")
    for ticket in (TICKET, "TH-SANT-2025-002"):
        found = (await nurse.get(f"/v1/tickets/{ticket}")).json()
        assert found["discharge"]["assumed"] is True
        assert found["discharge"]["by"] == "(import)"
        assert found["discharge"]["recorded_at"] > found["discharge"]["at"] == found["current_fpa"]
        [discharge] = [one for one in found["history"] if one["action"] == "ticket.discharged"]
        assert discharge["changes"]["discharge_assumed"] == [False, True]
        assert discharge["changes"]["discharged_at"] == [None, found["current_fpa"]]
    # The run itself touched them, nobody else.
    await there(hospital, ANNULLED)
    await hospital.old.connection.execute("UPDATE ticket SET bed_number = '3' WHERE id = 'TH-SANT-2025-002'")
    report = await run_import()
    assert report.count(Outcome.TAKEN, "ticket", TAKEN) == 2
    assert (await here(connection))["status"] == "annulled"
    beside = (await nurse.get("/v1/tickets/TH-SANT-2025-002")).json()
    assert (beside["bed_number"], beside["status"], beside["discharge"]["assumed"]) == ("3", "discharged", True)


async def test_discharges_assumed_at_the_first_run_are_told_too(
    hospital: Hospital, run_import: Import, sign_in: SignIn
) -> None:
    await hospital.ticket(TICKET)
    await run_import(assume=timedelta(hours=72))
    nurse = await sign_in("ana")
    found = (await nurse.get(f"/v1/tickets/{TICKET}")).json()
    assert [one["action"] for one in found["history"]] == ["ticket.discharged"]
    assert found["discharge"]["assumed"] is True
    [listed] = (await nurse.get("/v1/tickets")).json()["items"]
    assert listed["discharge"] == found["discharge"]


async def test_an_imported_annulment_tells_when_by_whom_and_why(
    hospital: Hospital, run_import: Import, sign_in: SignIn
) -> None:
    """There it stood on the ticket alone, and in no audit row."""
    annulments = list(product(("ana", "ANA@example.org", "gone", None), ("Error de ingreso", "r" * 700, None)))
    tickets = [
        await hospital.ticket(f"TH-SANT-2025-{number:03d}", status="Anulado", annulled_at=at("2025-01-15 18:00"),
                              annulled_by=by, annulled_reason=reason)
        for number, (by, reason) in enumerate(annulments, start=1)
    ]  # fmt: skip
    await run_import()
    await run_import()
    nurse = await sign_in("ana")
    listed = {one["id"]: one["annulment"] for one in (await nurse.get("/v1/tickets")).json()["items"]}
    for ticket, (by, reason) in zip(tickets, annulments, strict=True):
        found = (await nurse.get(f"/v1/tickets/{ticket}")).json()
        short = reason and reason[:500]
        assert found["annulment"] == {"at": "2025-01-15T15:00:00-03:00", "by": by, "reason": short}
        [annulment] = [one for one in found["history"] if one["action"] == "ticket.annulled"]
        assert (annulment["at"], annulment["by"]) == ("2025-01-15T15:00:00-03:00", by or "(unknown)")
        assert annulment["changes"]["annulment_reason"] == [None, short]
        assert listed[ticket] == found["annulment"]


async def test_thresholds_keep_who_set_them_and_when(
    hospital: Hospital, run_import: Import, connection: rows.Connection, sign_in: SignIn
) -> None:
    hours = {"red_threshold_hours": 1, "yellow_threshold_hours": 3, "green_threshold_hours": 6}
    when = {"created_at": at("2024-01-01 00:00"), "updated_at": at("2024-06-01 12:00"), "updated_by": "ana"}
    await hospital.old.add("urgency_threshold", clinic_id=hospital.clinic, **hours, **when)
    await hospital.old.add("urgency_threshold", clinic_id=None, **hours, **(when | {"updated_by": "jefa"}))
    await run_import()
    nurse = await sign_in("ana")
    [own] = (await nurse.get("/v1/urgency-thresholds")).json()["items"]
    assert (own["updated_at"], own["updated_by"]) == ("2024-06-01T08:00:00-04:00", "ana")
    general = await rows.one(connection, "SELECT updated_at, updated_by FROM urgency_threshold WHERE clinic_id IS NULL")
    assert tuple(general) == (datetime(2024, 6, 1, 12, tzinfo=UTC), "jefa")
    # An earlier release brought the hours alone.
    await connection.execute("UPDATE urgency_threshold SET updated_at = NULL, updated_by = NULL")
    await run_import()
    assert await connection.fetchval("SELECT count(*) FROM urgency_threshold WHERE updated_by IN ('ana', 'jefa')") == 2
