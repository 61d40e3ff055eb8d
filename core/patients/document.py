"""A patient's document in its one normal form, by which the patient is found again."""

from dataclasses import dataclass
from enum import StrEnum

from stdnum.cl import rut as chilean
from stdnum.exceptions import ValidationError

from core.errors import Invalid

LONGEST = 40
SHORTEST_RUT = 6
"""Digits without the verifier, leading zeros aside: the lowest RUTs of living people have as many."""


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


def normal_rut(text: str) -> str | None:
    """`12345678-5`, upper-case K, no leading zeros; None for what is no RUT or fails modulo 11."""
    compact = chilean.compact(text)
    if not compact.isascii():
        return None
    digits, verifier = compact[:-1].lstrip("0"), compact[-1:]
    # The check wants eight characters at least; leading zeros change nothing in it.
    padded = digits.zfill(7) + verifier
    try:
        chilean.validate(padded)
    except ValidationError:
        return None
    return f"{digits}-{verifier}" if len(digits) >= SHORTEST_RUT else None


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
