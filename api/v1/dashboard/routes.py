"""The dashboard, for those who run a clinic or the network."""

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import cached
from api.requests.dependencies import ReadScope, RequireAdmin, RuntimeState
from api.requests.routing import Router, when_refused
from api.responses import cached_responses
from api.v1.tickets.filters import DateFrom, DateTo, SurgeryId, named_exist, require_dates
from core.dashboard.cached import dashboard
from core.dashboard.stats import Filters
from core.dashboard.views import Dashboard

router: Router = Router(prefix="/v1/dashboard", tags=["dashboard"])


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
@when_refused(named_exist)
async def dashboard_get(
    request: Request,
    runtime: RuntimeState,
    _: RequireAdmin,
    scope: ReadScope,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    surgery_id: SurgeryId = None,
) -> Response:
    require_dates(date_from=date_from, date_to=date_to)
    return await cached(request, runtime, dashboard(scope, Filters(date_from, date_to, surgery_id)))
