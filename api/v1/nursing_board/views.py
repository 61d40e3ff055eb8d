"""What the nursing board answers."""

from typing import Any, Generic, TypeVar

from pydantic import Field

from api.v1.tickets.examples import SUMMARY
from core.answer_model import AnswerModel
from core.board.display import DisplayedTicket
from core.catalogs.views import ThresholdHours
from core.tickets.views import Local, TicketSummary, Total, TotalMore

Item = TypeVar("Item", bound=AnswerModel)

EXAMPLE: dict[str, Any] = {
    "items": [SUMMARY],
    "next": None,
    "total": 14,
    "total_more": False,
    "now": "2025-01-15T12:10:00-03:00",
    "counts": {
        "active": 14,
        "scheduled": 3,
        "normal": 6,
        "warning": 4,
        "critical": 1,
        "overdue": 2,
        "forgotten": 0,
        "ready": 2,
        "discharged": 5,
        "annulled": 1,
        "without_episode": 7,
        "all": 22,
    },
    "locations": ["Piso 2", "Piso 3", "Piso 10"],
    "thresholds": {"clinic_id": 5, "red_hours": 2, "yellow_hours": 4, "green_hours": 8, "inherited": True},
}


class Counts(AnswerModel):
    """Of every view and state, whichever of them is shown."""

    active: int = Field(description="Normal, warning, critical and scheduled.")
    scheduled: int
    normal: int
    warning: int
    critical: int
    overdue: int = Field(description="Up to 72 hours.")
    forgotten: int = Field(description="Overdue by more than 72 hours.")
    ready: int = Field(description="Of active, overdue and forgotten ones: the criteria for discharge are met.")
    discharged: int
    annulled: int
    without_episode: int = Field(description="Of active, overdue and forgotten ones.")
    all: int


class BoardOf(AnswerModel, Generic[Item]):
    items: list[Item]
    next: str | None
    total: Total
    total_more: TotalMore
    now: Local = Field(description="The moment that states are told for: the first page's.")
    counts: Counts
    locations: list[str] = Field(description="Of the tickets that all filters but `location` leave.")
    thresholds: ThresholdHours = Field(description="The clinic's, or the network's global ones.")


class NursingBoard(BoardOf[TicketSummary]):
    pass


class DisplayBoard(BoardOf[DisplayedTicket]):
    """What a wall display gets."""
