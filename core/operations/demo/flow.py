"""Who was ready since when, and what they waited for until they left, or still wait for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from core.audit.record import Changes
from core.clock import in_zone
from core.operations.demo.people import pick
from core.operations.demo.ward import Staff, Ward
from core.tickets.state import FORGOTTEN_AFTER

READY = 0.6
"""Of those who left, or whose FPA is near or over."""
WAITED = 0.3
"""Of those who were ready, or overdue."""
SOON, LONGEST = timedelta(hours=3), timedelta(hours=6)
NOTES = ("Se avisa a familia.", "Solicitado a las 08:00; se reitera.", "Ambulancia confirmada para la tarde.")


class DelayRow(NamedTuple):
    """By the table's columns."""

    clinic_id: int
    ticket_id: str
    reason_id: int
    reason: str
    note: str | None
    set_at: datetime
    set_by_id: int
    set_by: str
    ended_at: datetime | None
    ended_by: str | None


class DemoFlow(NamedTuple):
    ready_at: datetime | None
    ready_by: str | None
    delay: DelayRow | None
    entries: list[tuple[datetime, Staff, str, Changes]]
    """When, by whom, and what the audit says: each is a revision of the ticket."""


def flow(
    rng: Random, ward: Ward, ticket: str, somebody: Callable[[], Staff], since: datetime, fpa: datetime,
    left: datetime | None,
) -> DemoFlow:  # fmt: skip
    """Between `since`, when the stay was last changed, and its end: `left`, or now. Nobody writes anything of one who
    was forgotten."""
    end, by = left or ward.now, somebody()
    entries: list[tuple[datetime, Staff, str, Changes]] = []
    is_late = left is not None or -FORGOTTEN_AFTER < fpa - ward.now < SOON
    if not is_late or end <= since:
        return DemoFlow(None, None, None, entries)
    ready_at, ready_by = None, None
    if rng.random() < READY:
        ready_at, ready_by = end - min((end - since) / 2, LONGEST) * rng.uniform(0.05, 1), by.username
        shown = in_zone(ready_at, ward.local).isoformat(timespec="seconds")
        entries.append((ready_at, by, "ticket.ready", {"ready_at": [None, shown], "ready_by": [None, ready_by]}))
    might_leave = ready_at or max(fpa, since)
    delay = _delay(rng, ward, ticket, might_leave, end, by, somebody()) if might_leave < end else None
    if delay is not None:
        set_now = {"delay": [None, delay.reason]} | ({} if delay.note is None else {"note": [None, delay.note]})
        entries.append((delay.set_at, by, "ticket.delayed", set_now))
        if delay.ended_at is not None:
            ended_by = next(one for one in ward.staff if one.username == delay.ended_by)
            entries.append((delay.ended_at, ended_by, "ticket.delay_ended", {"delay": [delay.reason, None]}))
    return DemoFlow(ready_at, ready_by, delay, entries)


def _delay(
    rng: Random, ward: Ward, ticket: str, since: datetime, end: datetime, by: Staff, ended_by: Staff
) -> DelayRow | None:
    """What a patient waited for who might have left `since`; None: for nothing. Some end before the stay does."""
    if rng.random() >= WAITED:
        return None
    set_at = since + (end - since) * rng.uniform(0, 0.3)
    ended_at = set_at + (end - set_at) * rng.uniform(0.3, 0.9) if rng.random() < 0.4 else None
    reason_id, reason = pick(rng, ward.delay_reasons)
    note = pick(rng, NOTES) if rng.random() < 0.3 else None
    ended = (None, None) if ended_at is None else (ended_at, ended_by.username)
    return DelayRow(ward.clinic_id, ticket, reason_id, reason, note, set_at, by.id, by.username, *ended)
