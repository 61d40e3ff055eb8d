"""A ticket: created, read, given a place, edited. A write answers the whole of it; its ETag is the next If-Match."""

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import fresh
from api.answers.written import Written, write
from api.problems import MEDIA_TYPE
from api.requests.dependencies import CurrentUser, ReadScope, RequireClinical, RuntimeState
from api.requests.headers.conditional import revision_etag
from api.requests.routing import Router
from api.responses import refusal
from api.v1.tickets.answer import BY_REVISION, documented, ticket_answer
from api.v1.tickets.bodies import PlacementIn, TicketEditIn, TicketIn
from api.v1.tickets.change import AdminChange, ClinicalChange
from api.v1.tickets.examples import TICKET
from api.v1.tickets.path import TicketId
from core.db.transaction import ReadSession, WriteSession
from core.tickets.reads.detail import detail
from core.tickets.verbs.create import create
from core.tickets.verbs.edit import edit
from core.tickets.verbs.set_placement import set_placement
from core.tickets.views import TicketDetail

router: Router = Router(prefix="/v1/tickets", tags=["tickets"])

MISMATCH = refusal(
    409, "The patient with this document has another name; `patient` is who is on file.", "patient_mismatch"
)
MISMATCH["content"][MEDIA_TYPE]["example"]["patient"] = {
    **{name: value for name, value in TICKET["patient"].items() if name != "verified"},
    "revision": 1,
}


@router.post(
    "",
    operation_id="ticketsCreate",
    summary="Create a ticket",
    description="Finds or makes the patient, calculates admission and FPA, and gives the next number of the year. "
    "Where the document is on file under another name nothing is written: `patient_mismatch` shows who it is, and is "
    "answered by `same_person` in `patient`, also under the same `Idempotency-Key`. Likewise a patient with an active "
    "ticket is `already_admitted` unless `second_stay` names that ticket, and another active ticket's episode is "
    "`episode_taken`. Another active ticket's bed is no refusal: `warnings` tell it.",
    status_code=201,
    response_model=TicketDetail,
    responses=documented(201, 400, 413, located=True) | {409: MISMATCH},
)
async def ticket_create(request: Request, runtime: RuntimeState, actor: RequireClinical, body: TicketIn) -> Response:
    clinic_id = actor.writing_in(body.clinic_id)

    async def work(session: WriteSession) -> Written:
        ticket = await create(session, actor, clinic_id, body.new())
        return ticket_answer(ticket, status=201, headers={"Location": f"/v1/tickets/{ticket.id}"})

    return await write(request, runtime, actor, work)


@router.get(
    "/{ticket_id}",
    operation_id="ticketsGet",
    summary="A ticket with its patient, modifications and history",
    description="Patient data: never stored on the way, and never 304. The `ETag` is for `If-Match`.",
    response_model=TicketDetail,
    responses=documented(200),
)
async def ticket_get(runtime: RuntimeState, _: CurrentUser, scope: ReadScope, ticket_id: TicketId) -> Response:
    async def work(session: ReadSession) -> TicketDetail:
        return await detail(session, scope, ticket_id)

    ticket = await runtime.database.read(work)
    return fresh(ticket, headers={"ETag": revision_etag(ticket.revision)})


@router.patch(
    "/{ticket_id}",
    operation_id="ticketsPatch",
    summary="Set bed, location, episode, and the patient's data",
    description="On a discharged ticket only the episode, and by an administrator the patient's data; on an annulled "
    "one nothing. Another active ticket's episode is `episode_taken`, another patient's document `duplicate`.",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_patch(change: ClinicalChange, body: PlacementIn) -> Response:
    return await change.by(set_placement, body.values(), body.correction(), body.second_stay)


@router.put(
    "/{ticket_id}",
    operation_id="ticketsEdit",
    summary="Edit patient, surgery, doctor, surgery time",
    description="Of an active ticket. A changed surgery changes neither the FPA nor the nights; another `surgery_at` "
    "calculates admission and FPA anew, but for an FPA that was modified, and for initial values. "
    "Another document and another name at once are `patient_mismatch`.",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_edit(change: AdminChange, body: TicketEditIn) -> Response:
    return await change.by(edit, body.asked())
