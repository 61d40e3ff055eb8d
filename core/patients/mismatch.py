"""The question that is asked where a document finds somebody of another name, and its answer."""

from dataclasses import dataclass
from typing import Any

from core.audit.record import AuditEntry
from core.errors import Conflict
from core.patients.models import Patient

SHOWN = ("first_name", "middle_name", "last_name", "second_last_name", "age", "sex")


@dataclass(frozen=True, slots=True)
class SamePerson:
    """The patient on file as they were shown: it is this one, and the file is to be corrected."""

    id: int
    revision: int

    def means(self, patient: Patient) -> bool:
        """Whether it is this patient, as they are on file now."""
        return (self.id, self.revision) == (patient.id, patient.revision)


class PatientMismatch(Conflict):
    """Nothing was written. Carries the patient on file (`patient`), and the audit's entry that they were shown."""

    def __init__(self, patient: Patient) -> None:
        super().__init__(
            "The patient with this document has another name. Answer with `same_person` if it is this one.",
            code="patient_mismatch",
            patient=shown(patient),
        )
        self.clinic_id = patient.clinic_id
        self.entry = AuditEntry("patient.shown", "patient", patient.id)


def shown(patient: Patient) -> dict[str, Any]:
    """What the client is shown of the patient on file, JSON-ready."""
    return {
        "id": patient.id,
        "revision": patient.revision,
        "document_type": patient.document_type,
        "document": patient.shown_document,
        **{name: getattr(patient, name) for name in SHOWN},
    }
