"""Pages of tickets by keyset, the whole of each page in one statement.

The first page takes the database's clock, and the following ones keep to that instant: what is critical or overdue is
so all along, however long somebody turns pages. A page begins after the keys of the last ticket before it, so tickets
that others create or change move none of the rest from one page to another; one that is itself changed while somebody
turns pages stands where its new values put it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    Row,
    ScalarSelect,
    Select,
    Subquery,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
)

from core.access import ClinicScope
from core.catalogs.models import Doctor, Surgery
from core.clinics.models import Clinic
from core.clock import DEFAULT_ZONE
from core.errors import NotFound
from core.patients.models import Patient
from core.tickets.models import Ticket
from core.tickets.reads.summary import columns, summary
from core.tickets.state import thresholds_for
from core.tickets.views import TicketSummary

SortKey = datetime | str | int

MOST = 200
"""Tickets on a page."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the instant that its first page took, and the keys of its last ticket (none: the start)."""

    now: datetime
    after: tuple[SortKey, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """Which page: `sort` as the client names it, with `-` for descending; no position is the first page."""

    sort: str
    limit: int = 50
    position: Position | None = None

    @property
    def column(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def now(self) -> ColumnElement[datetime]:
        """The page's instant, as SQL."""
        kind = DateTime(timezone=True)
        return func.statement_timestamp(type_=kind) if self.position is None else literal(self.position.now, kind)

    def ordered(self, keys: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [key.desc() if self.descending else key.asc() for key in keys]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of tickets. `next` is where it ended; None: no page follows."""

    items: list[TicketSummary]
    now: datetime
    timezone: str
    next: Position | None


def clinics_of(scope: ClinicScope) -> CTE:
    """`id`, `timezone` and thresholds of each clinic in the scope: looked up once, not for every ticket."""
    limits = thresholds_for(Clinic.id)
    rows = select(Clinic.id, Clinic.timezone, *limits.c).join(limits, true()).where(scope.rows(Clinic.id))
    return rows.cte("clinics").prefix_with("MATERIALIZED")


def surgery_in(scope: ClinicScope, surgery_id: int | None) -> ColumnElement[bool]:
    """SQL: whether the surgery, if any is named, is one of the scope's."""
    return true() if surgery_id is None else exists().where(Surgery.id == surgery_id, scope.rows(Surgery.clinic_id))


def keyed(tickets: Select[Any], keys: Sequence[ColumnElement[Any]], turn: Turn) -> Select[Any]:
    """`tickets`, which selects ids, with its keys as `key_0` and so on, after the turn's position.

    The last key makes the order total.
    """
    with_keys = tickets.add_columns(*(key.label(f"key_{n}") for n, key in enumerate(keys)))
    if turn.position is not None and turn.position.after:
        here = tuple_(*keys)
        there = tuple_(*(literal(value, key.type) for value, key in zip(turn.position.after, keys, strict=True)))
        with_keys = with_keys.where(here < there if turn.descending else here > there)
    return with_keys


def ids_of_page(tickets: Select[Any], keys: Sequence[ColumnElement[Any]], turn: Turn) -> Subquery:
    """`id` and keys of the tickets of one page, and of one more: where there is that one, another page follows.
    `tickets` selects ids.
    """
    return keyed(tickets, keys, turn).order_by(*turn.ordered(keys)).limit(turn.limit + 1).subquery("page")


def page_statement(
    clinics: CTE,
    ids: Subquery,
    turn: Turn,
    scope: ClinicScope,
    surgery_id: int | None,
    facts: Mapping[str, ColumnElement[Any] | ScalarSelect[Any]],
) -> Select[Any]:
    """The page's tickets with all that `summary` reads of them, and beside each the `facts` of the whole answer, by
    name.

    At least one row: a page without tickets has one of nulls beside its facts, by which `read_page` knows an unknown
    clinic or surgery from one that has no tickets.
    """
    fact = select(
        turn.now.label("fact__now"),
        select(func.min(clinics.c.timezone)).scalar_subquery().label("fact__timezone"),
        surgery_in(scope, surgery_id).label("fact__surgery"),
        *(value.label(f"fact__{name}") for name, value in facts.items()),
    ).subquery("fact")
    keys = [column for column in ids.c if column.key.startswith("key_")]
    tickets = (
        ids.join(Ticket, Ticket.id == ids.c.id)
        .join(clinics, clinics.c.id == Ticket.clinic_id)
        .outerjoin(Patient, Patient.id == Ticket.patient_id)
        .outerjoin(Doctor, Doctor.id == Ticket.doctor_id)
    )
    return (
        select(*fact.c, *keys, *columns(clinics.c.timezone, clinics.c))
        .select_from(fact.outerjoin(tickets, true()))
        .order_by(*turn.ordered(keys))
    )


def read_page(rows: Sequence[Row[Any]], turn: Turn, scope: ClinicScope) -> Page:
    """What a `page_statement` brought. Raises NotFound where the scope's clinic, or the surgery, does not exist."""
    fact = rows[0]
    if not fact.fact__surgery or (scope.clinic_id is not None and fact.fact__timezone is None):
        raise NotFound
    now = fact.fact__now
    found = [row for row in rows if row.id is not None]
    on_page = found[: turn.limit]
    following = None
    if len(found) > turn.limit:
        keys = [name for name in on_page[-1]._fields if name.startswith("key_")]
        following = Position(now, tuple(getattr(on_page[-1], name) for name in keys))
    timezone = DEFAULT_ZONE if scope.clinic_id is None else fact.fact__timezone
    return Page([summary(row, now) for row in on_page], now, timezone, following)
