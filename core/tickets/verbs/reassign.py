"""A ticket that was written for the wrong patient goes to another one."""

from sqlalchemy import select

from core.access import Actor
from core.db.transaction import WriteSession
from core.errors import Conflict, NotFound
from core.patients import patients
from core.patients.document import refuse_wrong_rut
from core.tickets.change.held import (
    Revisions,
    change,
    hold,
    raise_revisions,
    require_active,
    require_patient,
    require_revision,
)
from core.tickets.change.stays import require_only_stay, written
from core.tickets.models import Status, Ticket
from core.tickets.reads.detail import REASSIGNED
from core.tickets.views import TicketDetail


async def reassign(
    session: WriteSession,
    actor: Actor,
    ticket_id: str,
    revision: Revisions | None,
    given: patients.Given,
    second_stay: str | None = None,
) -> TicketDetail:
    """Give an active or discharged ticket to another patient, found or made as for a new one. Whoever read an active
    ticket of either patient has to read it again.

    Locks are taken in this order: both patients that are on file by id, the ticket, a new patient's row.
    Raises NotFound, Invalid for a document or missing names, RevisionRequired, RevisionMismatch, Conflict
    (`ticket_not_active` of an annulled one, `patient_unchanged`, `already_admitted`), and PatientMismatch.
    """
    found = await session.execute(
        select(Ticket.clinic_id, Ticket.patient_id).where(Ticket.id == ticket_id, actor.scope.rows(Ticket.clinic_id))
    )
    of = found.one_or_none()
    if of is None:
        raise NotFound
    refuse_wrong_rut(given.document, f"{patients.PATH}.document")
    await patients.refuse_nameless(session, of.clinic_id, given)
    to = await patients.identified(session, of.clinic_id, given.document)
    await patients.hold_all(session, {one for one in (of.patient_id, to) if one is not None})
    held = await hold(session, actor.scope, ticket_id)
    await require_patient(session, held, of.patient_id)
    await require_revision(session, held, revision)
    if held.ticket.status == Status.ANNULLED:
        require_active(held)
    if to is not None and to == of.patient_id:
        raise Conflict("This is the ticket's patient already.", code="patient_unchanged")
    patient = await patients.find_or_create(session, of.clinic_id, given)
    await require_only_stay(session, patient.patient.id, second_stay, besides=ticket_id)

    for patient_id in (of.patient_id, patient.patient.id):
        if patient_id is not None:
            await raise_revisions(session, patient_id, besides=ticket_id)
    # What is written of the patient's file comes before it: the ticket's history begins anew with ids.
    await change(session, actor, held, REASSIGNED, {"patient_id": patient.patient.id}, beside=patient.entries)
    return await written(session, actor.scope, ticket_id, names_differ=patient.names_differ)
