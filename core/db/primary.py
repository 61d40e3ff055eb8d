"""New connections: to the primary alone, and no storm of attempts at a server that is away."""

import asyncio
import random
from typing import Any

import asyncpg

from core.db.connection import ServiceConnection, connect
from core.db.failures import CannotConnect, sqlstate
from core.log import logger

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 0.5
"""Seconds after a failed attempt until the next one. By chance, so that processes do not come back in step."""


async def connect_to_primary(url: str, **options: Any) -> ServiceConnection:
    """As `connect`. Raises CannotConnect whatever refuses it: a standby, a wrong password, a certificate."""
    try:
        return await connect(url, **options)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise CannotConnect("the primary cannot be reached") from error


class Connecting:
    """One per pool. After a failed attempt nobody tries for a moment, and then one at a time until one succeeds."""

    def __init__(self, dsn: str, **options: Any) -> None:
        """Of every connection: what `connect_to_primary` is given."""
        self._dsn = dsn
        self._options = options
        self._is_failing = False
        self._is_trying = False
        self._not_before = 0.0

    async def connect(self) -> ServiceConnection:
        """As `connect_to_primary`, or CannotConnect at once."""
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
