"""Search: every word of it must stand somewhere in the ticket or its patient, in any order.

Words are found in ticket id, patient's names, document, bed, location and episode; accents and case do not matter, nor
does the punctuation of a document and of names (`dangelo`, `perezcotapos`). Migrations 0006 and 0012 define the text;
what a client sends is made into patterns by the same functions, so that both sides agree on what an accent is, and `%`
or `_` in it are letters like any other.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.sql.selectable import LateralFromClause

from core.access import ClinicScope
from core.db.other_letters import has_other_letters
from core.patients.models import Patient
from core.text import APOSTROPHES, folded
from core.tickets.models import Ticket

BETWEEN = frozenset(".,/\u2212") | frozenset(APOSTROPHES)
INDEXED = 3
"""Letters that are a trigram."""
COMBINED = 3
"""Words that are looked for together; the others are looked for among those that they lead to."""

# ASCII's letters are such in every locale. Where a sign stands before or after them a trigram has two blanks, or one.
_signs = r"[!-/:-@\[-`{-~]"
_trigram = re.compile(f"[0-9a-z]{{3}}|{_signs}[0-9a-z]|[0-9a-z]{{2}}{_signs}")


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


def is_indexed(word: str) -> bool:
    """Whether the trigram indexes find a word by itself; where it may be a document, its letters alone, too."""
    plain = folded(word)
    letters = "".join(filter(str.isalnum, plain))
    return bool(_trigram.search(plain) and (not _may_be_document(word) or _trigram.search(letters)))


def found(scope: ClinicScope, words: tuple[str, ...], *, short: bool = False) -> tuple[CTE | None, tuple[str, ...]]:
    """`id` of the tickets that the longest words lead to by index, COMBINED at most, and the words that are still to be
    matched.

    Of several words each may stand in the ticket or with its patient, so each way is looked for by itself: words that
    many have, each for itself, lead to those few that have them all. Where the index finds no word by itself, None; or,
    where `short` ones are looked for, too, one of them by what stands beside it.
    """
    longest = sorted(filter(is_indexed, words), key=len, reverse=True)[:COMBINED]
    if not longest and not (short and words):
        return None, words
    if not longest:
        longest = [max(words, key=lambda word: sum(map(str.isalnum, word)))]
    is_short = not is_indexed(longest[0]) and not all(map(_is_between, longest[0]))
    ways = _short_ways(scope, longest[0]) if is_short else _ways(scope, longest)
    found = union(*ways).cte("found").prefix_with("MATERIALIZED")
    return found, tuple(word for word in words if word not in longest)


def _short_ways(scope: ClinicScope, word: str) -> list[Select[Any]]:
    """`id` of the tickets with a word that has no trigram of its own, by those that it has with what stands beside it;
    and by reading those rows in which anything else may stand there."""
    patients = union(*_by_neighbours(Patient, scope, word, lambda search: or_(*_of_patient(word, search)))).subquery()
    its = select(Ticket.id).where(Ticket.patient_id == patients.c.id, scope.rows(Ticket.clinic_id))
    of_patient = its.offset(0).correlate(patients).lateral()
    of_tickets = _by_neighbours(Ticket, scope, word, lambda search: search.like(_pattern(word)))
    return [select(of_patient.c.id).select_from(patients.join(of_patient, true())), *of_tickets]


def _by_neighbours(
    table: Any, scope: ClinicScope, word: str, matches: Callable[[Any], ColumnElement[bool]]
) -> list[Select[Any]]:
    patterns = (
        select(func.unnest(func.short_word_patterns(literal(word, String))).label("pattern")).offset(0).subquery()
    )
    own = scope.rows(table.clinic_id)
    one = select(table.id).where(own, table.search.like(patterns.c.pattern), matches(_unindexed(table.search)))
    there = one.offset(0).correlate(patterns).lateral()
    # In a database whose letters are all alphabets' the index knows longer words of them, too.
    search = table.search if len(word) >= INDEXED else _unindexed(table.search)
    others = select(table.id).where(own, has_other_letters(table.search), matches(search))
    return [select(there.c.id).select_from(patterns.join(there, true())), others]


def _ways(scope: ClinicScope, words: Sequence[str]) -> list[Select[Any]]:
    ways = []
    for theirs in product((False, True), repeat=len(words)):
        of_patient = [word for word, is_theirs in zip(words, theirs, strict=True) if is_theirs]
        of_ticket = [word for word, is_theirs in zip(words, theirs, strict=True) if not is_theirs]
        ways.append(_way(scope, of_patient, of_ticket, leads_by_patient=theirs[0]))
    return ways


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
    """`search`, or where the index finds none of the words by itself an expression that has none: the index would give
    every row there is."""
    return search if all(map(is_indexed, words)) else _unindexed(search)


def _unindexed(search: Any) -> Any:
    return search.concat("")


def _any(rows: Select[Any]) -> ColumnElement[bool]:
    """Whether there are any. As a CTE it is planned as if all were read, by index: for the first one alone PostgreSQL
    would read the table, and to its end where there is none."""
    return exists(select(rows.cte().prefix_with("MATERIALIZED")))


def _pattern(word: str) -> ScalarSelect[str]:
    """As a subquery of its own it is made once, not for every row."""
    return select(func.search_pattern(literal(word, String))).scalar_subquery()


def _of_patient(word: str, patient_search: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [patient_search.like(_pattern(word))]
    if _may_be_document(word):
        # 12.345.678-5, O´Higgins: as it is written, and by its letters and digits alone.
        document = select(func.search_document_pattern(literal(word, String))).scalar_subquery()
        conditions.append(patient_search.like(document))
    return conditions


def _may_be_document(word: str) -> bool:
    """Whether it is written as documents and names are, with something between letters and digits."""
    return not word.isalnum() and all(character.isalnum() or _is_between(character) for character in word)


def _is_between(character: str) -> bool:
    """What people put between letters and digits: dashes of every length, apostrophes of every kind."""
    return character in BETWEEN or unicodedata.category(character) == "Pd"
