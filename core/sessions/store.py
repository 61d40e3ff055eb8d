"""Sessions: PostgreSQL has the record, Redis a working copy, memory one for the next request (cache.md, "Sessions").

A copy is right as long as the versions that it was read under are still those of the map. So nothing here is
invalidated either: whatever ends a session or changes its user bumps a version, in the transaction that does it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from core.cache.flight import Flights
from core.cache.polls import DirectReads
from core.cache.redis import RedisTier
from core.cache.stats import CacheStats
from core.cache.versions import VersionMap
from core.clock import boottime
from core.db.transaction import Database, ReadSession, WriteSession
from core.errors import NotAuthenticated, Unavailable
from core.sessions import records
from core.sessions.copies import CopyCodec, Held, HeldCopies, SessionCopy
from core.sessions.last_seen import LastSeen
from core.sessions.records import Opened
from core.sessions.token import Tokens
from core.settings import Settings

POLICY = "session"
"""The name under which the cache's statistics count these."""
BUDGET = 1.0
"""Seconds for a look at PostgreSQL: what the session was for needs some of a request's two as well."""
ROUNDS = 8
"""Times a request looks again when what it found was overtaken by a write."""
YOUNG = 1.0
"""Seconds for which a check that a write overtook still counts: it was right after the request began."""
READ_ON = 300.0
"""Seconds that a session goes on reading after it was last verified, while PostgreSQL is away."""
STORE_EVERY = 120.0
"""Seconds between writes of a copy to Redis: they keep it there, and tell when it was verified."""
DISPLAY_SECONDS = 30 * 86400
DEFAULT_TTL = 3600.0


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at `tier`, begun `at` (boottime), found of the sessions asked for."""

    asked: frozenset[bytes]
    found: frozenset[bytes]
    tier: str
    at: float


def not_signed_in() -> NotAuthenticated:
    return NotAuthenticated("There is no such session, or it has ended. Sign in.")


class Sessions:
    """One per process: `Sessions(database, versions, direct, redis, settings, cache.stats)` beside the cache, and
    `await sessions.close(seconds)` before the pool and Redis are closed."""

    def __init__(
        self,
        database: Database,
        versions: VersionMap,
        direct: DirectReads,
        redis: RedisTier,
        settings: Settings,
        stats: CacheStats,
    ) -> None:
        keys = [key.get_secret_value() for key in settings.secret_keys]
        self.held = HeldCopies()
        self._database = database
        self._versions = versions
        self._direct = direct
        self._redis = redis
        self._stats = stats
        self._tokens = Tokens(keys)
        self._codec = CopyCodec(keys)
        self._seen = LastSeen(database, redis, self._forget)
        self._idle_seconds = settings.session_idle_seconds
        self._max_seconds = settings.session_max_seconds
        self._ttl = settings.cache_ttls.get(POLICY, DEFAULT_TTL)
        self._flights: Flights[Checked] = Flights()

    # --- reading

    async def authenticate(self, token: str, *, slide: bool = True, reading: bool = True) -> SessionCopy:
        """The session of a token, right at this moment; `slide` counts this as its use.

        Raises NotAuthenticated for a token that is none of ours and for a session that has ended, and Unavailable where
        the database is away and cannot say, unless it was verified in the last minutes and this is only `reading`.
        """
        digest = self._tokens.digest(token)
        if digest is None:
            raise not_signed_in()
        began = boottime()
        tier = "memory"
        for _ in range(ROUNDS):
            if not self._versions.is_fresh():
                try:
                    await self._direct.ensure_fresh()
                except Unavailable:
                    if not reading:
                        raise
                    return await self._unverified(digest, slide=slide)
            # From here to the return nothing awaits: lease, versions and clock are those of one moment.
            held = self.held.get(digest)
            if held is None or not self._is_right(held, began):
                tier = await self._bring(digest, held, began)
                continue
            now = self._versions.now()
            if self._is_idle(held, now):
                await self._seen.ask_elsewhere(digest, held, now)
                continue
            held.verified_at = now
            if slide:
                self._slide(digest, held, now)
            self._stats.count(POLICY, "miss" if tier == "database" else "hit", tier)
            return held.copy
        raise Unavailable("The users change faster than they can be read just now.")

    def _is_right(self, held: Held, began: float) -> bool:
        """Whether the copy's versions are the map's, or it was read after the request began. Ask with a fresh lease."""
        copy = held.copy
        if copy.users_version == self._versions.get(*copy.stamp) and copy.clinics_version == self._versions.get(
            0, "clinics"
        ):
            return True
        return held.checked_at >= began and boottime() - held.checked_at < YOUNG

    def _is_idle(self, held: Held, now: float) -> bool:
        """As far as is known here. Raises NotAuthenticated for a session that has expired."""
        if now >= held.copy.expires_at:
            raise not_signed_in()
        return self._seen.is_idle(held, now)

    async def _bring(self, digest: bytes, held: Held | None, began: float) -> str:
        """Bring the copy into memory, or read it again whose versions differ; gives the tier it came from.

        Raises NotAuthenticated where there is no session, as of a moment after the request began. An earlier look does
        not refuse: the user may have been activated again since.
        """
        result = await (self._fetch(digest) if held is None else self._check(digest, held))
        if digest not in result.found and result.at >= began:
            raise not_signed_in()
        return result.tier

    async def _fetch(self, digest: bytes) -> Checked:
        async def find() -> Checked:
            at = boottime()
            copy = self._codec.decode(digest, await self._redis.get(self._key(digest)))
            if copy is None:
                return await self._read([digest])
            self.held.put(digest, copy)
            only = frozenset((digest,))
            return Checked(only, only, "redis", at)

        result, _ = await self._flights.join(f"fetch {digest.hex()}", find)
        return result

    async def _check(self, digest: bytes, held: Held) -> Checked:
        """One look at PostgreSQL for this session and all that are held of its clinic."""
        clinic_id = held.copy.clinic_id
        users, clinics = self._versions.get(*held.copy.stamp), self._versions.get(0, "clinics")

        async def check() -> Checked:
            return await self._read(self.held.of_clinic(clinic_id))

        result, _ = await self._flights.join(f"check {clinic_id} {users:x}.{clinics:x}", check)
        if digest not in result.asked:
            # It came into memory after that flight had begun.
            result, _ = await self._flights.join(f"read {digest.hex()}", lambda: self._read([digest]))
        return result

    async def _read(self, digests: Sequence[bytes]) -> Checked:
        """One statement to PostgreSQL for all of them. What it does not have is forgotten everywhere."""
        at = boottime()

        async def work(session: ReadSession) -> dict[bytes, SessionCopy]:
            return await records.live(session, digests)

        found = await self._database.read(work, budget=BUDGET)
        for digest in digests:
            copy = found.get(digest)
            if copy is None:
                self._forget(digest)
                continue
            self.held.put(digest, copy, checked_at=at)
            self._learn(copy)
        return Checked(frozenset(digests), frozenset(found), "database", at)

    def _learn(self, copy: SessionCopy) -> None:
        self._versions.committed([(*copy.stamp, copy.users_version), (0, "clinics", copy.clinics_version)])
        if copy.users_version < self._versions.get(*copy.stamp) or copy.clinics_version < self._versions.get(
            0, "clinics"
        ):
            # Older than the map: a write since, or a database restored from a backup. The rows themselves tell.
            self._versions.distrust()

    async def _unverified(self, digest: bytes, *, slide: bool) -> SessionCopy:
        """The session while PostgreSQL is away: as it was verified a short while ago, by this process or another."""
        if self.held.get(digest) is None:
            copy = self._codec.decode(digest, await self._redis.get(self._key(digest)))
            if copy is not None:
                self.held.put(digest, copy)
        held = self.held.get(digest)
        now = self._versions.now()
        if held is None or now - held.verified_at > READ_ON or not self._is_as_known(held.copy):
            raise Unavailable
        if self._is_idle(held, now):
            await self._seen.ask_elsewhere(digest, held, now)
        if slide:
            self._slide(digest, held, now)
        self._stats.count(POLICY, "stale", "memory")
        return held.copy

    def _is_as_known(self, copy: SessionCopy) -> bool:
        """Whether nothing newer is known; a process that never reached the database knows nothing."""
        users, clinics = self._versions.get(*copy.stamp), self._versions.get(0, "clinics")
        return len(self._versions) == 0 or (users == copy.users_version and clinics == copy.clinics_version)

    def _slide(self, digest: bytes, held: Held, now: float) -> None:
        self._seen.slide(digest, held, now)
        if now - held.stored_at >= STORE_EVERY:
            held.stored_at = now
            self._seen.in_background(
                self._redis.set(self._key(digest), self._codec.encode(digest, held.current()), self._ttl)
            )

    def _key(self, digest: bytes) -> str:
        # The clinic is not known before the copy is read: the digest itself is the hash tag.
        return self._redis.keys.plain(f"{{{digest.hex()}}}:{POLICY}")

    def _forget(self, digest: bytes) -> None:
        self.held.drop(digest)
        self._seen.in_background(self._redis.delete(self._key(digest)))

    # --- writing

    async def create(
        self,
        session: WriteSession,
        *,
        user_id: int,
        clinic_id: int | None,
        client: str,
        ip: str | None,
        user_agent: str | None,
    ) -> Opened:
        """A new session with a new id, in the caller's transaction. It bumps no version."""
        display = client == "display"
        token, digest = self._tokens.issue()
        idle_seconds = None if display else self._idle_seconds
        session_id, expires_at = await records.insert_session(
            session,
            digest=digest,
            user_id=user_id,
            clinic_id=clinic_id,
            client=client,
            lasts=DISPLAY_SECONDS if display else self._max_seconds,
            idle_seconds=idle_seconds,
            ip=ip,
            user_agent=user_agent,
        )
        return Opened(token, session_id, expires_at, idle_seconds)

    async def revoke(self, session: WriteSession, *, user_id: int, session_id: int) -> bool:
        """End one session of this user, in the caller's transaction; False where they have no such open one.

        Effective in this process with the commit, elsewhere within the version map's bound.
        """
        return await records.revoke(session, user_id=user_id, session_id=session_id)

    async def revoke_all(self, session: WriteSession, *, user_id: int, but: int | None = None) -> list[int]:
        """End all sessions of this user except `but`, in the caller's transaction; gives the ids of those ended."""
        return await records.revoke_all(session, user_id=user_id, but=but)

    async def close(self, within: float) -> None:
        """At shutdown: let checks end and write last seen, `within` seconds at most."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        await self._flights.drain(within)
        await self._seen.close(max(0.0, until - loop.time()))
