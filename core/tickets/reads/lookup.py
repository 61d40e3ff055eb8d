"""Who has a document, before a ticket is made: the patient on file, and whether they are here."""

from typing import Any

from limits import RateLimitItemPerHour
from pydantic import Field
from sqlalchemy import select

from core.access import Actor
from core.answer_model import AnswerModel
from core.audit.record import AuditEntry, record_all
from core.clinics.references import require_clinic
from core.db.transaction import WriteSession
from core.patients import mismatch, patients
from core.patients.document import Document
from core.tickets.models import Status, Ticket

LOOKED_UP = "patient.looked_up"
LIMIT = RateLimitItemPerHour(60)
"""For each user: a ward's morning is far below it, and whoever reads a clinic's file number by number is not."""


class PatientOnFile(AnswerModel):
    """As `patient_mismatch` shows them: `id` and `revision` are what `same_person` takes."""

    id: int
    revision: int
    document_type: str
    document: str
    first_name: str
    middle_name: str | None
    last_name: str
    second_last_name: str | None
    age: int | None
    sex: str | None


class Lookup(AnswerModel):
    patient: PatientOnFile | None = Field(description="Null where the document is nobody's in this clinic.")
    active_tickets: list[str] = Field(
        description="The patient's, the newest first, which `already_admitted` would show."
    )
    verified: bool = Field(
        description="Whether the document identifies somebody. False for `RN`, `SIN RUT` and such: each such admission "
        "is a patient of its own."
    )


async def look_up(session: WriteSession, actor: Actor, clinic_id: int, document: Document) -> Lookup:
    """Who has the document in the clinic. Audited: of the patient where there is one, else of the clinic, with the
    document that was asked for. Raises Invalid for an unknown clinic."""
    await require_clinic(session, clinic_id)
    found = await patients.on_file(session, clinic_id, document)
    tickets: list[str] = []
    if found is None:
        asked: dict[str, list[Any]] = {"document_type": [None, document.type.value], "document": [None, document.text]}
        entry = AuditEntry(LOOKED_UP, "clinic", clinic_id, asked)
    else:
        active = select(Ticket.id).where(Ticket.patient_id == found.id, Ticket.status == Status.ACTIVE)
        tickets = list(await session.scalars(active.order_by(Ticket.created_at.desc(), Ticket.id.desc())))
        entry = AuditEntry(LOOKED_UP, "patient", found.id)
    await record_all(session, actor, [entry], clinic_id=clinic_id)
    patient = None if found is None else PatientOnFile(**mismatch.shown(found))
    return Lookup(patient=patient, active_tickets=tickets, verified=document.verified)
