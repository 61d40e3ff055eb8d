"""Opens what the application needs and closes it again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text

from api.fastapi_cache.start import init_fastapi_cache
from api.ops.samples import SharedSamples
from core.db.schema.compatibility import OtherSchema, refuse_other_schema
from core.db.transaction import Database, ReadSession
from core.operations.housekeeping.hourly import hourly
from core.readiness import STARTING, Readiness
from core.runtime import open_runtime
from core.settings import Settings
from core.telemetry.log import logger
from core.users.accounts import ACTIVE_DEMO_ACCOUNTS

LOOK_EVERY = 1.0
"""Seconds between two looks at a schema that does not fit, or at a database that is away."""


async def report_demo_accounts(database: Database) -> None:
    """Log an error where accounts of the demo, whose password is public, are active. Never raises."""

    async def work(session: ReadSession) -> int:
        return int(await session.scalar(text(ACTIVE_DEMO_ACCOUNTS)) or 0)

    try:
        active = await database.read(work)
    except Exception as error:  # noqa: BLE001  it starts without a database, and before the tables are there, too
        logger.warning("demo accounts could not be looked for", error=type(error).__name__)
        return
    if active:
        logger.error("the demo's accounts are active in production: deactivate them", accounts=active)


async def fits(readiness: Readiness, url: str) -> bool:
    """Whether the database was found to have a schema that this code can serve on. Until then the process is not
    ready, and says why."""
    try:
        looked = await refuse_other_schema(url)
        readiness.refusal = None if looked else STARTING
    except OtherSchema as refused:
        if readiness.refusal != str(refused):
            logger.error("the database's schema is refused", reason=str(refused))
        readiness.refusal = str(refused)
    return readiness.refusal is None


async def until_it_fits(readiness: Readiness, url: str) -> None:
    """Look again and again at a database that was away at the start, or is not migrated yet."""
    while True:
        await asyncio.sleep(LOOK_EVERY)
        if await fits(readiness, url):
            return


def lifespan_with(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """The application's lifespan, as Starlette takes it: the runtime is open, and what runs beside requests goes on,
    from its start to its end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(settings) as runtime:
            app.state.runtime = runtime
            app.state.plain_cache = init_fastapi_cache(runtime)
            app.state.samples = SharedSamples(app.state.request_stats, runtime, app.state.slots)
            if settings.is_production:
                await report_demo_accounts(runtime.database)
                url = settings.require_database_url()
                if not await fits(runtime.readiness, url):
                    runtime.background.start(until_it_fits(runtime.readiness, url), name="schema")
            runtime.background.start(hourly(runtime.database), name="housekeeping")
            runtime.background.start(runtime.canary.run(), name="canary")
            runtime.background.start(app.state.samples.publish(), name="samples")
            yield

    return lifespan
