"""A ticket's state at an instant: its one definition, in Python for one ticket and in SQL for many.

The rules are in docs/design/domain.md, "State".

A property test holds the two together (tests/core/tickets/test_state.py).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, and_, case, func, literal, null, or_, select
from sqlalchemy.sql.selectable import LateralFromClause

from core.catalogs.models import UrgencyThreshold
from core.tickets.models import Status


class State(StrEnum):
    SCHEDULED = "scheduled"
    NORMAL = "normal"
    WARNING = "warning"
    CRITICAL = "critical"
    OVERDUE = "overdue"
    DISCHARGED = "discharged"
    ANNULLED = "annulled"


WarningLevel = Literal["high", "low"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Hours left to the FPA: critical below red, warning below green, its level high below yellow."""

    red_hours: int = 2
    yellow_hours: int = 4
    green_hours: int = 8


@dataclass(frozen=True, slots=True)
class StateNow:
    state: State
    warning_level: WarningLevel | None
    seconds_left: int | None
    """To the FPA, rounded up; None unless active and not overdue."""


def state_at(
    now: datetime, *, status: str, admission_at: datetime, current_fpa: datetime, thresholds: Thresholds
) -> StateNow:
    """A ticket's state at the instant `now`. Times may be of any zone; `status` is one of Status."""
    if status == Status.ANNULLED:
        return StateNow(State.ANNULLED, None, None)
    if status == Status.DISCHARGED:
        return StateNow(State.DISCHARGED, None, None)
    # In UTC: two times of one zone would be subtracted by their wall clocks.
    left = current_fpa.astimezone(UTC) - now.astimezone(UTC)
    seconds = -(-left // timedelta(seconds=1))
    if now < admission_at:
        return StateNow(State.SCHEDULED, None, max(seconds, 0))
    if left <= timedelta(0):
        return StateNow(State.OVERDUE, None, None)
    if left < timedelta(hours=thresholds.red_hours):
        return StateNow(State.CRITICAL, None, seconds)
    if left < timedelta(hours=thresholds.green_hours):
        high = left < timedelta(hours=thresholds.yellow_hours)
        return StateNow(State.WARNING, "high" if high else "low", seconds)
    return StateNow(State.NORMAL, None, seconds)


FORGOTTEN_AFTER = timedelta(hours=72)
"""Beyond its FPA. Whoever is overdue for longer has left, and nobody wrote it down."""


def is_forgotten(now: datetime, *, admission_at: datetime, current_fpa: datetime) -> bool:
    """Whether an active ticket is overdue by more than FORGOTTEN_AFTER."""
    return admission_at <= now and current_fpa < now - FORGOTTEN_AFTER


def thresholds_for(clinic_id: Any) -> LateralFromClause:
    """The thresholds that hold in a clinic, given as an id or a column: its own row, or else the global one.

    Always one row; join it (`.join(limits, true())`). Its columns are `red_hours`, `yellow_hours`, `green_hours`.
    """
    row, own = UrgencyThreshold, UrgencyThreshold.clinic_id.is_not(None)

    def held(column: Any, default: int) -> ColumnElement[int]:
        return func.coalesce(func.max(column).filter(own), func.max(column), default).label(column.key)

    defaults = Thresholds()
    return (
        select(
            held(row.red_hours, defaults.red_hours),
            held(row.yellow_hours, defaults.yellow_hours),
            held(row.green_hours, defaults.green_hours),
        )
        .where(or_(row.clinic_id == clinic_id, row.clinic_id.is_(None)))
        .lateral("thresholds")
    )


def hours(count: Any) -> ColumnElement[timedelta]:
    """SQL interval of elapsed hours."""
    result: ColumnElement[timedelta] = func.make_interval(0, 0, 0, 0, count)
    return result


def sql_state(now: Any, ticket: Any, limits: Any) -> ColumnElement[str]:
    """`state_at(...).state` as SQL over a ticket's columns and those of `thresholds_for`."""
    left = ticket.current_fpa - now
    return case(
        (ticket.status == Status.ANNULLED, literal(State.ANNULLED.value, String)),
        (ticket.status == Status.DISCHARGED, literal(State.DISCHARGED.value, String)),
        (now < ticket.admission_at, literal(State.SCHEDULED.value, String)),
        (ticket.current_fpa <= now, literal(State.OVERDUE.value, String)),
        (left < hours(limits.red_hours), literal(State.CRITICAL.value, String)),
        (left < hours(limits.green_hours), literal(State.WARNING.value, String)),
        else_=literal(State.NORMAL.value, String),
    )


def sql_warning_level(now: Any, ticket: Any, limits: Any) -> ColumnElement[str | None]:
    """`state_at(...).warning_level` as SQL; `ticket` and `limits` as in `sql_state`."""
    left = ticket.current_fpa - now
    return case(
        (sql_state(now, ticket, limits) != State.WARNING.value, null()),
        (left < hours(limits.yellow_hours), literal("high", String)),
        else_=literal("low", String),
    )


def sql_seconds_left(now: Any, ticket: Any) -> ColumnElement[int | None]:
    """`state_at(...).seconds_left` as SQL."""
    running = and_(ticket.status == Status.ACTIVE, or_(now < ticket.admission_at, ticket.current_fpa > now))
    left = func.greatest(func.ceil(func.extract("epoch", ticket.current_fpa - now)), 0)
    return case((running, left), else_=null())
