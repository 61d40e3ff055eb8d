"""Moments at which figures change, or nearly do, and filters around each."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.core.dashboard.at_random import TICK, MadeClinic

MOMENTS = {
    "an ordinary moment": datetime(2026, 6, 17, 18, 24, 30, 123456, tzinfo=UTC),
    "a full hour": datetime(2026, 6, 17, 18, tzinfo=UTC),
    "just before it": datetime(2026, 6, 17, 18, tzinfo=UTC) - TICK,
    "Monday, the first, 00:00 in Santiago": datetime(2026, 6, 1, 4, tzinfo=UTC),
    "just before it, Monday in Punta Arenas": datetime(2026, 6, 1, 4, tzinfo=UTC) - TICK,
    "just before 00:00 in Punta Arenas": datetime(2026, 6, 1, 3, tzinfo=UTC) - TICK,
    "New Year in Punta Arenas": datetime(2026, 1, 1, 3, tzinfo=UTC),
    "23:00 of 4 April, the first": datetime(2026, 4, 5, 2, tzinfo=UTC),
    "23:59 of 4 April, the first": datetime(2026, 4, 5, 3, tzinfo=UTC) - TICK,
    "23:00 of 4 April, the second": datetime(2026, 4, 5, 3, tzinfo=UTC),
    "00:00 of 5 April": datetime(2026, 4, 5, 4, tzinfo=UTC),
    "noon of 5 April": datetime(2026, 4, 5, 16, 10, tzinfo=UTC),
    "two days before the clock goes back": datetime(2026, 4, 3, 9, 40, tzinfo=UTC),
    "23:59 of 5 September": datetime(2026, 9, 6, 4, tzinfo=UTC) - TICK,
    "01:00 of 6 September, its first instant": datetime(2026, 9, 6, 4, tzinfo=UTC),
    "noon of 6 September": datetime(2026, 9, 6, 15, 50, tzinfo=UTC),
    "the Monday after": datetime(2026, 9, 7, 3, tzinfo=UTC),
}


def filters_around(now: datetime, clinic: MadeClinic) -> list[dict[str, Any]]:
    today = now.astimezone(clinic.zone).date()
    day = timedelta(days=1)
    return [
        {},
        {"surgery_id": clinic.surgeries[0]},
        {"date_from": today},
        {"date_to": today - day},
        {"date_from": today - day, "date_to": today - day},
        {"date_from": today - 7 * day, "date_to": today, "surgery_id": clinic.surgeries[1]},
        {"date_from": today + 9 * day},
        {"date_from": date(1980, 1, 1), "date_to": date(2199, 12, 31)},
    ]
