"""What becomes of a stay: its FPA is modified, the patient leaves, the ticket is annulled; and the latter two undone.

Every write answers the whole ticket, and its ETag is the next If-Match.
"""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.requests.dependencies import RequireAdmin, RequireClinical, RuntimeState
from api.requests.headers.conditional import IfMatch
from api.requests.routing import Router
from api.v1.tickets.answer import BY_REVISION, documented, ticket_answer
from api.v1.tickets.bodies import AnnulmentIn, DischargeIn, ModificationIn, ReassignmentIn, RestorationIn, SecondStay
from api.v1.tickets.path import TicketId
from core.db.transaction import WriteSession
from core.tickets.verbs.annul import annul, restore
from core.tickets.verbs.discharge import discharge, undo_discharge
from core.tickets.verbs.modify_fpa import modify_fpa
from core.tickets.verbs.reassign import reassign
from core.tickets.views import TicketDetail

router: Router = Router(prefix="/v1/tickets", tags=["tickets"])

NOW = DischargeIn()
"""A discharge without a body."""
RESTORED = RestorationIn()
"""A restoration without one."""


@router.post(
    "/{ticket_id}/fpa-modifications",
    operation_id="ticketsModifyFpa",
    summary="Modify the FPA",
    description="At most five times. Names the date and hour at which the new block ends.",
    status_code=201,
    response_model=TicketDetail,
    responses=documented(201, *BY_REVISION),
)
async def ticket_modify_fpa(
    request: Request,
    runtime: RuntimeState,
    actor: RequireClinical,
    ticket_id: TicketId,
    revision: IfMatch,
    body: ModificationIn,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await modify_fpa(session, actor, ticket_id, revision, body.asked()), status=201)

    return await write(request, runtime, actor, work)


@router.post(
    "/{ticket_id}/discharge",
    operation_id="ticketsDischarge",
    summary="Discharge: the patient left",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_discharge(
    request: Request,
    runtime: RuntimeState,
    actor: RequireClinical,
    ticket_id: TicketId,
    revision: IfMatch,
    body: DischargeIn = NOW,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await discharge(session, actor, ticket_id, revision, body.discharged_at))

    return await write(request, runtime, actor, work)


@router.delete(
    "/{ticket_id}/discharge",
    operation_id="ticketsUndoDischarge",
    summary="Undo a discharge",
    description="Within half an hour whoever wrote it; later, and of others', an administrator.",
    response_model=TicketDetail,
    responses=documented(200, 409, 412, 428),
)
async def ticket_undo_discharge(
    request: Request,
    runtime: RuntimeState,
    actor: RequireClinical,
    ticket_id: TicketId,
    revision: IfMatch,
    second_stay: Annotated[SecondStay | None, Query()] = None,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await undo_discharge(session, actor, ticket_id, revision, second_stay))

    return await write(request, runtime, actor, work)


@router.post(
    "/{ticket_id}/annulment",
    operation_id="ticketsAnnul",
    summary="Annul",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_annul(
    request: Request,
    runtime: RuntimeState,
    actor: RequireClinical,
    ticket_id: TicketId,
    revision: IfMatch,
    body: AnnulmentIn,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await annul(session, actor, ticket_id, revision, body.reason_id))

    return await write(request, runtime, actor, work)


@router.post(
    "/{ticket_id}/restoration",
    operation_id="ticketsRestore",
    summary="Restore an annulled ticket",
    description="Who annulled it, when and why stays in its history.",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_restore(
    request: Request,
    runtime: RuntimeState,
    actor: RequireAdmin,
    ticket_id: TicketId,
    revision: IfMatch,
    body: RestorationIn = RESTORED,
) -> Response:
    async def work(session: WriteSession) -> Written:
        return ticket_answer(await restore(session, actor, ticket_id, revision, body.second_stay))

    return await write(request, runtime, actor, work)


@router.post(
    "/{ticket_id}/reassignment",
    operation_id="ticketsReassign",
    summary="Reassign to another patient",
    description="It was written for the wrong one. The patient is found or made as for a new ticket, with the same "
    "questions: `patient_mismatch`, `already_admitted`. Of an active or discharged ticket; its history tells ids, and "
    "nothing of the patient before.",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_reassign(
    request: Request,
    runtime: RuntimeState,
    actor: RequireAdmin,
    ticket_id: TicketId,
    revision: IfMatch,
    body: ReassignmentIn,
) -> Response:
    async def work(session: WriteSession) -> Written:
        given = body.patient.given()
        return ticket_answer(await reassign(session, actor, ticket_id, revision, given, body.second_stay))

    return await write(request, runtime, actor, work)
