"""The FPA's calculation, before a ticket is made."""

from fastapi import Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.requests.dependencies import RequireClinical, RuntimeState
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.fpa.bodies import PreviewIn
from core.db.transaction import WriteSession
from core.tickets.verbs.preview_fpa import preview_fpa
from core.tickets.views import FpaPreview

router: Router = Router(prefix="/v1/fpa", tags=["fpa"])

EXAMPLE = {
    "surgery_id": 3,
    "surgery_at": "2025-01-15T14:30:00-03:00",
    "admission_at": "2025-01-15T12:30:00-03:00",
    "fpa": "2025-01-16T13:00:00-03:00",
    "overnight_stays": 1,
    "block": {"start_hour": 11, "end_hour": 13, "label": "11:00 - 13:00"},
}


@router.post(
    "/preview",
    operation_id="fpaPreview",
    summary="Calculate an FPA",
    description="What creating a ticket would calculate. Stores nothing, but an `Idempotency-Key` that is sent.",
    response_model=FpaPreview,
    responses={200: {"content": {"application/json": {"example": EXAMPLE}}}, **signed_in(400, 409, 413)},
)
async def fpa_preview(request: Request, runtime: RuntimeState, actor: RequireClinical, body: PreviewIn) -> Response:
    clinic_id = actor.writing_in(body.clinic_id)

    async def work(session: WriteSession) -> Written:
        return Written(body=await preview_fpa(session, clinic_id, body.surgery_id, body.surgery_at))

    return await write(request, runtime, actor, work)
