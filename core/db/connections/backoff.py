"""New connections for a pool: no storm of attempts at a server that is away."""

import asyncio
import random
from typing import Any

from core.db.connections.connection import CannotConnect, ServiceConnection, connect_to_primary
from core.db.failures import sqlstate
from core.telemetry.log import logger

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 0.5
"""Seconds after a failed attempt until the next one. By chance, so that processes do not come back in step."""


class Backoff:
    """One per pool. After a failed attempt nobody tries for a moment, and then one at a time until one succeeds."""

    def __init__(self, dsn: str, **options: Any) -> None:
        """`options`: what else `connect_to_primary` is given for every connection."""
        self._dsn = dsn
        self._options = options
        self._is_failing = False
        self._is_trying = False
        self._not_before = 0.0

    async def connect(self) -> ServiceConnection:
        """A new connection to the primary. Raises CannotConnect: at once where the last attempt failed a moment ago."""
        loop = asyncio.get_running_loop()
        alone = self._is_failing
        if alone and (self._is_trying or loop.time() < self._not_before):
            raise CannotConnect("not tried: the last attempt failed a moment ago")
        self._is_trying = self._is_trying or alone
        try:
            made = await connect_to_primary(self._dsn, **self._options)
        except CannotConnect as error:
            if not self._is_failing:
                # Once per change; not its message, which may name the user.
                why = type(error.__cause__).__name__
                logger.warning("database refuses connections", error=why, sqlstate=sqlstate(error))
            self._is_failing = True
            raise
        else:
            if self._is_failing:
                logger.info("database takes connections again")
            self._is_failing = False
            return made
        finally:
            self._not_before = loop.time() + random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE)  # noqa: S311  no secret
            if alone:
                self._is_trying = False
