"""Those on the board's view `forgotten`, discharged at once."""

from fastapi import Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.requests.dependencies import RequireAdmin, RuntimeState
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.tickets.bodies import AssumedDischargesIn
from core.db.transaction import WriteSession
from core.tickets.verbs.assume_discharges import assume_discharges
from core.tickets.views import AssumedDischargeList, AssumedDischargeView

router: Router = Router(prefix="/v1/tickets", tags=["tickets"])

EXAMPLE = {
    "items": [
        {"id": "TH-SANT-2025-001", "outcome": "discharged", "revision": 3},
        {"id": "TH-SANT-2025-002", "outcome": "not_forgotten", "revision": 1},
    ]
}


@router.post(
    "/assumed-discharges",
    operation_id="ticketsAssumeDischarges",
    summary="Discharge those who were forgotten",
    description="Tickets of the board's view `forgotten` (FPA more than 72 hours ago), 200 at most: each is decided "
    "alone, and who is discharged is so at the FPA, marked as `assumed`. A discharge is undone as any other is.",
    response_model=AssumedDischargeList,
    responses={200: {"content": {"application/json": {"example": EXAMPLE}}}, **signed_in(400, 413)},
)
async def tickets_assume_discharges(
    request: Request, runtime: RuntimeState, actor: RequireAdmin, body: AssumedDischargesIn
) -> Response:
    async def work(session: WriteSession) -> Written:
        decided = await assume_discharges(session, actor, body.asked())
        items = [AssumedDischargeView(id=one.id, outcome=one.outcome, revision=one.revision) for one in decided]
        return Written(body=AssumedDischargeList(items=items))

    return await write(request, runtime, actor, work)
