"""What becomes of a stay: its FPA is modified, the patient leaves, the ticket is annulled; and the latter two undone.

Every write answers the whole ticket, and its ETag is the next If-Match.
"""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from api.requests.routing import Router
from api.v1.tickets.answer import BY_REVISION, documented
from api.v1.tickets.bodies import AnnulmentIn, DischargeIn, ModificationIn, ReassignmentIn, RestorationIn, SecondStay
from api.v1.tickets.change import AdminChange, ClinicalChange
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
async def ticket_modify_fpa(change: ClinicalChange, body: ModificationIn) -> Response:
    return await change.by(modify_fpa, body.asked())


@router.post(
    "/{ticket_id}/discharge",
    operation_id="ticketsDischarge",
    summary="Discharge: the patient left",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_discharge(change: ClinicalChange, body: DischargeIn = NOW) -> Response:
    return await change.by(discharge, body.discharged_at)


@router.delete(
    "/{ticket_id}/discharge",
    operation_id="ticketsUndoDischarge",
    summary="Undo a discharge",
    description="Within half an hour whoever wrote it; later, and of others', an administrator.",
    response_model=TicketDetail,
    responses=documented(200, 409, 412, 428),
)
async def ticket_undo_discharge(
    change: ClinicalChange, second_stay: Annotated[SecondStay | None, Query()] = None
) -> Response:
    return await change.by(undo_discharge, second_stay)


@router.post(
    "/{ticket_id}/annulment",
    operation_id="ticketsAnnul",
    summary="Annul",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_annul(change: ClinicalChange, body: AnnulmentIn) -> Response:
    return await change.by(annul, body.reason_id)


@router.post(
    "/{ticket_id}/restoration",
    operation_id="ticketsRestore",
    summary="Restore an annulled ticket",
    description="Who annulled it, when and why stays in its history.",
    response_model=TicketDetail,
    responses=documented(200, *BY_REVISION),
)
async def ticket_restore(change: AdminChange, body: RestorationIn = RESTORED) -> Response:
    return await change.by(restore, body.second_stay)


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
async def ticket_reassign(change: AdminChange, body: ReassignmentIn) -> Response:
    return await change.by(reassign, body.patient.given(), body.second_stay)
