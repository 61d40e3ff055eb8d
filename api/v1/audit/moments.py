"""The span of time that a search is about."""

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Query
from pydantic import TypeAdapter, ValidationError

from api.requests.fields import Date, Opaque, Time
from core.clock import known_date, parse_local, start_of_day
from core.errors import Invalid

LONGEST = 40
DAY = timedelta(days=1)

From = Annotated[
    Opaque | None,
    Query(
        alias="from",
        max_length=LONGEST,
        description="The first moment: a time, clinic-local unless it has an offset, or a date.",
        examples=["2025-01-15", "2025-01-15T08:00"],
    ),
]
To = Annotated[
    Opaque | None,
    Query(
        alias="to",
        max_length=LONGEST,
        description="Likewise, the moment before which it ends; of a date that whole day still counts.",
        examples=["2025-01-31", "2025-01-15T20:00"],
    ),
]

_time: TypeAdapter[datetime] = TypeAdapter(Time)
_date: TypeAdapter[date] = TypeAdapter(Date)


def span(since: str | None, until: str | None, local: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Both as instants, the second exclusive. Raises Invalid for what is no time, and for a span without a moment in
    it."""
    first, last = (
        _instant(text, local, name, end=end) for text, name, end in ((since, "from", False), (until, "to", True))
    )
    # A day's end is the next one's beginning: where that is `from`, not a moment is left, and two equal times are one.
    ends_with_a_day = until is not None and is_day(until)
    if first is not None and last is not None and (last < first or (last == first and ends_with_a_day)):
        raise Invalid.field("to", "before_from", "It is before `from`.")
    return first, last


def is_day(text: str) -> bool:
    """Whether it is a date, and not a time."""
    return "T" not in text.upper() and " " not in text.strip()


def _instant(text: str | None, local: ZoneInfo, path: str, *, end: bool) -> datetime | None:
    if text is None:
        return None
    try:
        if is_day(text):
            day = known_date(_date.validate_python(text), path)
            return start_of_day(day + DAY if end else day, local)
        return parse_local(_time.validate_python(text), local, path)
    except ValidationError as error:
        raise Invalid.field(path, "invalid", "A time such as 2025-01-15T08:00, or a date.") from error
