"""Opens what the application needs and closes it again."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import text

from api.fastapi_cache.start import init_fastapi_cache
from api.ops.samples import SharedSamples
from core.db.transaction import Database, ReadSession
from core.log import logger
from core.operations.housekeeping.hourly import hourly
from core.runtime import open_runtime
from core.settings import Settings
from core.users.accounts import ACTIVE_DEMO_ACCOUNTS


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


def lifespan_with(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(settings) as runtime:
            app.state.runtime = runtime
            app.state.plain_cache = init_fastapi_cache(runtime)
            app.state.samples = SharedSamples(app.state.request_stats, runtime, app.state.slots)
            if settings.is_production:
                await report_demo_accounts(runtime.database)
            runtime.background.start(hourly(runtime.database), name="housekeeping")
            runtime.background.start(app.state.samples.publish(), name="samples")
            yield

    return lifespan
