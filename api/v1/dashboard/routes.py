"""The dashboard, for those who run a clinic or the network."""

from datetime import date
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from api.cached import cached
from api.dependencies import ReadScope, RequireAdmin, RuntimeState
from api.openapi import cached_responses
from api.routing import Router
from api.schemas import Id
from core.clock import known_date
from core.dashboard.cached import loader, policy_for
from core.dashboard.figures import Dashboard
from core.dashboard.stats import Filters
from core.errors import Invalid

router: Router = Router(prefix="/v1/dashboard", tags=["dashboard"])

DateFrom = Annotated[date | None, Query(description="First local date of creation.", examples=["2026-11-01"])]
DateTo = Annotated[date | None, Query(description="Last local date of creation, inclusive.", examples=["2026-11-30"])]
SurgeryId = Annotated[Id | None, Query(description="Tickets of this surgery only.", examples=[3])]


@router.get(
    "",
    operation_id="dashboardGet",
    summary="A clinic's figures, or the network's",
    description=(
        "Filters apply to every figure; dates are each clinic's own. A cached answer equals a fresh one at every "
        "instant: it ends at `valid_until`, when the clock alone would change a figure."
    ),
    response_model=Dashboard,
    responses=cached_responses(),
)
async def dashboard_get(
    request: Request,
    runtime: RuntimeState,
    _: RequireAdmin,
    scope: ReadScope,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    surgery_id: SurgeryId = None,
) -> Response:
    if date_from is not None:
        known_date(date_from, "date_from")
    if date_to is not None:
        known_date(date_to, "date_to")
    if date_from is not None and date_to is not None and date_from > date_to:
        raise Invalid.field("date_from", "after_date_to", "It must not be after date_to.")
    filters = Filters(date_from, date_to, surgery_id)
    return await cached(
        request, runtime, policy_for(scope), scope.clinic_id, filters.parameters(), loader(scope, filters)
    )
