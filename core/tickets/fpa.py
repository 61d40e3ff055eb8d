"""The FPA (fecha probable de alta): its calculation, and the block in which it is shown. Pure.

The rules are in docs/design/domain.md, "FPA".

Instants go in and come out; the clinic's zone says what is "08:00", "a full hour" and "a night".
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.clock import in_zone, known_date, next_full_hour, parse_local, start_of_hour

BEFORE_SURGERY = timedelta(hours=2)
EARLY_SURGERY = time(8, 0)
EARLY_ADMISSION = time(6, 30)
"""Who is operated on at exactly 08:00 comes at 06:30: the ward does not admit before."""
BLOCK_HOURS = 2
HALF_PAST = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Stay:
    """What the system calculates for a surgery. Instants in UTC."""

    admission_at: datetime
    fpa: datetime
    overnight_stays: int


@dataclass(frozen=True, slots=True)
class Block:
    """The two hours that end at the FPA, rounded to the nearest full hour. Local hours 0–23."""

    start_hour: int
    end_hour: int

    @property
    def label(self) -> str:
        return f"{self.start_hour:02d}:00 - {self.end_hour:02d}:00"


def stay(surgery_at: datetime, base_stay_hours: int, local: ZoneInfo) -> Stay:
    """Admission, FPA and nights of a surgery at `surgery_at` whose patients stay `base_stay_hours`, elapsed."""
    admission_at = admission(surgery_at, local)
    fpa = next_full_hour(admission_at + timedelta(hours=base_stay_hours), local)
    return Stay(admission_at, fpa, overnight_stays(admission_at, fpa, local))


def admission(surgery_at: datetime, local: ZoneInfo) -> datetime:
    """When the patient of a surgery at `surgery_at` is admitted, in UTC."""
    wall = in_zone(surgery_at, local)
    if wall.time() == EARLY_SURGERY:
        return parse_local(datetime.combine(wall.date(), EARLY_ADMISSION), local, "surgery_at")
    return surgery_at.astimezone(UTC) - BEFORE_SURGERY


def overnight_stays(admission_at: datetime, fpa: datetime, local: ZoneInfo) -> int:
    """Calendar nights between two instants, by the clinic's dates."""
    return max(0, (in_zone(fpa, local).date() - in_zone(admission_at, local).date()).days)


def block_ending_at(end_hour: int) -> Block:
    """The block that ends at that local hour, 0–23."""
    return Block((end_hour - BLOCK_HOURS) % 24, end_hour)


def block_of(fpa: datetime, local: ZoneInfo) -> Block:
    """The block of an FPA."""
    return block_ending_at(in_zone(block_ends(fpa, local), local).hour)


def block_ends(fpa: datetime, local: ZoneInfo) -> datetime:
    """When the block of an FPA ends, in UTC: 0–29 minutes past the hour belong to that hour, 30–59 to the next one in
    time."""
    ends = start_of_hour(fpa, local)
    return next_full_hour(fpa, local) if fpa - ends >= HALF_PAST else ends


def block_end(day: date, hour: int, local: ZoneInfo) -> datetime:
    """The instant at which the block of that local date and hour ends; hour 0 is the midnight that begins the date.

    Raises Invalid where the clock skips it; of an hour that comes twice it is the first.
    """
    known_date(day, "date")
    return parse_local(datetime.combine(day, time(hour)), local, "block_end_hour")
