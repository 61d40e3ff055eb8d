"""The list of all tickets, page by page.

In a clinic with a million past tickets a page reads some dozens of them: every order is an index's.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    and_,
    case,
    false,
    func,
    literal,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)

from core.access import ClinicScope
from core.db.transaction import Session
from core.patients.models import NAME_ORDERED, Patient
from core.tickets.models import SURGERY_ORDERED, Ticket
from core.tickets.reads.filters import TicketFilter, filtered
from core.tickets.reads.pages import (
    KEPT,
    Page,
    Turn,
    all_in,
    clinics_of,
    counted,
    first,
    keyed,
    page_statement,
    read_page,
    total_of,
)
from core.tickets.reads.search import matching, patient_text

ALONG = 40
"""Tickets, for each that a page takes, of which the order's first are searched one by one."""
FURTHER = 5
"""Times as far, where so small a part of a page was met that it promises to be filled there."""
FEW = 5_000
"""Tickets that are found before they are put in order: more of them are met along it soon enough, so many are they."""
LOOKED_AT = 5_000
"""Tickets that are looked at one by one for a search's total, where the page needs fewer."""


async def list_tickets(session: Session, scope: ClinicScope, asked: TicketFilter, turn: Turn) -> Page:
    """One page, by `created_at`, `current_fpa`, `patient` or `surgery` (both in Spanish order), then id.

    Raises NotFound where the scope's clinic, or the surgery asked for, does not exist in the scope.
    """
    # As for the board: what is asked for again and again is put together once, which takes longer than to run it.
    plain = not asked.words and turn.position is None and (asked.counted_in is None or asked.counted_in.at is None)
    rows = (await session.execute((_kept_statement if plain else _statement)(scope, asked, turn))).all()
    return read_page(rows, turn, scope)


def _statement(scope: ClinicScope, asked: TicketFilter, turn: Turn) -> Select[Any]:
    clinics = clinics_of(scope)
    if asked.words:
        page, total = _searched(scope, asked, turn, clinics)
    else:
        tickets = filtered(scope, asked, turn.now, clinics)
        number = counted(tickets)
        page = _first_of(_in_order(scope, asked, tickets, turn, number), turn, turn.limit + 1)
        total = total_of(number, turn)
    known = all_in(scope, asked.named)
    return page_statement(clinics, page.subquery("page"), turn, known, {"total": total})


_kept_statement = lru_cache(maxsize=KEPT)(_statement)


def _searched(
    scope: ClinicScope, asked: TicketFilter, turn: Turn, clinics: CTE
) -> tuple[Select[Any], ColumnElement[Any] | ScalarSelect[Any]]:
    """The page, and its total. What many have is soon met along the order: within ALONG, or, where a fifth of the page
    is met there, within five times as many. Where neither fills the page, and there is more of the order, all that is
    found is put in order."""
    wanted = turn.limit + 1
    unsearched = filtered(scope, replace(asked, words=()), turn.now, clinics)
    parts = _in_order(scope, asked, unsearched, turn, counted(unsearched))
    near, is_enough = _along(parts, asked, turn, "near", ALONG * wanted)
    is_promising = and_(not_(is_enough), _number(near) >= wanted / FURTHER)
    further = [part.where(is_promising) for part in parts]
    far, reaches = _along(further, asked, turn, "far", FURTHER * ALONG * wanted)
    is_far_enough = and_(is_promising, reaches)
    every = filtered(scope, asked, turn.now, clinics, short=True).where(not_(is_enough), not_(is_far_enough))
    ways = [
        select(*near.c).where(is_enough),
        select(*far.c).where(is_far_enough),
        select(*_first_of(_in_order(scope, asked, every, turn), turn, wanted).subquery("every").c),
    ]
    page = select(*union_all(*ways).subquery("ways").c)
    if not turn.is_first:
        return page, null()
    # Where the page is not filled all are on it: it was met to the order's end.
    all_are_near, all_are_far = and_(is_enough, _number(near) < wanted), and_(is_far_enough, _number(far) < wanted)
    total = case(
        (all_are_near, func.jsonb_build_array(_number(near), false())),
        (all_are_far, func.jsonb_build_array(_number(far), false())),
        (or_(is_enough, is_far_enough), _met_among(unsearched, asked)),
        else_=total_of(counted(every, "counted_found"), turn),
    )
    return page, total


def _along(
    parts: list[Select[Any]], asked: TicketFilter, turn: Turn, name: str, most: int
) -> tuple[CTE, ColumnElement[bool]]:
    """Those that a search finds among the first `most` tickets of the order, and whether they fill the page, or are all
    there are."""
    wanted = turn.limit + 1
    order = _first_of(parts, turn, most).cte(f"{name}_order").prefix_with("MATERIALIZED")
    patient = patient_text()
    met = (
        select(*order.c)
        .join(Ticket, Ticket.id == order.c.id)
        .outerjoin(patient, true())
        .where(*matching(asked.words, patient.c.search))
    )
    found = first(met, _key_columns(order), turn, wanted).cte(name).prefix_with("MATERIALIZED")
    return found, or_(_number(found) == wanted, _number(order) < most)


def _met_among(unsearched: Select[Any], asked: TicketFilter) -> ScalarSelect[Any]:
    """SQL: [how many of LOOKED_AT tickets a search finds; whether there are more tickets]. Of a word that many have in
    a clinic of a million it takes much longer to find ten thousand tickets than all that the page needs."""
    patient = patient_text()
    is_found = and_(*matching(asked.words, patient.c.search)).label("is_found")
    some = unsearched.outerjoin(patient, true()).add_columns(is_found).limit(LOOKED_AT + 1).subquery("some")
    total = func.jsonb_build_array(func.count().filter(some.c.is_found), func.count() > LOOKED_AT)
    return select(total).select_from(some).scalar_subquery()


def _number(of: CTE) -> ScalarSelect[int]:
    return select(func.count()).select_from(of).scalar_subquery()


def _in_order(
    scope: ClinicScope, asked: TicketFilter, tickets: Select[Any], turn: Turn, number: CTE | None = None
) -> list[Select[Any]]:
    """`id` and keys of `tickets`, those that are asked for, after the turn's position: one query, or several that lie
    one after the other in the order, each of which an index answers. `number`: how many `counted` tickets they are."""
    parts = _by_patient(scope, tickets, turn) if turn.column == "patient" else [_by_column(tickets, turn)]
    if asked.is_of_active:
        return list(map(_found_first, parts))
    if number is None or not asked.may_be_of_few:
        return parts
    is_many = select(number.c.number > FEW).scalar_subquery()
    few = tickets.where(not_(is_many))
    found = _found_by_patient(scope, few, turn) if turn.column == "patient" else [_by_column(few, turn)]
    return [*(part.where(is_many) for part in parts), *map(_found_first, found)]


def _found_first(part: Select[Any]) -> Select[Any]:
    """The same tickets, which are found before they are put in order (OFFSET). PostgreSQL believes that few of many are
    spread over the order as all are; it would go along it, past all the others, for the oldest of them, or for one."""
    return select(*part.offset(0).subquery().c)


def _by_column(tickets: Select[Any], turn: Turn) -> Select[Any]:
    columns: dict[str, ColumnElement[Any]] = {
        "created_at": Ticket.__table__.c.created_at,
        "current_fpa": Ticket.__table__.c.current_fpa,
        "surgery": _first_letters(Ticket.__table__.c.surgery_order, SURGERY_ORDERED),
    }
    return keyed(tickets, [columns[turn.column], Ticket.__table__.c.id], turn)


def _by_patient(scope: ClinicScope, tickets: Select[Any], turn: Turn) -> list[Select[Any]]:
    last = Ticket.__table__.c.id
    # An imported ticket may have no patient.
    nobodys = keyed(tickets.where(Ticket.patient_id.is_(None)), [literal("", Text), last], turn)
    name = _first_letters(Patient.name_order, NAME_ORDERED)
    somebodys = tickets.join(Patient, Patient.id == Ticket.patient_id).where(scope.rows(Patient.clinic_id))
    if turn.position is not None and turn.position.after:
        # Implied by both keys together, and what the index of names answers.
        here = literal(turn.position.after[0], Text)
        somebodys = somebodys.where(name <= here if turn.descending else name >= here)
    return [nobodys, keyed(somebodys, [name, last], turn)]


def _found_by_patient(scope: ClinicScope, tickets: Select[Any], turn: Turn) -> list[Select[Any]]:
    """The same, of few tickets whose patients are looked up one by one: PostgreSQL, which takes them for many, would
    read all patients beside them."""
    found = tickets.add_columns(Ticket.patient_id).offset(0).subquery("found")
    own = select(_first_letters(Patient.name_order, NAME_ORDERED).label("name"))
    patient = own.where(Patient.id == found.c.patient_id, scope.rows(Patient.clinic_id)).offset(0).lateral("its")
    name = func.coalesce(patient.c.name, "", type_=Text)
    return [keyed(select(found.c.id).outerjoin(patient, true()), [name, found.c.id], turn)]


def _first_letters(text: Any, number: int) -> ColumnElement[str]:
    """As an index has them: not as a parameter, whose plan for any value would not know the index."""
    letters: ColumnElement[str] = func.left(text, literal_column(f"{number}"))
    return letters


def _first_of(parts: Sequence[Select[Any]], turn: Turn, wanted: int) -> Select[Any]:
    """The first `wanted` rows of `parts` together, in the turn's order."""
    cut = [first(part, list(part.selected_columns)[1:], turn, wanted) for part in parts]
    if len(cut) == 1:
        return cut[0]
    both = union_all(*(select(*one.subquery().c) for one in cut)).subquery("both")
    return first(select(*both.c), _key_columns(both), turn, wanted)


def _key_columns(of: Any) -> list[ColumnElement[Any]]:
    return [column for column in of.c if column.key.startswith("key_")]
