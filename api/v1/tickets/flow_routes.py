"""Who may leave, and why they are still here: ready, and delays. Each write answers the whole ticket."""

from fastapi import Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.requests.dependencies import RequireClinical, RuntimeState
from api.requests.headers.conditional import IfMatch
from api.requests.routing import Router
from api.v1.tickets.answer import BY_REVISION, documented, ticket_answer
from api.v1.tickets.bodies import DelayIn, ReadyIn
from api.v1.tickets.path import DelayId, TicketId
from core.db.transaction import WriteSession
from core.tickets.verbs.delays import end_delay, set_delay
from core.tickets.verbs.ready import ready, undo_ready
from core.tickets.views import TicketDetail

router: Router = Router(prefix="/v1/tickets", tags=["tickets"])

NOW = ReadyIn()
"""Ready without a body."""


@router.post(
    "/{ticket_id}/ready",
    operation_id="ticketsReady",
    summary="Ready: the criteria for discharge are met",
    description="Of an active ticket, once: `already_ready`. A discharge before it moves it.",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_ready(
    request: Request,
    runtime: RuntimeState,
    actor: RequireClinical,
    ticket_id: TicketId,
    revision: IfMatch,
    body: ReadyIn = NOW,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await ready(session, actor, ticket_id, revision, body.ready_at))

    return await write(request, runtime, actor, work)


@router.delete(
    "/{ticket_id}/ready",
    operation_id="ticketsUndoReady",
    summary="Not ready after all",
    response_model=TicketDetail,
    responses=documented(200, 409, 412, 428),
)
async def ticket_undo_ready(
    request: Request, runtime: RuntimeState, actor: RequireClinical, ticket_id: TicketId, revision: IfMatch
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await undo_ready(session, actor, ticket_id, revision))

    return await write(request, runtime, actor, work)


@router.post(
    "/{ticket_id}/delays",
    operation_id="ticketsDelay",
    summary="Say why the patient is still here",
    description="Of an active ticket from admission on (`before_admission`); each reason once at a time (`duplicate`). "
    "It ends when it is deleted, or else with the discharge.",
    status_code=201,
    response_model=TicketDetail,
    responses=documented(201, *BY_REVISION),
)
async def ticket_delay(
    request: Request,
    runtime: RuntimeState,
    actor: RequireClinical,
    ticket_id: TicketId,
    revision: IfMatch,
    body: DelayIn,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await set_delay(session, actor, ticket_id, revision, body.asked()), status=201)

    return await write(request, runtime, actor, work)


@router.delete(
    "/{ticket_id}/delays/{delay_id}",
    operation_id="ticketsEndDelay",
    summary="End a delay",
    description="Within ten minutes by whoever set it, it was a mistake, and costs nothing. One that ended is 404.",
    response_model=TicketDetail,
    responses=documented(200, 409, 412, 428),
)
async def ticket_end_delay(
    request: Request,
    runtime: RuntimeState,
    actor: RequireClinical,
    ticket_id: TicketId,
    delay_id: DelayId,
    revision: IfMatch,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await end_delay(session, actor, ticket_id, revision, delay_id))

    return await write(request, runtime, actor, work)
