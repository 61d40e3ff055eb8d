"""A ticket of the old application as one of the new: its rules where they can be applied, its record elsewhere. Pure.

An FPA there was typed or computed as the clinic's wall clock and compared with UTC, and nights were counted by two
formulas: here FPAs are instants, and nights are counted by the calendar.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from core.operations.imports.legacy.context import ClinicHere, SurgeryHere
from core.operations.imports.legacy.values import (
    STATUSES,
    UNKNOWN,
    Note,
    fitting,
    instant_local,
    instant_utc,
    text,
    within,
    word,
)
from core.tickets.fpa import BEFORE_SURGERY, admission, overnight_stays, stay

ID = re.compile(r"TH-([A-Z0-9]{1,8})-([0-9]{4})-([0-9]{3,9})")
HOURS = (1, 2160)
NO_TIME = "neither a surgery's time nor an FPA"
HOUR = timedelta(hours=1)
ASIDE = ("initial_reason", "initial_justification")
"""Texts that no column holds here: the ticket's history does."""
DATES = ("medical_discharge_date", "original_fpa_date")


class RefusedTicket(Exception):
    """A row of the source cannot be a ticket here. The message says why, for people."""


@dataclass(slots=True)
class MadeTicket:
    """A row of `ticket`, by column, and what its history says beside it."""

    columns: dict[str, Any]
    fingerprint: UUID
    """Of what the source says of it, its last modification included."""
    annulled_by_id: int | None = None
    remarks: dict[str, list[Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TicketTimes:
    """A ticket's times, as instants; `hours` is its stay."""

    surgery_at: datetime
    admission_at: datetime
    hours: int
    system_fpa: datetime
    initial_fpa: datetime
    current_fpa: datetime


def ticket_row(
    row: asyncpg.Record, clinic: ClinicHere, surgery: SurgeryHere | None, overdue_before: datetime | None
) -> MadeTicket:
    """The new application's ticket, without ids of other rows and without year and number.

    Raises Refused for a row that cannot be a ticket here.
    """
    made = MadeTicket({}, row["fingerprint"])
    times = times_of(row, clinic.local, surgery, made.notes.append)
    if min(times.current_fpa, times.initial_fpa) < times.admission_at:
        made.kept.append("an FPA before the admission")
    created_at = instant_utc(row["created_at"])
    if created_at is None:
        made.notes.append("without a time of creation: that of the admission")
        created_at = times.admission_at
    made.columns |= {
        "clinic_id": clinic.id,
        "surgery_base_hours": times.hours,
        "surgery_at": times.surgery_at,
        "admission_at": times.admission_at,
        "system_fpa": times.system_fpa,
        "initial_fpa": times.initial_fpa,
        "current_fpa": times.current_fpa,
        "created_at": created_at,
        "imported": True,
    }
    _nights(row, made, times, clinic.local)
    _fit(made, "surgery_name", row["surgery_name_snapshot"], 200)
    made.columns["surgery_name"] = made.columns["surgery_name"] or (surgery.name if surgery else UNKNOWN)
    for column, most in (("bed_number", 10), ("location", 50), ("episode_id", 50)):
        _fit(made, column, row[column], most)
    _status(row, made, overdue_before)
    _history(row, made)
    return made


def times_of(row: asyncpg.Record, local: ZoneInfo, surgery: SurgeryHere | None, note: Note) -> TicketTimes:
    """What is missing follows from what is there. Raises Refused where neither does."""
    surgery_at = instant_local(row["pavilion_end_time"], local, note)
    system, initial, current = (
        instant_local(row[name], local, note) for name in ("system_calculated_fpa", "initial_fpa", "current_fpa")
    )
    last = instant_local(row["last_fpa"], local, note) if current is None else None
    known = system or initial or current or last
    hours = _hours(row, surgery, surgery_at, known, local, note)
    if surgery_at is None:
        if known is None:
            raise RefusedTicket(NO_TIME)
        note("without a surgery's time: calculated back from the FPA")
        surgery_at = known - timedelta(hours=hours) + BEFORE_SURGERY
    if system is None:
        system = stay(surgery_at, hours, local).fpa
        note("without the system's FPA: calculated")
    if initial is None:
        note("without an initial FPA: the system's")
        initial = system
    if current is None:
        note("without a current FPA: the last modification's, or the initial one")
        current = last or initial
    return TicketTimes(surgery_at, admission(surgery_at, local), hours, system, initial, current)


def _hours(
    row: asyncpg.Record,
    surgery: SurgeryHere | None,
    surgery_at: datetime | None,
    fpa: datetime | None,
    local: ZoneInfo,
    note: Note,
) -> int:
    snapshot = within(row["surgery_base_hours_snapshot"], *HOURS)
    if snapshot is not None:
        return snapshot
    if surgery is not None:
        note("without usable base hours: the surgery's")
        return surgery.hours
    if surgery_at is None or fpa is None:
        raise RefusedTicket("neither base hours nor what they follow from")
    note("without usable base hours: those from the admission to the FPA")
    elapsed = int((fpa - admission(surgery_at, local)) / HOUR)
    return min(max(elapsed, HOURS[0]), HOURS[1])


def _nights(row: asyncpg.Record, made: MadeTicket, times: TicketTimes, local: ZoneInfo) -> None:
    current = overnight_stays(times.admission_at, times.current_fpa, local)
    initial = overnight_stays(times.admission_at, times.initial_fpa, local)
    for recorded, counted in ((row["overnight_stays"], current), (row["original_overnight_stays"], initial)):
        if recorded is not None and recorded != counted:
            made.notes.append("nights that the calendar does not have: counted anew")
            break
    made.columns |= {"overnight_stays": current, "initial_overnight_stays": initial}


def _fit(made: MadeTicket, column: str, value: Any, most: int) -> None:
    """A text as the column can hold it, and whole in the history where it cannot."""
    found = fitting(value, most, made.notes.append)
    made.columns[column] = found
    written = text(value)
    if found != written:
        made.remarks[column] = [written, found]


def _status(row: asyncpg.Record, made: MadeTicket, overdue_before: datetime | None) -> None:
    annulled_at = instant_utc(row["annulled_at"])
    status = STATUSES.get(word(row["status"]))
    if status is None:
        made.notes.append("an unknown status: annulled where there is a time of annulment, else active")
        status = "active" if annulled_at is None else "annulled"
    reason = fitting(row["annulled_reason"], 500, made.notes.append)
    if reason != text(row["annulled_reason"]):
        made.remarks["annulment_reason"] = [text(row["annulled_reason"]), reason]
    columns: dict[str, Any] = {"discharged_at": None, "discharge_assumed": False}
    if status == "annulled":
        if annulled_at is None:
            made.notes.append("annulled at no time: the last time that is known of it")
            created_at = made.columns["created_at"]
            annulled_at = max(created_at, instant_utc(row["last_modified"]) or created_at)
        columns |= {"annulled_at": annulled_at, "annulment_reason": reason}
    else:
        if annulled_at is not None:
            # Restored there; the restoration forgot who had annulled it, and perhaps not when.
            made.notes.append("active with a time of annulment: in its history only")
            made.remarks["annulled_at"] = [annulled_at.isoformat(), None]
        if reason is not None:
            made.remarks["annulment_reason"] = [reason, None]
        columns |= {"annulled_at": None, "annulment_reason": None}
        if overdue_before is not None and made.columns["current_fpa"] < overdue_before:
            status = "discharged"
            columns |= {"discharged_at": made.columns["current_fpa"], "discharge_assumed": True}
    made.columns |= columns | {"status": status}


def _history(row: asyncpg.Record, made: MadeTicket) -> None:
    made.remarks |= {name: [None, written] for name in ASIDE if (written := text(row[name])) is not None}
    # The old application kept the first FPA three times over; only what differs says something.
    known = {row[name] for name in ("initial_fpa", "system_calculated_fpa", "current_fpa") if row[name] is not None}
    for name in DATES:
        written = row[name]
        if text(written) is not None and not any(_same_time(written, one) for one in known):
            made.remarks[name] = [None, written.isoformat() if isinstance(written, date) else text(written)]


def _same_time(written: Any, known: Any) -> bool:
    """Whether both say the same, as far as they say it: a date has no hours, a form no seconds."""
    if isinstance(written, str):
        try:
            written = datetime.fromisoformat(written.strip())
        except ValueError:
            return False
    if not isinstance(written, date) or not isinstance(known, date):
        return False
    is_day = not isinstance(written, datetime) or written.time() == time() or not isinstance(known, datetime)
    form = "%Y-%m-%d" if is_day else "%Y-%m-%d %H:%M"
    return written.strftime(form) == known.strftime(form)
