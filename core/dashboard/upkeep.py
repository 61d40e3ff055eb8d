"""Every serving process looks every few seconds whether a clinic's rollups want filling or merging."""

import asyncio
import random

import asyncpg
from sqlalchemy import text

from core.clock import boottime
from core.db.connections.connection import APPLICATION, connect_directly
from core.db.rollups import TO_DO, TO_DO_THOROUGHLY, keep_up
from core.db.transaction import Database, ReadSession
from core.errors import Unavailable
from core.telemetry.log import logger

PERIOD = 5.0
THOROUGHLY = 3600.0
"""Seconds between two looks, and between two that look for everything."""
SETTINGS = {"timezone": "UTC", "lock_timeout": "3000", "jit": "off"}
"""Of the connection that does the work. Filling may take longer than any request, and no request waits for it."""


async def upkeep(database: Database, url: str, *, period: float = PERIOD) -> None:
    """Keep all clinics' rollups filled and merged, until cancelled. `url` leads to the database, past any pooler.

    First within one `period`, at random, because processes start together. Of several processes that find the same
    to do one does it. Where the database is away, or refuses it, the next look tries again.
    """
    thorough_at = boottime() + THOROUGHLY
    is_put_off = False
    while True:
        await asyncio.sleep(random.uniform(0.5, 1) * period)  # noqa: S311  no secret
        thorough = boottime() >= thorough_at
        try:
            clinics = await to_do(database, thorough=thorough)
            if clinics:
                await _do(url, clinics)
        except (Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_put_off:
                logger.warning("rollups put off", error=type(error).__name__)
            is_put_off = True
        else:
            is_put_off = False
            thorough_at = boottime() + THOROUGHLY if thorough else thorough_at


async def to_do(database: Database, *, thorough: bool = False) -> list[int]:
    """Clinics whose rollups are in doubt, or have changes to merge. Raises Unavailable."""
    statement = text(TO_DO_THOROUGHLY if thorough else TO_DO)

    async def work(session: ReadSession) -> list[int]:
        return list(await session.scalars(statement))

    return await database.read(work)


async def _do(url: str, clinics: list[int]) -> None:
    connection = await connect_directly(url, name=f"{APPLICATION}-rollups", settings=SETTINGS)
    try:
        filled = await keep_up(connection, clinics)
    finally:
        connection.terminate()
    if filled:
        logger.info("rollups filled", clinics=len(filled))
