"""What lists of tickets take in their query; the nursing board and exports take the same."""

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import AwareDatetime, BeforeValidator

from api.requests.dependencies import CurrentUser, require_named
from api.requests.fields import Date, Id, Text, written_time
from api.requests.routing import when_refused
from core.access import ClinicScope
from core.cache.keys import Parameter
from core.catalogs.models import Doctor, StandardizedReason, Surgery
from core.clock import known_date
from core.db.row_ids import row_id
from core.db.transaction import ReadSession
from core.errors import Invalid
from core.tickets.models import Status
from core.tickets.reads.figures import OF_REASONS, Asked, Figure
from core.tickets.reads.filters import TicketFilter, require_known
from core.tickets.reads.search import words_of
from core.tickets.state import State

LONGEST_SEARCH = 200

Q = Annotated[
    Text | None,
    Query(
        max_length=LONGEST_SEARCH,
        description="Every word must stand in the ticket's id, the patient's names or document, bed, location or "
        "episode. Accents and case do not matter, nor does the punctuation of names and documents.",
        examples=["maria nuñez"],
    ),
]
SurgeryId = Annotated[Id | None, Query(description="Tickets of this surgery; 404 where it is none of the clinic's.")]
DoctorId = Annotated[Id | None, Query(description="Tickets of this doctor; 404 where it is none of the clinic's.")]
DateFrom = Annotated[Date | None, Query(description="First local date of creation.")]
DateTo = Annotated[Date | None, Query(description="Last local date of creation, inclusive.")]

FigureName = Annotated[
    Figure | None,
    Query(
        description="Those that the dashboard counts in this figure, with the same dates and surgery, at this moment. "
        "A rate or a mean has the tickets that it is of; `on_time` those of them that `on_time_rate` counts; "
        "`modified` those with a modification; `hour` those of the hour of `by_hour` that `at` names; `delays` those "
        "that are held up now, and `hours_lost` those that left lately and were, by any reason or by `reason_id`."
    ),
]
At = Annotated[
    AwareDatetime | None,
    BeforeValidator(written_time),
    Query(description="With `figure=hour`, as `by_hour` has it.", examples=["2026-11-24T10:00:00-03:00"]),
]

ReasonId = Annotated[
    Id | None,
    Query(description="With `figure=delays` and `hours_lost`: by this reason; 404 where it is none of the clinic's."),
]


async def named_exist(request: Request) -> None:
    """The clinic and the surgery that the query names, where they can be read. Raises NotFound for an unknown one."""
    surgery_id = row_id(request.query_params.get("surgery_id", ""))

    async def require(session: ReadSession, scope: ClinicScope) -> None:
        await require_known(session, scope, {Surgery: surgery_id})

    await require_named(request, require)


def require_dates(**bounds: date | None) -> None:
    """Of a first and a last date, by the parameters' names. Raises Invalid for a year out of range, and for dates in
    the wrong order."""
    for name, day in bounds.items():
        if day is not None:
            known_date(day, name)
    (first_name, first), (last_name, last) = bounds.items()
    if first is not None and last is not None and first > last:
        raise Invalid.field(last_name, f"before_{first_name}", f"It is before `{first_name}`.")


@when_refused(named_exist)
async def _filters(
    q: Q = None,
    surgery_id: SurgeryId = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
) -> TicketFilter:
    require_dates(date_from=date_from, date_to=date_to)
    return TicketFilter(words=words_of(q), surgery_id=surgery_id, date_from=date_from, date_to=date_to)


TicketFilters = Annotated[TicketFilter, Depends(_filters)]
"""Raises Invalid for dates in the wrong order."""


async def _doctor_and_reason_exist(request: Request) -> None:
    """The doctor and the reason that the query names, where they can be read. Raises NotFound for an unknown one."""
    asked = request.query_params
    named = {Doctor: row_id(asked.get("doctor_id", "")), StandardizedReason: row_id(asked.get("reason_id", ""))}

    async def require(session: ReadSession, scope: ClinicScope) -> None:
        await require_known(session, scope, named)

    await require_named(request, require)


@when_refused(_doctor_and_reason_exist)
async def _list_filter(
    filters: TicketFilters,
    actor: CurrentUser,
    status: Annotated[Status | None, Query()] = None,
    state: Annotated[State | None, Query()] = None,
    created_by_me: Annotated[bool, Query(description="Those that you created.")] = False,
    doctor_id: DoctorId = None,
    figure: FigureName = None,
    at: At = None,
    reason_id: ReasonId = None,
) -> TicketFilter:
    created_by_id = actor.user_id if created_by_me else None
    counted_in = _counted_in(figure, at, reason_id)
    asked = replace(filters, status=status, state=state, created_by_id=created_by_id, counted_in=counted_in)
    return replace(asked, doctor_id=doctor_id)


def _counted_in(figure: Figure | None, at: datetime | None, reason_id: int | None) -> Asked | None:
    if figure is Figure.HOUR and at is None:
        raise Invalid.field("at", "required", "Say which hour.")
    if figure is not Figure.HOUR and at is not None:
        raise Invalid.field("at", "not_expected", "It belongs to `figure=hour`.")
    if figure not in OF_REASONS and reason_id is not None:
        raise Invalid.field("reason_id", "not_expected", "It belongs to `figure=delays` and `figure=hours_lost`.")
    if at is not None:
        known_date(at.date(), "at")
    return None if figure is None else Asked(figure, at, reason_id)


ListFilter = Annotated[TicketFilter, Depends(_list_filter)]
"""All that the list of tickets is filtered by, and its exports."""


def parameters(filters: TicketFilter, **more: Parameter) -> dict[str, Parameter]:
    """Of a cursor or a flight: all that decides which tickets are found, and `more` beside it."""
    return {
        "q": " ".join(filters.words) or None,
        "status": filters.status,
        "state": filters.state,
        "surgery_id": filters.surgery_id,
        "doctor_id": filters.doctor_id,
        "date_from": iso(filters.date_from),
        "date_to": iso(filters.date_to),
        "created_by_id": filters.created_by_id,
        **_figure_parameters(filters.counted_in),
        **more,
    }


def _figure_parameters(asked: Asked | None) -> dict[str, Parameter]:
    if asked is None:
        return {"figure": None, "at": None, "reason_id": None}
    at = None if asked.at is None else asked.at.isoformat()
    return {"figure": asked.figure, "at": at, "reason_id": asked.reason_id}


def iso(day: date | None) -> str | None:
    """A date as a parameter."""
    return None if day is None else day.isoformat()
