"""Opens what the application needs and closes it again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from api.ops.service_figures import ServiceFigures
from core.cache.namespaces import init_fastapi_cache
from core.housekeeping.hourly import hourly
from core.runtime import ENDING, end, open_runtime
from core.settings import Settings


def lifespan_with(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(settings) as runtime:
            app.state.runtime = runtime
            # For routes with fastapi-cache2's plain `@cache`.
            init_fastapi_cache(
                runtime.database,
                runtime.versions,
                runtime.direct,
                runtime.cache.memory,
                runtime.redis,
                runtime.cache.stats,
            )
            app.state.figures = ServiceFigures(app.state.request_stats, runtime, app.state.slots)
            background = [
                asyncio.create_task(hourly(runtime.database), name="housekeeping"),
                asyncio.create_task(app.state.figures.publish(), name="figures"),
            ]
            try:
                yield
            finally:
                await end(background, ENDING)

    return lifespan
