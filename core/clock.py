"""The only caller of the machine's clocks, and clinic-local time.

`now` is the database's clock wherever an answer depends on it (see core/cache/versions/map.py); the machine's wall
clock serves logs only. Durations and leases are measured on clocks that nobody can set.

Instants are kept in UTC and local times are only shown: Python subtracts two datetimes of one zone by their wall
clocks, an hour wrong across a change of the clock.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from core.errors import FieldError, Invalid

DEFAULT_ZONE = "America/Santiago"
FIRST_YEAR, LAST_YEAR = 1980, 2199
"""Years that are taken from clients: within them every zone's offset is whole minutes and no arithmetic overflows."""
NONEXISTENT = "nonexistent_local_time"


wall_now: Callable[[], datetime] = partial(datetime.now, UTC)
"""The machine's wall clock, UTC. For log lines and file names, never for a rule or an answer."""

boottime: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
"""Seconds on CLOCK_BOOTTIME: goes on while the machine sleeps or the process is stopped, and nobody can set it. No
function of ours: a hit asks for it several times."""


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises ZoneInfoNotFoundError or ValueError for what is none."""
    return ZoneInfo(name)


def in_zone(instant: datetime, local: ZoneInfo) -> datetime:
    """The instant as the clinic's clocks show it, with its offset. For showing and for dates; not for arithmetic."""
    return instant.astimezone(local)


def shown(instant: datetime, local: ZoneInfo) -> datetime:
    """The instant as answers print it: clinic-local, to the second."""
    return instant.astimezone(local).replace(microsecond=0)


def parse_local(value: datetime, local: ZoneInfo, path: str) -> datetime:
    """What a client sent as a time, as an instant in UTC: with an offset that instant, without one clinic-local.

    A local time that comes twice is its first. Raises Invalid (`nonexistent_local_time`) for one that the clock skips,
    and Invalid for a year out of range; `path` is the refused field.
    """
    known_date(value.date(), path)
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    instant = value.replace(tzinfo=local, fold=0).astimezone(UTC)
    if instant.astimezone(local).replace(tzinfo=None) != value:
        message = f"{value:%Y-%m-%d %H:%M} does not exist in {local.key}: the clock is set forward then."
        raise Invalid(FieldError(path, NONEXISTENT, message), detail=message, code=NONEXISTENT)
    return instant


def known_date(value: date, path: str) -> date:
    """The date itself. Raises Invalid (`out_of_range`) for a year that no clinic works with."""
    if FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    raise Invalid.field(path, "out_of_range", f"The year must be between {FIRST_YEAR} and {LAST_YEAR}.")


def start_of_day(day: date, local: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC. Where the clock skips midnight, it is the change of the clock."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=local)
    before = midnight.replace(fold=1).astimezone(UTC)
    after = midnight.astimezone(UTC)
    if before >= after:
        # Midnight exists; where it comes twice, fold 0 is its first.
        return after
    # In a gap fold 1 counts by the offset after the change, which is too early, and fold 0 is at the change or later.
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if middle.astimezone(local).date() < day else (before, middle)
    return after


def start_of_hour(instant: datetime, local: ZoneInfo) -> datetime:
    """The full local hour at or before an instant, in UTC."""
    wall = instant.astimezone(local)
    return instant.astimezone(UTC) - timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def next_full_hour(instant: datetime, local: ZoneInfo) -> datetime:
    """The full local hour at or after an instant, in UTC.

    The next in time, not on the dial: from 23:30 of the day that the clock skips midnight it is 01:00, and from the
    first 23:30 of the day that has two it is the second 23:00.
    """
    found = instant.astimezone(UTC)
    while (start := start_of_hour(found, local)) != found:
        # Once around is enough but in zones that shift by half an hour.
        found = start + timedelta(hours=1)
    return found
