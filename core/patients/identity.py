"""Which documents identify somebody: by the others nobody is found, however often they are typed.

For the API and imports alike; the database has the same rule (`document_identity`, migration 0011).
"""

import re
import unicodedata

from core.rut import SHORTEST
from core.text import clean, folded

NOBODYS = frozenset({"rn", "nn", "sn", "sr", "sinrut", "sindocumento", "reciennacido"})
"""What is typed where there is no document, by its letters alone (`S/R`, `R.N.`): newborns, people unknown."""

_too_short = re.compile(rf"0*[0-9]{{0,{SHORTEST - 1}}}[0-9k]")


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
    """Of passports and others: upper case, letters and digits alone, whatever their width and the digits' script."""
    return _letters(unicodedata.normalize("NFKC", clean(text)).upper())


def _letters(text: str) -> str:
    digits = (unicodedata.decimal(character, None) for character in text)
    return "".join(
        character if digit is None else str(digit)
        for character, digit in zip(text, digits, strict=True)
        if digit is not None or character.isalpha()
    )
