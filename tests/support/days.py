"""Local days near now, of which a surgery may be: one of another year is `implausible_time`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SANTIAGO = ZoneInfo("America/Santiago")


@dataclass(frozen=True)
class Day:
    first: date
    zone: ZoneInfo = SANTIAGO

    def at(self, clock: str, *, days: int = 0) -> str:
        """`14:30` on it, or `days` after it, as a client sends the clinic's local time."""
        return f"{self.after(days)}T{clock}"

    def shown(self, clock: str, *, days: int = 0) -> str:
        """Likewise, as answers print it."""
        return datetime.combine(self.after(days), time.fromisoformat(clock), self.zone).isoformat()

    def after(self, days: int) -> date:
        return self.first + timedelta(days=days)


def calm_day(away: int) -> Day:
    """The first day from `away` days from now on after which Santiago's clocks are not changed for four days."""
    day = datetime.now(SANTIAGO).date() + timedelta(days=away)
    while len({datetime.combine(day + timedelta(days=n), time(), SANTIAGO).utcoffset() for n in range(-1, 5)}) > 1:
        day += timedelta(days=1)
    return Day(day)


def lately() -> str:
    """Three days ago at half past two in the afternoon, local: who stays a day is overdue."""
    return Day(datetime.now(SANTIAGO).date()).at("14:30", days=-3)


def winters_day() -> date:
    """The next 15 July, when Santiago and Punta Arenas are an hour apart."""
    today = datetime.now(SANTIAGO).date()
    this_years = date(today.year, 7, 15)
    return this_years if this_years > today else date(today.year + 1, 7, 15)


def day_without_midnight() -> date:
    """The next day that begins at one o'clock in Santiago."""
    day = datetime.now(SANTIAGO).date() + timedelta(days=1)
    while datetime.combine(day, time(), SANTIAGO).astimezone(UTC).astimezone(SANTIAGO).hour == 0:
        day += timedelta(days=1)
    return day
