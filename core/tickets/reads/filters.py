"""Which tickets: what a list, the nursing board and an export filter by, as conditions of SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, and_, cast, exists, func, select, true

from core.access import ClinicScope
from core.catalogs.models import Doctor, StandardizedReason, Surgery
from core.clinics.models import Clinic
from core.db.transaction import Session
from core.errors import NotFound
from core.tickets.models import Status, Ticket
from core.tickets.reads.figures import OF_ACTIVE, Asked, counted_in
from core.tickets.reads.pages import all_in
from core.tickets.reads.search import found, matching, patient_text
from core.tickets.state import State, sql_state

DAY = timedelta(days=1)
ENDED = (State.DISCHARGED, State.ANNULLED)


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Absent ones do not limit. Dates are clinic-local ones of creation, inclusive; words as of `words_of`."""

    words: tuple[str, ...] = ()
    status: Status | None = None
    state: State | None = None
    surgery_id: int | None = None
    doctor_id: int | None = None
    date_from: date | None = None
    date_to: date | None = None
    created_by_id: int | None = None
    counted_in: Asked | None = None
    """Those that the dashboard counts in that figure, with the same dates and surgery."""

    @property
    def named(self) -> dict[Any, int | None]:
        """The catalogs' rows that it names, by table and id."""
        reason_id = None if self.counted_in is None else self.counted_in.reason_id
        return {Surgery: self.surgery_id, Doctor: self.doctor_id, StandardizedReason: reason_id}

    @property
    def looks_at_clinics(self) -> bool:
        """Whether `conditions` are over the clinic's columns too."""
        return self.state is not None or self.date_from is not None or self.date_to is not None

    @property
    def is_of_active(self) -> bool:
        """Whether only active tickets are asked for: a ward's, however many there ever were."""
        is_here = self.state is not None and self.state not in ENDED
        is_counted = self.counted_in is not None and self.counted_in.figure in OF_ACTIVE
        return is_here or is_counted or self.status is Status.ACTIVE

    @property
    def may_be_of_few(self) -> bool:
        """Whether it asks for what no order's index begins with: of a million nearly nobody may fit."""
        is_told_apart = (self.status, self.state, self.doctor_id, self.counted_in) != (None,) * 4
        return is_told_apart and not self.is_of_active

    def conditions(self, now: Any, clinic: Any, patient_search: Any) -> list[ColumnElement[bool]]:
        """Over Ticket, with its clinic's columns of `clinics_of`, and its patient's `search` where there are words.

        Which clinics is the scope's matter.
        """
        conditions = matching(self.words, patient_search)
        if self.status is not None:
            conditions.append(Ticket.status == self.status.value)
        if self.state is not None:
            # Implied by the state, and what an index answers.
            conditions.append(Ticket.status == (self.state.value if self.state in ENDED else Status.ACTIVE.value))
            conditions.append(sql_state(now, Ticket, clinic) == self.state.value)
        if self.surgery_id is not None:
            conditions.append(Ticket.surgery_id == self.surgery_id)
        if self.doctor_id is not None:
            conditions.append(Ticket.doctor_id == self.doctor_id)
        if self.created_by_id is not None:
            conditions.append(Ticket.created_by_id == self.created_by_id)
        return conditions + within_dates(Ticket.created_at, clinic.timezone, self.date_from, self.date_to)


def within_dates(instant: Any, timezone: Any, first: date | None, last: date | None) -> list[ColumnElement[bool]]:
    """SQL: the instant's local date is one of these, inclusive."""
    # By the local date itself, which is right also where midnight is skipped or comes twice; and within a day
    # around it whatever the clinic's zone, which an index answers.
    local_date = cast(func.timezone(timezone, instant), Date)
    conditions = []
    if first is not None:
        conditions += [instant >= midnight(first) - DAY, local_date >= first]
    if last is not None:
        conditions += [instant < midnight(last) + 2 * DAY, local_date <= last]
    return conditions


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def require_known(session: Session, scope: ClinicScope, named: Mapping[Any, int | None]) -> None:
    """Raises NotFound where the scope's clinic, or a row that is named by table and id, does not exist in the scope."""
    clinic = true() if scope.clinic_id is None else exists().where(Clinic.id == scope.clinic_id)
    if not await session.scalar(select(and_(clinic, all_in(scope, named)))):
        raise NotFound


def filtered(scope: ClinicScope, asked: TicketFilter, now: Any, clinics: CTE, *, short: bool = False) -> Select[Any]:
    """`id` of the scope's tickets that are asked for; `clinics` is `clinics_of` of the same scope. `short`: whether
    a short word is looked up first, too, as of `found`."""
    candidates, words = found(scope, asked.words, short=short)
    left, patient = replace(asked, words=words), patient_text()
    tickets = (
        select(Ticket.id)
        .select_from(Ticket)
        .where(scope.rows(Ticket.clinic_id), *left.conditions(now, clinics.c, patient.c.search))
    )
    if candidates is not None:
        tickets = tickets.where(Ticket.id.in_(select(candidates.c.id)))
    if left.looks_at_clinics:
        tickets = tickets.join(clinics, clinics.c.id == Ticket.clinic_id)
    if left.words:
        tickets = tickets.outerjoin(patient, true())
    return tickets if left.counted_in is None else counted_in(tickets, scope, left.counted_in, now)
