"""When a surgery is, as whoever enters a ticket says it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.clock import parse_local
from core.errors import FieldError, Invalid

PATH = "surgery_at"
IMPLAUSIBLE = "implausible_time"
BACK = timedelta(days=30)
AHEAD = timedelta(days=400)
"""Days of 24 hours: a surgery further from now than these is a mistyped month or year."""


def parse_surgery_at(sent: datetime, local: ZoneInfo, now: datetime) -> datetime:
    """What a client sent as `surgery_at`, as an instant in UTC.

    Raises Invalid for a time that does not exist, and (`implausible_time`) for one before `now` - BACK or after
    `now` + AHEAD.
    """
    surgery_at = parse_local(sent, local, PATH)
    if now - BACK <= surgery_at <= now + AHEAD:
        return surgery_at
    message = f"A surgery is at most {BACK.days} days past and {AHEAD.days} days ahead."
    raise Invalid(FieldError(PATH, IMPLAUSIBLE, message), detail=message, code=IMPLAUSIBLE)
