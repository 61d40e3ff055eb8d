"""Sessions: PostgreSQL has the record, Redis a working copy, memory one for the next request
(docs/design/cache.md, "Sessions").

A copy is right as long as the versions that it was read under are still those of the map. So nothing here is
invalidated either: whatever ends a session or changes its user bumps a version, in the transaction that does it.
"""

import asyncio

from core.background import Background
from core.cache.stats.counters import CacheStats
from core.cache.tiers.redis import RedisTier
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.clock import boottime
from core.db.transaction import Database, WriteSession
from core.errors import NotAuthenticated, Unavailable
from core.sessions import records
from core.sessions.copies import SIZE, Held, HeldCopies, SessionCopy
from core.sessions.last_seen import LastSeen
from core.sessions.lookup import POLICY, Lookup
from core.sessions.records import Opened
from core.sessions.token import Tokens
from core.settings import Settings
from core.trace import current

ROUNDS = 8
"""Times a request looks again when what it found was overtaken by a write."""
READ_ON = 300.0
"""Seconds that a session goes on reading after it was last verified, while PostgreSQL is away."""
DISPLAY_SECONDS = 30 * 86400
DEFAULT_TTL = 3600.0


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
        ttl = settings.cache_ttls.get(POLICY, DEFAULT_TTL)
        self.held = HeldCopies()
        self._versions = versions
        self._direct = direct
        self._stats = stats
        self._tokens = Tokens(keys)
        self._background = Background()
        self._lookup = Lookup(database, versions, redis, self.held, self._background, ttl)
        self._seen = LastSeen(database, redis, self._background, self._lookup.forget)
        self._idle_seconds = settings.session_idle_seconds
        self._max_seconds = settings.session_max_seconds

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
            if held is None or not self._lookup.is_right(held, began):
                tier = await self._bring(digest, held, began)
                continue
            now = self._versions.now()
            if self._is_idle(held, now):
                await self._seen.ask_elsewhere(digest, held, now)
                continue
            held.verified_at = now
            if slide:
                self._slide(digest, held, now)
            current().session_age = None
            self._stats.count(POLICY, "miss" if tier == "database" else "hit", tier)
            return held.copy
        raise Unavailable("The users change faster than they can be read just now.")

    async def _bring(self, digest: bytes, held: Held | None, began: float) -> str:
        """Bring the copy into memory; gives the tier it came from.

        Raises NotAuthenticated where there was no session at a moment after the request began. An earlier look does not
        refuse: the user may have been activated again since.
        """
        result = await self._lookup.bring(digest, held)
        if digest not in result.found and result.at >= began:
            raise not_signed_in()
        return result.tier

    def _is_idle(self, held: Held, now: float) -> bool:
        """As far as is known here. Raises NotAuthenticated for a session that has expired."""
        if now >= held.copy.expires_at:
            raise not_signed_in()
        return self._seen.is_idle(held, now)

    async def _unverified(self, digest: bytes, *, slide: bool) -> SessionCopy:
        """The session while PostgreSQL is away: as it was verified a short while ago, by this process or another.

        The request's trace says so, and by it every answer on this session is labelled.
        """
        if self.held.get(digest) is None:
            await self._lookup.from_redis(digest)
        held = self.held.get(digest)
        now = self._versions.now()
        if held is None or now - held.verified_at > READ_ON:
            raise Unavailable
        # A process that never reached the database knows no versions.
        if len(self._versions) and not self._lookup.is_as_known(held.copy):
            raise Unavailable
        if self._is_idle(held, now):
            await self._seen.ask_elsewhere(digest, held, now)
        if slide:
            self._slide(digest, held, now)
        current().session_age = max(0.0, now - held.verified_at)
        self._stats.count(POLICY, "stale", "memory")
        return held.copy

    def _slide(self, digest: bytes, held: Held, now: float) -> None:
        self._seen.slide(digest, held, now)
        self._lookup.keep(digest, held, now)

    def in_memory(self) -> tuple[str, int, int]:
        """(policy, copies, bytes)"""
        return POLICY, len(self.held), len(self.held) * SIZE

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

    async def revoke_clinic(self, session: WriteSession, *, clinic_id: int) -> list[int]:
        """End all sessions in this clinic, in the caller's transaction; gives the ids of those ended."""
        return await records.revoke_clinic(session, clinic_id=clinic_id)

    async def close(self, within: float) -> None:
        """At shutdown: let looks end and write last seen, `within` seconds at most."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        await self._lookup.flights.drain(within)
        await self._seen.close(max(0.0, until - loop.time()))
        await self._background.drain(max(0.0, until - loop.time()))
