"""A patient's document in its one normal form, by which the patient is found again."""

from dataclasses import dataclass
from enum import StrEnum

from core.errors import Invalid
from core.rut import normal_rut

LONGEST = 40


class DocumentType(StrEnum):
    RUT = "rut"
    PASSPORT = "passport"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Document:
    type: DocumentType
    text: str
    verified: bool
    """False for a RUT that fails its check: only an imported patient may have one."""


def parse(document_type: DocumentType, text: str, path: str) -> Document:
    """Normal form of what a client sent. Raises Invalid at `path` for what cannot be kept."""
    plain = " ".join(text.split()).upper()
    verified = True
    if document_type is DocumentType.RUT:
        normal = normal_rut(plain)
        verified = normal is not None
        plain = normal or plain
    if not 1 <= len(plain) <= LONGEST:
        raise Invalid.field(path, "invalid_document", f"A document has 1 to {LONGEST} characters.")
    return Document(document_type, plain, verified)


def refuse_unverified(document: Document, path: str) -> None:
    if not document.verified:
        raise Invalid.field(path, "invalid_rut", "This is no RUT, or its verifier digit is wrong.")
