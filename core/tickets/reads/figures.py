"""The dashboard's figures as conditions of SQL over tickets: by the same ones the dashboard counts and a list selects.

A condition reads a row `ticket` and a row `c`, its clinic at a moment: `id`, `timezone` and what `MOMENTS` has. Where
the dashboard reads a figure from rollups instead, triggers have counted by the same words (docs/design/rollups.md).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Integer, Select, Subquery, literal, literal_column, select, text, true

from core.access import ClinicScope
from core.clinics.models import Clinic
from core.clock import DEFAULT_ZONE
from core.tickets.models import Ticket


class Figure(StrEnum):
    """By the names that the dashboard gives them. A rate or a mean has the tickets that it is of, its denominator;
    those of them that a rate counts have a name of their own."""

    TOTAL = "total"
    ACTIVE = "active"
    OVERDUE = "overdue"
    DISCHARGED = "discharged"
    ANNULLED = "annulled"
    CREATED_TODAY = "created_today"
    CREATED_THIS_WEEK = "created_this_week"
    CREATED_THIS_MONTH = "created_this_month"
    NEAR_DEADLINE = "near_deadline"
    DISCHARGED_TODAY = "discharged_today"
    ON_TIME_RATE = "on_time_rate"
    ON_TIME = "on_time"
    MEAN_DELAY_MINUTES = "mean_delay_minutes"
    EARLY_DISCHARGE_RATE = "early_discharge_rate"
    EARLY_DISCHARGES = "early_discharges"
    READY_WAITING = "ready_waiting"
    MEAN_READY_WAIT_MINUTES = "mean_ready_wait_minutes"
    LONG_STAY = "long_stay"
    DELAYS = "delays"
    HOURS_LOST = "hours_lost"
    STAY_RATIO = "stay_ratio"
    MODIFIED = "modified"
    HOUR = "hour"


def midnight(local: str) -> str:
    """SQL: the first instant of the local day that `local` (a timestamp at midnight) begins, in `clinic`'s zone.

    Where the clock skips midnight PostgreSQL gives the change itself, as it should; where midnight comes twice, the
    later one.
    """
    at = f"(({local}) AT TIME ZONE clinic.timezone)"
    earlier = f"({at} - interval '1 hour')"
    return f"CASE WHEN {earlier} AT TIME ZONE clinic.timezone = ({local}) THEN {earlier} ELSE {at} END"


LOCAL_NOW = "moment.now AT TIME ZONE clinic.timezone"
MOMENTS = {
    "now": "moment.now",
    "hour": "date_trunc('hour', moment.now, clinic.timezone)",
    "today": midnight(f"date_trunc('day', {LOCAL_NOW})"),
    "tomorrow": midnight(f"date_trunc('day', {LOCAL_NOW}) + interval '1 day'"),
    "lately": midnight(f"date_trunc('day', {LOCAL_NOW}) - interval '29 days'"),
    "week": midnight(f"date_trunc('week', {LOCAL_NOW})"),
    "month": midnight(f"date_trunc('month', {LOCAL_NOW})"),
}
"""Instants between which figures count: SQL over a row `clinic` and a row `moment`, which has `now`."""

ACTIVE = "ticket.status = 'active'"
AHEAD = f"{ACTIVE} AND ticket.current_fpa > c.now"
RECORDED = "ticket.status = 'discharged' AND NOT ticket.discharge_assumed"
LATELY = "NOT ticket.discharge_assumed AND ticket.discharged_at >= c.lately AND ticket.discharged_at < c.tomorrow"
# Of each, or of the one that is asked for.
DELAY = """SELECT FROM delay d WHERE d.clinic_id = ticket.clinic_id AND d.ticket_id = ticket.id
    AND (c.reason_id IS NULL OR d.reason_id = c.reason_id)"""
BEFORE_NOON = "CAST(ticket.discharged_at AT TIME ZONE c.timezone AS time) < '12:00'"
CONDITIONS: dict[Figure, str] = {
    Figure.TOTAL: "true",
    Figure.ACTIVE: AHEAD,
    Figure.OVERDUE: f"{ACTIVE} AND ticket.current_fpa <= c.now",
    Figure.DISCHARGED: "ticket.status = 'discharged'",
    Figure.ANNULLED: "ticket.status = 'annulled'",
    Figure.CREATED_TODAY: "ticket.created_at >= c.today AND ticket.created_at < c.tomorrow",
    Figure.CREATED_THIS_WEEK: "ticket.created_at >= c.week AND ticket.created_at < c.tomorrow",
    Figure.CREATED_THIS_MONTH: "ticket.created_at >= c.month AND ticket.created_at < c.tomorrow",
    Figure.NEAR_DEADLINE: f"{AHEAD} AND ticket.current_fpa <= c.now + interval '24 hours'",
    Figure.DISCHARGED_TODAY: "ticket.discharged_at >= c.today AND ticket.discharged_at < c.tomorrow",
    Figure.ON_TIME_RATE: RECORDED,
    # The FPA rounded to the nearest full local hour is at most half an hour away. Most discharges are further off, and
    # need no look at the zone: that would be a third of the dashboard's time where it counts tickets. A difference is
    # what an index may know (ix_ticket_about_on_time).
    Figure.ON_TIME: f"""{RECORDED}
        AND ticket.discharged_at - ticket.current_fpa <= interval '30 minutes' AND (
            ticket.discharged_at <= ticket.current_fpa - interval '30 minutes'
            OR ticket.discharged_at <= date_trunc('hour', ticket.current_fpa + interval '30 minutes', c.timezone)
        )""",
    Figure.MEAN_DELAY_MINUTES: RECORDED,
    Figure.EARLY_DISCHARGE_RATE: LATELY,
    Figure.EARLY_DISCHARGES: f"{LATELY} AND {BEFORE_NOON}",
    Figure.READY_WAITING: f"{ACTIVE} AND ticket.ready_at IS NOT NULL",
    Figure.MEAN_READY_WAIT_MINUTES: f"{LATELY} AND ticket.ready_at IS NOT NULL",
    Figure.LONG_STAY: f"{ACTIVE} AND ticket.long_stay_at <= c.now",
    Figure.STAY_RATIO: LATELY,
    Figure.DELAYS: f"{ACTIVE} AND EXISTS ({DELAY} AND d.ended_at IS NULL)",
    Figure.HOURS_LOST: f"""{LATELY}
        AND EXISTS (
            {DELAY} AND delay_minutes(d.set_at, d.ended_at, ticket.admission_at, ticket.discharged_at) > 0
        )""",
    Figure.MODIFIED: """EXISTS (
        SELECT FROM fpa_modification m WHERE m.clinic_id = ticket.clinic_id AND m.ticket_id = ticket.id
    )""",
    Figure.HOUR: f"{AHEAD} AND ticket.current_fpa >= c.hour_from AND ticket.current_fpa < c.hour_past",
}

OF_REASONS = frozenset({Figure.DELAYS, Figure.HOURS_LOST})
"""Those that the dashboard counts by reason."""
OF_ACTIVE = frozenset(figure for figure, condition in CONDITIONS.items() if condition.startswith(ACTIVE))
"""Those that count active tickets alone."""
DAY = timedelta(days=1)
# Whatever the clinic's zone, and by the moment itself: what an index answers, and what the planner knows to be few.
WITHIN: dict[Figure, tuple[Any, timedelta]] = {
    Figure.CREATED_TODAY: (Ticket.created_at, 2 * DAY),
    Figure.CREATED_THIS_WEEK: (Ticket.created_at, 8 * DAY),
    Figure.CREATED_THIS_MONTH: (Ticket.created_at, 32 * DAY),
    Figure.DISCHARGED_TODAY: (Ticket.discharged_at, 2 * DAY),
    Figure.EARLY_DISCHARGE_RATE: (Ticket.discharged_at, 31 * DAY),
    Figure.EARLY_DISCHARGES: (Ticket.discharged_at, 31 * DAY),
    Figure.MEAN_READY_WAIT_MINUTES: (Ticket.discharged_at, 31 * DAY),
    Figure.STAY_RATIO: (Ticket.discharged_at, 31 * DAY),
    Figure.HOURS_LOST: (Ticket.discharged_at, 31 * DAY),
}

# The hours of `by_hour` follow each other from the one that the scope's clock is in. In a zone half an hour off the
# network counts an hour where it begins, and the one that has begun with its current one.
ASKED = "date_bin('1 hour', moment.at, {hour})"
BEGINS = f"date_bin('1 hour', {ASKED} + interval '1 hour' - interval '1 microsecond', {MOMENTS['hour']})"
HOUR = {
    "hour_from": f"""CASE
        WHEN {ASKED} > {{hour}} THEN {BEGINS} WHEN {ASKED} = {{hour}} THEN '-infinity' ELSE 'infinity'
    END""",
    "hour_past": f"{BEGINS} + interval '1 hour'",
}
"""Between which FPAs a clinic's tickets are of the hour that `moment.at` is in; `hour` is the scope's current one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure, with what it is of."""

    figure: Figure
    at: datetime | None = None
    """Of Figure.HOUR: an instant of that hour."""
    reason_id: int | None = None
    """Of OF_REASONS: of that reason alone."""


def counted_in(tickets: Select[Any], scope: ClinicScope, asked: Asked, now: ColumnElement[datetime]) -> Select[Any]:
    """Of `tickets`, a query of the scope's tickets, those that the dashboard counts in a figure at `now`."""
    c = _clinics(scope, asked, now)
    counted = tickets.join(c, c.c.id == Ticket.clinic_id).where(text(CONDITIONS[asked.figure]))
    if asked.figure in WITHIN:
        column, length = WITHIN[asked.figure]
        counted = counted.where(column >= now - length)
    return counted


def _clinics(scope: ClinicScope, asked: Asked, now: ColumnElement[datetime]) -> Subquery:
    """The scope's `c`: made once for each clinic and not for each ticket, which OFFSET sees to."""
    at = literal(asked.at, DateTime(timezone=True))
    moment = select(now.label("now"), at.label("at")).subquery("moment")
    columns = dict(MOMENTS)
    if asked.figure is Figure.HOUR:
        hour = f"date_trunc('hour', moment.now, '{DEFAULT_ZONE}')" if scope.clinic_id is None else MOMENTS["hour"]
        columns |= {name: sql.format(hour=hour) for name, sql in HOUR.items()}
    made: list[Any] = [literal_column(sql).label(name) for name, sql in columns.items()]
    reason = literal(asked.reason_id, Integer).label("reason_id")
    rows = select(Clinic.id, Clinic.timezone, reason, *made).join(moment, true()).where(scope.rows(Clinic.id))
    return rows.offset(0).subquery("c")
