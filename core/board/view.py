"""The board's views: which tickets each of them has, said once for what is shown and what is counted."""

from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, true

from core.tickets.state import State

URGENCY = (State.CRITICAL, State.WARNING, State.NORMAL, State.SCHEDULED, State.OVERDUE)
"""Most urgent first."""
ORDER = (*URGENCY, State.DISCHARGED, State.ANNULLED)
KIND = ("state", "forgotten", "is_ready", "bare")
"""The columns that decide."""


class View(StrEnum):
    ACTIVE = "active"
    OVERDUE = "overdue"
    FORGOTTEN = "forgotten"
    READY = "ready"
    DISCHARGED = "discharged"
    ANNULLED = "annulled"
    WITHOUT_EPISODE = "without_episode"
    ALL = "all"


def in_view(view: View, of: Any) -> ColumnElement[bool]:
    """SQL, over the columns of KIND: `state`, `forgotten` (overdue by more than 72 hours), `is_ready` (the criteria for
    discharge are met) and `bare` (without an episode)."""
    is_here = of.state.in_([state.value for state in URGENCY])
    is_overdue = of.state == State.OVERDUE.value
    conditions: dict[View, ColumnElement[bool]] = {
        View.ACTIVE: and_(is_here, ~is_overdue),
        View.OVERDUE: and_(is_overdue, ~of.forgotten),
        View.FORGOTTEN: of.forgotten,
        View.READY: and_(is_here, of.is_ready),
        View.DISCHARGED: of.state == State.DISCHARGED.value,
        View.ANNULLED: of.state == State.ANNULLED.value,
        View.WITHOUT_EPISODE: and_(is_here, of.bare),
        View.ALL: true(),
    }
    return conditions[view]


def conditions(of: Any) -> dict[str, ColumnElement[bool]]:
    """Of each view and each state, by its name. Where a state and a view have one name the view's is told."""
    return {state.value: of.state == state.value for state in State} | {view.value: in_view(view, of) for view in View}
