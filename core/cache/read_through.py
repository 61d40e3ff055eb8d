"""Memory, then Redis, then one flight to the database; then the last good answer, labelled; then Unavailable."""

import asyncio
from collections.abc import Mapping
from functools import partial
from time import perf_counter

from core import times
from core.cache.ahead import RefreshAhead
from core.cache.answer import Answer
from core.cache.cached_read import CachedRead
from core.cache.entry import Entry
from core.cache.fills.fill import Loader
from core.cache.fills.find_or_compute import Fills, FlightResult
from core.cache.fills.lease import FillLeases
from core.cache.policy import EntryId
from core.cache.single_flight import Flights
from core.cache.stats.counters import CacheStats
from core.cache.tiers.both import Tiers
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.cache.versions.vector import Vector, at_least
from core.clock import boottime
from core.db.transaction import Database
from core.errors import AppError, Unavailable
from core.telemetry.trace import AWAY, current

ROUNDS = 8
"""Times that a request looks, where writes overtake what it found each time."""


class Cache:
    """One per process. Nothing here invalidates: a write makes a new version, and a new version is a new key.

    `ttls`: seconds by policy name, where they differ from the policy's own. `pool_size`: connections to the database.
    `refreshes`: whether what is read is refreshed ahead of its readers, by `ahead.run`.
    """

    def __init__(
        self,
        database: Database,
        versions: VersionMap,
        direct: DirectReads,
        memory: MemoryTier,
        redis: RedisTier,
        ttls: Mapping[str, float],
        pool_size: int,
        *,
        refreshes: bool = False,
    ) -> None:
        self.versions = versions
        self.memory = memory
        self.redis = redis
        self.stats = CacheStats()
        self.flights: Flights[FlightResult] = Flights()
        self._direct = direct
        self.tiers = Tiers(versions, memory, redis, ttls)
        self.last_good = self.tiers.last_good
        self._fills = Fills(database, versions, self.tiers, FillLeases(redis), pool_size)
        self.ahead = RefreshAhead(versions, self.tiers, self._fills, self.flights, self.stats) if refreshes else None

    @property
    def queued(self) -> int:
        """Fills that wait for their turn."""
        return len(self._fills.slots)

    async def read(self, asked: CachedRead, *, required: Vector | None = None) -> Answer:
        """The answer to what is asked, at least as new as `required` and as the version map.

        Raises Unavailable where the database is away and no last good answer is held; whatever else its loader raises.
        """
        started = perf_counter()
        answer = None
        if not required or not self._direct.behind(required):
            answer = self._from_memory(asked.entry_id)
        if answer is None:
            answer = await self._find_or_last_good(asked.entry_id, asked.load, required or {})
        if self.ahead is not None and not answer.stale:
            self.ahead.note(asked, answer.entry)
        self.stats.count(asked.policy.name, "collapsed" if answer.collapsed else answer.outcome, answer.tier)
        current().cached(
            asked.policy.name,
            answer.outcome,
            answer.tier,
            ms=(perf_counter() - started) * 1000,
            ttl=answer.ttl,
            age=answer.age,
            collapsed=answer.collapsed,
            stored=answer.stored,
            detail=answer.detail,
        )
        return answer

    def _from_memory(self, entry_id: EntryId, key: str | None = None) -> Answer | None:
        """A hit in memory, under `key` where it is known. Nothing awaits: lease, versions and clock are those of one
        moment."""
        moment = boottime()
        if not self.versions.is_fresh_at(moment):
            return None
        now = self.versions.clock.at(moment)
        held = self.tiers.in_memory(key or self.tiers.key_now(entry_id), now)
        return self._answer(entry_id, held, "hit", "memory", now) if held is not None else None

    async def _find_or_last_good(self, entry_id: EntryId, load: Loader, required: Vector) -> Answer:
        try:
            try:
                async with asyncio.timeout(times.REQUEST):
                    return await self._find(entry_id, load, required)
            except TimeoutError as error:
                raise Unavailable from error
        except Unavailable:
            if self.ahead is not None:
                self.ahead.pause()
            answer = await self._last_good(entry_id)
            if answer is not None:
                return answer
            self.stats.count(entry_id.policy.name, "error", "database")
            raise
        except AppError:
            raise  # an answer too: there is no such clinic
        except Exception:
            self.stats.count(entry_id.policy.name, "error", "database")
            raise

    async def _find(self, entry_id: EntryId, load: Loader, required: Vector) -> Answer:
        if required:
            await self._direct.require(required)
        began = boottime()
        for _ in range(ROUNDS):
            if not self.versions.is_fresh():
                await self._direct.ensure_fresh()
                if not self.versions.is_whole:
                    return await self._compute_unkept(entry_id, load)
            # As in _from_memory nothing awaits from here until the flight is joined.
            wanted = self._fills.key_now(entry_id)
            held = self._from_memory(entry_id, wanted.key)
            if held is not None:
                return held
            if self.ahead is not None:
                self.ahead.hurry(wanted.key)
            found, joined = await self.flights.join(
                wanted.key, partial(self._fills.find_or_compute, entry_id, wanted, load)
            )
            now = self.versions.now()
            if found.entry.serves(now) and self._is_current(entry_id, found, wanted.versions, began):
                outcome = "miss" if found.tier == "database" else "hit"
                stored = outcome == "miss" and found.is_whole
                return self._answer(entry_id, found.entry, outcome, found.tier, now, collapsed=joined, stored=stored)
        raise Unavailable("The figures change faster than they can be read just now.")

    async def _compute_unkept(self, entry_id: EntryId, load: Loader) -> Answer:
        """Computed after this request began, and stored nowhere: nothing that is kept is right while versions are not
        whole."""
        key = self.tiers.key(entry_id, "unkept")
        found, joined = await self.flights.join_next(key, partial(self._fills.compute_unkept, entry_id, load))
        return self._answer(
            entry_id, found.entry, "miss", found.tier, self.versions.now(), collapsed=joined, stored=False
        )

    def _is_current(self, entry_id: EntryId, found: FlightResult, vector: Vector, began: float) -> bool:
        """Whether what a flight brought may be the answer at this moment. `vector` is what the map had as the flight
        was joined; `began` (boottime) is when this request began.

        It may while no newer version is known. If a write overtook it, or the lease has ended, it is still as new as
        what this process knew when the request began, and may be given for `times.OVERTAKEN` after it was known to be
        right. (Longer ago, this process was stopped in between.)
        """
        if not at_least(found.versions, vector):
            # The database had older versions than the map: it was restored from a backup. The rows are read anew.
            self.versions.distrust()
            return False
        if self.versions.is_fresh() and at_least(
            found.versions, entry_id.policy.vector(self.versions.rows, entry_id.clinic_id)
        ):
            return True
        return found.at >= began and boottime() - found.true_at < times.OVERTAKEN

    async def _last_good(self, entry_id: EntryId) -> Answer | None:
        found = await self.tiers.last_good.find(entry_id)
        if found is None:
            return None
        entry, tier = found
        age = max(0.0, self.versions.now() - entry.computed_at)
        return Answer(entry, "stale", tier, age, 0.0, detail=AWAY)

    def _answer(
        self,
        entry_id: EntryId,
        entry: Entry,
        outcome: str,
        tier: str,
        now: float,
        *,
        collapsed: bool = False,
        stored: bool = False,
    ) -> Answer:
        age = max(0.0, now - entry.computed_at)
        ttl = self.tiers.seconds_left(entry_id.policy, entry, now)
        return Answer(entry, outcome, tier, age, ttl, collapsed, stored=stored)

    async def drain(self, within: float) -> None:
        """At shutdown: let fills and stores end, `within` seconds at most."""
        if self.ahead is not None:
            await self.ahead.drain(within)
        await self.flights.drain(within)
        await self.tiers.drain(within)
        await self._fills.drain(within)
