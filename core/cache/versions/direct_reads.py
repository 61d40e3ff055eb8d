"""Version rows read by requests themselves: where the lease has lapsed, or a client requires newer ones."""

from contextlib import suppress

from core import times
from core.cache.single_flight import Flights
from core.cache.versions.map import VersionMap
from core.cache.versions.snapshot import READ_ALL, VersionSnapshot, snapshot_of
from core.cache.versions.timeline import Timeline, begin_timeline
from core.cache.versions.vector import Vector, at_least
from core.clock import boottime
from core.db.failures import is_away
from core.db.transaction import Database, ReadSession
from core.errors import Unavailable

FLIGHT = "version rows"
"""All direct reads share one flight."""


class DirectReads:
    """One read at a time, for all requests of this process."""

    def __init__(self, database: Database, versions: VersionMap) -> None:
        self._database = database
        self._versions = versions
        self._reads: Flights[None] = Flights()

    async def ensure_fresh(self) -> None:
        """Return with a valid lease, or with a map that was just read and is not whole: then nothing kept is right.

        Raises Unavailable where the database is away.
        """
        while not self._versions.is_fresh():
            await self._reads.join(FLIGHT, self._read)
            if not self._versions.is_whole:
                return

    async def require(self, floor: Vector) -> None:
        """Return with the map at `floor` or, where that is impossible, with a map read after this call began.

        Raises Unavailable where the database is away.
        """
        if self.behind(floor):
            # It may have begun before the write that we are asked for, or be what brings it.
            await self._reads.landed(FLIGHT)
        if self.behind(floor):
            await self._reads.join(FLIGHT, self._read)

    def behind(self, floor: Vector) -> bool:
        """Whether the map has not reached `floor`."""
        return not at_least(self._versions.rows, floor)

    async def _read(self) -> None:
        if (await self._read_once()).is_new or self._versions.is_missing_stamps:
            with suppress(Unavailable):  # nothing can be written: then nothing is kept, but everything can be read
                await begin_timeline(self._database, in_any_case=self._versions.is_missing_stamps)
            await self._read_once()

    async def _read_once(self) -> Timeline:
        async def work(session: ReadSession) -> VersionSnapshot:
            return snapshot_of((await session.execute(READ_ALL)).mappings().one(), full=True)

        learnt = self._versions.read_started()
        sent_at = boottime()
        try:
            snapshot = await self._database.read(work, budget=times.DIRECT_READ)
        except BaseException as error:
            self._versions.read_failed(learnt)
            if is_away(error):
                raise Unavailable from error
            raise
        self._versions.read_ended(snapshot, learnt, sent_at)
        return snapshot.timeline
