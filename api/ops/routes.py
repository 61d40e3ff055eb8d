"""What machines ask: is it alive, is it ready, how is it doing."""

import hmac
from typing import Annotated, Literal

from fastapi import Query, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from api.answers.cached import fresh
from api.ops.exposition import exposition
from api.ops.samples import SharedSamples
from api.ops.views import Alive, Ready
from api.requests.dependencies import RuntimeState
from api.requests.headers.request_headers import headers_of
from api.requests.routing import Router
from api.responses import problems
from core.errors import NotAuthenticated, Unavailable

router = Router(tags=["operations"])


@router.get("/livez", operation_id="livez", summary="Whether the process answers", response_model=Alive)
async def livez() -> Response:
    return fresh(Alive())


For = Annotated[
    Literal["writes"] | None,
    Query(alias="for", description="`writes`: 503 as well while nothing can be written.", examples=["writes"]),
]


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Whether requests can be answered",
    description="For balancers. Answers that are labelled stale count: while the database is away for all processes,"
    " they are all ready. 503 for one that ends, has just started, or has lost a database that others have.",
    response_model=Ready,
    responses=problems(422, 503),
)
async def readyz(request: Request, runtime: RuntimeState, purpose: For = None) -> Response:
    if getattr(request.state, "is_ending", False):
        raise Unavailable("This process ends.")
    has_database = await runtime.readiness.check()
    if purpose == "writes":
        await runtime.readiness.check_writes()
    return fresh(
        Ready(
            database="ok" if has_database else "away",
            redis="away" if runtime.redis.breaker.is_open else "ok",
            push=runtime.listener.is_told,
        )
    )


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Prometheus metrics of all processes",
    description="With `METRICS_TOKEN` set, for whoever sends it as a bearer token, and nobody else.",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems(401)},
)
async def metrics(request: Request, runtime: RuntimeState) -> Response:
    wanted = runtime.settings.metrics_token
    if wanted is not None:
        given = headers_of(request.scope).bearer or ""
        if not hmac.compare_digest(given.encode(), wanted.get_secret_value().encode()):
            raise NotAuthenticated("Metrics are for the bearer of METRICS_TOKEN.")
    samples: SharedSamples = request.app.state.samples
    body = exposition(samples.sums(), runtime.settings.served)
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})
