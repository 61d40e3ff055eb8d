"""POST /v1/tickets/assumed-discharges: those on the board's view `forgotten`, several at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine

PATH = "/v1/tickets/assumed-discharges"
DAYS_3 = timedelta(hours=72)
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


async def forgotten(connection: rows.Connection, seed: Seed, late: timedelta = DAYS_3 * 2, **values: Any) -> str:
    return await seed.sant.ticket(connection, fpa=datetime.now(UTC).replace(microsecond=0) - late, **values)


async def sent(ward: Any, *tickets: tuple[str, int], key: str | None = None) -> list[tuple[str, str, int | None]]:
    body = {"tickets": [{"id": ticket_id, "revision": revision} for ticket_id, revision in tickets]}
    answer = await ward.client.post(PATH, json=body, headers={} if key is None else {"Idempotency-Key": key})
    assert answer.status_code == 200, answer.text
    return [(one["id"], one["outcome"], one["revision"]) for one in answer.json()["items"]]


async def test_each_is_decided_alone(admin: Any, connection: rows.Connection, seed: Seed) -> None:
    gone, other = await forgotten(connection, seed), await forgotten(connection, seed, DAYS_3 + timedelta(minutes=1))
    read_long_ago = await forgotten(connection, seed, revision=4)
    left = await forgotten(connection, seed, status="discharged", discharged_at=datetime.now(UTC))
    late = await forgotten(connection, seed, timedelta(hours=71))
    elsewhere = await seed.maga.ticket(connection, fpa=datetime.now(UTC) - DAYS_3 * 2)
    asked = [gone, read_long_ago, left, late, elsewhere, "TH-SANT-2001-001", other]
    assert await sent(admin, *((ticket, 1) for ticket in asked)) == [
        (gone, "discharged", 2),
        (read_long_ago, "revision_mismatch", 4),
        (left, "ticket_not_active", 1),
        (late, "not_forgotten", 1),
        (elsewhere, "not_found", None),
        ("TH-SANT-2001-001", "not_found", None),
        (other, "discharged", 2),
    ]
    untouched = "SELECT count(*) FROM ticket WHERE status = 'active' AND revision IN (1, 4)"
    assert await connection.fetchval(untouched) == 3


async def test_at_its_fpa_marked_and_in_history_and_audit(admin: Any, connection: rows.Connection, seed: Seed) -> None:
    ids = [await forgotten(connection, seed) for _ in range(2)]
    await sent(admin, *((ticket, 1) for ticket in ids))
    for ticket_id in ids:
        ticket = await admin.get(ticket_id)
        discharge, entry = ticket["discharge"], ticket["history"][-1]
        assert (ticket["status"], ticket["revision"]) == ("discharged", 2)
        assert (discharge["at"], discharge["assumed"], discharge["by"]) == (
            ticket["current_fpa"],
            True,
            seed.sant.admin,
        )
        assert discharge["recorded_at"] is not None
        assert (entry["action"], entry["by"]) == ("ticket.discharged", seed.sant.admin)
        assert entry["changes"] == {
            "status": ["active", "discharged"],
            "discharge_assumed": [False, True],
            "discharged_at": [None, ticket["current_fpa"]],
        }
    board = (await admin.client.get("/v1/nursing-board", params={"view": "discharged"})).json()
    assert {one["id"] for one in board["items"]} == set(ids)
    audited = (await admin.client.get("/v1/audit/actions", params={"action": "ticket.discharged"})).json()["items"]
    assert {one["target_id"] for one in audited} == set(ids)


async def test_who_was_ready_after_it_was_ready_then(admin: Any, connection: rows.Connection, seed: Seed) -> None:
    one = await forgotten(connection, seed, ready_at=datetime.now(UTC) - timedelta(hours=1), ready_by="somebody")
    await sent(admin, (one, 1))
    ticket = await admin.get(one)
    assert ticket["ready"]["at"] == ticket["history"][-1]["changes"]["ready_at"][1] == ticket["current_fpa"]


async def test_who_is_named_twice_finds_what_became_of_it_the_first_time(
    admin: Any, connection: rows.Connection, seed: Seed
) -> None:
    one = await forgotten(connection, seed)
    assert await sent(admin, (one, 1), (one, 1), (one, 2)) == [
        (one, "discharged", 2),
        (one, "revision_mismatch", 2),
        (one, "ticket_not_active", 2),
    ]


async def test_two_admins_at_once_discharge_each_once(
    admin: Any, superuser: Any, connection: rows.Connection, seed: Seed
) -> None:
    ids = [await forgotten(connection, seed) for _ in range(20)]
    both = await asyncio.gather(
        sent(admin, *((ticket, 1) for ticket in ids)), sent(superuser, *((ticket, 1) for ticket in reversed(ids)))
    )
    outcomes = sorted(outcome for answer in both for _, outcome, _ in answer)
    assert outcomes == ["discharged"] * 20 + ["revision_mismatch"] * 20
    assert await connection.fetchval("SELECT count(*) FROM action_audit WHERE action = 'ticket.discharged'") == 20
    assert await connection.fetchval("SELECT min(revision) || '-' || max(revision) FROM ticket") == "2-2"


async def test_whoever_corrects_the_patient_meanwhile_is_waited_for_and_waits_for_nobody(
    admin: Any, nurse: Any, connection: rows.Connection, seed: Seed, deadlocks: list[str]
) -> None:
    """Of several stays of one patient each write holds the patient before it holds a ticket. The correction is held up
    with one ticket in its hands, and the others to come."""
    made = [await forgotten(connection, seed) for _ in range(3)]

    async def waiting(writes: int) -> None:
        async def are() -> bool:
            # Within a transaction what was read of other sessions stays, unless it is thrown away.
            await connection.execute("SELECT pg_stat_clear_snapshot()")
            return bool(await connection.fetchval(WAITING) == writes)

        await machine.until(are)

    undone = connection.transaction()
    await undone.start()
    await rows.patient(connection, seed.sant.id, document_type="passport", document="X1")
    document = {"document_type": "passport", "document": "X1"}
    correction = nurse.send("PATCH", {"id": made[-1], "revision": 1}, body={"patient": document})
    corrected = asyncio.create_task(correction)
    await waiting(1)
    discharged = asyncio.create_task(sent(admin, *((ticket, 1) for ticket in made)))
    await waiting(2)
    await undone.rollback()
    assert (await corrected).status_code == 200
    assert [(outcome, revision) for _, outcome, revision in await discharged] == [("revision_mismatch", 2)] * 3
    assert deadlocks == []


async def test_the_same_key_answers_the_same_again(admin: Any, connection: rows.Connection, seed: Seed) -> None:
    one = await forgotten(connection, seed)
    first = await sent(admin, (one, 1), key="once")
    assert first == await sent(admin, (one, 1), key="once") == [(one, "discharged", 2)]
    assert await sent(admin, (one, 1), key="another") == [(one, "revision_mismatch", 2)]


async def test_it_is_undone_as_any_other(admin: Any, connection: rows.Connection, seed: Seed) -> None:
    one = await forgotten(connection, seed)
    await sent(admin, (one, 1))
    undone = await admin.done("DELETE", await admin.get(one), "discharge")
    assert (undone["status"], undone["discharge"], undone["revision"]) == ("active", None, 3)
    assert undone["history"][-1]["changes"]["discharge_assumed"] == [True, False]
    assert await sent(admin, (one, 3)) == [(one, "discharged", 4)]


async def test_punctuality_leaves_it_out(admin: Any, connection: rows.Connection, seed: Seed) -> None:
    one = await forgotten(connection, seed)
    await sent(admin, (one, 1))
    kpis = (await admin.client.get("/v1/dashboard")).json()["kpis"]
    assert (kpis["discharged"], kpis["on_time_rate"], kpis["mean_delay_minutes"]) == (1, None, None)


async def test_what_is_refused(admin: Any, nurse: Any, refusal: Any) -> None:
    one = {"id": "TH-SANT-2025-001", "revision": 1}
    for tickets, path in (
        ([], "tickets"),
        ([one] * 201, "tickets"),
        ([one | {"id": "x"}], "tickets.0.id"),
        ([{"id": one["id"]}], "tickets.0.revision"),
        ([one | {"discharged_at": None}], "tickets.0.discharged_at"),
    ):
        status, code, errors = refusal(await admin.client.post(PATH, json={"tickets": tickets}))
        assert (status, code, [path for path, _ in errors]) == (422, "invalid", [path])
    assert refusal(await nurse.client.post(PATH, json={"tickets": [one]}))[:2] == (403, "forbidden")
    assert (await admin.client.post(PATH, json={"tickets": [one] * 200})).status_code == 200
