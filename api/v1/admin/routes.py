"""The cache's figures and its invalidation, for superusers."""

from dataclasses import asdict
from math import isfinite

from fastapi import Request
from starlette.responses import Response

from api.answers.cached import fresh
from api.answers.written import Written, write
from api.requests.dependencies import RequireSuperuser, RuntimeState
from api.requests.routing import Router
from api.responses import signed_in
from api.v1.admin.bodies import InvalidationIn
from api.v1.admin.views import CACHE_STATUS, CacheStatus, PolicyTier, RedisStatus, Version
from core.cache.stats.admin import CacheReport, invalidate, status
from core.db.transaction import WriteSession
from core.runtime import Runtime

router: Router = Router(prefix="/v1/admin/cache", tags=["admin"])


@router.get(
    "",
    operation_id="adminCacheGet",
    summary="Hits, misses and sizes per policy and tier, over all live processes",
    response_model=CacheStatus,
    responses={200: {"content": {"application/json": {"example": CACHE_STATUS}}}, **signed_in()},
)
async def cache_status(runtime: RuntimeState, _: RequireSuperuser) -> Response:
    return fresh(shown(runtime, await status(runtime.published, runtime.redis)))


@router.post(
    "/invalidations",
    operation_id="adminCacheInvalidate",
    summary="Make every process compute again",
    description="One topic of one clinic, or all of what is left out. `Cache-Version` tells the versions made.",
    status_code=204,
    response_class=Response,
    responses=signed_in(400, 409, 413),
)
async def cache_invalidate(
    request: Request, runtime: RuntimeState, actor: RequireSuperuser, body: InvalidationIn
) -> Response:
    async def work(session: WriteSession) -> Written:
        await invalidate(session, actor, body.clinic_id, body.topic)
        return Written(204)

    return await write(request, runtime, actor, work)


def shown(runtime: Runtime, found: CacheReport) -> CacheStatus:
    breaker = runtime.redis.breaker
    redis = dict.fromkeys(RedisStatus.model_fields) if found.redis is None else asdict(found.redis)
    age = runtime.versions.lease_age()
    return CacheStatus(
        processes=found.figures.processes,
        complete=found.figures.complete,
        policies=[PolicyTier.model_validate(row) for row in found.rows],
        redis=RedisStatus.model_validate(
            redis
            | {
                "available": found.redis is not None,
                "breaker": "open" if breaker.is_open else "closed",
                "breaker_opened": breaker.opened,
                "errors": found.figures.redis_errors,
            }
        ),
        versions=[
            Version(clinic_id=clinic_id, topic=topic, version=version)
            for (clinic_id, topic), version in sorted(runtime.versions.rows.items())
        ],
        lease_age_seconds=round(age, 3) if isfinite(age) else None,
        listening=runtime.listener.is_told,
    )
