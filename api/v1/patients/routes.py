"""Patients by themselves. All else about them is in their tickets."""

from fastapi import Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.requests.dependencies import RequireClinical, RuntimeState
from api.requests.routing import Router
from api.responses import refusal, signed_in
from api.v1.patients.bodies import PATIENT, LookupIn
from core.db.transaction import WriteSession
from core.tickets.reads.lookup import LIMIT, LOOKED_UP, Lookup, look_up

router: Router = Router(prefix="/v1/patients", tags=["patients"])

EXAMPLE = {
    "patient": {"id": 1, "revision": 3, **PATIENT, "document": "12345678-5"},
    "active_tickets": ["TH-SANT-2025-001"],
    "verified": True,
}


@router.post(
    "/lookup",
    operation_id="patientsLookup",
    summary="Look a patient up by document",
    description="In a body, so that no document stands in a URL. Who asked for whom is audited; a user may ask sixty"
    " times an hour.",
    response_model=Lookup,
    responses={
        200: {"content": {"application/json": {"example": EXAMPLE}}},
        **signed_in(400, 409, 413),
        429: refusal(429, "Sixty in an hour are enough.", "too_many_attempts"),
    },
)
async def patient_lookup(request: Request, runtime: RuntimeState, actor: RequireClinical, body: LookupIn) -> Response:
    clinic_id, document = actor.writing_in(body.clinic_id), body.read()
    await runtime.rates.count(LIMIT, LOOKED_UP, actor.user_id)

    async def work(session: WriteSession) -> Written:
        return Written(body=await look_up(session, actor, clinic_id, document))

    return await write(request, runtime, actor, work)
