"""What a board is filtered and ordered by beside search, surgery and dates of creation."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from core.access import ClinicScope
from core.board.filter import BoardFilter
from core.board.query import Board, BoardQuery, nursing_board
from core.board.view import View
from core.db.transaction import Database, ReadSession
from core.tickets.reads.pages import COUNTED, Position, Turn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.factories.stays import HOUR, insert, stay

NOW = datetime(2026, 6, 15, 15, 0, tzinfo=UTC)
Read = Callable[..., Awaitable[Board]]


@pytest.fixture
def read(database: Database, seed: Seed) -> Read:
    async def board(sort: str = "urgency", limit: int = 50, at: Position | None = None, **filters: Any) -> Board:
        turn = Turn(sort, limit, at or Position(NOW, ()))

        async def work(session: ReadSession) -> Board:
            asked = BoardQuery(turn, View.ALL, also=BoardFilter(**filters))
            return await nursing_board(session, ClinicScope(seed.sant.id), asked)

        return await database.read(work, budget=20)

    return board


async def turned(read: Read, sort: str, limit: int = 2) -> list[str]:
    """Beds in an order, page by page."""
    found: list[str] = []
    at: Position | None = None
    while True:
        board = await read(sort, limit, at)
        found += [f"{one.bed_number} {one.doctor.name if one.doctor else None}" for one in board.page.items]
        at = board.page.next
        if at is None:
            return found


async def test_doctor_specialty_location_fpa_and_surgery_limit_what_is_counted(
    read: Read, seed: Seed, connection: rows.Connection
) -> None:
    clinic = seed.sant
    specialty = await rows.specialty(connection, clinic.id)
    surgery = await rows.surgery(connection, clinic.id, specialty)
    # 03:00 UTC is 23:00 of the day before in Santiago.
    late = datetime(2026, 6, 20, 3, 0, tzinfo=UTC)
    one = stay(clinic, NOW, surgery_id=surgery, doctor_id=clinic.doctor_id, location="Pabellón 2", surgery_at=late)
    two = stay(clinic, NOW, late - NOW, location="pabellon 2", surgery_at=NOW)
    three = stay(clinic, NOW, location="Pabellón 10")
    await insert(connection, [one, two, three])
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"doctor_id": clinic.doctor_id}, [one.id]),
        ({"specialty_id": specialty}, [one.id]),
        ({"specialty_id": clinic.specialty_id}, [three.id, two.id]),
        ({"location": "PABELLON 2"}, [one.id, two.id]),
        ({"location": "Pabellón"}, []),
        ({"fpa_from": date(2026, 6, 19)}, [two.id]),
        ({"fpa_from": date(2026, 6, 20)}, []),
        ({"fpa_to": date(2026, 6, 18)}, [one.id, three.id]),
        ({"surgery_from": date(2026, 6, 19), "surgery_to": date(2026, 6, 19)}, [one.id]),
        ({"surgery_to": date(2026, 6, 18)}, [three.id, two.id]),
    ]
    for filters, expected in cases:
        board = await read(**filters)
        assert sorted(ticket.id for ticket in board.page.items) == sorted(expected), filters
        assert board.counts["all"] == board.counts["active"] == board.page.total == len(expected), filters


async def test_the_answer_has_locations_in_natural_order_whichever_is_asked_for(
    read: Read, seed: Seed, connection: rows.Connection
) -> None:
    at = [None, "Piso 10", "Piso 2", "piso 2", "Ñuble", "Observación"]
    await insert(connection, [stay(seed.sant, NOW, location=one) for one in at])
    everywhere = ["Ñuble", "Observación", "Piso 2", "Piso 10"]
    assert (await read()).locations == (await read(location="Piso 10")).locations == everywhere
    assert (await read(doctor_id=seed.sant.doctor_id)).locations == []


async def test_by_bed_numbers_stand_by_what_they_are_worth(read: Read, seed: Seed, connection: rows.Connection) -> None:
    beds = ["1", "2", "2-A", "2-B", "02-C", "10", "301", "1000000000", "A2", "A10", "B1", None]
    await insert(connection, [stay(seed.sant, NOW, bed_number=bed) for bed in reversed(beds)])
    expected = [f"{bed} None" for bed in beds]
    assert await turned(read, "bed") == expected
    assert await turned(read, "-bed") == expected[::-1]


async def test_in_one_bed_locations_decide(read: Read, seed: Seed, connection: rows.Connection) -> None:
    places = ["Piso 2", "Piso 10", None]
    await insert(connection, [stay(seed.sant, NOW, bed_number="7", location=one) for one in (None, *places[1::-1])])
    # Who has a bed and no location stands first: nothing is less than anything.
    assert [one.location for one in (await read("bed")).page.items] == [None, "Piso 2", "Piso 10"]


async def test_by_doctor_is_in_spanish_order_then_by_fpa(read: Read, seed: Seed, connection: rows.Connection) -> None:
    names = ["Ana Nuñoa", "Ana Ñuñoa", "Ávila", "Zoe"]
    expected = sorted(names, key=["Ana Nuñoa", "Ana Ñuñoa", "Ávila", "Zoe"].index)
    doctors = {name: await rows.doctor(connection, seed.sant.id, name=name) for name in names[::-1]}
    stays = [
        stay(seed.sant, NOW, hours * HOUR, bed_number=str(hours), doctor_id=doctor)
        for doctor in (*doctors.values(), None)
        for hours in (9, 8)
    ]
    await insert(connection, stays)
    found = [f"{hours} {name}" for name in (*expected, None) for hours in (8, 9)]
    assert await turned(read, "doctor", 3) == found
    assert await turned(read, "-doctor", 3) == found[::-1]


async def test_the_total_is_the_first_pages_and_follows_the_view(
    read: Read, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await insert(connection, [stay(seed.sant, NOW, n * HOUR) for n in range(1, 6)])
    first = await read(limit=2)
    assert (first.page.total, first.page.total_more) == (5, False)
    second = await read(limit=2, at=first.page.next)
    assert (second.page.total, second.page.total_more) == (None, False)
    assert COUNTED == 10_000
    monkeypatch.setattr("core.tickets.reads.pages.COUNTED", 4)
    page = (await read(limit=3)).page
    assert (page.total, page.total_more) == (4, True)
