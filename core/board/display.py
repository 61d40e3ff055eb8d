"""A ticket as a wall display shows it: where somebody lies, and when they leave. No name, document or note is read for
it, of the patient or of whoever works there: what does not leave the database is on no wall."""

from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import ColumnElement, Row, func

from core.answer_model import AnswerModel
from core.clock import shown, zone
from core.patients.models import Patient
from core.tickets.fpa import block_of
from core.tickets.models import Ticket
from core.tickets.reads.pages import Shape
from core.tickets.state import State, Thresholds, WarningLevel, state_at
from core.tickets.views import BlockView, Local


class DisplayedTicket(AnswerModel):
    id: str = Field(examples=["TH-SANT-2025-001"])
    clinic_id: int
    initials: str | None = Field(description="Of first name and surname; null without a patient.", examples=["A.R."])
    state: State
    warning_level: WarningLevel | None = Field(description="Null unless the state is `warning`.")
    seconds_left: int | None = Field(description="To the FPA; null unless active and not overdue.", examples=[90000])
    admission_at: Local
    current_fpa: Local
    block: BlockView
    ready: bool = Field(description="Whether the criteria for discharge are met.")
    bed_number: str | None
    location: str | None


def _columns(timezone: Any, limits: Any) -> list[ColumnElement[Any]]:
    initials = func.concat(_initial(Patient.first_name), _initial(Patient.last_name))
    return [
        *(Ticket.id, Ticket.clinic_id, Ticket.status, Ticket.admission_at, Ticket.current_fpa),
        *(Ticket.bed_number, Ticket.location, Ticket.ready_at.is_not(None).label("ready")),
        func.nullif(initials, "").label("initials"),
        timezone.label("timezone"),
        *(limits.red_hours, limits.yellow_hours, limits.green_hours),
    ]


def _initial(name: Any) -> ColumnElement[str]:
    """`A.`, or null."""
    return func.upper(func.nullif(func.left(name, 1), "")) + "."


def _item(row: Row[Any], now: datetime) -> DisplayedTicket:
    local = zone(row.timezone)
    state_now = state_at(
        now,
        status=row.status,
        admission_at=row.admission_at,
        current_fpa=row.current_fpa,
        thresholds=Thresholds(row.red_hours, row.yellow_hours, row.green_hours),
    )
    return DisplayedTicket(
        id=row.id,
        clinic_id=row.clinic_id,
        initials=row.initials,
        state=state_now.state,
        warning_level=state_now.warning_level,
        seconds_left=state_now.seconds_left,
        admission_at=shown(row.admission_at, local),
        current_fpa=shown(row.current_fpa, local),
        block=BlockView.of(block_of(row.current_fpa, local)),
        ready=row.ready,
        bed_number=row.bed_number,
        location=row.location,
    )


DISPLAYED = Shape(_columns, _item)
