"""The discharge blocks, which nobody writes."""

from functools import partial

from fastapi_cache.decorator import cache

from api.fastapi_cache.route import PlainCacheRoute
from api.requests.dependencies import ReadScope, RuntimeState
from api.requests.routing import Router
from api.responses import cached_responses
from api.v1.catalogs.queries import IncludeInactive
from core.tickets.discharge_blocks import DISCHARGE_BLOCKS, discharge_blocks_in
from core.tickets.views import DischargeBlockList

router: Router = Router(prefix="/v1/discharge-blocks", tags=["catalogs"], route_class=PlainCacheRoute)


@router.get(
    "",
    operation_id="dischargeBlocksList",
    summary="The 24 discharge blocks",
    description="By the hour at which they end, the same in every clinic. None is ever inactive.",
    response_model=DischargeBlockList,
    responses=cached_responses(),
)
@cache(expire=24 * 3600, namespace=DISCHARGE_BLOCKS)
async def discharge_blocks(runtime: RuntimeState, scope: ReadScope, _: IncludeInactive) -> DischargeBlockList:
    return await runtime.database.snapshot(partial(discharge_blocks_in, scope=scope))
