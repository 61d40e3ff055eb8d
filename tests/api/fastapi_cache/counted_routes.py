"""An application with routes under fastapi-cache2's plain `@cache`; each run of a route is counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi_cache import FastAPICache
from fastapi_cache.decorator import cache
from pydantic import BaseModel
from sqlalchemy import text

from api.fastapi_cache.start import init_fastapi_cache
from core.access import Actor, Role
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from tests.factories.fixtures import Seed


class Count(BaseModel):
    clinic_id: int | None
    tickets: int
    on: date = date(2026, 1, 2)


class Prefs(BaseModel):
    x_unit: str = "hours"


class Service:
    """What routes get injected: its text is an address, and addresses come again."""


def signed_in(request: Request) -> Actor:
    request.state.actor = request.app.state.actors[request.headers["user"]]
    actor: Actor = request.state.actor
    return actor


SignedIn = Annotated[Actor, Depends(signed_in)]
Injected = Annotated[Service, Depends(Service)]


class Counted:
    def __init__(self, runtime: Runtime, actors: dict[str, Actor]) -> None:
        self.runtime = runtime
        self.runs = 0
        self.app = FastAPI()
        self.app.state.actors = actors

        @self.app.get("/count")
        @cache(expire=50, namespace="reports")
        async def count(actor: SignedIn, service: Injected) -> Count:
            self.runs += 1
            return Count(clinic_id=actor.clinic_id, tickets=await self.tickets(actor.clinic_id))

        @self.app.get("/all")
        @cache(expire=50, namespace="other")
        async def everybodys(page: int = 1) -> dict[str, int]:
            self.runs += 1
            return {"tickets": await self.tickets(None), "page": page}

        @self.app.get("/order")
        @cache(expire=50)
        async def in_order(order: Annotated[list[str], Query()]) -> list[str]:
            return order

        @self.app.get("/unit")
        @cache(expire=50)
        async def unit(prefs: Annotated[Prefs, Header()]) -> dict[str, str]:
            return {"unit": prefs.x_unit}

        @self.app.get("/answers/{kind}")
        @cache(expire=50)
        async def answers(kind: str) -> Any:
            self.runs += 1
            made = {"text": PlainTextResponse("a, b"), "json": JSONResponse({"a": 1}), "no": JSONResponse({}, 409)}
            return made[kind]

    async def tickets(self, clinic_id: int | None) -> int:
        wanted = text("SELECT count(*) FROM ticket WHERE CAST(:clinic AS int) IS NULL OR clinic_id = :clinic")
        return await self.runtime.database.read(lambda session: _scalar(session, wanted, clinic_id))

    def client(self, user: str = "") -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="http://x", headers={"user": user}
        )

    async def get(self, path: str, user: str = "") -> tuple[Any, str]:
        """(body, HIT or MISS)"""
        async with self.client(user) as client:
            answer = await client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json(), answer.headers["x-fastapi-cache"]


async def _scalar(session: Any, statement: Any, clinic_id: int | None) -> int:
    return int(await session.scalar(statement, {"clinic": clinic_id}))


@asynccontextmanager
async def application(settings: Settings, seed: Seed) -> AsyncIterator[Counted]:
    users = (
        ("sant", Role.ADMIN, seed.sant.id),
        ("sant2", Role.ADMIN, seed.sant.id),
        ("maga", Role.ADMIN, seed.maga.id),
        ("root", Role.SUPERUSER, None),
    )
    actors = {
        name: Actor(number, name, f"{name}@example.org", role, clinic_id, 1, "web")
        for number, (name, role, clinic_id) in enumerate(users, start=1)
    }
    async with open_runtime(settings) as runtime:
        init_fastapi_cache(runtime)
        yield Counted(runtime, actors)
    FastAPICache.reset()
