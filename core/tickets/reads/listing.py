"""Lists of tickets: which ones, in which order."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, Text, and_, cast, exists, func, literal, select, true

from core.access import ClinicScope
from core.clinics.models import Clinic
from core.db.transaction import Session
from core.errors import NotFound
from core.patients.models import Patient
from core.tickets.models import Status, Ticket
from core.tickets.reads.pages import Page, Turn, clinics, page, read_page, surgery_in, whole
from core.tickets.reads.search import found, matching, patient_text
from core.tickets.state import State, sql_state

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Absent ones do not limit. Dates are clinic-local ones of creation, inclusive; words as of `words_of`."""

    words: tuple[str, ...] = ()
    status: Status | None = None
    state: State | None = None
    surgery_id: int | None = None
    date_from: date | None = None
    date_to: date | None = None
    created_by_id: int | None = None

    @property
    def looks_at_clinics(self) -> bool:
        """Whether `conditions` are over the clinic's columns too."""
        return self.state is not None or self.date_from is not None or self.date_to is not None

    def conditions(self, now: Any, clinic: Any, patient_search: Any) -> list[ColumnElement[bool]]:
        """Over Ticket, with its clinic's columns of `paging.clinics`, and its patient's `search` where there are words.

        Which clinics is the scope's matter.
        """
        conditions = matching(self.words, patient_search)
        if self.status is not None:
            conditions.append(Ticket.status == self.status.value)
        if self.state is not None:
            ended = self.state in (State.DISCHARGED, State.ANNULLED)
            # Implied by the state, and what an index answers.
            conditions.append(Ticket.status == (self.state.value if ended else Status.ACTIVE.value))
            conditions.append(sql_state(now, Ticket, clinic) == self.state.value)
        if self.surgery_id is not None:
            conditions.append(Ticket.surgery_id == self.surgery_id)
        if self.created_by_id is not None:
            conditions.append(Ticket.created_by_id == self.created_by_id)
        return conditions + self._created(clinic)

    def _created(self, clinic: Any) -> list[ColumnElement[bool]]:
        # By the local date itself, which is right also where midnight is skipped or comes twice; and within a day
        # around it whatever the clinic's zone, which an index answers.
        local_date = cast(func.timezone(clinic.timezone, Ticket.created_at), Date)
        conditions = []
        if self.date_from is not None:
            conditions += [Ticket.created_at >= midnight(self.date_from) - DAY, local_date >= self.date_from]
        if self.date_to is not None:
            conditions += [Ticket.created_at < midnight(self.date_to) + 2 * DAY, local_date <= self.date_to]
        return conditions


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def require_known(session: Session, scope: ClinicScope, surgery_id: int | None) -> None:
    """Raises NotFound where the scope's clinic, or the surgery, does not exist in the scope."""
    clinic = true() if scope.clinic_id is None else exists().where(Clinic.id == scope.clinic_id)
    if not await session.scalar(select(and_(clinic, surgery_in(scope, surgery_id)))):
        raise NotFound


async def list_tickets(session: Session, scope: ClinicScope, asked: TicketFilter, turn: Turn) -> Page:
    """One page, by `created_at`, `current_fpa`, `patient` or `surgery` (both in Spanish order), then id.

    Raises NotFound where the scope's clinic, or the surgery asked for, does not exist in the scope.
    """
    rows = (await session.execute(_statement(scope, asked, turn))).all()
    return read_page(rows, turn, scope)


def filtered(scope: ClinicScope, asked: TicketFilter, now: Any, place: CTE) -> Select[Any]:
    """`id` of the scope's tickets that are asked for; `place` is `paging.clinics` of the same scope."""
    candidates, words = found(scope, asked.words)
    left, patient = replace(asked, words=words), patient_text()
    tickets = (
        select(Ticket.id)
        .select_from(Ticket)
        .where(scope.rows(Ticket.clinic_id), *left.conditions(now, place.c, patient.c.search))
    )
    if candidates is not None:
        tickets = tickets.where(Ticket.id.in_(select(candidates.c.id)))
    if left.looks_at_clinics:
        tickets = tickets.join(place, place.c.id == Ticket.clinic_id)
    if left.words:
        tickets = tickets.outerjoin(patient, true())
    return tickets


def _statement(scope: ClinicScope, asked: TicketFilter, turn: Turn) -> Select[Any]:
    place = clinics(scope)
    tickets = filtered(scope, asked, turn.now, place)
    if turn.column == "patient":
        tickets = tickets.outerjoin(Patient, Patient.id == Ticket.patient_id)
    return whole(place, page(tickets, _keys(turn.column), turn), turn, scope, asked.surgery_id, {})


def _keys(column: str) -> list[ColumnElement[Any]]:
    keys: dict[str, ColumnElement[Any]] = {
        "created_at": Ticket.__table__.c.created_at,
        "current_fpa": Ticket.__table__.c.current_fpa,
        # An imported ticket may have no patient.
        "patient": func.coalesce(Patient.name_order, literal("", Text)),
        "surgery": Ticket.__table__.c.surgery_order,
    }
    return [keys[column], Ticket.__table__.c.id]
