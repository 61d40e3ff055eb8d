"""The nursing board: what matters now. Never stored; who asks the same at the same moment shares one query."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Query, Request
from starlette.responses import Response

from api.answers.unstored import unstored
from api.pagination import Cursor, next_cursor, position_of
from api.requests.dependencies import ReadScope, RuntimeState
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.nursing_board.filters import BoardFilters, BoardLimit, board_parameters
from api.v1.nursing_board.reader import Reader, is_display
from api.v1.nursing_board.views import EXAMPLE, Counts, DisplayBoard, NursingBoard
from api.v1.tickets.filters import TicketFilters, parameters
from core.board.display import DISPLAYED
from core.board.query import POLICY, Board, BoardQuery, nursing_board
from core.board.view import View
from core.cache.unstored import UnstoredRead
from core.clock import shown, zone
from core.db.spanish_order import SPANISH
from core.db.transaction import ReadSession
from core.tickets.reads.pages import WHOLE, Turn
from core.tickets.state import State

router: Router = Router(prefix="/v1/nursing-board", tags=["nursing board"])

Sort = Literal[
    "urgency",
    "-urgency",
    "created_at",
    "-created_at",
    "current_fpa",
    "-current_fpa",
    "bed",
    "-bed",
    "doctor",
    "-doctor",
]
Urgency = Literal["critical", "warning", "normal", "scheduled", "overdue"]


@router.get(
    "",
    operation_id="nursingBoardGet",
    summary="What matters now on the wards",
    description="All active tickets, and those whose annulment or discharge was written in the last 72 hours. Of those "
    "whose FPA has passed `overdue` has the ones up to 72 hours late, `forgotten` the others; `ready` has whoever may "
    "leave and is still here. Counts follow search and filters, not the view or urgency chosen; `locations` follow all "
    "but `location`. The default order is by urgency (critical, warning, normal, scheduled, overdue), then FPA; by "
    "`bed` is by what numbers are worth (2 before 10), then location; by `doctor` is in Spanish order. `cursor` keeps "
    "to the first page's moment; other people's changes neither hide nor repeat a ticket while you turn pages. Patient "
    "data: never stored, neither here nor on the way. A display gets a `DisplayBoard`, with initials only, and may ask "
    "by `view`, `location`, `limit`, `cursor` and `sort` (but by doctor).",
    response_model=NursingBoard | DisplayBoard,
    responses={200: {"content": {"application/json": {"example": EXAMPLE}}}, **signed_in()},
)
async def nursing_board_get(
    request: Request,
    runtime: RuntimeState,
    actor: Reader,
    scope: ReadScope,
    filters: TicketFilters,
    also: BoardFilters,
    view: Annotated[View, Query()] = View.ACTIVE,
    urgency: Annotated[Urgency | None, Query(description="Only these of the view.")] = None,
    sort: Annotated[Sort, Query(description="With `-`: descending.")] = "urgency",
    limit: BoardLimit = 50,
    cursor: Cursor = None,
) -> Response:
    turn = Turn(sort, limit)
    shape, kind = (DISPLAYED, DisplayBoard) if is_display(actor) else (WHOLE, NursingBoard)
    question = {
        **parameters(filters, of=kind.__name__, clinic_id=scope.clinic_id, view=view, urgency=urgency, sort=sort),
        **board_parameters(also, order=SPANISH if turn.column in ("bed", "doctor") else None),
    }
    position = position_of(runtime.settings, question, cursor, now=runtime.versions.now())
    asked = BoardQuery(replace(turn, position=position), view, State(urgency) if urgency else None, filters, also)

    async def compute(now: datetime) -> bytes:
        async def work(session: ReadSession) -> Board:
            return await nursing_board(session, scope, asked, now, shape)

        board = await runtime.database.read(work)
        page = board.page
        answer = kind(
            items=page.items,
            next=next_cursor(runtime.settings, question, page.next),
            total=page.total,
            total_more=page.total_more,
            now=shown(page.now, zone(page.timezone)),
            counts=Counts(**board.counts),
            locations=board.locations,
            thresholds=board.thresholds,
        )
        return answer.model_dump_json().encode()

    asked_for = question | {"limit": limit, "cursor": cursor}
    return await unstored(request, runtime, UnstoredRead(POLICY, scope.clinic_id, asked_for, compute))
