"""A new ticket."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from core.access import Actor, ClinicScope
from core.audit.record import AuditEntry, record_all
from core.clock import shown, zone
from core.db.transaction import WriteSession
from core.patients.patients import Given, find_or_create
from core.tickets.change.held import raise_revisions
from core.tickets.change.references import Refusals, clinic_with
from core.tickets.change.stays import require_free_episode, require_only_stay, written
from core.tickets.change.surgery_time import parse_surgery_at
from core.tickets.fpa import Stay, stay
from core.tickets.models import Ticket
from core.tickets.numbering import next_number, ticket_id, year_of
from core.tickets.views import TicketDetail


@dataclass(frozen=True, slots=True)
class NewTicket:
    patient: Given
    surgery_id: int
    doctor_id: int | None
    surgery_at: datetime
    """As the client sent it: with an offset, or clinic-local."""
    placement: Mapping[str, str | None]
    """As `set_placement` takes it: by columns of the ticket; nothing is calculated from it."""
    second_stay: str | None = None
    """The patient's active ticket, where it was seen, and this is another stay."""


async def create(session: WriteSession, actor: Actor, clinic_id: int, new: NewTicket) -> TicketDetail:
    """A new ticket in the clinic: its patient found or made, its FPA calculated, its number given.

    Raises Invalid for a surgery, doctor or time that it may not have, PatientMismatch where the names given are not
    those on file, and Conflict (`already_admitted`, `episode_taken`).
    """
    refusals = Refusals()
    found = await clinic_with(session, clinic_id, new.surgery_id, new.doctor_id, refusals, to_refer=True)
    local = zone(found.timezone)
    surgery_at = new.surgery_at
    with refusals.collect():
        surgery_at = parse_surgery_at(new.surgery_at, local, found.now)
    refusals.decide()
    calculated = stay(surgery_at, found.base_stay_hours, local)

    patient = await find_or_create(session, clinic_id, new.patient)
    await require_only_stay(session, patient.patient.id, new.second_stay)
    if patient.changed:
        await raise_revisions(session, patient.patient.id)
    await require_free_episode(session, clinic_id, new.placement.get("episode_id"))
    # The counter last of all locks: the clinic's other creates wait for it until this one commits.
    year = year_of(found.now, local)
    number = await next_number(session, clinic_id, year)
    made = ticket_id(found.prefix, year, number)
    await session.execute(
        insert(Ticket).values(
            id=made,
            clinic_id=clinic_id,
            year=year,
            number=number,
            patient_id=patient.patient.id,
            surgery_id=new.surgery_id,
            doctor_id=new.doctor_id,
            surgery_name=found.surgery_name,
            surgery_base_hours=found.base_stay_hours,
            surgery_at=surgery_at,
            created_at=found.now,
            created_by_id=actor.user_id,
            created_by=actor.username,
            **_columns_of(calculated),
            **new.placement,
        )
    )
    said = {
        "patient_id": patient.patient.id,
        "surgery_id": new.surgery_id,
        "doctor_id": new.doctor_id,
        "surgery_at": shown(surgery_at, local),
        "current_fpa": shown(calculated.fpa, local),
    } | dict(new.placement)
    changes = {name: [None, value] for name, value in said.items() if value is not None}
    entry = AuditEntry("ticket.created", "ticket", made, changes)
    await record_all(session, actor, [*patient.entries, entry], clinic_id=clinic_id)
    return await written(session, ClinicScope(clinic_id), made, names_differ=patient.names_differ)


def _columns_of(calculated: Stay) -> dict[str, Any]:
    return {
        "admission_at": calculated.admission_at,
        "system_fpa": calculated.fpa,
        "initial_fpa": calculated.fpa,
        "current_fpa": calculated.fpa,
        "overnight_stays": calculated.overnight_stays,
        "initial_overnight_stays": calculated.overnight_stays,
    }
