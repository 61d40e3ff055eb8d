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


def parse_surgery_at(sent: datetime, local: ZoneInfo, now: datetime, *, known: datetime | None = None) -> datetime:
    """What a client sent as `surgery_at`, as an instant in UTC.

    What is the `known` one to the second, as answers show it, is that one, however long ago. Raises Invalid for a time
    that does not exist, and (`implausible_time`) for one before `now` - BACK or after `now` + AHEAD.
    """
    surgery_at = parse_local(sent, local, PATH)
    if known is not None and surgery_at.replace(microsecond=0) == known.replace(microsecond=0):
        return known
    if now - BACK <= surgery_at <= now + AHEAD:
        return surgery_at
    message = f"A surgery is at most {BACK.days} days past and {AHEAD.days} days ahead."
    raise Invalid(FieldError(PATH, IMPLAUSIBLE, message), detail=message, code=IMPLAUSIBLE)
