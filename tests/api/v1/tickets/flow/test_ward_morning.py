"""A morning in a ward over HTTP: twelve patients, two nurses, one bed manager, and what goes wrong there every day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI

from core.operations.demo.people import rut_of
from core.settings import Settings
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support.answers import codes, refusal
from tests.support.audit import audits
from tests.support.event_streams import Client, lasting, streaming

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FRIDAY = 4
NAMES = ("Ana", "Pedro", "Eva", "Luis", "Rosa", "Juan", "Marta", "Diego", "Inés", "Hugo", "Olga", "Raúl")
# Hours from now to the surgery of those who come or came these days; each stays a day, and the last came on a Friday.
HOURS = (6, 5, 1, 0, -1, -4, -10, -18, -21, -27, -30)

Ticket = dict[str, Any]


def person(number: int, **changes: Any) -> dict[str, Any]:
    names = {"first_name": NAMES[number], "last_name": "Rojas", "age": 30 + number}
    return {"document_type": "rut", "document": rut_of(12_000_000 + 1_000 * number), **names, **changes}


def friday() -> datetime:
    """Noon of the last one that is so long ago that whoever stayed a day since is forgotten."""
    day = datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0) - timedelta(days=5)
    return day - timedelta(days=(day.weekday() - FRIDAY) % 7)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return lasting(settings)


@pytest.fixture
async def carla(nurse: Any) -> Any:
    return nurse


@pytest.fixture
async def berta(nurse: Any, sign_in: SignIn, seed: Seed, connection: rows.Connection) -> Any:
    """The other nurse."""
    await rows.user(connection, "berta", "clinical", seed.sant.id)
    return type(nurse)(await sign_in("berta"), seed.sant)


@pytest.fixture
async def manager(admin: Any) -> Any:
    """Of the beds."""
    return admin


@pytest.fixture
async def screen(app: FastAPI, manager: Any) -> AsyncIterator[Client]:
    """The bed manager's browser, which is told of changes."""
    async with streaming(app, manager.client.headers) as stream:
        await stream.next("versions")
        yield stream


async def board(ward: Any, view: str, version: str | None = None) -> dict[str, Any]:
    headers = {} if version is None else {"Cache-Version": version}
    query = {"view": view, "limit": "200", "sort": "bed"}
    answer = await ward.client.get("/v1/nursing-board", params=query, headers=headers)
    shown: dict[str, Any] = answer.json()
    return shown


async def test_a_morning_in_a_ward(
    carla: Any, berta: Any, manager: Any, screen: Client, connection: rows.Connection
) -> None:
    tickets = await twelve_are_entered(carla, berta)
    await the_manager_sees_all_of_them(manager, screen, tickets)
    tickets.append(await a_wrong_rut(carla))
    tickets.append(await a_double_click(berta))
    await both_nurses_write_at_once(carla, berta, tickets[0])
    await a_bed_is_taken(carla, tickets[1], tickets[2])
    await somebody_is_ready_and_waits(carla, manager, tickets[7])
    await a_clock_is_five_minutes_fast(carla, berta, manager, tickets[8])
    await the_wrong_patient(berta, manager, tickets[3])
    await nobody_is_forgotten_any_more(manager, tickets[11], tickets[9])
    await what_is_left_of_it(manager, tickets, connection)


async def twelve_are_entered(carla: Any, berta: Any) -> list[Ticket]:
    """By both nurses at once."""
    now = datetime.now(UTC)
    surgeries = [*(now + hours * HOUR for hours in HOURS), friday()]
    bodies = [
        carla.new(patient=person(n), surgery_at=at.isoformat(), bed_number=str(n + 1), location="Piso 3")
        for n, at in enumerate(surgeries)
    ]

    async def enters(ward: Any, first: int) -> list[Ticket]:
        return [(await ward.client.post("/v1/tickets", json=body)).json() for body in bodies[first::2]]

    made: list[Ticket] = [
        one for pair in zip(*await asyncio.gather(enters(carla, 0), enters(berta, 1)), strict=True) for one in pair
    ]
    assert [(one["status"], one["warnings"]) for one in made] == [("active", [])] * 12
    assert sorted(int(one["id"][-3:]) for one in made) == list(range(1, 13))
    return made


async def the_manager_sees_all_of_them(manager: Any, screen: Client, tickets: list[Ticket]) -> None:
    """Told of changes by the stream; nobody in a bed is on no view, and who came on Friday is told apart."""
    version = None
    while version is None:
        words = (await screen.next("change")).words
        version = words.get((manager.clinic.id, "tickets"))
    everybody = await board(manager, "all", version)
    assert [one["bed_number"] for one in everybody["items"]] == [str(bed) for bed in range(1, 13)]
    views = {view: await board(manager, view) for view in ("active", "overdue", "forgotten")}
    seen = [one["id"] for shown in views.values() for one in shown["items"]]
    assert sorted(seen) == sorted(one["id"] for one in tickets)
    assert [one["id"] for one in views["forgotten"]["items"]] == [tickets[11]["id"]]
    counts = everybody["counts"]
    assert counts["active"] + counts["overdue"] + counts["forgotten"] == counts["all"] == 12
    assert (counts["forgotten"], counts["without_episode"]) == (1, 12)


async def a_wrong_rut(carla: Any) -> Ticket:
    """A mistyped verifier is refused; somebody else's number shows whose it is; what the patient has is looked up."""
    new = person(0, document="12.345.678-4", first_name="Sofía", last_name="Lagos", age=71)
    assert codes(await carla.client.post("/v1/tickets", json=carla.new(patient=new))) == [
        ("patient.document", "invalid_rut")
    ]
    another = await carla.client.post("/v1/tickets", json=carla.new(patient=new | {"document": rut_of(12_004_000)}))
    assert refusal(another) == (409, "patient_mismatch")
    assert another.json()["patient"]["first_name"] == "Rosa"
    asked = {"document_type": "rut", "document": "12.345.678-5"}
    found = (await carla.client.post("/v1/patients/lookup", json=asked)).json()
    assert found == {"patient": None, "active_tickets": [], "verified": True}
    ticket: Ticket = await carla.create(patient=new | asked)
    return ticket


async def a_double_click(berta: Any) -> Ticket:
    """With its key it is one write; without it, or by another tab, the patient is here already."""
    body = berta.new(patient=person(1, document=rut_of(9_000_000), first_name="Tomás"))
    clicks = [berta.client.post("/v1/tickets", json=body, headers={"Idempotency-Key": "click"}) for _ in range(2)]
    first, second = await asyncio.gather(*clicks)
    assert (first.status_code, first.content) == (201, second.content)
    late = await berta.client.post("/v1/tickets", json=body)
    assert (refusal(late), late.json()["ticket_id"]) == ((409, "already_admitted"), first.json()["id"])
    ticket: Ticket = first.json()
    return ticket


async def both_nurses_write_at_once(carla: Any, berta: Any, ticket: Ticket) -> None:
    """One of them reads what the other wrote, and writes again."""
    answers = await asyncio.gather(
        carla.send("PATCH", ticket, body={"episode_id": "E-1", "patient": {"second_last_name": "Soto"}}),
        berta.send("PATCH", ticket, body={"bed_number": "14"}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    [refused] = [answer for answer in answers if answer.status_code == 412]
    current = refused.json()["current"]
    again = {"bed_number": "14", "episode_id": "E-1", "patient": {"second_last_name": "Soto"}}
    after = await berta.done("PATCH", current, body=again)
    told = after["bed_number"], after["episode_id"], after["patient"]["second_last_name"]
    assert (told, after["revision"]) == (("14", "E-1", "Soto"), 3)


async def a_bed_is_taken(carla: Any, ticket: Ticket, has: Ticket) -> None:
    moved = await carla.done("PATCH", ticket, body={"bed_number": has["bed_number"]})
    assert moved["warnings"] == [{"code": "bed_taken", "ticket_id": has["id"]}]
    assert (await carla.done("PATCH", moved, body={"bed_number": "15"}))["warnings"] == []
    episode = await carla.send("PATCH", has, body={"episode_id": "e-1"})
    assert refusal(episode) == (409, "episode_taken")


async def somebody_is_ready_and_waits(carla: Any, manager: Any, ticket: Ticket) -> None:
    ready = await carla.done("POST", ticket, "ready", {})
    waits = await carla.done("POST", ready, "delays", {"reason_id": carla.clinic.delay_reason_id})
    [seen] = [one for one in (await board(manager, "all"))["items"] if one["id"] == ticket["id"]]
    assert (seen["ready"]["by"], len(seen["delays"])) == ("clinical_sant", 1)
    later = manager.modification(waits, hours=3)
    modified = await manager.done("POST", seen, "fpa-modifications", later)
    assert modified["ready"] == seen["ready"]


async def a_clock_is_five_minutes_fast(carla: Any, berta: Any, manager: Any, ticket: Ticket) -> None:
    """What it calls now is now; and whoever discharged by mistake takes it back, as nobody else but the manager may."""
    wrong = {"discharged_at": (datetime.now(UTC) + 10 * MINUTE).isoformat()}
    assert codes(await carla.client.post(f"/v1/tickets/{ticket['id']}/discharge", json=wrong)) == [
        ("discharged_at", "in_the_future")
    ]
    fast = {"discharged_at": (datetime.now(UTC) + 4 * MINUTE).isoformat()}
    left = await carla.done("POST", ticket, "discharge", fast)
    assert left["discharge"]["at"] == left["discharge"]["recorded_at"]
    assert refusal(await berta.send("DELETE", left, "discharge")) == (403, "forbidden")
    back = await carla.done("DELETE", left, "discharge")
    assert (await manager.discharge(back))["status"] == "discharged"


async def the_wrong_patient(berta: Any, manager: Any, ticket: Ticket) -> None:
    """Luis' stay was Laura's: it goes to her, and tells nothing of him."""
    laura = person(3, document=rut_of(15_000_000), first_name="Laura")
    assert refusal(await berta.send("POST", ticket, "reassignment", {"patient": laura})) == (403, "forbidden")
    hers = await manager.done("POST", ticket, "reassignment", {"patient": laura})
    assert (hers["patient"]["first_name"], hers["bed_number"]) == ("Laura", "4")
    assert "Luis" not in str(hers)
    assert hers["history"][-1]["action"] == "ticket.reassigned"


async def nobody_is_forgotten_any_more(manager: Any, ticket: Ticket, here: Ticket) -> None:
    """Who has been gone since the day after that Friday is taken to have left then, and that is marked."""
    asked = [{"id": one["id"], "revision": one["revision"]} for one in (await board(manager, "all"))["items"]]
    mine = [one for one in asked if one["id"] in (ticket["id"], here["id"])]
    answer = await manager.client.post("/v1/tickets/assumed-discharges", json={"tickets": mine})
    outcomes = {one["id"]: one["outcome"] for one in answer.json()["items"]}
    assert outcomes == {ticket["id"]: "discharged", here["id"]: "not_forgotten"}
    gone = await manager.get(ticket["id"])
    assert (gone["discharge"]["at"], gone["discharge"]["assumed"]) == (ticket["current_fpa"], True)
    assert (await board(manager, "forgotten"))["items"] == []


async def what_is_left_of_it(manager: Any, tickets: list[Ticket], connection: rows.Connection) -> None:
    """Each write once, each with who did it; the board, the list and the dashboard count the same stays."""
    counts = (await board(manager, "all"))["counts"]
    kpis = (await manager.client.get("/v1/dashboard")).json()["kpis"]
    assert (counts["all"], counts["discharged"], kpis["discharged"], kpis["total"]) == (14, 2, 2, 14)
    assert kpis["active"] + kpis["overdue"] == counts["active"] + counts["overdue"] == 12
    numbers = sorted(int(one["id"][-3:]) for one in tickets)
    assert numbers == list(range(1, 15))
    written = [one["action"] for one in await audits(connection)]
    once = {"ticket.reassigned", "patient.shown", "patient.looked_up", "ticket.discharge_undone", "ticket.ready"}
    assert {action: written.count(action) for action in once} == dict.fromkeys(once, 1)
    assert [written.count(f"ticket.{action}") for action in ("created", "discharged", "annulled")] == [14, 3, 0]
    # Twelve, who was looked up, who was clicked twice, and Laura; beside the clinic's own.
    assert written.count("patient.created") == 15
