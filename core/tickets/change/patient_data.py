"""What is written of a ticket's patient with the ticket: corrections of the file, or an imported ticket's patient."""

from core.db.transaction import WriteSession
from core.patients import patients
from core.patients.document import refuse_wrong_rut
from core.patients.models import Patient
from core.tickets.change.held import Held, raise_revisions
from core.tickets.change.stays import require_only_stay


def refuse_new_document(patient: Patient | None, given: patients.Given) -> None:
    """Raises Invalid for a RUT that fails its check, but where it is on file so: an imported one stays usable."""
    if patient is None or patients.names_another(patient, given.document):
        refuse_wrong_rut(given.document, f"{patients.PATH}.document")


async def write_patient(
    session: WriteSession, held: Held, patient: Patient | None, given: patients.Given, second_stay: str | None
) -> patients.WrittenPatient:
    """Correct the ticket's patient by what is given; None, as an imported ticket's may be, is found or made. The
    patient's other active tickets must be read again. `held` and `patient` as `hold_with_patient` gives them.

    Raises Conflict (`duplicate` for another patient's document; `already_admitted` where the patient found has an
    active ticket), and PatientMismatch where both the document and the name become another.
    """
    if patient is None:
        written = await patients.find_or_create(session, held.ticket.clinic_id, given)
        await require_only_stay(session, written.patient.id, second_stay, besides=held.ticket.id)
    else:
        written = await _correct(session, patient, given)
    if written.changed:
        await raise_revisions(session, written.patient.id, besides=held.ticket.id)
    return written


async def _correct(session: WriteSession, patient: Patient, given: patients.Given) -> patients.WrittenPatient:
    values = dict(given.fields)
    if patients.names_another(patient, given.document):
        document = given.document
        await patients.require_nobodys(session, patient, document)
        # Document and names at once: that is another person.
        patients.require_same_person(patient, given)
        values |= {"document_type": document.type.value, "document": document.text, "verified": document.verified}
    return await patients.change(session, patient, values)
