"""Urgency thresholds: everybody reads them, an admin sets its clinic's, a superuser anybody's and the global ones."""

from functools import partial

from fastapi import Request
from fastapi_cache.decorator import cache
from starlette.responses import Response

from api.answers.written import Written, write
from api.fastapi_cache.route import PlainCacheRoute
from api.requests.dependencies import ReadScope, RequireAdmin, RuntimeState
from api.requests.routing import Router
from api.responses import cached_responses, conflict, signed_in
from api.v1.catalogs.bodies import ThresholdsIn
from api.v1.catalogs.queries import IncludeInactive
from core.access import Actor, Role
from core.catalogs.change_thresholds import remove_thresholds, set_thresholds
from core.catalogs.thresholds import THRESHOLDS, thresholds_in
from core.catalogs.views import ThresholdItem, ThresholdList
from core.clinics.references import require_known
from core.db.transaction import WriteSession
from core.errors import Conflict, Forbidden, Invalid

router: Router = Router(prefix="/v1/urgency-thresholds", tags=["catalogs"], route_class=PlainCacheRoute)


@router.get(
    "",
    operation_id="urgencyThresholdsList",
    summary="Urgency thresholds that hold",
    description="Of a clinic: one item, its own or the global ones (`inherited`). Of the network: the global ones "
    "(`clinic_id` null) first, then those that hold in each active clinic, by its name; `include_inactive` adds the "
    "inactive clinics'.",
    response_model=ThresholdList,
    responses=cached_responses(),
)
@cache(expire=3600, namespace=THRESHOLDS)
async def thresholds(runtime: RuntimeState, scope: ReadScope, include_inactive: IncludeInactive) -> ThresholdList:
    return await runtime.database.snapshot(partial(thresholds_in, scope=scope, include_inactive=include_inactive))


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
