"""Doctors' names behind a plain cache of somebody else's, used as its documentation shows.

    python -m bench.consistency_peer CACHE SECONDS SLOWEST_FILL DATABASE_URL REDIS_URL PORT

Entries live for SECONDS; a write through the API forgets them afterwards, since nothing else does.
"""

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeAlias

import asyncpg
import uvicorn
from fastapi import Body, FastAPI, Header
from fastapi_cache import FastAPICache
from fastapi_cache.backends.redis import RedisBackend
from fastapi_cache.decorator import cache as fastapi_cache2
from redis.asyncio import Redis

READ = """
SELECT d.id, d.name FROM doctor d
JOIN app_user u ON u.clinic_id IS NULL OR u.clinic_id = d.clinic_id WHERE u.username = $1
"""
Loader: TypeAlias = Callable[[str], Awaitable[list[dict[str, Any]]]]
Cached: TypeAlias = tuple[Loader, Callable[[], Awaitable[Any]]]
"""The loader behind its cache, and what forgets its entries."""


def with_fastapi_cache2(load: Loader, seconds: int, redis_url: str) -> Cached:
    FastAPICache.init(RedisBackend(Redis.from_url(redis_url)), prefix="peer")
    read: Any = fastapi_cache2(expire=seconds, namespace="doctors")(load)
    return read, lambda: FastAPICache.clear(namespace="doctors")


def with_cashews(load: Loader, seconds: int, redis_url: str) -> Cached:
    # Of the bench's environment alone.
    from cashews import cache
    from cashews.backends.redis import Redis as Backend
    from cashews.picklers import PicklerType
    from cashews.wrapper.backend_settings import register_backend

    register_backend("unix", Backend, pass_uri=True, pickler=PicklerType.DEFAULT)
    cache.setup(redis_url)
    read: Any = cache(ttl=seconds, key="doctors:{username}")(load)
    return read, lambda: cache.delete_match("doctors:*")


CACHES = {"fastapi-cache2": with_fastapi_cache2, "cashews": with_cashews}


def application(name: str, seconds: int, slowest_fill: float, database_url: str, redis_url: str) -> FastAPI:
    pools: list[asyncpg.Pool[asyncpg.Record]] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, max_size=10) as pool:
            pools.append(pool)
            yield

    async def load(username: str) -> list[dict[str, Any]]:
        found = [dict(row) for row in await pools[0].fetch(READ, username)]
        await asyncio.sleep(random.random() * slowest_fill)
        return found

    read, forget = CACHES[name](load, seconds, redis_url)
    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.get("/v1/doctors")
    async def doctors(authorization: Annotated[str, Header()]) -> dict[str, Any]:
        return {"items": await read(authorization)}

    @app.patch("/v1/doctors/{doctor_id}")
    async def rename(doctor_id: int, name: Annotated[str, Body(embed=True)]) -> dict[str, str]:
        await pools[0].execute("UPDATE doctor SET name = $1 WHERE id = $2", name, doctor_id)
        await forget()
        return {"name": name}

    return app


if __name__ == "__main__":
    name, seconds, slowest_fill, database_url, redis_url, port = sys.argv[1:]
    app = application(name, int(seconds), float(slowest_fill), database_url, redis_url)
    uvicorn.run(app, port=int(port), log_config=None, access_log=False)
