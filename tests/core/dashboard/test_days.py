"""Where local days begin: in SQL as in Python, also where the clock skips midnight or has two of it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core.clock import start_of_day, zone
from core.tickets.reads.figures import midnight
from tests.factories import rows

ZONES = {
    "America/Santiago": (datetime(2026, 9, 6, 4, tzinfo=UTC), datetime(2026, 4, 5, 4, tzinfo=UTC)),
    "America/Punta_Arenas": (datetime(2026, 9, 6, 3, tzinfo=UTC), datetime(2026, 4, 5, 3, tzinfo=UTC)),
    "Pacific/Easter": (datetime(2026, 9, 6, 5, tzinfo=UTC), datetime(2026, 4, 5, 6, tzinfo=UTC)),
    # Midnight is skipped in March, and comes twice in October: the first one counts.
    "Atlantic/Azores": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 0, tzinfo=UTC)),
    "America/Havana": (datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 11, 1, 4, tzinfo=UTC)),
}
"""Zone → the first instants of the days on which its clock goes forward and back, or of two ordinary ones."""
FIRST = date(2020, 1, 1)
DAYS = 3650


@pytest.mark.parametrize("name", ZONES)
async def test_every_day_begins_at_its_first_existing_instant(connection: rows.Connection, name: str) -> None:
    found = await connection.fetch(
        f"SELECT {midnight('day')} AS start FROM (SELECT $2::date + n * interval '1 day' AS day, $1::text AS timezone"
        " FROM generate_series(0, $3 - 1) AS n) AS clinic",
        *(name, FIRST, DAYS),
    )
    starts = [row["start"] for row in found]
    assert starts == [start_of_day(FIRST + timedelta(days=day), zone(name)) for day in range(DAYS)]
    assert set(ZONES[name]) < set(starts)
