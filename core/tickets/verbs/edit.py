"""Correcting a ticket's patient, surgery and doctor."""

from dataclasses import dataclass
from typing import Any

from core.access import Actor
from core.db.transaction import WriteSession
from core.patients import service as patients
from core.patients.document import refuse_wrong_rut
from core.patients.models import Patient
from core.tickets.verbs.held import (
    Held,
    Revisions,
    change,
    hold_with_patient,
    raise_revisions,
    require_active,
    require_revision,
)
from core.tickets.verbs.references import Refusals, doctor_of, surgery_of
from core.tickets.verbs.stays import require_only_stay, written
from core.tickets.views import TicketDetail


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces what the ticket has: `patient.fields` names them all."""

    patient: patients.Given
    surgery_id: int
    doctor_id: int | None
    second_stay: str | None = None
    """As a new ticket's, where an imported one gets its patient."""


async def edit(
    session: WriteSession, actor: Actor, ticket_id: str, revision: Revisions | None, asked: Edit
) -> TicketDetail:
    """Correct patient, surgery and doctor of an active ticket; never its times. An imported ticket without a patient
    gets one; any other keeps its own.

    Raises Conflict (`ticket_not_active`; `duplicate` for another patient's document; `already_admitted` for an imported
    ticket's new patient), and PatientMismatch where both the document and the name become another.
    """
    held, patient = await hold_with_patient(session, actor.scope, ticket_id)

    refusals = Refusals()
    values = await _references(session, held, asked, refusals)
    is_renamed = patient is not None and patients.names_another(patient, asked.patient.document)
    if is_renamed:
        with refusals.collect():
            refuse_wrong_rut(asked.patient.document, f"{patients.PATH}.document")
    refusals.decide()
    await require_revision(session, held, revision)
    require_active(held)
    if patient is not None and is_renamed:
        await patients.require_nobodys(session, patient, asked.patient.document)
        # Document and names at once: that is another person.
        patients.require_same_person(patient, asked.patient)

    changed = await _patient(session, held, patient, asked.patient)
    if patient is None:
        await require_only_stay(session, changed.patient.id, asked.second_stay, besides=ticket_id)
    if changed.changed:
        await raise_revisions(session, changed.patient.id, besides=ticket_id)
    values |= {"patient_id": changed.patient.id}
    await change(session, actor, held, "ticket.edited", values, beside=changed.entries)
    return await written(session, actor.scope, ticket_id, names_differ=changed.names_differ)


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


async def _patient(
    session: WriteSession, held: Held, patient: Patient | None, given: patients.Given
) -> patients.WrittenPatient:
    if patient is None:
        return await patients.find_or_create(session, held.ticket.clinic_id, given)
    values = dict(given.fields)
    if patients.names_another(patient, given.document):
        document = given.document
        values |= {"document_type": document.type.value, "document": document.text, "verified": document.verified}
    return await patients.change(session, patient, values)
