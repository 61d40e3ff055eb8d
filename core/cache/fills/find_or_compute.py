"""What memory does not have is found in Redis or computed: by one of all processes, and there by one task."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from core import times
from core.background import Background
from core.cache.entry import Entry
from core.cache.fills.fill import Fill, Loader, read_versions, utc
from core.cache.fills.lease import NOBODYS, FillLeases, Lease
from core.cache.fills.slots import FillSlots, FillTurn
from core.cache.keys import successor_of
from core.cache.policy import EntryId
from core.cache.tiers.both import Tiers
from core.cache.versions.map import VersionMap
from core.cache.versions.vector import Vector
from core.clock import boottime
from core.db.transaction import Database, ReadSession

FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1
"""Seconds between looks for the entry that another process computes."""


@dataclass(frozen=True, slots=True)
class VersionedKey:
    """An entry's key under the versions that the map had at one moment."""

    key: str
    versions: Vector
    at: float
    """That moment (boottime)."""
    true_at: float
    """When (boottime) the map was last known to be true."""
    as_of: float | None = None
    """Where the successor is meant of the entry with the key: its end (epoch seconds, the database's clock)."""

    @property
    def stored_under(self) -> str:
        """The entry's key in the tiers: its successor's, where it is computed ahead."""
        return self.key if self.as_of is None else successor_of(self.key, self.as_of)

    def followed_at(self, until: float) -> "VersionedKey":
        """Of the entry's successor, where the entry ends then."""
        return replace(self, as_of=until)


@dataclass(frozen=True, slots=True)
class FlightResult:
    """What a flight brings all who wait for it."""

    entry: Entry
    versions: Vector
    """What the entry was computed under."""
    tier: str
    """redis or database"""
    at: float
    """When (boottime) those versions were read: in the database, or in the map for an entry from Redis."""
    true_at: float
    """When (boottime) they were known to be right: from the database at that moment, from the map up to a lease
    before."""
    is_whole: bool = True
    """Whether the versions stand for the rows that were read. If not, the entry was kept nowhere."""


class Fills:
    """A fill computes an entry from the database and stores it."""

    def __init__(
        self, database: Database, versions: VersionMap, tiers: Tiers, leases: FillLeases, pool_size: int
    ) -> None:
        self._database = database
        self._versions = versions
        self._tiers = tiers
        self._leases = leases
        self.slots = FillSlots(pool_size)
        self._background = Background()

    def key_now(self, entry_id: EntryId) -> VersionedKey:
        """The key of the entry that is right at this moment, as the map has it. Only to be asked with a fresh lease."""
        policy, clinic_id = entry_id.policy, entry_id.clinic_id
        key = self._tiers.key(entry_id, policy.token_now(self._versions, clinic_id))
        vector = policy.vector(self._versions.rows, clinic_id)
        return VersionedKey(key, vector, boottime(), self._versions.true_at())

    async def find_or_compute(
        self, entry_id: EntryId, wanted: VersionedKey, load: Loader, turn: FillTurn | None = None
    ) -> FlightResult:
        """The entry under `wanted`, or a newer one. Raises Unavailable, and whatever else `load` raises.

        While another process holds the key's lease, Redis is asked for the entry again and again, for a fill's time
        at most. Then it is computed here, whatever others do.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + times.FILL_PATIENCE
        pause = FIRST_PAUSE
        redis = self._tiers.redis
        while True:
            raw, holder = await redis.get_many([wanted.key, redis.keys.lease(wanted.key)])
            found = self._from_redis(entry_id, wanted, raw)
            if found is None and (after := self._tiers.over(wanted.key, raw)) is not None:
                found = self._from_redis(entry_id, wanted, await redis.get(after))
            if found is not None:
                return found
            patient = loop.time() < until
            if holder is None or not patient:
                # The lease is claimed once a slot is free: nobody waits for a process whose fills queue.
                found = await self.slots.run(partial(self._lead, entry_id, wanted, load, with_lease=patient), turn)
                if found is not None:
                    return found
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            if self._versions.is_fresh():
                # After a write the holder may have read the newer versions and stored its entry under them. Nobody
                # would ever store the older key's, so the key is looked up again.
                wanted = self.key_now(entry_id)

    async def find_or_compute_successor(
        self, entry_id: EntryId, wanted: VersionedKey, load: Loader, turn: FillTurn
    ) -> FlightResult | None:
        """What `wanted.as_of` asks for; None where another process computes it. Raises as `find_or_compute`."""
        found = self._from_redis(entry_id, wanted, await self._tiers.redis.get(wanted.stored_under))
        return found or await self.slots.run(partial(self._lead, entry_id, wanted, load, with_lease=True), turn)

    async def compute_unkept(self, entry_id: EntryId, load: Loader) -> FlightResult:
        """Computed here, whatever lies in the tiers or is computed elsewhere. Raises as `find_or_compute`."""
        return await self.slots.run(lambda seconds: self._fill(entry_id, load, seconds, NOBODYS))

    def _from_redis(self, entry_id: EntryId, wanted: VersionedKey, raw: bytes | None) -> FlightResult | None:
        if wanted.as_of is None:
            entry = self._tiers.from_redis(entry_id, wanted.key, raw)
        else:
            entry = self._tiers.successor_from_redis(entry_id, wanted.key, wanted.as_of, raw)
        return FlightResult(entry, wanted.versions, "redis", wanted.at, wanted.true_at) if entry is not None else None

    async def _lead(
        self, entry_id: EntryId, wanted: VersionedKey, load: Loader, seconds: float, *, with_lease: bool
    ) -> FlightResult | None:
        """The entry, computed within `seconds`. None where another process holds the lease: its entry will come."""
        lease = await self._leases.claim(wanted.stored_under) if with_lease else NOBODYS
        if lease is None:
            return None
        try:
            if lease is not NOBODYS:
                # The last holder may have stored it since we looked.
                found = self._from_redis(entry_id, wanted, await self._tiers.redis.get(wanted.stored_under))
                if found is not None:
                    self._release(lease)
                    return found
            async with self._leases.held(lease):
                return await self._fill(entry_id, load, seconds, lease, wanted.as_of)
        except BaseException:
            self._release(lease)
            raise

    async def _fill(
        self, entry_id: EntryId, load: Loader, seconds: float, lease: Lease, as_of: float | None = None
    ) -> FlightResult:
        """Compute within `seconds` and store it under the versions that were read. Then the lease ends.

        With `as_of` it is the successor of an entry that ends then: the same versions will give this, then.
        """
        policy, clinic_id = entry_id.policy, entry_id.clinic_id

        async def work(session: ReadSession) -> FlightResult:
            # May run twice, where the first run met a conflict or a lost connection.
            at = boottime()
            versions, is_whole = await read_versions(session, clinic_id)
            now = utc(self._versions.now() if as_of is None else as_of)
            loaded = await load(Fill(session, now, versions, self._tiers, is_whole, as_of))
            self._versions.learn((clinic, topic, version) for (clinic, topic), version in versions.items())
            return FlightResult(loaded.entry(now), policy.vector(versions, clinic_id), "database", at, at, is_whole)

        result = await self._database.snapshot(work, budget=seconds)
        if result.is_whole:
            key = self._tiers.key(entry_id, policy.token(result.versions, clinic_id))
            if as_of is None:
                stored = self._tiers.put(entry_id, key, result.entry)
            else:
                stored = self._tiers.put_part(entry_id, successor_of(key, as_of), result.entry)
            self._release(lease, after=stored)
        else:
            self._release(lease)
        return result

    def _release(self, lease: Lease, *, after: "asyncio.Task[Any] | None" = None) -> None:
        """The next process may try, once `after` has ended. Nobody waits for that."""

        async def release() -> None:
            if after is not None:
                await asyncio.wait({after})
            await self._leases.release(lease)

        if lease is not NOBODYS:
            self._background.start(release(), name="release of a fill's lease")

    async def drain(self, within: float) -> None:
        """At shutdown: let leases be released, `within` seconds at most."""
        await self._background.drain(within)
