"""What machines ask: is it alive, is it ready, how is it doing."""

from typing import Literal

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.responses import Response

from api.cached import fresh
from api.dependencies import RuntimeState
from api.openapi import problems
from api.ops.metrics import registry

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
    summary="Prometheus metrics of this process",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, runtime: RuntimeState) -> Response:
    body = generate_latest(registry(request.app.state.request_stats, runtime))
    return Response(body, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})
