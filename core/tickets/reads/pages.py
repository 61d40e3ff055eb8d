"""Pages of tickets by keyset, the whole of each page in one statement.

The first page takes the database's clock, and the following ones keep to that instant: what is critical or overdue is
so all along, however long somebody turns pages. A page begins after the keys of the last ticket before it, so tickets
that others create or change move none of the rest from one page to another; one that is itself changed while somebody
turns pages stands where its new values put it.
"""

from collections.abc import Callable, Mapping, Sequence
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
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
    tuple_,
)

from core.access import ClinicScope
from core.answer_model import AnswerModel
from core.catalogs.models import Doctor
from core.clinics.models import Clinic
from core.clock import DEFAULT_ZONE
from core.errors import NotFound
from core.patients.models import Patient
from core.tickets.models import Ticket
from core.tickets.reads.summary import columns, summary
from core.tickets.state import thresholds_for

SortKey = datetime | str | int

MOST = 200
"""Tickets on a page."""
KEPT = 32
"""First pages' statements that are kept put together, each of some 220 KB: of one clinic's board or list as it is
filtered and ordered."""
COUNTED = 10_000
"""Of more tickets than these it is told that there are more."""
AT = "at"
"""The parameter that has a first page's moment; null: the database's clock."""


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
        if self.position is not None:
            return literal(self.position.now, kind)
        return func.coalesce(bindparam(AT, None, kind), func.statement_timestamp(type_=kind))

    @property
    def is_first(self) -> bool:
        return self.position is None or not self.position.after

    def ordered(self, keys: Sequence[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [key.desc() if self.descending else key.asc() for key in keys]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is read of each ticket, and what becomes of a row of it."""

    columns: Callable[[Any, Any], list[ColumnElement[Any]]]
    """Over Ticket, its Patient and its Doctor, of a clinic's zone and thresholds; `id` is one of them."""
    item: Callable[[Row[Any], datetime], AnswerModel]
    """Of a row, at an instant."""


WHOLE = Shape(columns, summary)
"""A TicketSummary."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of tickets. `next` is where it ended; None: no page follows."""

    items: list[Any]
    """As their shape makes them."""
    now: datetime
    timezone: str
    next: Position | None
    total: int | None
    """Tickets on all pages, COUNTED at most; None but for a first page."""
    total_more: bool
    """Whether there are more than `total`."""


def clinics_of(scope: ClinicScope) -> CTE:
    """`id`, `timezone` and thresholds of each clinic in the scope: looked up once, not for every ticket."""
    limits = thresholds_for(Clinic.id)
    rows = select(Clinic.id, Clinic.timezone, *limits.c).join(limits, true()).where(scope.rows(Clinic.id))
    return rows.cte("clinics").prefix_with("MATERIALIZED")


def all_in(scope: ClinicScope, named: Mapping[Any, int | None]) -> ColumnElement[bool]:
    """SQL: whether the rows that are named, by table and id, are the scope's."""
    return and_(
        true(),
        *(
            exists().where(table.id == row_id, scope.rows(table.clinic_id))
            for table, row_id in named.items()
            if row_id is not None
        ),
    )


def counted(tickets: Select[Any], name: str = "counted") -> CTE:
    """`number` of `tickets`, and whether there are `more` than COUNTED, which it stops at."""
    # Their ids are not asked for: an index may have all the rest.
    some: Select[Any] = tickets.with_only_columns(literal_column("1"), maintain_column_froms=True).limit(COUNTED + 1)
    number = func.count()
    rows = select(func.least(number, COUNTED).label("number"), (number > COUNTED).label("more"))
    return rows.select_from(some.subquery("some")).cte(name).prefix_with("MATERIALIZED")


def total_of(tickets: CTE, turn: Turn) -> ColumnElement[Any] | ScalarSelect[Any]:
    """SQL: [how many tickets are found, COUNTED at most; whether there are more], from `counted`. Null but for a first
    page."""
    if not turn.is_first:
        return null()
    return select(func.jsonb_build_array(tickets.c.number, tickets.c.more)).scalar_subquery()


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
    return first(keyed(tickets, keys, turn), keys, turn, turn.limit + 1).subquery("page")


def first(rows: Select[Any], keys: Sequence[ColumnElement[Any]], turn: Turn, wanted: int) -> Select[Any]:
    """The first `wanted` of `rows`, which have these keys, in the turn's order."""
    return rows.order_by(*turn.ordered(keys)).limit(wanted)


def page_statement(
    clinics: CTE,
    ids: Subquery,
    turn: Turn,
    known: ColumnElement[bool],
    facts: Mapping[str, ColumnElement[Any] | ScalarSelect[Any]],
    shape: Shape = WHOLE,
) -> Select[Any]:
    """The page's tickets with all that their shape reads of them, and beside each the `facts` of the whole answer, by
    name; `total` is one of them. `known`: whether what is asked for of the catalogs is there.

    At least one row: a page without tickets has one of nulls beside its facts, by which `read_page` knows an unknown
    clinic or surgery from one that has no tickets.
    """
    fact = select(
        turn.now.label("fact__now"),
        select(func.min(clinics.c.timezone)).scalar_subquery().label("fact__timezone"),
        known.label("fact__known"),
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
        select(*fact.c, *keys, *shape.columns(clinics.c.timezone, clinics.c))
        .select_from(fact.outerjoin(tickets, true()))
        .order_by(*turn.ordered(keys))
    )


def read_page(rows: Sequence[Row[Any]], turn: Turn, scope: ClinicScope, shape: Shape = WHOLE) -> Page:
    """What a `page_statement` brought. Raises NotFound where the scope's clinic, or what is `known`, is not there."""
    fact = rows[0]
    if not fact.fact__known or (scope.clinic_id is not None and fact.fact__timezone is None):
        raise NotFound
    now = fact.fact__now
    found = [row for row in rows if row.id is not None]
    on_page = found[: turn.limit]
    following = None
    if len(found) > turn.limit:
        keys = [name for name in on_page[-1]._fields if name.startswith("key_")]
        following = Position(now, tuple(getattr(on_page[-1], name) for name in keys))
    timezone = DEFAULT_ZONE if scope.clinic_id is None else fact.fact__timezone
    total, has_more = fact.fact__total or (None, False)
    return Page(
        items=[shape.item(row, now) for row in on_page],
        now=now,
        timezone=timezone,
        next=following,
        total=total,
        total_more=has_more,
    )
