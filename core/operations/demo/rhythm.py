"""When things happen in a clinic: busy mornings, quiet nights, few operations at weekends."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from core.clock import in_zone, start_of_day

DAYS = 90
BY_HOUR = (1, 1, 1, 1, 1, 2, 8, 30, 40, 38, 34, 30, 24, 20, 24, 26, 24, 20, 14, 8, 4, 3, 2, 1)
"""Tickets by local hour of creation, relative."""
BY_WEEKDAY = (1.0, 1.1, 1.1, 1.05, 0.9, 0.3, 0.18)
"""From Monday."""
GROWTH = 0.5
"""How much busier the last day is than the first, as a part of it: the network's clinics take to the tickets."""

DAYTIME = range(7, 20)
EMERGENCIES = 0.06
LEAD_DAYS = (0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 7, 10)
"""Days from the ticket to the operation, each as likely."""
OPERATING_HOURS = (8, 8, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 12, 13, 14, 14, 15, 15, 16, 16, 17, 18, 19)
MINUTES = (0, 0, 0, 15, 30, 30, 45, 50)
LAST_START = 20
WEEKEND_KEPT = 0.15
"""Of planned operations that would fall on a weekend; the others wait for the next week's first days."""

HOUR = timedelta(hours=1)
FIVE_MINUTES = 300


def beginning(now: datetime, local: ZoneInfo) -> datetime:
    """The local midnight 90 days before today's."""
    return start_of_day(in_zone(now, local).date() - timedelta(days=DAYS), local)


def creations(rng: Random, wanted: int, now: datetime, local: ZoneInfo) -> Iterator[datetime]:
    """`wanted` instants from the beginning to `now`, ascending, as the rhythm has them.

    One is drawn from each of as many equal parts of the work: in order without sorting, however many they are.
    """
    start = beginning(now, local)
    hours: list[tuple[datetime, timedelta, float]] = []
    mood, today = 1.0, None
    at = start
    while at < now:
        wall = in_zone(at, local)
        if wall.date() != today:
            mood, today = rng.uniform(0.8, 1.2), wall.date()
        length = min(HOUR, now - at)
        grown = 1 + GROWTH * ((at - start) / (now - start))
        weight = BY_HOUR[wall.hour] * BY_WEEKDAY[wall.weekday()] * mood * grown * (length / HOUR)
        hours.append((at, length, weight))
        at += HOUR
    part = sum(weight for _, _, weight in hours) / max(1, wanted)
    index, before = 0, 0.0
    for number in range(wanted):
        mark = (number + rng.random()) * part
        while index < len(hours) - 1 and before + hours[index][2] <= mark:
            before += hours[index][2]
            index += 1
        at, length, weight = hours[index]
        yield at + length * min(1.0, (mark - before) / weight)


def surgery_time(rng: Random, created_at: datetime, local: ZoneInfo) -> datetime:
    """When the operation of a ticket made at `created_at` is, in UTC, to five minutes."""
    wall = in_zone(created_at, local)
    if wall.hour not in DAYTIME or rng.random() < EMERGENCIES:
        return _to_five_minutes(created_at + timedelta(minutes=20 + 130 * rng.random()))
    lead = LEAD_DAYS[int(rng.random() * len(LEAD_DAYS))]
    if not lead:
        at = _to_five_minutes(created_at + timedelta(minutes=60 + 300 * rng.random()))
        then = in_zone(at, local)
        if then.hour < LAST_START and then.date() == wall.date():
            return at
        lead = 1
    day = wall.date() + timedelta(days=lead)
    if day.weekday() >= 5 and rng.random() > WEEKEND_KEPT:
        day += timedelta(days=7 - day.weekday() + int(rng.random() * 3))
    hour = OPERATING_HOURS[int(rng.random() * len(OPERATING_HOURS))]
    minute = MINUTES[int(rng.random() * len(MINUTES))]
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=local).astimezone(UTC)


def _to_five_minutes(at: datetime) -> datetime:
    return datetime.fromtimestamp(-(-at.timestamp() // FIVE_MINUTES) * FIVE_MINUTES, UTC)
