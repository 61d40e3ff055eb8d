"""Clinic-local time on ordinary days and on those that the clock changes."""

# ruff: noqa: DTZ001, DTZ901  the times without a zone that clients send are the subject

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.errors import Invalid

SANTIAGO = clock.zone("America/Santiago")
PUNTA_ARENAS = clock.zone("America/Punta_Arenas")
ZONES = st.sampled_from([SANTIAGO, PUNTA_ARENAS, clock.zone("America/Havana"), clock.zone("Asia/Kolkata")])
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


def test_a_naive_time_is_the_clinics() -> None:
    assert clock.parse_local(datetime(2025, 1, 15, 14, 30), SANTIAGO, "at") == utc(2025, 1, 15, 17, 30)
    assert clock.parse_local(datetime(2025, 7, 15, 14, 30), SANTIAGO, "at") == utc(2025, 7, 15, 18, 30)
    assert clock.parse_local(datetime(2025, 7, 15, 14, 30), PUNTA_ARENAS, "at") == utc(2025, 7, 15, 17, 30)


def test_a_time_with_an_offset_is_that_instant_in_any_zone() -> None:
    sent = datetime(2026, 9, 6, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    assert clock.parse_local(sent, SANTIAGO, "at") == utc(2026, 9, 5, 22, 30)


@pytest.mark.parametrize("minute", [0, 30, 59])
def test_a_time_that_the_clock_skips_is_refused(minute: int) -> None:
    with pytest.raises(Invalid) as refused:
        clock.parse_local(datetime(2026, 9, 6, 0, minute), SANTIAGO, "surgery_at")
    assert refused.value.code == "nonexistent_local_time"
    assert [(error.path, error.code) for error in refused.value.errors] == [("surgery_at", "nonexistent_local_time")]


def test_the_times_around_the_skipped_hour_exist() -> None:
    assert clock.parse_local(datetime(2026, 9, 5, 23, 59, 59), SANTIAGO, "at") == utc(2026, 9, 6, 3, 59, 59)
    assert clock.parse_local(datetime(2026, 9, 6, 1, 0), SANTIAGO, "at") == utc(2026, 9, 6, 4, 0)


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    assert clock.parse_local(datetime(2026, 4, 4, 23, 30), SANTIAGO, "at") == utc(2026, 4, 5, 2, 30)
    assert clock.parse_local(datetime(2026, 4, 4, 23, 30, fold=1), SANTIAGO, "at") == utc(2026, 4, 5, 2, 30)


@pytest.mark.parametrize(
    "sent",
    [
        datetime.min,
        datetime.max,
        datetime.min.replace(tzinfo=timezone(timedelta(hours=23, minutes=59))),
        datetime.max.replace(tzinfo=timezone(-timedelta(hours=23, minutes=59))),
        datetime(1979, 12, 31, 23, 59),
        datetime(2200, 1, 1),
    ],
)
def test_years_out_of_range_are_refused_and_overflow_nothing(sent: datetime) -> None:
    with pytest.raises(Invalid) as refused:
        clock.parse_local(sent, SANTIAGO, "at")
    assert [error.code for error in refused.value.errors] == ["out_of_range"]


def test_a_day_starts_at_its_first_existing_instant() -> None:
    assert clock.start_of_day(date(2026, 9, 5), SANTIAGO) == utc(2026, 9, 5, 4)
    assert clock.start_of_day(date(2026, 9, 6), SANTIAGO) == utc(2026, 9, 6, 4)  # 01:00: midnight does not exist
    assert clock.start_of_day(date(2026, 9, 7), SANTIAGO) == utc(2026, 9, 7, 3)
    assert clock.start_of_day(date(2026, 4, 4), SANTIAGO) == utc(2026, 4, 4, 3)
    assert clock.start_of_day(date(2026, 4, 5), SANTIAGO) == utc(2026, 4, 5, 4)  # a day of 25 hours before it
    assert clock.start_of_day(date(2025, 11, 2), clock.zone("America/Havana")) == utc(2025, 11, 2, 4)  # the first 00:00
    # A gap that begins before midnight: 23:30 was followed by 00:30.
    assert clock.start_of_day(date(1919, 3, 31), clock.zone("America/Toronto")) == utc(1919, 3, 31, 4, 30)


@given(day=st.dates(date(1990, 1, 1), date(2100, 1, 1)), local=ZONES)
def test_a_days_first_instant_is_of_that_day_and_the_one_before_is_not(day: date, local: ZoneInfo) -> None:
    start = clock.start_of_day(day, local)
    assert clock.in_zone(start, local).date() == day
    assert clock.in_zone(start - timedelta(microseconds=1), local).date() < day


def test_the_next_full_hour_is_the_next_in_time() -> None:
    # 23:30, and midnight is skipped: 01:00.
    assert clock.next_full_hour(utc(2026, 9, 6, 3, 30), SANTIAGO) == utc(2026, 9, 6, 4)
    # The first 23:30 of two: the second 23:00.
    reached = clock.next_full_hour(utc(2026, 4, 5, 2, 30), SANTIAGO)
    assert reached == utc(2026, 4, 5, 3)
    assert clock.in_zone(reached, SANTIAGO).isoformat() == "2026-04-04T23:00:00-04:00"
    # A shift by half an hour: 01:45 is followed, at 02:00, by 01:30.
    lord_howe = clock.zone("Australia/Lord_Howe")
    reached = clock.next_full_hour(clock.parse_local(datetime(2025, 4, 6, 1, 15), lord_howe, "at"), lord_howe)
    assert clock.in_zone(reached, lord_howe).isoformat() == "2025-04-06T02:00:00+10:30"


@given(instant=INSTANTS, local=ZONES)
def test_full_hours_enclose_every_instant(instant: datetime, local: ZoneInfo) -> None:
    before, after = clock.start_of_hour(instant, local), clock.next_full_hour(instant, local)
    for hour in (before, after):
        wall = clock.in_zone(hour, local)
        assert (wall.minute, wall.second, wall.microsecond) == (0, 0, 0)
    assert before <= instant <= after
    assert after - before == (timedelta(0) if before == instant else timedelta(hours=1))
    assert clock.next_full_hour(after, local) == after
