"""Numbers on real, parallel connections: no gap, no duplicate, also past 999."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from core.access import Actor, Role
from core.cache.versions.map import VersionMap
from core.db.connections.engine import DIALECT
from core.db.transaction import Database, WriteSession
from core.errors import Conflict
from core.patients.document import DocumentType, parse
from core.patients.patients import Given
from core.tickets.numbering import next_number, ticket_id, year_of
from core.tickets.verbs.create import NewTicket, create
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, Seed

AT_ONCE = 50
PATIENCE = 60.0
"""Seconds: it is the numbers that are tested here, not this machine's speed."""
YEAR = datetime.now(ZoneInfo("America/Santiago")).year


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """With a connection for each of the creates at once, and time-outs that no busy machine reaches."""
    engine = create_async_engine(
        DIALECT + database_url.partition("://")[2],
        pool_size=AT_ONCE,
        max_overflow=0,
        pool_timeout=PATIENCE,
        connect_args={"server_settings": {"timezone": "UTC"}, "timeout": PATIENCE},
    )
    yield Database(engine, VersionMap())
    await engine.dispose()


async def made(database: Database, user_id: int, clinic: ClinicSeed, n: int) -> str:
    actor = Actor(user_id, clinic.clinical, "nurse@example.org", Role.CLINICAL, clinic.id, 1, "mobile")
    document = parse(DocumentType.PASSPORT, f"Q{n}", "patient.document")
    new = NewTicket(
        patient=Given(document, {"first_name": "Ana", "last_name": "Rojas"}),
        surgery_id=clinic.surgery_id,
        doctor_id=None,
        surgery_at=datetime.now(UTC) + timedelta(hours=3),
        placement={},
    )

    async def work(session: WriteSession) -> str:
        return (await create(session, actor, clinic.id, new)).id

    return await database.write(work, budget=PATIENCE)


async def test_fifty_creates_at_once_give_fifty_consecutive_numbers_past_999(
    database: Database, connection: rows.Connection, seed: Seed
) -> None:
    await connection.execute("INSERT INTO ticket_counter VALUES ($1, $2, 975)", seed.sant.id, YEAR)
    nurse = await connection.fetchval("SELECT id FROM app_user WHERE username = $1", seed.sant.clinical)
    numbers = await asyncio.gather(*(made(database, nurse, seed.sant, n) for n in range(AT_ONCE)))
    assert sorted(numbers) == sorted(f"TH-SANT-{YEAR}-{number}" for number in range(976, 1026))


async def test_a_rolled_back_create_gives_its_number_back(database: Database, seed: Seed) -> None:
    async def failing(session: WriteSession) -> None:
        assert await next_number(session, seed.sant.id, YEAR) == 1
        raise Conflict("rolled back")

    with pytest.raises(Conflict):
        await database.write(failing)

    async def work(session: WriteSession) -> int:
        return await next_number(session, seed.sant.id, YEAR)

    assert [await database.write(work), await database.write(work)] == [1, 2]


def test_a_number_has_at_least_three_digits() -> None:
    assert [ticket_id("SANT", 2026, number) for number in (1, 999, 1000, 123456)] == [
        "TH-SANT-2026-001",
        "TH-SANT-2026-999",
        "TH-SANT-2026-1000",
        "TH-SANT-2026-123456",
    ]


@pytest.mark.parametrize(
    ("now", "zone", "year"),
    [
        (datetime(2027, 1, 1, 1, tzinfo=UTC), "America/Santiago", 2026),  # 31 December 22:00 there
        (datetime(2027, 1, 1, 2, 59, 59, tzinfo=UTC), "America/Santiago", 2026),
        (datetime(2027, 1, 1, 3, tzinfo=UTC), "America/Santiago", 2027),
        (datetime(2026, 12, 31, 10, 30, tzinfo=UTC), "Pacific/Auckland", 2026),
        (datetime(2026, 12, 31, 11, tzinfo=UTC), "Pacific/Auckland", 2027),
    ],
)
def test_the_year_is_the_clinics_own(now: datetime, zone: str, year: int) -> None:
    assert year_of(now, ZoneInfo(zone)) == year
