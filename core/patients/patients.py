"""A clinic's patients: found by document or made, and changed, always under the row's lock.

Locks are taken patient first, tickets after, by everything that needs both: so two writers cannot wait for each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from core.audit.record import AuditEntry
from core.db.failures import is_duplicate
from core.db.transaction import Session, WriteSession
from core.errors import Conflict, FieldError, Invalid
from core.patients.document import Document, DocumentType, parse, refuse_wrong_rut
from core.patients.mismatch import PatientMismatch, SamePerson
from core.patients.models import Patient
from core.patients.same_person import is_same_person

PATH = "patient"
NAMES = ("first_name", "last_name")
"""What a patient cannot be without."""
CALLED = ("first_name", "middle_name", "last_name", "second_last_name")
NAMELESS = "A new patient needs it."
TAKEN = "Another patient of this clinic has this document."
FIELDS = ("first_name", "middle_name", "last_name", "second_last_name", "age", "sex")


@dataclass(frozen=True, slots=True)
class Given:
    """What a client said of a patient: `fields` holds those of FIELDS that it named, null included."""

    document: Document
    fields: Mapping[str, Any]
    same_person: SamePerson | None = None
    """The answer to an earlier PatientMismatch."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a client said of a ticket's patient field by field: what is None here, or not among `fields`, stays."""

    fields: Mapping[str, Any]
    document_type: DocumentType | None = None
    document: str | None = None
    same_person: SamePerson | None = None

    def given(self, patient: Patient | None) -> Given:
        """As of the whole patient on file. None, where the ticket has no patient yet, has to be told by a document.
        Raises Invalid for one that cannot be kept."""
        kind, text = self.document_type, self.document
        if patient is not None:
            if kind is None and text is None:
                kept = Document(DocumentType(patient.document_type), patient.shown_document, patient.verified)
                return Given(kept, self.fields, self.same_person)
            kind = kind or DocumentType(patient.document_type)
            text = text or patient.shown_document
        if kind is None or text is None:
            missing = [name for name, value in (("document_type", kind), ("document", text)) if value is None]
            raise Invalid(*(FieldError(f"{PATH}.{name}", "required", NAMELESS) for name in missing))
        return Given(parse(kind, text, f"{PATH}.document"), self.fields, self.same_person)


@dataclass(frozen=True, slots=True)
class WrittenPatient:
    """The patient's row, and the audit's entries of what was done to it."""

    patient: Patient
    entries: list[AuditEntry] = field(default_factory=list)
    changed: bool = False
    """An existing patient's data changed: its tickets' revisions must rise."""
    names_differ: bool = False
    """A name was given in another way than it is on file, and stayed as it is there."""


async def find_or_create(session: WriteSession, clinic_id: int, given: Given) -> WrittenPatient:
    """The patient with that document in the clinic, made if new; of a document that identifies nobody always a new one.

    What is on file stays, and only what was empty is filled, unless `same_person` says that the file is to be
    corrected. Two nurses who enter the same new patient at once both get the same row: the second waits for the
    first's commit. Raises Invalid for a RUT that fails its check, and for a new patient without names; PatientMismatch
    where the names are not those on file.
    """
    refuse_wrong_rut(given.document, f"{PATH}.document")
    while True:
        found = await _find(session, clinic_id, given.document)
        if found is not None:
            return await _fill(session, found, given)
        made = await _create(session, clinic_id, given)
        if made is not None:
            entry = AuditEntry("patient.created", "patient", made.id, {"document": [None, made.shown_document]})
            return WrittenPatient(made, [entry])
        # Somebody made this patient since we looked; now that they have committed, it is found.


async def _fill(session: WriteSession, patient: Patient, given: Given) -> WrittenPatient:
    """What is given fills what is empty on file, or corrects it where `given.same_person` says so. Null and absent
    leave the file as it is."""
    said = {name: value for name, value in given.fields.items() if value is not None}
    if given.same_person is not None and given.same_person.means(patient):
        return await change(session, patient, said)
    require_same_person(patient, given)
    missing = {name: value for name, value in said.items() if getattr(patient, name) is None or name == "age"}
    written = await change(session, patient, missing)
    differ = any(name in said and name not in missing and said[name] != getattr(patient, name) for name in CALLED)
    return replace(written, names_differ=differ)


def require_same_person(patient: Patient, given: Given) -> None:
    """Raises PatientMismatch where the names given are not those on file, unless it was said to be the same one."""
    if given.same_person is not None and given.same_person.means(patient):
        return
    if not is_same_person({name: getattr(patient, name) for name in FIELDS}, given.fields):
        raise PatientMismatch(patient)


async def change(session: WriteSession, patient: Patient, values: Mapping[str, Any]) -> WrittenPatient:
    """Write those of `values`, by column, that differ from the locked row's.

    Raises Conflict (`duplicate`) for a document that another patient of the clinic has.
    """
    before = {name: getattr(patient, name) for name in values} | {"document": patient.shown_document}
    changes = {name: [before[name], value] for name, value in values.items() if before[name] != value}
    if not changes:
        return WrittenPatient(patient)
    statement = (
        update(Patient).where(Patient.id == patient.id).values({name: new for name, (_, new) in changes.items()})
    )
    try:
        await session.execute(statement)
    except IntegrityError as error:
        if is_duplicate(error):
            raise Conflict(TAKEN, code="duplicate") from error
        raise
    return WrittenPatient(patient, [AuditEntry("patient.changed", "patient", patient.id, changes)], changed=True)


async def require_nobodys(session: WriteSession, patient: Patient, document: Document) -> None:
    """Raises Conflict (`duplicate`) where another patient of the clinic is found by `document`.

    Before it is written: PostgreSQL logs a refused key with the document in it.
    """
    found = await identified(session, patient.clinic_id, document)
    if found not in (None, patient.id):
        raise Conflict(TAKEN, code="duplicate")


async def identified(session: Session, clinic_id: int, document: Document) -> int | None:
    """The id of the clinic's patient who is found by `document`, not locked."""
    if document.is_nobodys:
        return None
    return await session.scalar(_identified(clinic_id, document).with_only_columns(Patient.id))


async def refuse_nameless(session: Session, clinic_id: int, given: Given) -> None:
    """Raises Invalid for names that a new patient needs, where `given` is nobody who is on file."""
    missing = _missing(given)
    if missing and await identified(session, clinic_id, given.document) is None:
        raise Invalid(*missing)


def _missing(given: Given) -> list[FieldError]:
    unnamed = [name for name in NAMES if given.fields.get(name) is None]
    return [FieldError(f"{PATH}.{name}", "required", NAMELESS) for name in unnamed]


async def on_file(session: Session, clinic_id: int, document: Document) -> Patient | None:
    """The clinic's patient who is found by `document`; None where there is none, or it identifies nobody."""
    return None if document.is_nobodys else await session.scalar(_identified(clinic_id, document))


def names_another(patient: Patient, document: Document) -> bool:
    """Whether `document` is another one than the patient has on file."""
    return (patient.document_type, patient.shown_document) != (document.type.value, document.text)


async def hold(session: WriteSession, patient_id: int) -> Patient:
    """The patient's row, locked. Its key stays readable to others' foreign keys."""
    return (
        await session.execute(select(Patient).where(Patient.id == patient_id).with_for_update(key_share=True))
    ).scalar_one()


async def hold_all(session: WriteSession, ids: Select[int | None] | Iterable[int]) -> None:
    """Likewise several, in the order of their ids. Null is nobody."""
    locking = select(Patient.id).where(Patient.id.in_(ids)).order_by(Patient.id)
    await session.execute(locking.with_for_update(key_share=True))


async def _find(session: WriteSession, clinic_id: int, document: Document) -> Patient | None:
    if document.is_nobodys:
        return None
    statement = _identified(clinic_id, document).with_for_update(key_share=True)
    return (await session.execute(statement)).scalar_one_or_none()


def _identified(clinic_id: int, document: Document) -> Select[Patient]:
    return select(Patient).where(
        Patient.clinic_id == clinic_id,
        Patient.document_type == document.type.value,
        Patient.document == _normal(document),
        Patient.verified,
    )


def _normal(document: Document) -> ColumnElement[str]:
    """As the database has it, which keeps the rule for everybody who writes."""
    return func.document_identity(literal(document.type.value, Text), literal(document.text, Text), type_=Text())


async def _create(session: WriteSession, clinic_id: int, given: Given) -> Patient | None:
    """The new row; None where somebody else was first."""
    document = given.document
    if missing := _missing(given):
        raise Invalid(*missing)
    statement = (
        insert(Patient)
        .values(
            clinic_id=clinic_id,
            document_type=document.type.value,
            # What has no normal form there is nobody's there: the trigger marks it so.
            document=func.coalesce(_normal(document), document.text),
            verified=not document.is_nobodys,
            **given.fields,
        )
        .on_conflict_do_nothing(index_elements=[Patient.clinic_id, Patient.document_type, Patient.document])
        .returning(Patient)
    )
    return (await session.execute(statement)).scalar_one_or_none()
