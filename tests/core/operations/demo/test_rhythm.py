"""When demo tickets are made and operations are."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from core.clock import in_zone, start_of_day, zone
from core.operations.demo.rhythm import beginning, creations, surgery_time

SANTIAGO = zone("America/Santiago")
NOWS = [
    datetime(2026, 6, 10, 18, 30, tzinfo=UTC),
    datetime(2026, 9, 6, 4, 0, tzinfo=UTC),  # the clock sprang forward at this midnight
    datetime(2026, 4, 5, 3, 30, tzinfo=UTC),  # within the hour that comes twice
    datetime(2026, 1, 1, 3, 0, 0, 1, tzinfo=UTC),  # a microsecond into the new year
]


@pytest.mark.parametrize("now", NOWS)
@pytest.mark.parametrize("wanted", [0, 1, 7, 5000])
def test_as_many_as_wanted_in_order_within_ninety_days(now: datetime, wanted: int) -> None:
    made = list(creations(Random(3), wanted, now, SANTIAGO))
    assert len(made) == wanted
    assert made == sorted(made)
    assert all(beginning(now, SANTIAGO) <= at <= now for at in made)
    assert beginning(now, SANTIAGO) == start_of_day(in_zone(now, SANTIAGO).date() - timedelta(days=90), SANTIAGO)


def test_mornings_are_busy_and_weekends_quiet() -> None:
    local = [in_zone(at, SANTIAGO) for at in creations(Random(3), 20_000, NOWS[0], SANTIAGO)]
    by_day = Counter(at.weekday() for at in local)
    assert max(by_day[5], by_day[6]) < min(by_day[day] for day in range(5)) / 2
    daytime = sum(7 <= at.hour < 19 for at in local)
    assert daytime > 0.85 * len(local)
    assert any(at.hour < 6 for at in local), "there are emergencies"


def test_operations_are_by_day_on_weekdays_and_after_their_ticket() -> None:
    rng = Random(3)
    pairs = [(at, surgery_time(rng, at, SANTIAGO)) for at in creations(rng, 10_000, NOWS[0], SANTIAGO)]
    assert all(at < operated <= at + timedelta(days=15) for at, operated in pairs)
    local = [in_zone(operated, SANTIAGO) for _, operated in pairs]
    assert all(at.minute % 5 == at.second == at.microsecond == 0 for at in local)
    assert sum(8 <= at.hour < 20 for at in local) > 0.85 * len(local)
    assert sum(at.weekday() >= 5 for at in local) < 0.12 * len(local)
    assert sum((at.hour, at.minute) == (8, 0) for at in local) > 100, "the rule of 08:00 is met"
