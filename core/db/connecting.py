"""New connections: to the primary alone, and no storm of attempts at a server that is away."""

import asyncio
import random
from typing import Any, TypeAlias

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from core.db.failures import CannotConnect

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

PRIMARY = SessionAttribute.primary
"""How far behind its primary a standby is nobody knows, so its rows would be told as
current. Not `read-write`: a primary that is read-only still tells the truth. A server becomes a standby by a restart
only, which ends its connections: to look at each new one is enough."""
SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 0.5
"""Seconds after a failed attempt until the next one. By chance, so that processes do not come back in step."""


async def connect_to_primary(*address: Any, **options: Any) -> Connection:
    """asyncpg's own `connect`. Raises CannotConnect, and what the server says that refuses it."""
    try:
        made: Connection = await asyncpg.connect(*address, target_session_attrs=PRIMARY, **options)
    except (OSError, asyncpg.TargetServerAttributeNotMatched) as error:
        raise CannotConnect("the primary cannot be reached") from error
    return made


class Connecting:
    """One per pool. After a failed attempt nobody tries for a moment, and then one at a time until one succeeds."""

    def __init__(self) -> None:
        self._is_failing = False
        self._is_trying = False
        self._not_before = 0.0

    async def connect(self, *address: Any, **options: Any) -> Connection:
        """As `connect_to_primary`, or CannotConnect at once."""
        loop = asyncio.get_running_loop()
        alone = self._is_failing
        if alone and (self._is_trying or loop.time() < self._not_before):
            raise CannotConnect("not tried: the last attempt failed a moment ago")
        self._is_trying = self._is_trying or alone
        try:
            made = await connect_to_primary(*address, **options)
        except Exception:
            self._is_failing = True
            raise
        else:
            self._is_failing = False
            return made
        finally:
            self._not_before = loop.time() + random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE)  # noqa: S311  no secret
            if alone:
                self._is_trying = False
