"""Urgency thresholds: an admin sets its clinic's, a superuser anybody's and the global ones."""

from fastapi import Request
from starlette.responses import Response

from api.answers.written import Written, write
from api.openapi import conflict, signed_in
from api.requests.dependencies import ReadScope, RequireAdmin, RuntimeState
from api.requests.routing import Router
from api.v1.catalogs.bodies import ThresholdsIn
from core.access import Actor, Role
from core.catalogs.change_thresholds import remove_thresholds, set_thresholds
from core.catalogs.views import ThresholdItem
from core.clinics.references import require_known
from core.db.transaction import WriteSession
from core.errors import Conflict, Forbidden, Invalid

router: Router = Router(prefix="/v1/urgency-thresholds", tags=["catalogs"])


def meant(actor: Actor, body: ThresholdsIn) -> int | None:
    """The clinic whose they are, None for the global ones. Raises Forbidden, NotFound and Invalid."""
    named = "clinic_id" in body.model_fields_set
    if actor.role is not Role.SUPERUSER:
        if named and body.clinic_id is None:
            raise Forbidden("Only a superuser sets the global thresholds.")
        return actor.writing_in(body.clinic_id)
    if not named:
        raise Invalid.field("clinic_id", "required", "Say which clinic, or null for the global ones.")
    return body.clinic_id


@router.put(
    "",
    operation_id="urgencyThresholdsPut",
    summary="Set a clinic's urgency thresholds, or the global ones",
    response_model=ThresholdItem,
    responses=signed_in(400, 413),
)
async def thresholds_put(request: Request, runtime: RuntimeState, actor: RequireAdmin, body: ThresholdsIn) -> Response:
    clinic_id = meant(actor, body)

    async def work(session: WriteSession) -> Written:
        return Written(200, await set_thresholds(session, actor, clinic_id, body.hours))

    return await write(request, runtime, actor, work)


@router.delete(
    "",
    operation_id="urgencyThresholdsDelete",
    summary="Give up a clinic's own urgency thresholds",
    description="Answers the global ones, which hold there from now on; they themselves are always there "
    "(`global_thresholds`).",
    response_model=ThresholdItem,
    responses=signed_in() | conflict("The global thresholds are set anew, not deleted.", "global_thresholds"),
)
async def thresholds_delete(request: Request, runtime: RuntimeState, actor: RequireAdmin, scope: ReadScope) -> Response:
    clinic_id = scope.clinic_id
    if clinic_id is None:
        raise Conflict("The global thresholds are set anew, not deleted. Name a clinic.", code="global_thresholds")

    async def work(session: WriteSession) -> Written:
        await require_known(session, scope)
        return Written(200, await remove_thresholds(session, actor, clinic_id))

    return await write(request, runtime, actor, work)
