"""Reading a ticket: the whole of it in one statement."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, String, and_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from core.access import ClinicScope
from core.audit.models import ActionAudit
from core.catalogs.models import Doctor
from core.clinics.models import Clinic
from core.clock import shown, zone
from core.db.transaction import Session
from core.errors import NotFound
from core.patients.models import Patient
from core.tickets.models import Ticket
from core.tickets.reads.summary import columns, fields
from core.tickets.state import thresholds_for
from core.tickets.views import HistoryEntry, TicketDetail

REASSIGNED = "ticket.reassigned"


async def require_ticket(session: Session, scope: ClinicScope, ticket_id: str) -> None:
    """Raises NotFound for a ticket that is not there, or of another clinic."""
    found = select(true()).where(Ticket.id == ticket_id, scope.rows(Ticket.clinic_id))
    if (await session.execute(found)).scalar_one_or_none() is None:
        raise NotFound


async def detail(session: Session, scope: ClinicScope, ticket_id: str) -> TicketDetail:
    """The whole ticket as it is at this moment. Raises NotFound."""
    statement = _details().where(Ticket.id == ticket_id, scope.rows(Ticket.clinic_id))
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound
    return _view(row)


@cache
def _details() -> Select[Any]:
    """Of every ticket; put together once, which takes longer than to run it for one."""
    limits = thresholds_for(Ticket.clinic_id)
    # What was done to the ticket, and what changed of its patient while it was theirs: of whoever it was written for by
    # mistake nothing is told any more.
    before = aliased(ActionAudit)
    reassigned = (
        select(func.max(before.id))
        .where(
            before.target_type == "ticket",
            before.target_id == Ticket.id,
            before.action == REASSIGNED,
            before.clinic_id == Ticket.clinic_id,
        )
        .correlate(Ticket)
        .scalar_subquery()
    )
    of_ticket = and_(ActionAudit.target_type == "ticket", ActionAudit.target_id == Ticket.id)
    of_patient = and_(
        ActionAudit.target_type == "patient",
        ActionAudit.target_id == cast(Ticket.patient_id, String),
        ActionAudit.action == "patient.changed",
        ActionAudit.at >= Ticket.created_at,
        ActionAudit.id > func.coalesce(reassigned, 0),
    )
    history = (
        select(
            func.jsonb_agg(
                aggregate_order_by(
                    func.jsonb_build_object(
                        *("at", ActionAudit.at, "by", ActionAudit.username),
                        *("action", ActionAudit.action, "changes", ActionAudit.changes),
                    ),
                    ActionAudit.at,
                    ActionAudit.id,
                )
            )
        )
        .where(or_(of_ticket, of_patient), ActionAudit.clinic_id == Ticket.clinic_id)
        .scalar_subquery()
    )
    return (
        select(
            *columns(Clinic.timezone, limits.c),
            history.label("history"),
            func.clock_timestamp().label("now"),
        )
        .join(Clinic, Clinic.id == Ticket.clinic_id)
        .join(limits, true())
        .outerjoin(Patient, Patient.id == Ticket.patient_id)
        .outerjoin(Doctor, Doctor.id == Ticket.doctor_id)
    )


def _view(row: Row[Any]) -> TicketDetail:
    local = zone(row.timezone)
    history = [
        HistoryEntry(
            at=shown(datetime.fromisoformat(one["at"]), local),
            by=one["by"],
            action=one["action"],
            changes=one["changes"],
        )
        for one in row.history or []
    ]
    return TicketDetail(**fields(row, row.now), history=history, warnings=[])
