"""A patient's document in its one normal form, by which the patient is found again."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import Invalid
from core.patients.identity import identifies_nobody, normal_document
from core.rut import normal_rut
from core.text import clean

LONGEST = 40


class DocumentType(StrEnum):
    RUT = "rut"
    PASSPORT = "passport"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Document:
    type: DocumentType
    text: str
    """In its normal form (`12345678-5`, `AB1234C`) where it is `verified`, else as it was typed."""
    verified: bool
    """Whether a patient is found by it. False for a RUT that fails its check, and for what identifies nobody."""
    is_nobodys: bool = False
    """It identifies nobody (`RN`, `SIN RUT`, `1-9`): each such admission is a patient of its own."""


def parse(document_type: DocumentType, text: str, path: str) -> Document:
    """What a client sent, or an import read. Raises Invalid at `path` for what cannot be kept."""
    typed = clean(text)
    if not typed:
        raise Invalid.field(path, "invalid_document", f"A document has 1 to {LONGEST} characters.")
    is_nobodys = identifies_nobody(document_type.value, typed)
    normal = None
    if not is_nobodys:
        normal = normal_rut(typed) if document_type is DocumentType.RUT else normal_document(typed)
    kept = normal or typed
    if len(kept) > LONGEST:
        raise Invalid.field(path, "invalid_document", f"A document has 1 to {LONGEST} characters.")
    return Document(document_type, kept, normal is not None, is_nobodys)


def refuse_wrong_rut(document: Document, path: str) -> None:
    """Raises Invalid for a RUT that only fails its check: it was mistyped, and may be somebody else's."""
    if not document.verified and not document.is_nobodys:
        raise Invalid.field(path, "invalid_rut", "This is no RUT, or its verifier digit is wrong.")
