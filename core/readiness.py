"""Whether a balancer should send this process requests, and whether it can write.

Without its database a process still has answers, labelled stale. While the database is away for all processes, they
are equally good, and all are ready. Where only one has lost it, requests had better go to the others. So each process
notes in Redis when it last read the database, and one that cannot read it any more looks for notes of the others.

While the database is away for all, the last notes count for `times.NOTED` seconds more. A process that took them for a
sign that others still have it would be called lost for a moment, and then ready again. So it looks only `times.LOST`
seconds after its own last read, when such notes count no longer.
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
from core.telemetry.log import logger

KEPT: Final = 10.0
"""Seconds that Redis keeps a note."""

STARTING: Final = "This process has not read the database yet."
CUT_OFF: Final = "This process has lost the database, and others have it."
READS_ONLY: Final = "Nothing can be written just now."


class Readiness:
    """Of one process: what it last saw of the database, and what it knows of the others by Redis."""

    def __init__(self, database: Database, versions: VersionMap, direct: DirectReads, redis: RedisTier) -> None:
        self._database = database
        self._versions = versions
        self._direct = direct
        self._redis = redis
        self._key = redis.keys.plain("{ready}:read")
        self._tries: Flights[bool] = Flights()
        self.could_write = False
        """Whether the database could be written to when that was last tried."""
        self.refusal: str | None = None
        """Why this process cannot serve on the database as it is, for people."""

    async def check(self) -> bool:
        """Whether this process has the database. Raises Unavailable where it is not ready: it has never read it, has
        lost it while others have it, or does not fit its schema."""
        if self.refusal is not None:
            raise Unavailable(self.refusal)
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
        """Raises Unavailable where the database cannot be written to."""
        if not await self.can_write():
            raise Unavailable(READS_ONLY)

    async def can_write(self) -> bool:
        """Whether the database can be written to, tried now, once for all who ask at the same time."""
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
        """Whether another process has read the database lately. No, where Redis is away as well and nobody knows."""
        raw = await self._redis.get(self._key)
        try:
            since = self._versions.now() - float(raw or b"nan")
        except ValueError:
            return False
        return since < times.NOTED

    async def note(self) -> None:
        """Note in Redis each second when this process last read the database. Runs until cancelled."""
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
        """Keep `could_write` true, for the metrics. Runs until cancelled."""
        while True:
            await self.can_write()
            await asyncio.sleep(times.TRY_WRITE_EVERY)

    async def drain(self, within: float) -> None:
        """At shutdown: let a try whether the database takes writes end, `within` seconds at most."""
        await self._tries.drain(within)
