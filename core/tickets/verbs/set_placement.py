"""Where a patient lies (bed, location), the episode, and what is said of the patient, field by field."""

from collections.abc import Mapping

from core.access import Actor, Role
from core.db.transaction import WriteSession
from core.errors import Forbidden
from core.patients.models import Patient
from core.patients.patients import Correction, Given, refuse_nameless
from core.tickets.change.held import Held, Revisions, change, hold, hold_with_patient, require_active, require_revision
from core.tickets.change.patient_data import refuse_new_document, write_patient
from core.tickets.change.stays import require_free_episode, written
from core.tickets.models import Status
from core.tickets.views import TicketDetail

PLACED = "ticket.placed"
KNOWN_LATE = {"episode_id"}


async def set_placement(
    session: WriteSession,
    actor: Actor,
    ticket_id: str,
    revision: Revisions | None,
    values: Mapping[str, str | None],
    correction: Correction | None = None,
    second_stay: str | None = None,
) -> TicketDetail:
    """Set the columns that `values` names: bed, location, episode; None clears. `correction` is of the patient.

    An annulled ticket takes none of it, a discharged one only its episode, which is often known late, and from an admin
    what is corrected of its patient. Raises NotFound, Forbidden, Invalid for a document, RevisionRequired,
    RevisionMismatch, Conflict (`ticket_not_active`; `episode_taken` for another active ticket's; of a patient as
    `write_patient`), and PatientMismatch.
    """
    if correction is None:
        held, patient, given = await hold(session, actor.scope, ticket_id), None, None
    else:
        held, patient = await hold_with_patient(session, actor.scope, ticket_id)
        given = await _allowed(session, actor, held, patient, correction)
    await require_revision(session, held, revision)
    if held.ticket.status == Status.ANNULLED or values.keys() - KNOWN_LATE:
        require_active(held)
    changed = None
    if given is not None:
        changed = await write_patient(session, held, patient, given, second_stay)
    episode = values.get("episode_id")
    if episode != held.ticket.episode_id:
        await require_free_episode(session, held.ticket.clinic_id, episode, besides=ticket_id)
    if changed is None:
        await change(session, actor, held, PLACED, values)
        return await written(session, actor.scope, ticket_id)
    whose = {"patient_id": changed.patient.id}
    await change(session, actor, held, PLACED, {**values, **whose}, beside=changed.entries)
    return await written(session, actor.scope, ticket_id, names_differ=changed.names_differ)


async def _allowed(
    session: WriteSession, actor: Actor, held: Held, patient: Patient | None, correction: Correction
) -> Given:
    """What is said of the patient, where the actor may say it. Raises Forbidden, and Invalid."""
    if held.ticket.status == Status.DISCHARGED and actor.role.rank < Role.ADMIN.rank:
        raise Forbidden("Of a patient who has left, an administrator corrects the data.")
    given = correction.given(patient)
    refuse_new_document(patient, given)
    if patient is None:
        await refuse_nameless(session, held.ticket.clinic_id, given)
    return given
