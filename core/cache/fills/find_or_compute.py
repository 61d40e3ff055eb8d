"""Finding what memory does not have: in Redis, else computed, by one process of all and by one task of it."""

import asyncio
from dataclasses import dataclass
from functools import partial

from core.cache.entry import Entry
from core.cache.fills.fill import Fill, Loader, Turns, read_versions, utc
from core.cache.fills.lease import FIRST_PAUSE, LONGEST_PAUSE, NOBODYS, PATIENCE, FillLeases, Lease
from core.cache.policy import EntryId
from core.cache.tiers.both import Tiers
from core.cache.versions.map import VersionMap
from core.cache.versions.vector import Vector
from core.clock import boottime
from core.db.transaction import Database, ReadSession


@dataclass(frozen=True, slots=True)
class VersionedKey:
    """The key that the map had `at` (boottime), the versions in it, and when the map was known to be true."""

    key: str
    versions: Vector
    at: float
    true_at: float


@dataclass(frozen=True, slots=True)
class FlightResult:
    """Where an entry came from, under which versions, and when (boottime) those were looked at.

    In the database they were right just then. What lay in Redis is as right as the map was: `true_at`, which may be a
    whole lease before it was looked at.
    """

    entry: Entry
    versions: Vector
    tier: str
    at: float
    true_at: float
    is_whole: bool = True
    """Whether those versions stand for what was found: if not, it was kept nowhere."""


class Fills:
    def __init__(
        self, database: Database, versions: VersionMap, tiers: Tiers, leases: FillLeases, pool_size: int
    ) -> None:
        self._database = database
        self._versions = versions
        self._tiers = tiers
        self._leases = leases
        self._turns = Turns(pool_size)

    def wanted(self, entry_id: EntryId) -> VersionedKey:
        """What is right at this moment, as the map has it. Ask with a fresh lease."""
        key = self._tiers.key(entry_id, entry_id.policy.token_now(self._versions, entry_id.clinic_id))
        return VersionedKey(
            key, entry_id.policy.vector(self._versions.rows, entry_id.clinic_id), boottime(), self._versions.true_at()
        )

    async def find(self, entry_id: EntryId, wanted: VersionedKey, load: Loader) -> FlightResult:
        """A flight's work. Raises Unavailable, and whatever else a loader raises."""
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        pause = FIRST_PAUSE
        redis = self._tiers.redis
        while True:
            raw, holder = await redis.get_many([wanted.key, redis.keys.lease(wanted.key)])
            found = self._unpacked(entry_id, wanted, raw)
            if found is not None:
                return found
            patient = loop.time() < until
            if holder is None or not patient:
                # The lease is asked for with the turn in hand: a process with a queue holds up no other.
                found = await self._turns.take(partial(self._lead, entry_id, wanted, load, alone=not patient))
                if found is not None:
                    return found
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            if self._versions.is_fresh():
                # A newer version is not computed by who reads an older one: that is waited for no longer.
                wanted = self.wanted(entry_id)

    async def alone(self, entry_id: EntryId, load: Loader) -> FlightResult:
        """Computed, whatever is kept or computed elsewhere. Raises as `find`."""
        return await self._turns.take(lambda seconds: self._fill(entry_id, load, seconds, NOBODYS))

    def _unpacked(self, entry_id: EntryId, wanted: VersionedKey, raw: bytes | None) -> FlightResult | None:
        entry = self._tiers.unpacked(entry_id, wanted.key, raw)
        return FlightResult(entry, wanted.versions, "redis", wanted.at, wanted.true_at) if entry is not None else None

    async def _lead(
        self, entry_id: EntryId, wanted: VersionedKey, load: Loader, seconds: float, *, alone: bool
    ) -> FlightResult | None:
        """The fill, if this process is elected, or does it `alone`; None where another one's entry is to be awaited."""
        lease = NOBODYS if alone else await self._leases.claim(wanted.key)
        if lease is None:
            return None
        try:
            if lease is not NOBODYS:
                # The last leader may have stored it since we looked.
                found = self._unpacked(entry_id, wanted, await self._tiers.redis.get(wanted.key))
                if found is not None:
                    self._tiers.give_up(lease)
                    return found
            async with self._leases.held(lease):
                return await self._fill(entry_id, load, seconds, lease)
        except BaseException:
            self._tiers.give_up(lease)
            raise

    async def _fill(self, entry_id: EntryId, load: Loader, seconds: float, lease: Lease) -> FlightResult:
        """Compute and keep it, within `seconds`. The work may run twice: its last run counts."""

        async def work(session: ReadSession) -> FlightResult:
            at = boottime()
            read, is_whole = await read_versions(session, entry_id.clinic_id)
            now = utc(self._versions.now())
            fill = Fill(session, now, read, self._tiers, is_whole)
            loaded = await load(fill)
            self._versions.learn((clinic, topic, version) for (clinic, topic), version in read.items())
            vector = entry_id.policy.vector(read, entry_id.clinic_id)
            return FlightResult(loaded.entry(now), vector, "database", at, at, is_whole)

        found = await self._database.snapshot(work, budget=seconds)
        if found.is_whole:
            key = self._tiers.key(entry_id, entry_id.policy.token(found.versions, entry_id.clinic_id))
            self._tiers.store(entry_id, key, found.entry, lease)
        else:
            self._tiers.give_up(lease)
        return found
