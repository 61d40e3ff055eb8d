"""A clinic's patients: found by document or made, and changed, always under the row's lock.

Locks are taken patient first, tickets after, by everything that needs both: so two writers cannot wait for each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from core.audit.service import Entry
from core.db.failures import is_duplicate
from core.db.transaction import WriteSession
from core.errors import Conflict, FieldError, Invalid
from core.patients.document import Document, refuse_unverified
from core.patients.models import Patient

PATH = "patient"
NAMES = ("first_name", "last_name")
"""What a patient cannot be without."""
FIELDS = ("first_name", "middle_name", "last_name", "second_last_name", "age", "sex")


@dataclass(frozen=True, slots=True)
class Given:
    """What a client said of a patient: `fields` holds those of FIELDS that it named, null included."""

    document: Document
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """The patient's row, and the audit's entries of what was done to it."""

    patient: Patient
    entries: list[Entry] = field(default_factory=list)
    changed: bool = False
    """An existing patient's data changed: its tickets' revisions must rise."""


async def find_or_create(session: WriteSession, clinic_id: int, given: Given) -> Written:
    """The patient with that document in the clinic, made if new; fields that are given overwrite, absent ones stay.

    Two nurses who enter the same new patient at once both get the same row: the second waits for the first's commit.
    Raises Invalid for a new patient with a RUT that fails its check, or without names.
    """
    while True:
        found = await _find(session, clinic_id, given.document)
        if found is not None:
            return await change(session, found, given.fields)
        made = await _create(session, clinic_id, given)
        if made is not None:
            entry = Entry("patient.created", "patient", made.id, {"document": [None, made.document]})
            return Written(made, [entry])
        # Somebody made this patient since we looked; now that they have committed, it is found.


async def change(session: WriteSession, patient: Patient, values: Mapping[str, Any]) -> Written:
    """Write what differs. Raises Conflict (`duplicate`) for a document that another patient of the clinic has."""
    changes = {
        name: [getattr(patient, name), value] for name, value in values.items() if getattr(patient, name) != value
    }
    if not changes:
        return Written(patient)
    duplicate = Conflict("Another patient of this clinic has this document.", code="duplicate")
    # Looked for before: a refused key is told in PostgreSQL's log with the document in it.
    if changes.keys() & {"document", "document_type"} and await _taken(session, patient, values):
        raise duplicate
    statement = (
        update(Patient).where(Patient.id == patient.id).values({name: new for name, (_, new) in changes.items()})
    )
    try:
        await session.execute(statement)
    except IntegrityError as error:
        if is_duplicate(error):
            raise duplicate from error  # somebody made this patient just now
        raise
    return Written(patient, [Entry("patient.changed", "patient", patient.id, changes)], changed=True)


async def _taken(session: WriteSession, patient: Patient, values: Mapping[str, Any]) -> bool:
    statement = select(Patient.id).where(
        Patient.clinic_id == patient.clinic_id,
        Patient.document_type == values.get("document_type", patient.document_type),
        Patient.document == values.get("document", patient.document),
        Patient.id != patient.id,
    )
    return (await session.execute(statement)).first() is not None


async def hold(session: WriteSession, patient_id: int) -> Patient:
    """The patient's row, locked. Its key stays readable to others' foreign keys."""
    return (
        await session.execute(select(Patient).where(Patient.id == patient_id).with_for_update(key_share=True))
    ).scalar_one()


async def _find(session: WriteSession, clinic_id: int, document: Document) -> Patient | None:
    if not document.verified:
        return None  # it identifies nobody
    statement = (
        select(Patient)
        .where(
            Patient.clinic_id == clinic_id,
            Patient.document_type == document.type.value,
            Patient.document == document.text,
            Patient.verified,
        )
        .with_for_update(key_share=True)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def _create(session: WriteSession, clinic_id: int, given: Given) -> Patient | None:
    """The new row; None where somebody else was first."""
    refuse_unverified(given.document, f"{PATH}.document")
    missing = [name for name in NAMES if given.fields.get(name) is None]
    if missing:
        raise Invalid(*(FieldError(f"{PATH}.{name}", "required", "A new patient needs it.") for name in missing))
    statement = (
        insert(Patient)
        .values(
            clinic_id=clinic_id,
            document_type=given.document.type.value,
            document=given.document.text,
            verified=True,
            **given.fields,
        )
        .on_conflict_do_nothing(index_elements=[Patient.clinic_id, Patient.document_type, Patient.document])
        .returning(Patient)
    )
    return (await session.execute(statement)).scalar_one_or_none()
