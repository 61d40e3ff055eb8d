"""The nursing board: what matters now, with the counts of everything beside it, in one statement."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Interval,
    Select,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.access import ClinicScope
from core.board.filter import BoardFilter
from core.board.order import distinct, ordered
from core.board.view import KIND, View, conditions, in_view
from core.cache.policy import Policy
from core.catalogs.models import Doctor, Specialty, Surgery, UrgencyThreshold
from core.catalogs.views import ThresholdHours
from core.db.transaction import Session
from core.tickets.models import Status, Ticket, ended_at
from core.tickets.reads.filters import TicketFilter
from core.tickets.reads.pages import (
    AT,
    KEPT,
    WHOLE,
    Page,
    Shape,
    Turn,
    all_in,
    clinics_of,
    counted,
    ids_of_page,
    page_statement,
    read_page,
    total_of,
)
from core.tickets.reads.search import patient_text
from core.tickets.state import FORGOTTEN_AFTER, State, sql_state, thresholds_for

POLICY = Policy("nursing_board", 0, "", topics=("tickets", "catalogs"), global_topics=("catalogs", "clinics"))
"""What a board depends on. It is stored nowhere."""
WINDOW = timedelta(hours=72)
"""What was discharged or annulled longer ago is found in the list of tickets only. Whoever is active is in a bed, or
was forgotten: nobody is on no view."""


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """`filter` and `also` decide what is counted, `view` and `urgency` what is shown of it."""

    turn: Turn
    view: View = View.ACTIVE
    urgency: State | None = None
    filter: TicketFilter = field(default_factory=TicketFilter)
    also: BoardFilter = field(default_factory=BoardFilter)


@dataclass(frozen=True, slots=True)
class Board:
    page: Page
    counts: dict[str, int]
    """By state and by view."""
    locations: list[str]
    """That tickets have, whichever of them is asked for."""
    thresholds: ThresholdHours
    """The clinic's; of the network the global ones. Each ticket's state is by those of its own clinic."""


async def nursing_board(
    session: Session, scope: ClinicScope, asked: BoardQuery, at: datetime | None = None, shape: Shape = WHOLE
) -> Board:
    """The page of the board that is asked for, with the counts of everything beside it. `at`: the moment of a first
    page; now, where it is not given.

    Raises NotFound where the scope's clinic, or what is asked for of its catalogs, does not exist in the scope.
    """
    # The plain board, which every ward has open, is put together once; what somebody types or turns to is not kept.
    plain = not asked.filter.words and asked.turn.position is None
    statement = (_kept_statement if plain else board_statement)(scope, asked, shape)
    rows = (await session.execute(statement, {AT: at})).all()
    shown, fact = read_page(rows, asked.turn, scope, shape), rows[0]
    limits = fact.fact__thresholds
    thresholds = ThresholdHours(clinic_id=scope.clinic_id, inherited=fact.fact__inherited, **limits)
    return Board(shown, fact.fact__counts, fact.fact__locations or [], thresholds)


def board_statement(scope: ClinicScope, asked: BoardQuery, shape: Shape) -> Select[Any]:
    """The whole board, as one row for each ticket of the page."""
    turn, clinics = asked.turn, clinics_of(scope)
    window = _window(scope, asked, clinics)
    locations = distinct(window, "location")
    board = window if asked.also.location is None else _at(asked.also.location, window, locations)
    source, keys = ordered(scope, turn.column, board, locations)
    shown = select(board.c.id).select_from(source).where(in_view(asked.view, board.c))
    if asked.urgency is not None:
        shown = shown.where(board.c.state == asked.urgency.value)
    limits = thresholds_for(scope.clinic_id)
    own = exists().where(UrgencyThreshold.clinic_id == scope.clinic_id)
    facts: dict[str, Any] = {
        "total": total_of(counted(shown), turn),
        "counts": _counts(board),
        "locations": _listed(locations),
        "thresholds": select(func.to_jsonb(limits.table_valued())).scalar_subquery(),
        "inherited": false() if scope.clinic_id is None else ~own,
    }
    named = {Surgery: asked.filter.surgery_id, Doctor: asked.also.doctor_id, Specialty: asked.also.specialty_id}
    return page_statement(clinics, ids_of_page(shown, keys, turn), turn, all_in(scope, named), facts, shape)


_kept_statement = lru_cache(maxsize=KEPT)(board_statement)


def _window(scope: ClinicScope, asked: BoardQuery, clinics: CTE) -> CTE:
    """What the board is about, of all locations, read once for the counts and the page."""
    now, patient = asked.turn.now, patient_text()
    state = sql_state(now, Ticket, clinics.c)
    is_past = Ticket.current_fpa < now - literal(FORGOTTEN_AFTER, Interval)
    ended_lately = ended_at() > now - literal(WINDOW, Interval)
    rows = (
        select(
            *(Ticket.id, Ticket.current_fpa, Ticket.created_at, Ticket.episode_id.is_(None).label("bare")),
            *(Ticket.location, Ticket.bed_number, Ticket.doctor_id, state.label("state")),
            and_(state == State.OVERDUE.value, is_past).label("forgotten"),
            Ticket.ready_at.is_not(None).label("is_ready"),
        )
        .join(clinics, clinics.c.id == Ticket.clinic_id)
        .where(
            scope.rows(Ticket.clinic_id),
            or_(Ticket.status == Status.ACTIVE, ended_lately),
            *asked.filter.conditions(now, clinics.c, patient.c.search),
            *asked.also.conditions(clinics.c.timezone),
        )
    )
    if asked.filter.words:
        rows = rows.outerjoin(patient, true())
    return rows.cte("shown").prefix_with("MATERIALIZED")


def _at(location: str, window: CTE, locations: CTE) -> CTE:
    """Of the window's tickets those at a location, in any spelling."""
    spellings = select(locations.c.value).where(locations.c.folded == func.folded_text(literal(location, String)))
    return select(window).where(window.c.location.in_(spellings)).cte("here").prefix_with("MATERIALIZED")


def _counts(board: CTE) -> Any:
    """Tickets of each view and of each state, by its name."""
    columns = board.c[KIND]
    kinds = select(*columns, func.count().label("tickets")).group_by(*columns).subquery("kinds")
    counts = {
        name: cast(func.coalesce(func.sum(kinds.c.tickets).filter(condition), 0), BigInteger)
        for name, condition in conditions(kinds.c).items()
    }
    pairs = [part for name, count in counts.items() for part in (literal(name, String), count)]
    return select(func.jsonb_build_object(*pairs)).select_from(kinds).scalar_subquery()


def _listed(locations: CTE) -> Any:
    """Each location in one of its spellings, in natural order."""
    value = func.min(locations.c.value.collate("C")).label("value")
    each = select(value, func.min(locations.c.key).label("key")).group_by(locations.c.folded).subquery()
    return select(func.jsonb_agg(aggregate_order_by(each.c.value, each.c.key, each.c.value))).scalar_subquery()
