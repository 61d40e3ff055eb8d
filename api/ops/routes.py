"""What machines ask: is it alive, is it ready, how is it doing."""

import hmac
from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import Response

from api.authentication import bearer_token
from api.cached import fresh
from api.dependencies import RuntimeState
from api.openapi import problems
from api.ops.metrics import exposition
from api.ops.service_figures import ServiceFigures
from core.errors import NotAuthenticated

router = APIRouter(tags=["operations"])


class Alive(BaseModel):
    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    status: Literal["ready"] = "ready"
    database: Literal["ok"] = "ok"
    redis: Literal["ok", "away"]
    """Away: answers are computed and kept in memory; nobody is refused for it."""
    push: bool
    """Whether changes are pushed; without it they are polled each second."""


@router.get("/livez", operation_id="livez", summary="Whether the process answers", response_model=Alive)
async def livez() -> Response:
    return fresh(Alive())


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Whether requests can be answered",
    response_model=Ready,
    responses=problems(503),
)
async def readyz(runtime: RuntimeState) -> Response:
    await runtime.direct.ensure_fresh()
    return fresh(Ready(redis="away" if runtime.redis.breaker.is_open else "ok", push=runtime.listener.connected))


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
        given = bearer_token(request.headers) or ""
        if not hmac.compare_digest(given.encode(), wanted.get_secret_value().encode()):
            raise NotAuthenticated("Metrics are for the bearer of METRICS_TOKEN.")
    figures: ServiceFigures = request.app.state.figures
    body = exposition(figures.sums())
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})
