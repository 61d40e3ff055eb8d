"""What is said of a patient, in a ticket or by itself."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from api.requests.fields import Body, JsonId, number
from core.patients.document import Document, DocumentType, parse, refuse_wrong_rut
from core.patients.mismatch import SamePerson
from core.patients.patients import PATH, Correction, Given

Name = Annotated[str, Field(min_length=1, max_length=80)]
# The bounds first: outside of the check they would not be JSON Schema's.
Age = Annotated[int, Field(ge=0, le=150), BeforeValidator(number)]
Sex = Literal["F", "M", "X"]
DocumentText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        description="A RUT with or without dots, its verifier digit checked; of other documents the letters and "
        "digits. What identifies nobody (`RN`, `SIN RUT`, `1-9`) finds nobody: each such admission is "
        "a patient of its own.",
        examples=["12.345.678-5"],
    ),
]

PATIENT: dict[str, Any] = {
    "document_type": "rut",
    "document": "12.345.678-5",
    "first_name": "Ana",
    "middle_name": None,
    "last_name": "Rojas",
    "second_last_name": None,
    "age": 40,
    "sex": "F",
}


class SamePersonIn(Body):
    """The answer to `patient_mismatch`: it is the patient that was shown, and the file is to be corrected."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": 1, "revision": 3}]})

    id: JsonId
    revision: JsonId


Same = Annotated[
    SamePersonIn | None, Field(description="Id and revision of the patient that `patient_mismatch` showed.")
]
NO_FIELDS = {"document_type", "document", "same_person"}


def same_person_of(sent: SamePersonIn | None) -> SamePerson | None:
    return None if sent is None else SamePerson(sent.id, sent.revision)


class PatientIn(Body):
    """Found by document in the clinic, or made. What is empty on file is filled; the rest of it, names above all, stays
    unless `same_person` says that it is to be corrected. Null and absent leave the file as it is."""

    document_type: DocumentType
    document: DocumentText
    # Without a default in the contract: a name is absent or a name, never null.
    first_name: Name = Field(default_factory=str, description="A new patient needs it.", examples=["Ana"])
    middle_name: Name | None = None
    last_name: Name = Field(default_factory=str, description="A new patient needs it.", examples=["Rojas"])
    second_last_name: Name | None = None
    age: Age | None = None
    sex: Sex | None = None

    same_person: Same = None

    def given(self) -> Given:
        document = parse(self.document_type, self.document, f"{PATH}.document")
        fields = self.model_dump(exclude=NO_FIELDS, exclude_unset=True)
        return Given(document, fields, same_person_of(self.same_person))


class PatientEditIn(Body):
    """Replaces the patient's data: what is absent is cleared. Another document and another name at once are
    `patient_mismatch`."""

    document_type: DocumentType
    document: DocumentText
    first_name: Name = Field(examples=["Ana"])
    middle_name: Name | None = None
    last_name: Name = Field(examples=["Rojas"])
    second_last_name: Name | None = None
    age: Age | None = None
    sex: Sex | None = None
    same_person: Same = None

    def given(self) -> Given:
        """All fields, those too that were left out."""
        document = parse(self.document_type, self.document, f"{PATH}.document")
        return Given(document, self.model_dump(exclude=NO_FIELDS), same_person_of(self.same_person))


class PatientPatchIn(Body):
    """Absent fields stay, null clears. Another document and another name at once are `patient_mismatch`. An imported
    ticket without a patient needs type and document, and finds or makes its patient."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"age": 41}]})

    # Without a default in the contract: absent or told, never null.
    document_type: DocumentType = Field(default_factory=lambda: DocumentType.RUT)
    document: DocumentText = Field(default_factory=str)
    first_name: Name = Field(default_factory=str, examples=["Ana"])
    middle_name: Name | None = None
    last_name: Name = Field(default_factory=str, examples=["Rojas"])
    second_last_name: Name | None = None
    age: Age | None = None
    sex: Sex | None = None
    same_person: Same = None

    def correction(self) -> Correction:
        told = self.model_dump(exclude_unset=True, exclude={"same_person"})
        document = {name: told.pop(name, None) for name in ("document_type", "document")}
        return Correction(told, **document, same_person=same_person_of(self.same_person))


class LookupIn(Body):
    model_config = ConfigDict(json_schema_extra={"examples": [{"document_type": "rut", "document": "12.345.678-5"}]})

    clinic_id: JsonId | None = Field(None, description="A superuser must name it; others' is their own.")
    document_type: DocumentType
    document: DocumentText

    def read(self) -> Document:
        """Raises Invalid for a RUT that fails its check."""
        document = parse(self.document_type, self.document, "document")
        refuse_wrong_rut(document, "document")
        return document
