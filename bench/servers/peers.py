"""What ours is measured beside: factories for uvicorn, each with one path that answers ours' very bytes.

They run in an environment of their own (bench/servers/install.py) and import nothing of the service. Every one
freezes what start-up made, as ours does, and returns through `dict[str, Any]`, FastAPI's quick way for a dict. What a
library lets one choose is as its documentation has it, but for connections: nobody waits for one.
"""

import gc
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from cashews import Cache, register_backend
from cashews.backends.redis import Redis as CashewsRedis
from cashews.picklers import PicklerType
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi_cache import FastAPICache
from fastapi_cache.backends.inmemory import InMemoryBackend
from fastapi_cache.backends.redis import RedisBackend
from fastapi_cache.decorator import cache
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starsessions import SessionAutoloadMiddleware, SessionMiddleware
from starsessions.stores.redis import RedisStore

BODY = Path(os.environ["BENCH_BODY"]).read_bytes()
REDIS = os.environ["BENCH_REDIS"]
CONNECTIONS = 64
SESSION_ID = "0123456789abcdef0123456789abcdef"
SECONDS = 3600
Figures = dict[str, Any]
Message = MutableMapping[str, Any]
FIGURES: Figures = json.loads(BODY)


def freeze() -> None:
    gc.collect()
    gc.freeze()


@asynccontextmanager
async def frozen(_: object) -> AsyncIterator[None]:
    freeze()
    yield


async def constant(_: Request) -> Response:
    return Response(BODY, media_type="application/json")


def raw() -> Callable[..., Awaitable[None]]:
    async def app(
        scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        if scope["type"] == "lifespan":
            await receive()
            freeze()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        headers = [(b"content-length", b"%d" % len(BODY)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})

    return app


def starlette() -> Starlette:
    return Starlette(routes=[Route("/", constant)], lifespan=frozen)


def empty() -> FastAPI:
    """The unit of the table."""
    app = FastAPI(lifespan=frozen)

    @app.get("/")
    async def route() -> Response:
        return Response(BODY, media_type="application/json")

    return app


def fastapi_cache_redis() -> FastAPI:
    return _fastapi_cache(RedisBackend(Redis.from_url(REDIS)))


def fastapi_cache_memory() -> FastAPI:
    return _fastapi_cache(InMemoryBackend())


def _fastapi_cache(backend: RedisBackend | InMemoryBackend) -> FastAPI:
    FastAPICache.init(backend, prefix="fastapi-cache")
    app = FastAPI(lifespan=frozen)

    @app.get("/", response_model=Figures)
    @cache(expire=SECONDS)
    async def route() -> Figures:
        return FIGURES

    return app


def cashews_redis() -> FastAPI:
    # It can speak to a Unix socket, and only lacks the name for it.
    register_backend("unix", CashewsRedis, pass_uri=True, pickler=PicklerType.DEFAULT)
    return _cashews(REDIS, max_connections=CONNECTIONS)


def cashews_memory() -> FastAPI:
    return _cashews("mem://")


def _cashews(url: str, **settings: Any) -> FastAPI:
    cashews = Cache()
    cashews.setup(url, **settings)
    app = FastAPI(lifespan=frozen)

    @app.get("/", response_model=Figures)
    @cashews(ttl=SECONDS, key="figures:{key}")  # type: ignore[untyped-decorator]  # it is in the bench's environment alone
    async def route(key: int) -> Figures:
        return FIGURES

    return app


def redis_get() -> FastAPI:
    """What one round trip to Redis costs a route."""
    redis = Redis.from_url(REDIS)

    @asynccontextmanager
    async def stored(_: object) -> AsyncIterator[None]:
        await redis.set("body", BODY)
        freeze()
        yield

    app = FastAPI(lifespan=stored)

    @app.get("/")
    async def route() -> Response:
        return Response(await redis.get("body"), media_type="application/json")

    return app


def assembled() -> FastAPI:
    """What a team assembles today: starsessions for who it is, fastapi-cache2 for what they get, both in Redis."""
    redis = Redis.from_url(REDIS)
    FastAPICache.init(RedisBackend(redis), prefix="fastapi-cache")
    app = _with_sessions(redis)

    @app.get("/", response_model=Figures)
    @cache(expire=SECONDS)
    async def route(user: Annotated[str, Depends(user_of)]) -> Figures:
        return FIGURES

    return app


def behind_nginx() -> FastAPI:
    """For nginx's `auth_request`, who it is; for its `proxy_cache`, what they get: it asks for that once."""
    app = _with_sessions(Redis.from_url(REDIS))

    @app.get("/auth")
    async def auth(user: Annotated[str, Depends(user_of)]) -> Response:
        return Response(status_code=204, headers={"X-User": user})

    @app.get("/")
    async def route() -> Response:
        return Response(BODY, media_type="application/json", headers={"Cache-Control": "max-age=3600"})

    return app


async def user_of(request: Request) -> str:
    user = request.session.get("user")
    if user is None:
        raise HTTPException(401)
    return str(user)


def _with_sessions(redis: Any) -> FastAPI:
    store = RedisStore(connection=redis)

    @asynccontextmanager
    async def signed_in(_: object) -> AsyncIterator[None]:
        await store.write(SESSION_ID, b'{"user": "admin"}', SECONDS, SECONDS)
        freeze()
        yield

    app = FastAPI(lifespan=signed_in)
    # The last added is the outermost.
    app.add_middleware(SessionAutoloadMiddleware)
    app.add_middleware(SessionMiddleware, store=store, lifetime=SECONDS)
    return app
