"""The FPA's calculation: the table of docs/design/domain.md, the blocks, and what holds for every surgery and hour."""

# ruff: noqa: DTZ001  the times without a zone that clients send are the subject

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.clock import in_zone, parse_local, start_of_day, zone
from core.errors import Invalid
from core.tickets import fpa

SANTIAGO = zone("America/Santiago")
PUNTA_ARENAS = zone("America/Punta_Arenas")
HOUR = timedelta(hours=1)

ZONES = st.sampled_from([SANTIAGO, PUNTA_ARENAS])
INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
STAYS = st.integers(1, 2160)
SPRING = datetime(2026, 9, 6, 4, tzinfo=UTC)
"""Santiago: 23:59:59 is followed by 01:00:00."""
AUTUMN = datetime(2026, 4, 5, 3, tzinfo=UTC)
"""Santiago: 23:59:59 is followed by 23:00:00."""
# Punta Arenas stays at -03 since December 2016, when it left the rest of Chile's clock.
CHANGES = st.sampled_from(
    [
        SPRING,
        AUTUMN,
        datetime(2016, 5, 15, 3, tzinfo=UTC),
        datetime(2016, 8, 14, 4, tzinfo=UTC),
        datetime(2016, 12, 4, 3, tzinfo=UTC),
        datetime(2019, 4, 7, 3, tzinfo=UTC),
    ]
)
NEAR_CHANGES = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds), CHANGES, st.integers(-3 * 86_400, 3 * 86_400)
)


def at(text: str, local: ZoneInfo = SANTIAGO) -> datetime:
    return parse_local(datetime.fromisoformat(text), local, "at")


def wall(instant: datetime, local: ZoneInfo = SANTIAGO) -> str:
    return in_zone(instant, local).isoformat()


@pytest.mark.parametrize("local", [SANTIAGO, PUNTA_ARENAS], ids=str)
@pytest.mark.parametrize(
    ("surgery", "hours", "admission", "expected", "nights"),
    [
        ("2025-01-15T14:30", 24, "2025-01-15T12:30", "2025-01-16T13:00", 1),
        ("2025-01-15T10:00", 48, "2025-01-15T08:00", "2025-01-17T08:00", 2),
        ("2025-01-15T08:00", 12, "2025-01-15T06:30", "2025-01-15T19:00", 0),
        ("2025-01-15T08:01", 12, "2025-01-15T06:01", "2025-01-15T19:00", 0),
        ("2025-01-15T00:00", 12, "2025-01-14T22:00", "2025-01-15T10:00", 1),
    ],
)
def test_the_table_of_the_domain(
    local: ZoneInfo, surgery: str, hours: int, admission: str, expected: str, nights: int
) -> None:
    stay = fpa.stay(at(surgery, local), hours, local)
    assert stay == fpa.Stay(at(admission, local), at(expected, local), nights)


@pytest.mark.parametrize(
    ("surgery", "expected"),
    [
        ("2025-01-15T10:00", "2025-01-15T10:00"),
        ("2025-01-15T10:00:01", "2025-01-15T11:00"),
        ("2025-01-15T10:00:00.000001", "2025-01-15T11:00"),
        ("2025-01-15T10:59:59.999999", "2025-01-15T11:00"),
        ("2025-01-15T23:01", "2025-01-16T00:00"),
    ],
)
def test_any_minutes_or_seconds_round_up_to_the_next_full_hour(surgery: str, expected: str) -> None:
    assert fpa.stay(at(surgery), 2, SANTIAGO).fpa == at(expected)


@pytest.mark.parametrize("surgery", ["2025-01-15T08:00:01", "2025-01-15T07:59:59", "2025-01-15T20:00"])
def test_only_exactly_eight_in_the_morning_is_admitted_at_half_past_six(surgery: str) -> None:
    assert fpa.admission(at(surgery), SANTIAGO) == at(surgery) - 2 * HOUR


def test_eight_in_the_morning_is_the_clinics_whatever_offset_was_sent() -> None:
    assert fpa.admission(datetime(2025, 1, 15, 11, tzinfo=UTC), SANTIAGO) == at("2025-01-15T06:30")
    assert fpa.admission(datetime(2025, 7, 15, 11, tzinfo=UTC), SANTIAGO) == at("2025-07-15T05:00")


def test_when_the_clock_skips_midnight_the_stay_is_elapsed_hours() -> None:
    stay = fpa.stay(at("2026-09-05T14:00"), 24, SANTIAGO)
    assert (wall(stay.admission_at), wall(stay.fpa)) == ("2026-09-05T12:00:00-04:00", "2026-09-06T13:00:00-03:00")
    # From 23:30 the next full hour is 01:00, half an hour later: midnight does not exist.
    stay = fpa.stay(at("2026-09-05T13:30"), 12, SANTIAGO)
    assert (wall(stay.fpa), stay.overnight_stays) == ("2026-09-06T01:00:00-03:00", 1)
    # And admission two hours before 01:30 is 22:30, not the 23:30 that the dial suggests.
    assert wall(fpa.admission(at("2026-09-06T01:30"), SANTIAGO)) == "2026-09-05T22:30:00-04:00"


def test_when_an_hour_comes_twice_the_stay_is_elapsed_hours() -> None:
    stay = fpa.stay(at("2026-04-04T14:00"), 24, SANTIAGO)
    assert (wall(stay.admission_at), wall(stay.fpa)) == ("2026-04-04T12:00:00-03:00", "2026-04-05T11:00:00-04:00")
    # From the first 23:30 the next full hour is the second 23:00, of the same day.
    stay = fpa.stay(at("2026-04-04T13:30"), 12, SANTIAGO)
    assert (wall(stay.fpa), stay.overnight_stays) == ("2026-04-04T23:00:00-04:00", 0)
    stay = fpa.stay(at("2026-04-04T13:30"), 13, SANTIAGO)
    assert (wall(stay.fpa), stay.overnight_stays) == ("2026-04-05T00:00:00-04:00", 1)


@given(surgery=INSTANTS | NEAR_CHANGES, hours=STAYS, local=ZONES)
@example(surgery=SPRING - 12 * HOUR, hours=12, local=SANTIAGO)
@example(surgery=AUTUMN - 12 * HOUR, hours=12, local=SANTIAGO)
def test_every_stay(surgery: datetime, hours: int, local: ZoneInfo) -> None:
    stay = fpa.stay(surgery, hours, local)
    shown = in_zone(stay.fpa, local)
    # A full local hour, less than an hour after the hours of stay have elapsed.
    assert (shown.minute, shown.second, shown.microsecond) == (0, 0, 0)
    assert timedelta(0) <= stay.fpa - stay.admission_at - hours * HOUR < HOUR
    # Admission two hours before, but at exactly eight.
    before = surgery - stay.admission_at
    early = in_zone(surgery, local).timetz().replace(tzinfo=None).isoformat() == "08:00:00"
    assert before == (HOUR * 1.5 if early else HOUR * 2)
    # Nights: as many local midnights as lie between, counted one by one.
    days = (in_zone(stay.admission_at, local).date() + timedelta(days=n) for n in range(1, 93))
    assert stay.overnight_stays == sum(stay.admission_at < start_of_day(day, local) <= stay.fpa for day in days)
    # Calculated from the same moment in another notation it is the same.
    assert fpa.stay(in_zone(surgery, local), hours, local) == stay


@given(surgery=INSTANTS | NEAR_CHANGES, hours=st.integers(1, 2159), local=ZONES)
def test_a_longer_stay_ends_later_by_as_much(surgery: datetime, hours: int, local: ZoneInfo) -> None:
    shorter, longer = fpa.stay(surgery, hours, local), fpa.stay(surgery, hours + 1, local)
    assert longer.fpa - shorter.fpa == HOUR
    assert longer.overnight_stays - shorter.overnight_stays in (0, 1)


@given(surgery=INSTANTS | NEAR_CHANGES, later=st.integers(1, 7200), hours=STAYS, local=ZONES)
def test_a_later_surgery_never_ends_earlier(surgery: datetime, later: int, hours: int, local: ZoneInfo) -> None:
    first, second = (fpa.stay(surgery + timedelta(seconds=s), hours, local) for s in (0, later))
    eight = [in_zone(surgery + timedelta(seconds=s), local).time() == fpa.EARLY_SURGERY for s in (0, later)]
    # The one exception is meant: who is operated on at 08:00 comes half an hour later than who is at 07:59 or 08:01.
    assert first.fpa <= second.fpa or eight == [True, False]


@given(instant=INSTANTS | NEAR_CHANGES, local=ZONES)
def test_nights_are_never_negative(instant: datetime, local: ZoneInfo) -> None:
    assert fpa.overnight_stays(instant, instant - timedelta(days=3), local) == 0
    assert fpa.overnight_stays(instant, instant, local) == 0


@pytest.mark.parametrize(
    ("end", "label"),
    [
        ("2025-01-16T14:00", "12:00 - 14:00"),
        ("2025-01-16T14:29:59", "12:00 - 14:00"),
        ("2025-01-16T14:30", "13:00 - 15:00"),
        ("2025-01-16T23:40", "22:00 - 00:00"),
        ("2025-01-16T00:00", "22:00 - 00:00"),
        ("2025-01-16T01:00", "23:00 - 01:00"),
        ("2026-09-05T23:40", "23:00 - 01:00"),  # midnight does not exist
    ],
)
def test_the_block_ends_at_the_nearest_full_hour(end: str, label: str) -> None:
    assert fpa.block_of(at(end), SANTIAGO).label == label


def test_there_are_24_blocks_of_two_hours() -> None:
    blocks = [fpa.block_ending_at(hour) for hour in range(24)]
    assert len({block.label for block in blocks}) == 24
    assert all((block.end_hour - block.start_hour) % 24 == 2 for block in blocks)


@given(day=st.dates(date(2000, 1, 1), date(2100, 1, 1)), hour=st.integers(0, 23), local=ZONES)
@example(day=date(2026, 9, 6), hour=0, local=SANTIAGO)
@example(day=date(2026, 4, 4), hour=23, local=SANTIAGO)
def test_a_blocks_end_is_shown_as_that_block(day: date, hour: int, local: ZoneInfo) -> None:
    if in_zone(start_of_day(day, local), local).hour > hour:
        # In these zones the clock skips midnight or nothing.
        with pytest.raises(Invalid):
            fpa.block_end(day, hour, local)
        return
    ends = fpa.block_end(day, hour, local)
    assert in_zone(ends, local).replace(tzinfo=None, fold=0) == datetime(day.year, day.month, day.day, hour)
    assert fpa.block_of(ends, local) == fpa.block_ending_at(hour)


def test_hour_0_is_the_midnight_that_begins_the_date() -> None:
    assert wall(fpa.block_end(date(2025, 1, 17), 0, SANTIAGO)) == "2025-01-17T00:00:00-03:00"
    assert wall(fpa.block_end(date(2025, 1, 17), 14, SANTIAGO)) == "2025-01-17T14:00:00-03:00"
    assert wall(fpa.block_end(date(2026, 4, 4), 23, SANTIAGO)) == "2026-04-04T23:00:00-03:00"  # the first of two
    with pytest.raises(Invalid):
        fpa.block_end(date(2026, 9, 6), 0, SANTIAGO)
