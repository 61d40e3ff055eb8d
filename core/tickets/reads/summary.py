"""A ticket without its history: the columns that are read of it, and the view that a row of them becomes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, case, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.audit.models import ActionAudit
from core.catalogs.models import Doctor
from core.clock import shown, zone
from core.patients.models import Patient, shown_document
from core.tickets.fpa import block_of
from core.tickets.models import Delay, FpaModification, Status, Ticket
from core.tickets.state import Thresholds, state_at
from core.tickets.views import (
    AnnulmentView,
    BlockView,
    DelayView,
    DischargeView,
    DoctorView,
    ModificationView,
    PatientView,
    ReadyView,
    SurgeryView,
    TicketSummary,
)

DISCHARGED = "ticket.discharged"
"""The action by which a discharge is recorded."""
PATIENT = tuple(PatientView.model_fields)
SHOWN_AS_STORED = tuple(name for name in TicketSummary.model_fields if name in Ticket.__table__.columns)
"""The ticket's columns that are a field of the view: of the same name and value, times in the clinic's zone."""


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
        _delays().label("delays"),
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


def _delays() -> ColumnElement[Any]:
    """Those that are open: of a ticket that is not active, none is."""
    one = func.jsonb_build_object(
        *("id", Delay.id, "reason", Delay.reason, "note", Delay.note, "at", Delay.set_at, "by", Delay.set_by)
    )
    found = (
        select(func.jsonb_agg(aggregate_order_by(one, Delay.id)))
        .where(Delay.clinic_id == Ticket.clinic_id, Delay.ticket_id == Ticket.id, Delay.ended_at.is_(None))
        .correlate(Ticket)
        .scalar_subquery()
    )
    return case((Ticket.status == Status.ACTIVE, found), else_=None)


def discharge_record(ticket: Any, *columns: Any) -> Select[Any]:
    """`columns` of the audit's latest record of a ticket's discharge, `ticket` being the table or a row of it."""
    return (
        select(*columns)
        .where(
            ActionAudit.target_type == "ticket",
            ActionAudit.target_id == ticket.id,
            ActionAudit.action == DISCHARGED,
            ActionAudit.clinic_id == ticket.clinic_id,
        )
        .order_by(ActionAudit.at.desc(), ActionAudit.id.desc())
        .limit(1)
    )


def _discharge_recorded() -> ColumnElement[Any]:
    """Who wrote a discharge down, and when: [when, who] of its latest record."""
    one = func.jsonb_build_array(ActionAudit.at, ActionAudit.username)
    recorded = discharge_record(Ticket, one).correlate(Ticket).scalar_subquery()
    return case((Ticket.status == Status.DISCHARGED, recorded), else_=None)


def summary(row: Row[Any], now: datetime) -> TicketSummary:
    """A ticket without its history, as it is at `now`."""
    return TicketSummary(**fields(row, now))


def fields(row: Row[Any], now: datetime) -> dict[str, Any]:
    """The fields of a TicketSummary, by name, as the ticket is at `now`."""
    local = zone(row.timezone)
    state_now = state_at(
        now,
        status=row.status,
        admission_at=row.admission_at,
        current_fpa=row.current_fpa,
        thresholds=Thresholds(row.red_hours, row.yellow_hours, row.green_hours),
    )

    def local_time(instant: datetime | str) -> datetime:
        """In the clinic's zone; times within JSON come as text."""
        return shown(datetime.fromisoformat(instant) if isinstance(instant, str) else instant, local)

    def as_shown(value: Any) -> Any:
        return local_time(value) if isinstance(value, datetime) else value

    patient = {name: getattr(row, f"patient__{name}") for name in PATIENT}
    return {
        **{name: as_shown(getattr(row, name)) for name in SHOWN_AS_STORED},
        "state": state_now.state,
        "warning_level": state_now.warning_level,
        "seconds_left": state_now.seconds_left,
        "patient": PatientView(**patient) if row.patient_id is not None else None,
        "surgery": SurgeryView(id=row.surgery_id, name=row.surgery_name, base_stay_hours=row.surgery_base_hours),
        "doctor": DoctorView(id=row.doctor_id, name=row.doctor_name) if row.doctor_id is not None else None,
        "block": BlockView.of(block_of(row.current_fpa, local)),
        "ready": None if row.ready_at is None else ReadyView(at=local_time(row.ready_at), by=row.ready_by),
        "delays": [DelayView(**(one | {"at": local_time(one["at"])})) for one in row.delays or []],
        "discharge": _discharge(row, local_time),
        "annulment": _annulment(row, local_time),
        "modifications": [
            ModificationView(
                id=one["id"],
                previous_fpa=local_time(one["previous_fpa"]),
                new_fpa=local_time(one["new_fpa"]),
                reason=one["reason"],
                justification=one["justification"],
                at=local_time(one["at"]),
                by=one["by"],
            )
            for one in row.modifications or []
        ],
    }


def _discharge(row: Row[Any], local_time: Callable[[datetime | str], datetime]) -> DischargeView | None:
    if row.discharged_at is None:
        return None
    recorded_at, by = row.discharge_recorded or (None, None)
    return DischargeView(
        at=local_time(row.discharged_at),
        recorded_at=None if recorded_at is None else local_time(recorded_at),
        by=by,
        assumed=row.discharge_assumed,
    )


def _annulment(row: Row[Any], local_time: Callable[[datetime | str], datetime]) -> AnnulmentView | None:
    if row.annulled_at is None:
        return None
    return AnnulmentView(at=local_time(row.annulled_at), by=row.annulled_by, reason=row.annulment_reason)
