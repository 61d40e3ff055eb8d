"""A ticket's row and what is told of it: columns on one side, the view on the other."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.audit.models import ActionAudit
from core.catalogs.models import Doctor
from core.clock import shown, zone
from core.patients.models import Patient, shown_document
from core.tickets.fpa import block_of
from core.tickets.models import FpaModification, Status, Ticket
from core.tickets.state import Thresholds, state_at
from core.tickets.views import (
    AnnulmentView,
    BlockView,
    DischargeView,
    DoctorView,
    ModificationView,
    PatientView,
    SurgeryView,
    TicketSummary,
)

DISCHARGED = "ticket.discharged"
"""The action by which a discharge is recorded."""
PATIENT = tuple(PatientView.model_fields)


def columns(timezone: Any, limits: Any) -> list[ColumnElement[Any]]:
    """What `fields` reads, over Ticket with Patient and Doctor outer-joined.

    `timezone` is the clinic's, `limits` have the columns of `thresholds_for`.
    """
    return [
        *(column for column in Ticket.__table__.columns if column.computed is None),
        timezone.label("timezone"),
        Doctor.name.label("doctor_name"),
        *(
            (shown_document() if name == "document" else getattr(Patient, name)).label(f"patient__{name}")
            for name in PATIENT
        ),
        *(limits.red_hours, limits.yellow_hours, limits.green_hours),
        _modifications().label("modifications"),
        _discharge_recorded().label("discharge_recorded"),
    ]


def _modifications() -> ScalarSelect[Any]:
    one = func.jsonb_build_object(
        *("id", FpaModification.id, "at", FpaModification.modified_at),
        *("previous_fpa", FpaModification.previous_fpa, "new_fpa", FpaModification.new_fpa),
        *("reason", FpaModification.reason, "justification", FpaModification.justification),
        *("by", FpaModification.modified_by),
    )
    return (
        select(func.jsonb_agg(aggregate_order_by(one, FpaModification.id)))
        .where(FpaModification.clinic_id == Ticket.clinic_id, FpaModification.ticket_id == Ticket.id)
        .correlate(Ticket)
        .scalar_subquery()
    )


def _discharge_recorded() -> ColumnElement[Any]:
    """Who wrote a discharge down, and when: [when, who] of its latest record."""
    one = func.jsonb_build_array(ActionAudit.at, ActionAudit.username)
    recorded = (
        select(one)
        .where(
            ActionAudit.target_type == "ticket",
            ActionAudit.target_id == Ticket.id,
            ActionAudit.action == DISCHARGED,
            ActionAudit.clinic_id == Ticket.clinic_id,
        )
        .order_by(ActionAudit.at.desc(), ActionAudit.id.desc())
        .limit(1)
        .correlate(Ticket)
        .scalar_subquery()
    )
    return case((Ticket.status == Status.DISCHARGED, recorded), else_=None)


def summary(row: Row[Any], now: datetime) -> TicketSummary:
    """A ticket without its history, as it is at `now`."""
    return TicketSummary(**fields(row, now))


def fields(row: Row[Any], now: datetime) -> dict[str, Any]:
    """Of a TicketSummary."""
    local = zone(row.timezone)
    state_now = state_at(
        now,
        status=row.status,
        admission_at=row.admission_at,
        current_fpa=row.current_fpa,
        thresholds=Thresholds(row.red_hours, row.yellow_hours, row.green_hours),
    )

    def told(instant: datetime | str) -> datetime:
        return shown(datetime.fromisoformat(instant) if isinstance(instant, str) else instant, local)

    patient = {name: getattr(row, f"patient__{name}") for name in PATIENT}
    return {
        "id": row.id,
        "clinic_id": row.clinic_id,
        "revision": row.revision,
        "status": row.status,
        "state": state_now.state,
        "warning_level": state_now.warning_level,
        "seconds_left": state_now.seconds_left,
        "patient": PatientView(**patient) if row.patient_id is not None else None,
        "surgery": SurgeryView(id=row.surgery_id, name=row.surgery_name, base_stay_hours=row.surgery_base_hours),
        "doctor": DoctorView(id=row.doctor_id, name=row.doctor_name) if row.doctor_id is not None else None,
        "surgery_at": told(row.surgery_at),
        "admission_at": told(row.admission_at),
        "system_fpa": told(row.system_fpa),
        "initial_fpa": told(row.initial_fpa),
        "current_fpa": told(row.current_fpa),
        "block": BlockView.of(block_of(row.current_fpa, local)),
        "overnight_stays": row.overnight_stays,
        "initial_overnight_stays": row.initial_overnight_stays,
        "bed_number": row.bed_number,
        "location": row.location,
        "episode_id": row.episode_id,
        "discharged_at": told(row.discharged_at) if row.discharged_at is not None else None,
        "discharge": _discharge(row, told),
        "annulment": _annulment(row, told),
        "created_at": told(row.created_at),
        "created_by": row.created_by,
        "modifications": [
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
    }


def _discharge(row: Row[Any], told: Callable[[datetime | str], datetime]) -> DischargeView | None:
    if row.discharged_at is None:
        return None
    recorded_at, by = row.discharge_recorded or (None, None)
    return DischargeView(
        at=told(row.discharged_at),
        recorded_at=None if recorded_at is None else told(recorded_at),
        by=by,
        assumed=row.discharge_assumed,
    )


def _annulment(row: Row[Any], told: Callable[[datetime | str], datetime]) -> AnnulmentView | None:
    if row.annulled_at is None:
        return None
    return AnnulmentView(at=told(row.annulled_at), by=row.annulled_by, reason=row.annulment_reason)
