"""Who may leave, and why they are still here: ready, and delays. Each write answers the whole ticket."""

from starlette.responses import Response

from api.requests.routing import Router
from api.v1.tickets.answer import BY_REVISION, documented
from api.v1.tickets.bodies import DelayIn, ReadyIn
from api.v1.tickets.change import ClinicalChange
from api.v1.tickets.path import DelayId
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
async def ticket_ready(change: ClinicalChange, body: ReadyIn = NOW) -> Response:
    return await change.by(ready, body.ready_at)


@router.delete(
    "/{ticket_id}/ready",
    operation_id="ticketsUndoReady",
    summary="Not ready after all",
    response_model=TicketDetail,
    responses=documented(200, 409, 412, 428),
)
async def ticket_undo_ready(change: ClinicalChange) -> Response:
    return await change.by(undo_ready)


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
async def ticket_delay(change: ClinicalChange, body: DelayIn) -> Response:
    return await change.by(set_delay, body.asked())


@router.delete(
    "/{ticket_id}/delays/{delay_id}",
    operation_id="ticketsEndDelay",
    summary="End a delay",
    description="Within ten minutes by whoever set it, it was a mistake, and costs nothing. One that ended is 404.",
    response_model=TicketDetail,
    responses=documented(200, 409, 412, 428),
)
async def ticket_end_delay(change: ClinicalChange, delay_id: DelayId) -> Response:
    return await change.by(end_delay, delay_id)
