"""Bringing copies into memory: from Redis, or from PostgreSQL, which alone says that there is no such session."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.background import Background
from core.cache.single_flight import Flights
from core.cache.tiers.redis import RedisTier
from core.cache.versions.map import VersionMap
from core.clock import boottime
from core.db.transaction import Database, ReadSession
from core.sessions import records
from core.sessions.copies import Held, HeldCopies, SessionCopy, decoded, encoded

POLICY = "session"
"""The name under which Redis and the cache's statistics have these."""
BUDGET = 1.0
"""Seconds for a look at PostgreSQL: what the session is for needs some of a request's two as well."""
YOUNG = 1.0
"""Seconds for which a look that a write overtook still counts: it was right after the request began."""
STORE_EVERY = 120.0
"""Seconds between writes of a copy to Redis: they keep it there, and tell when it was verified."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at `tier`, begun `at` (boottime), found of the sessions asked for."""

    asked: frozenset[bytes]
    found: frozenset[bytes]
    tier: str
    at: float


class Lookup:
    """`ttl` is for how many seconds Redis keeps a copy that nobody uses."""

    def __init__(
        self,
        database: Database,
        versions: VersionMap,
        redis: RedisTier,
        held: HeldCopies,
        background: Background,
        ttl: float,
    ) -> None:
        self.flights: Flights[Checked] = Flights()
        self._database = database
        self._versions = versions
        self._redis = redis
        self._held = held
        self._background = background
        self._ttl = ttl

    def is_as_known(self, copy: SessionCopy) -> bool:
        """Whether the versions that it was read under are still the map's, and stand for the rows that there are."""
        if not self._versions.is_whole:
            return False
        users, clinics = self._versions.get(*copy.stamp), self._versions.get(0, "clinics")
        return copy.users_version == users and copy.clinics_version == clinics

    def is_right(self, held: Held, began: float) -> bool:
        """Whether it is as known, or was read after the request began. Ask with a fresh lease."""
        if self.is_as_known(held.copy):
            return True
        return held.checked_at >= began and boottime() - held.checked_at < YOUNG

    async def bring(self, digest: bytes, held: Held | None) -> Checked:
        """Bring the copy into memory where none is held, or read it again: its versions differ.

        What Redis had is not checked yet. Raises Unavailable where PostgreSQL has to be asked, and is away.
        """
        return await (self._fetch(digest) if held is None else self._check(digest, held))

    async def from_redis(self, digest: bytes) -> bool:
        copy = decoded(digest, await self._redis.get(self._key(digest)))
        if copy is None:
            return False
        self._held.put(digest, copy)
        return True

    async def _fetch(self, digest: bytes) -> Checked:
        async def find() -> Checked:
            at = boottime()
            if not await self.from_redis(digest):
                return await self._read([digest])
            only = frozenset((digest,))
            return Checked(only, only, "redis", at)

        result, _ = await self.flights.join(f"fetch {digest.hex()}", find)
        return result

    async def _check(self, digest: bytes, held: Held) -> Checked:
        """One look at PostgreSQL for this session and all that are held of its clinic."""
        clinic_id = held.copy.clinic_id
        users, clinics = self._versions.get(*held.copy.stamp), self._versions.get(0, "clinics")

        async def check() -> Checked:
            return await self._read(self._held.of_clinic(clinic_id))

        result, _ = await self.flights.join(f"check {clinic_id} {users:x}.{clinics:x}", check)
        if digest not in result.asked:
            # It came into memory after that flight had begun.
            result, _ = await self.flights.join(f"read {digest.hex()}", lambda: self._read([digest]))
        return result

    async def _read(self, digests: Sequence[bytes]) -> Checked:
        """One statement for all of them. What PostgreSQL does not have is forgotten everywhere."""
        at = boottime()

        async def work(session: ReadSession) -> dict[bytes, SessionCopy]:
            return await records.live(session, digests)

        found = await self._database.read(work, budget=BUDGET)
        for digest in digests:
            copy = found.get(digest)
            if copy is None:
                self.forget(digest)
                continue
            self._held.put(digest, copy, checked_at=at)
            self._versions.learn([(*copy.stamp, copy.users_version), (0, "clinics", copy.clinics_version)])
            if not self.is_as_known(copy):
                # Older than the map: a write since, or a database restored from a backup. The rows themselves tell.
                self._versions.distrust()
        return Checked(frozenset(digests), frozenset(found), "database", at)

    def keep(self, digest: bytes, held: Held, now: float) -> None:
        """Write the copy to Redis, now and then."""
        if now - held.stored_at >= STORE_EVERY:
            held.stored_at = now
            raw = encoded(digest, held.current())
            self._background.start(self._redis.set(self._key(digest), raw, self._ttl), name="session to Redis")

    def forget(self, digest: bytes) -> None:
        self._held.drop(digest)
        self._background.start(self._redis.delete(self._key(digest)), name="session out of Redis")

    def _key(self, digest: bytes) -> str:
        # The clinic is not known before the copy is read: the digest itself is the hash tag.
        return self._redis.keys.plain(f"{{{digest.hex()}}}:{POLICY}")
