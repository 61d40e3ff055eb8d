"""Search: every word of it must stand somewhere in the ticket or its patient, in any order.

Words are found in ticket id, patient's names, document, bed, location and episode; accents and case do not matter, nor
does the punctuation of a document and of names (`dangelo`, `perezcotapos`). Migrations 0006 and 0012 define the text;
what a client sends is made into patterns by the same functions, so that both sides agree on what an accent is, and `%`
or `_` in it are letters like any other.
"""

import unicodedata
from collections.abc import Iterable
from typing import Any

from sqlalchemy import CTE, ColumnElement, ScalarSelect, String, func, literal, or_, select, union
from sqlalchemy.sql.selectable import LateralFromClause

from core.access import ClinicScope
from core.patients.models import Patient
from core.text import APOSTROPHES
from core.tickets.models import Ticket

BETWEEN = frozenset(".,/\u2212") | frozenset(APOSTROPHES)
INDEXED = 3
"""Letters that a word needs for the trigram indexes to find it."""


def words_of(q: str | None) -> tuple[str, ...]:
    """The words of a search, each once."""
    return tuple(dict.fromkeys((q or "").split()))


def matching(words: Iterable[str], patient_search: ColumnElement[str]) -> list[ColumnElement[bool]]:
    """One condition per word, over Ticket and its patient's `search`, null where it has no patient."""
    return [or_(Ticket.search.like(_pattern(word)), *_of_patient(word, patient_search)) for word in words]


def patient_text() -> LateralFromClause:
    """`search` of the Ticket's patient, to be outer-joined: looked up for each ticket that is left by then.

    The limit keeps PostgreSQL from reading every patient there ever was to find those of one ward.
    """
    theirs = select(Patient.search).where(Patient.id == Ticket.patient_id)
    return theirs.correlate(Ticket).limit(1).lateral("patient_text")


def found(scope: ClinicScope, words: tuple[str, ...]) -> tuple[CTE | None, tuple[str, ...]]:
    """`id` of the tickets that the longest word leads to, by index, and the words that are still to be matched.

    For lists of many years. None where no word is long enough for the index.
    """
    longest = max(words, key=len, default="")
    if len(longest) < INDEXED:
        return None, words
    by_ticket = select(Ticket.id).where(scope.rows(Ticket.clinic_id), Ticket.search.like(_pattern(longest)))
    by_patient = (
        select(Ticket.id)
        .join(Patient, Patient.id == Ticket.patient_id)
        .where(scope.rows(Patient.clinic_id), or_(*_of_patient(longest, Patient.search)))
    )
    found = union(by_ticket, by_patient).cte("found").prefix_with("MATERIALIZED")
    return found, tuple(word for word in words if word != longest)


def _pattern(word: str) -> ScalarSelect[str]:
    """As a subquery of its own it is made once, not for every row."""
    return select(func.search_pattern(literal(word, String))).scalar_subquery()


def _of_patient(word: str, patient_search: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [patient_search.like(_pattern(word))]
    if not word.isalnum() and all(map(_left_out, word)):
        # 12.345.678-5, O´Higgins: as it is written, and by its letters and digits alone.
        document = select(func.search_document_pattern(literal(word, String))).scalar_subquery()
        conditions.append(patient_search.like(document))
    return conditions


def _left_out(character: str) -> bool:
    """Letters, digits, and what people put between them: dashes of every length, apostrophes of every kind."""
    return character.isalnum() or character in BETWEEN or unicodedata.category(character) == "Pd"
