"""What a nursing board is filtered by, beside what every list of tickets is."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, select

from core.catalogs.models import Surgery
from core.tickets.models import Ticket
from core.tickets.reads.filters import within_dates


@dataclass(frozen=True, slots=True)
class BoardFilter:
    """Absent ones do not limit. Dates are clinic-local ones, inclusive."""

    doctor_id: int | None = None
    specialty_id: int | None = None
    """Of the surgery, as it is today."""
    location: str | None = None
    """In any spelling: case and accents do not matter. Not among `conditions`, for the board lists all locations that
    the other filters leave."""
    fpa_from: date | None = None
    fpa_to: date | None = None
    surgery_from: date | None = None
    surgery_to: date | None = None

    def conditions(self, timezone: Any) -> list[ColumnElement[bool]]:
        """Over Ticket and its clinic's time zone."""
        conditions = [
            *within_dates(Ticket.current_fpa, timezone, self.fpa_from, self.fpa_to),
            *within_dates(Ticket.surgery_at, timezone, self.surgery_from, self.surgery_to),
        ]
        if self.doctor_id is not None:
            conditions.append(Ticket.doctor_id == self.doctor_id)
        if self.specialty_id is not None:
            surgeries = select(Surgery.id).where(Surgery.specialty_id == self.specialty_id)
            conditions.append(Ticket.surgery_id.in_(surgeries))
        return conditions
