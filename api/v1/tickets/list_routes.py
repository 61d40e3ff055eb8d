"""The list of all tickets, of all years."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import Response

from api.answers.cached import fresh
from api.pagination import Cursor, Limit, next_cursor, position_of
from api.requests.dependencies import CurrentUser, ReadScope, RuntimeState
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.tickets.examples import SUMMARY
from api.v1.tickets.filters import ListFilter, parameters
from core.db.spanish_order import SPANISH
from core.db.transaction import ReadSession
from core.tickets.reads.listing import list_tickets
from core.tickets.reads.pages import Page, Turn
from core.tickets.views import TicketList

router: Router = Router(prefix="/v1/tickets", tags=["tickets"])

EXAMPLE = {"items": [SUMMARY], "next": None, "total": 1, "total_more": False}
Sort = Literal["created_at", "-created_at", "current_fpa", "-current_fpa", "patient", "-patient", "surgery", "-surgery"]


@router.get(
    "",
    operation_id="ticketsList",
    summary="Tickets",
    description="A user of a clinic reads that clinic's; a superuser without `clinic_id` the whole network's. States "
    "are those of the moment at which the first page was asked for. Other people's changes neither hide nor repeat a "
    "ticket while you turn pages; one that is itself changed stands where its new values put it. By patient is by "
    "surnames; names stand in Spanish order: ñ after n, other accents and case do not matter.",
    response_model=TicketList,
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE}}},
        **signed_in(),
    },
)
async def tickets_list(
    runtime: RuntimeState,
    _: CurrentUser,
    scope: ReadScope,
    asked: ListFilter,
    sort: Annotated[Sort, Query(description="With `-`: descending.")] = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    turn = Turn(sort, limit)
    order = SPANISH if turn.column in ("patient", "surgery") else None
    question = parameters(asked, of="tickets", clinic_id=scope.clinic_id, sort=sort, order=order)
    position = position_of(runtime.settings, question, cursor, now=runtime.versions.now())
    turn = replace(turn, position=position)

    async def work(session: ReadSession) -> Page:
        return await list_tickets(session, scope, asked, turn)

    page = await runtime.database.read(work)
    following = next_cursor(runtime.settings, question, page.next)
    return fresh(TicketList(items=page.items, next=following, total=page.total, total_more=page.total_more))
