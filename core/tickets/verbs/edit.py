"""Correcting a ticket's patient, surgery and doctor, and when the surgery is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.access import Actor
from core.db.transaction import WriteSession
from core.errors import Conflict
from core.patients import patients
from core.tickets.change.held import Held, Revisions, change, hold_with_patient, require_active, require_revision
from core.tickets.change.patient_data import refuse_new_document, write_patient
from core.tickets.change.references import Refusals, doctor_of, surgery_of
from core.tickets.change.stays import written
from core.tickets.change.surgery_time import parse_surgery_at
from core.tickets.fpa import overnight_stays, stay
from core.tickets.verbs.modify_fpa import BEFORE_ADMISSION
from core.tickets.views import TicketDetail


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces what the ticket has: `patient.fields` names them all."""

    patient: patients.Given
    surgery_id: int
    doctor_id: int | None
    surgery_at: datetime | None = None
    """As the client sent it; None leaves it as it is."""
    second_stay: str | None = None
    """As a new ticket's, where an imported one gets its patient."""


async def edit(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, asked: Edit
) -> TicketDetail:
    """Correct patient, surgery and doctor of an active ticket. An imported ticket without a patient gets one; any other
    keeps its own. Times change with `surgery_at` alone.

    Raises NotFound, Invalid for references, document and surgery time, RevisionRequired, RevisionMismatch, Conflict
    (`ticket_not_active`; `fpa_before_admission`; `duplicate` for another patient's document; `already_admitted` for an
    imported ticket's new patient), and PatientMismatch where both the document and the name become another.
    """
    held, patient = await hold_with_patient(session, actor.scope, ticket_id)

    refusals = Refusals()
    values = await _references(session, held, asked, refusals)
    surgery_at = held.ticket.surgery_at
    with refusals.collect():
        if asked.surgery_at is not None:
            surgery_at = parse_surgery_at(asked.surgery_at, held.local, held.now, known=surgery_at)
    with refusals.collect():
        refuse_new_document(patient, asked.patient)
    refusals.decide()
    await require_revision(session, held, revision)
    require_active(held)
    if surgery_at != held.ticket.surgery_at:
        values |= _moved(held, surgery_at, values.get("surgery_base_hours", held.ticket.surgery_base_hours))
    changed = await write_patient(session, held, patient, asked.patient, asked.second_stay)
    values |= {"patient_id": changed.patient.id}
    await change(session, actor, held, "ticket.edited", values, beside=changed.entries)
    return await written(session, actor.scope, ticket_id, names_differ=changed.names_differ)


def _moved(held: Held, surgery_at: datetime, base_stay_hours: int) -> dict[str, Any]:
    """The times of a stay whose surgery is at another hour. An FPA that somebody modified stays, and initial values do.

    Raises Conflict (`fpa_before_admission`) where such an FPA, or the moment from which on the patient was ready, would
    be before the admission.
    """
    ticket = held.ticket
    calculated = stay(surgery_at, base_stay_hours, held.local)
    current_fpa = ticket.current_fpa if held.modifications else calculated.fpa
    if any(at is not None and at < calculated.admission_at for at in (current_fpa, ticket.ready_at)):
        raise Conflict("The FPA cannot be before the admission, nor can the patient be ready.", code=BEFORE_ADMISSION)
    return {
        "surgery_at": surgery_at,
        "admission_at": calculated.admission_at,
        "system_fpa": calculated.fpa,
        "current_fpa": current_fpa,
        "overnight_stays": overnight_stays(calculated.admission_at, current_fpa, held.local),
    }


async def _references(session: WriteSession, held: Held, asked: Edit, refusals: Refusals) -> dict[str, Any]:
    """Surgery and doctor, where they change; a changed surgery brings its snapshots. What stays may be inactive."""
    ticket = held.ticket
    values: dict[str, Any] = {"doctor_id": asked.doctor_id}
    if asked.surgery_id != ticket.surgery_id:
        surgery = await surgery_of(session, ticket.clinic_id, asked.surgery_id, refusals)
        if surgery is not None:
            values["surgery_id"] = asked.surgery_id
            values["surgery_name"] = surgery.name
            values["surgery_base_hours"] = surgery.base_stay_hours
    if asked.doctor_id is not None and asked.doctor_id != ticket.doctor_id:
        await doctor_of(session, ticket.clinic_id, asked.doctor_id, refusals)
    return values
