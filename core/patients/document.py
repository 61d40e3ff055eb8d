"""A patient's document in its one normal form, by which the patient is found again; and which ones identify nobody.

For the API and imports alike; the database has the same rules (`document_identity`, migration 0011).
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from core.errors import Invalid
from core.rut import SHORTEST, normal_rut
from core.text import clean, folded

LONGEST = 40
"""Characters."""
NOBODYS = frozenset({"rn", "nn", "sn", "sr", "sinrut", "sindocumento", "reciennacido"})
"""What is typed where there is no document, by its letters alone (`S/R`, `R.N.`): newborns, people unknown."""

_too_short = re.compile(rf"0*[0-9]{{0,{SHORTEST - 1}}}[0-9k]")


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


def identifies_nobody(document_type: str, text: str) -> bool:
    """Whether no patient is to be found by it: nothing, a word of NOBODYS, all digits alike (`11.111.111-1`), and of
    RUTs fewer than five digits before the verifier (`1-9`), leading zeros aside. A RUT that fails its check is another
    matter."""
    letters = _letters(folded(text))
    if document_type == "rut":
        letters = letters.lstrip("0")
    if letters in NOBODYS or (len(set(letters)) <= 1 and not letters.isalpha()):
        return True
    return document_type == "rut" and _too_short.fullmatch(letters) is not None


def normal_document(text: str) -> str:
    """The normal form of passports and others: upper-case letters, digits of any script as 0-9, and nothing else."""
    return _letters(unicodedata.normalize("NFKC", clean(text)).upper())


def _letters(text: str) -> str:
    digits = (unicodedata.decimal(character, None) for character in text)
    return "".join(
        character if digit is None else str(digit)
        for character, digit in zip(text, digits, strict=True)
        if digit is not None or character.isalpha()
    )
