"""Housekeeping beside requests: every serving process tries once an hour, and one at a time does it."""

import asyncio
import random

from core.db.transaction import Database
from core.errors import Unavailable
from core.operations.housekeeping.sweep import sweep
from core.telemetry.log import logger

PERIOD = 3600.0
"""Seconds."""


async def hourly(database: Database, *, period: float = PERIOD) -> None:
    """Sweep once each `period`, until cancelled; first within one, at random, because processes start together."""
    await asyncio.sleep(random.uniform(0, period))  # noqa: S311  no secret
    while True:
        try:
            swept = await sweep(database)
        except Unavailable:
            logger.warning("housekeeping put off", reason="database unavailable")
        except Exception as error:  # noqa: BLE001  it goes on with the next hour, and somebody hears of it
            logger.error("housekeeping failed", error=type(error).__name__, exc_info=True)
        else:
            if swept.sessions or swept.idempotency_keys:
                logger.info("housekeeping", sessions=swept.sessions, idempotency_keys=swept.idempotency_keys)
        await asyncio.sleep(period)
