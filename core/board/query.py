"""The nursing board: what matters now, with the counts of everything beside it, in one statement."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Interval,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from core.access import ClinicScope
from core.cache.policy import Policy
from core.catalogs.models import UrgencyThreshold
from core.catalogs.views import ThresholdHours
from core.db.transaction import Session
from core.tickets.models import Status, Ticket, ended_at
from core.tickets.reads.filters import TicketFilter
from core.tickets.reads.pages import Page, Turn, clinics_of, ids_of_page, page_statement, read_page
from core.tickets.reads.search import patient_text
from core.tickets.state import FORGOTTEN_AFTER, State, sql_state, thresholds_for

POLICY = Policy("nursing_board", 0, "", topics=("tickets", "catalogs"), global_topics=("catalogs", "clinics"))
"""What a board depends on. It is stored nowhere."""
WINDOW = timedelta(hours=72)
"""What was discharged or annulled longer ago is found in the list of tickets only. Whoever is active is in a bed, or
was forgotten: nobody is on no view."""

KEPT = 32
"""Statements, each of some 220 KB: of one clinic's board as it is filtered and ordered."""

URGENCY = (State.CRITICAL, State.WARNING, State.NORMAL, State.SCHEDULED, State.OVERDUE)
"""Most urgent first."""
ORDER = (*URGENCY, State.DISCHARGED, State.ANNULLED)


class View(StrEnum):
    ACTIVE = "active"
    OVERDUE = "overdue"
    FORGOTTEN = "forgotten"
    DISCHARGED = "discharged"
    ANNULLED = "annulled"
    WITHOUT_EPISODE = "without_episode"
    ALL = "all"


IN_VIEW: dict[View, tuple[State, ...]] = {
    View.ACTIVE: (State.CRITICAL, State.WARNING, State.NORMAL, State.SCHEDULED),
    View.OVERDUE: (State.OVERDUE,),
    View.FORGOTTEN: (State.OVERDUE,),
    View.DISCHARGED: (State.DISCHARGED,),
    View.ANNULLED: (State.ANNULLED,),
    View.WITHOUT_EPISODE: URGENCY,
    View.ALL: ORDER,
}

Tally = tuple[State, bool, bool, int]
"""State, whether without an episode, whether forgotten, and how many tickets."""


@dataclass(frozen=True, slots=True)
class BoardQuery:
    """`filter` decides what is counted, `view` and `urgency` what is shown of it."""

    turn: Turn
    view: View = View.ACTIVE
    urgency: State | None = None
    filter: TicketFilter = field(default_factory=TicketFilter)


@dataclass(frozen=True, slots=True)
class Board:
    page: Page
    counts: dict[str, int]
    """By state and by view."""
    thresholds: ThresholdHours
    """The clinic's; of the network the global ones. Each ticket's state is by those of its own clinic."""


async def nursing_board(session: Session, scope: ClinicScope, asked: BoardQuery) -> Board:
    """The page of the board that is asked for, with the counts of everything beside it.

    Raises NotFound where the scope's clinic, or the surgery asked for, does not exist in the scope.
    """
    # The plain board, which every ward has open, is put together once; what somebody types or turns to is not kept.
    plain = not asked.filter.words and asked.turn.position is None
    statement = _kept_statement(scope, asked) if plain else _statement(scope, asked)
    rows = (await session.execute(statement)).all()
    shown, fact = read_page(rows, asked.turn, scope), rows[0]
    limits = fact.fact__thresholds
    thresholds = ThresholdHours(clinic_id=scope.clinic_id, inherited=fact.fact__inherited, **limits)
    tallies = [(State(state), bare, forgotten, count) for state, bare, forgotten, count in fact.fact__tallies or []]
    return Board(shown, counts_of(tallies), thresholds)


def counts_of(tallies: list[Tally]) -> dict[str, int]:
    """Tickets of each view and of each state, by its name."""
    counts: dict[str, int] = dict.fromkeys((*View, *State), 0)
    for state, bare, forgotten, count in tallies:
        for view, states in IN_VIEW.items():
            is_shown = {View.WITHOUT_EPISODE: bare, View.OVERDUE: not forgotten, View.FORGOTTEN: forgotten}
            if state in states and is_shown.get(view, True):
                counts[view] += count
        # Where a state and a view have one name the view's are told.
        if state.value not in set(View):
            counts[state] += count
    return {str(name): count for name, count in counts.items()}


def _statement(scope: ClinicScope, asked: BoardQuery) -> Select[Any]:
    turn, clinics = asked.turn, clinics_of(scope)
    window = _window(scope, asked, clinics)
    kinds = window.c["state", "bare", "forgotten"]
    tallied = select(*kinds, func.count().label("count")).group_by(*kinds).subquery("tallied")
    tally = func.jsonb_agg(func.jsonb_build_array(*tallied.c))
    shown = select(window.c.id).where(window.c.state.in_([state.value for state in IN_VIEW[asked.view]]))
    conditions = {
        View.WITHOUT_EPISODE: window.c.bare,
        View.OVERDUE: ~window.c.forgotten,
        View.FORGOTTEN: window.c.forgotten,
    }
    if asked.view in conditions:
        shown = shown.where(conditions[asked.view])
    if asked.urgency is not None:
        shown = shown.where(window.c.state == asked.urgency.value)
    limits = thresholds_for(scope.clinic_id)
    own = exists().where(UrgencyThreshold.clinic_id == scope.clinic_id)
    facts: dict[str, Any] = {
        "tallies": select(tally).scalar_subquery(),
        "thresholds": select(func.to_jsonb(limits.table_valued())).scalar_subquery(),
        "inherited": false() if scope.clinic_id is None else ~own,
    }
    ids = ids_of_page(shown, _keys(turn.column, window), turn)
    return page_statement(clinics, ids, turn, scope, asked.filter.surgery_id, facts)


_kept_statement = lru_cache(maxsize=KEPT)(_statement)


def _window(scope: ClinicScope, asked: BoardQuery, clinics: CTE) -> CTE:
    """What the board is about, read once for the counts and the page."""
    now, patient = asked.turn.now, patient_text()
    state = sql_state(now, Ticket, clinics.c)
    is_past = Ticket.current_fpa < now - literal(FORGOTTEN_AFTER, Interval)
    ended_lately = ended_at() > now - literal(WINDOW, Interval)
    rows = (
        select(
            *(Ticket.id, Ticket.current_fpa, Ticket.created_at, Ticket.episode_id.is_(None).label("bare")),
            state.label("state"),
            and_(state == State.OVERDUE.value, is_past).label("forgotten"),
        )
        .join(clinics, clinics.c.id == Ticket.clinic_id)
        .where(
            scope.rows(Ticket.clinic_id),
            or_(Ticket.status == Status.ACTIVE, ended_lately),
            *asked.filter.conditions(now, clinics.c, patient.c.search),
        )
    )
    if asked.filter.words:
        rows = rows.outerjoin(patient, true())
    return rows.cte("shown").prefix_with("MATERIALIZED")


def _keys(column: str, window: CTE) -> list[ColumnElement[Any]]:
    shown = window.c
    if column != "urgency":
        return [shown[column], shown.id]
    ranks = {state.value: literal(rank, Integer) for rank, state in enumerate(ORDER)}
    return [case(ranks, value=shown.state), shown.current_fpa, shown.id]
