"""The list of all tickets, page by page."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, func, literal

from core.access import ClinicScope
from core.db.transaction import Session
from core.patients.models import Patient
from core.tickets.models import Ticket
from core.tickets.reads.filters import TicketFilter, filtered
from core.tickets.reads.pages import Page, Turn, clinics_of, ids_of_page, page_statement, read_page


async def list_tickets(session: Session, scope: ClinicScope, asked: TicketFilter, turn: Turn) -> Page:
    """One page, by `created_at`, `current_fpa`, `patient` or `surgery` (both in Spanish order), then id.

    Raises NotFound where the scope's clinic, or the surgery asked for, does not exist in the scope.
    """
    rows = (await session.execute(_statement(scope, asked, turn))).all()
    return read_page(rows, turn, scope)


def _statement(scope: ClinicScope, asked: TicketFilter, turn: Turn) -> Select[Any]:
    clinics = clinics_of(scope)
    tickets = filtered(scope, asked, turn.now, clinics)
    if turn.column == "patient":
        tickets = tickets.outerjoin(Patient, Patient.id == Ticket.patient_id)
    ids = ids_of_page(tickets, _keys(turn.column), turn)
    return page_statement(clinics, ids, turn, scope, asked.surgery_id, {})


def _keys(column: str) -> list[ColumnElement[Any]]:
    keys: dict[str, ColumnElement[Any]] = {
        "created_at": Ticket.__table__.c.created_at,
        "current_fpa": Ticket.__table__.c.current_fpa,
        # An imported ticket may have no patient.
        "patient": func.coalesce(Patient.name_order, literal("", Text)),
        "surgery": Ticket.__table__.c.surgery_order,
    }
    return [keys[column], Ticket.__table__.c.id]
