"""Search: every word of it must stand somewhere in the ticket or its patient, in any order.

Words are found in ticket id, patient's names, document, bed, location and episode; accents and case do not matter, nor
does the punctuation of a document and of names (`dangelo`, `perezcotapos`). Migrations 0006 and 0012 define the text;
what a client sends is made into patterns by the same functions, so that both sides agree on what an accent is, and `%`
or `_` in it are letters like any other.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

from sqlalchemy import CTE, ColumnElement, ScalarSelect, Select, String, exists, func, literal, or_, select, true, union
from sqlalchemy.sql.selectable import LateralFromClause

from core.access import ClinicScope
from core.patients.models import Patient
from core.text import APOSTROPHES
from core.tickets.models import Ticket

BETWEEN = frozenset(".,/\u2212") | frozenset(APOSTROPHES)
INDEXED = 3
"""Letters that a word needs for the trigram indexes to find it."""
COMBINED = 3
"""Words that are looked for together; the others are looked for among those that they lead to."""


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


def found(scope: ClinicScope, words: tuple[str, ...], *, shortest: int = INDEXED) -> tuple[CTE | None, tuple[str, ...]]:
    """`id` of the tickets that the longest words lead to by index, COMBINED at most, and the words that are still to be
    matched.

    Of several words each may stand in the ticket or with its patient, so each way is looked for by itself: words that
    many have, each for itself, lead to those few that have them all. None where no word has `shortest` letters; where
    none is long enough for the index, both tables are read to find one that has.
    """
    longest = sorted((word for word in words if len(word) >= INDEXED), key=len, reverse=True)[:COMBINED]
    longest = longest or [word for word in words if len(word) >= shortest][:1]
    if not longest:
        return None, words
    ways = []
    for theirs in product((False, True), repeat=len(longest)):
        of_patient = [word for word, is_theirs in zip(longest, theirs, strict=True) if is_theirs]
        of_ticket = [word for word, is_theirs in zip(longest, theirs, strict=True) if not is_theirs]
        ways.append(_way(scope, of_patient, of_ticket, leads_by_patient=theirs[0]))
    found = union(*ways).cte("found").prefix_with("MATERIALIZED")
    return found, tuple(word for word in words if word not in longest)


def _way(
    scope: ClinicScope, of_patient: Sequence[str], of_ticket: Sequence[str], *, leads_by_patient: bool
) -> Select[Any]:
    """`id` of the tickets with these words of their patient's and those of their own, from the side of the longest one.

    It begins by asking whether anybody has the words of the other side, which names in tickets seldom are. From one
    side to the other it goes by index, whatever the database believes of their numbers (OFFSET).
    """
    theirs, own = (_read_by(column, (*of_patient, *of_ticket)) for column in (Patient.search, Ticket.search))
    of_patients = [scope.rows(Patient.clinic_id), *(or_(*_of_patient(word, theirs)) for word in of_patient)]
    of_tickets = [scope.rows(Ticket.clinic_id), *(own.like(_pattern(word)) for word in of_ticket)]
    tickets = select(Ticket.id).add_columns(Ticket.patient_id).where(*of_tickets)
    patients = select(Patient.id).where(*of_patients)
    if not of_patient:
        return select(tickets.subquery().c.id)
    if leads_by_patient:
        led = patients.offset(0).subquery()
        its = select(Ticket.id).where(Ticket.patient_id == led.c.id, *of_tickets[1:])
        there = its.offset(0).correlate(led).lateral()
        way = select(there.c.id).select_from(led.join(there, true()))
        return way.where(_any(tickets)) if of_ticket else way
    led = tickets.offset(0).subquery()
    somebody = select(Patient.id).where(Patient.id == led.c.patient_id, *of_patients[1:])
    return (
        select(led.c.id)
        .select_from(led.join(somebody.offset(0).correlate(led).lateral(), true()))
        .where(_any(patients))
    )


def _read_by(search: Any, words: Iterable[str]) -> Any:
    """`search`, or for words that are too short for its index an expression that has none: the index would give every
    row there is."""
    return search if all(len(word) >= INDEXED for word in words) else search.concat("")


def _any(rows: Select[Any]) -> ColumnElement[bool]:
    """Whether there are any. As a CTE it is planned as if all were read, by index: for the first one alone PostgreSQL
    would read the table, and to its end where there is none."""
    return exists(select(rows.cte().prefix_with("MATERIALIZED")))


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
