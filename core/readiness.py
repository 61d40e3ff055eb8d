"""Whether a balancer should send this process requests, and whether it can write.

Without its database a process still has answers, labelled stale: it is as good as any other that has lost it, too, and
worse only than one that has not. So each process notes in Redis when it last read the database, and one that cannot any
more looks whether another did.

Nobody is called ready in one moment and not in the next because the database went away for all: a process counts as
lost only when no other's note can be fresh for that reason. Notes are fresh for `times.NOTED` seconds after the
database was last there, and whoever polls each second is lost `times.LOST` seconds after its last poll.
"""

import asyncio
from math import isfinite
from typing import Final

from sqlalchemy.exc import DBAPIError

from core import times
from core.cache.single_flight import Flights
from core.cache.tiers.redis import RedisTier
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.clock import boottime
from core.db.failures import sqlstate
from core.db.transaction import Database
from core.errors import Unavailable
from core.log import logger

KEPT: Final = 10.0

STARTING: Final = "This process has not read the database yet."
CUT_OFF: Final = "This process has lost the database, and others have it."
READS_ONLY: Final = "Nothing can be written just now."


class Readiness:
    def __init__(self, database: Database, versions: VersionMap, direct: DirectReads, redis: RedisTier) -> None:
        self._database = database
        self._versions = versions
        self._direct = direct
        self._redis = redis
        self._key = redis.keys.plain("{ready}:read")
        self._tries: Flights[bool] = Flights()
        self.could_write = False
        """At the last look."""

    async def check(self) -> bool:
        """Whether it has the database. Raises Unavailable where it is not ready: its answers are worse than others'."""
        try:
            # Also for a process that was stopped and goes on: it has the database, and only does not know it yet.
            await self._direct.ensure_fresh()
        except Unavailable:
            since = boottime() - self._versions.read_at
            if not isfinite(since):
                raise Unavailable(STARTING) from None
            if since > times.LOST and await self._others_have_it():
                raise Unavailable(CUT_OFF) from None
            return False
        return True

    async def check_writes(self) -> None:
        """Raises Unavailable where it cannot write."""
        if not await self.can_write():
            raise Unavailable(READS_ONLY)

    async def can_write(self) -> bool:
        """Asked of the database now, once for all who ask at the same time."""
        self.could_write, _ = await self._tries.join("try", self._try)
        return self.could_write

    async def _try(self) -> bool:
        try:
            await self._database.try_write(budget=times.TRY_WRITE)
        except Unavailable:
            return False
        except DBAPIError as error:
            if self.could_write:
                logger.error("cannot write", sqlstate=sqlstate(error))
            return False
        return True

    async def _others_have_it(self) -> bool:
        """Unknown, and so no, where Redis is away as well."""
        raw = await self._redis.get(self._key)
        try:
            since = self._versions.now() - float(raw or b"nan")
        except ValueError:
            return False
        return since < times.NOTED

    async def note(self) -> None:
        """Until cancelled, in the background."""
        noted = float("-inf")
        while True:
            read_at = self._versions.read_at
            if read_at > noted:
                noted = read_at
                # On the database's clock, which all processes share.
                at = self._versions.now() - (boottime() - read_at)
                await self._redis.set(self._key, f"{at:.3f}".encode(), KEPT)
            await asyncio.sleep(times.NOTE_EVERY)

    async def look(self) -> None:
        """Until cancelled, in the background."""
        while True:
            await self.can_write()
            await asyncio.sleep(times.TRY_WRITE_EVERY)

    async def drain(self, within: float) -> None:
        """At shutdown."""
        await self._tries.drain(within)
