"""Reading a ticket: the whole of it in one statement."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, String, and_, cast, func, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.access import ClinicScope
from core.audit.models import ActionAudit
from core.catalogs.models import Doctor
from core.clinics.models import Clinic
from core.clock import shown, zone
from core.db.transaction import Session
from core.errors import NotFound
from core.patients.models import Patient
from core.tickets.fpa import block_of
from core.tickets.models import FpaModification, Ticket
from core.tickets.state import Thresholds, state_at, thresholds_for
from core.tickets.views import (
    BlockView,
    DoctorView,
    HistoryEntry,
    ModificationView,
    PatientView,
    SurgeryView,
    TicketDetail,
)

PATIENT = tuple(PatientView.model_fields)


async def exists(session: Session, scope: ClinicScope, ticket_id: str) -> None:
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
    modifications = (
        select(
            func.jsonb_agg(
                aggregate_order_by(
                    func.jsonb_build_object(
                        *("id", FpaModification.id, "at", FpaModification.modified_at),
                        *("previous_fpa", FpaModification.previous_fpa, "new_fpa", FpaModification.new_fpa),
                        *("reason", FpaModification.reason, "justification", FpaModification.justification),
                        *("by", FpaModification.modified_by),
                    ),
                    FpaModification.id,
                )
            )
        )
        .where(FpaModification.clinic_id == Ticket.clinic_id, FpaModification.ticket_id == Ticket.id)
        .scalar_subquery()
    )
    # What was done to the ticket, and what changed of its patient while it was there.
    of_ticket = and_(ActionAudit.target_type == "ticket", ActionAudit.target_id == Ticket.id)
    of_patient = and_(
        ActionAudit.target_type == "patient",
        ActionAudit.target_id == cast(Ticket.patient_id, String),
        ActionAudit.action == "patient.changed",
        ActionAudit.at >= Ticket.created_at,
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
            *Ticket.__table__.columns,
            Clinic.timezone,
            Doctor.name.label("doctor_name"),
            *(getattr(Patient, name).label(f"patient__{name}") for name in PATIENT),
            *(limits.c.red_hours, limits.c.yellow_hours, limits.c.green_hours),
            modifications.label("modifications"),
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
    now_state = state_at(
        row.now,
        status=row.status,
        admission_at=row.admission_at,
        current_fpa=row.current_fpa,
        thresholds=Thresholds(row.red_hours, row.yellow_hours, row.green_hours),
    )
    patient = {name: getattr(row, f"patient__{name}") for name in PATIENT}

    def told(instant: datetime | str) -> datetime:
        return shown(datetime.fromisoformat(instant) if isinstance(instant, str) else instant, local)

    return TicketDetail(
        id=row.id,
        clinic_id=row.clinic_id,
        revision=row.revision,
        status=row.status,
        state=now_state.state,
        warning_level=now_state.warning_level,
        seconds_left=now_state.seconds_left,
        patient=PatientView(**patient) if row.patient_id is not None else None,
        surgery=SurgeryView(id=row.surgery_id, name=row.surgery_name, base_stay_hours=row.surgery_base_hours),
        doctor=DoctorView(id=row.doctor_id, name=row.doctor_name) if row.doctor_id is not None else None,
        surgery_at=told(row.surgery_at),
        admission_at=told(row.admission_at),
        system_fpa=told(row.system_fpa),
        initial_fpa=told(row.initial_fpa),
        current_fpa=told(row.current_fpa),
        block=BlockView.of(block_of(row.current_fpa, local)),
        overnight_stays=row.overnight_stays,
        initial_overnight_stays=row.initial_overnight_stays,
        bed_number=row.bed_number,
        location=row.location,
        episode_id=row.episode_id,
        discharged_at=told(row.discharged_at) if row.discharged_at is not None else None,
        created_at=told(row.created_at),
        created_by=row.created_by,
        modifications=[
            ModificationView(
                id=one["id"],
                previous_fpa=told(one["previous_fpa"]),
                new_fpa=told(one["new_fpa"]),
                reason=one["reason"],
                justification=one["justification"],
                at=told(one["at"]),
                by=one["by"],
            )
            for one in row.modifications or []
        ],
        history=[
            HistoryEntry(at=told(one["at"]), by=one["by"], action=one["action"], changes=one["changes"])
            for one in row.history or []
        ],
    )
