"""Sessions: whose a token is, and new ones.

PostgreSQL has the record of a session, Redis a working copy, memory one for the next request. A copy names the versions
that it was read under, and is right as long as the version map has the same: whatever ends a session or changes its
user bumps one of them, in the transaction that does it. So nothing here is ever invalidated (docs/design/cache.md).
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from core import times
from core.background import Background
from core.cache.single_flight import Flights
from core.cache.stats.counters import CacheStats
from core.cache.tiers.redis import RedisTier
from core.cache.versions.direct_reads import DirectReads
from core.cache.versions.map import VersionMap
from core.clock import boottime
from core.db.transaction import Database, WriteSession
from core.errors import NotAuthenticated, Unavailable
from core.sessions import records
from core.sessions.copies import SIZE, HeldCopies, HeldCopy, SessionCopy, from_json, from_postgresql
from core.sessions.last_seen import COPY, LastSeen
from core.sessions.looks import ClinicLooks, Look
from core.sessions.records import Opened
from core.sessions.token import Tokens
from core.settings import Settings
from core.telemetry.trace import current

POLICY = COPY
"""The name under which the cache's settings and statistics have these."""
ROUNDS = 8
"""Times a request looks again when what it found was overtaken by a write."""
READ_ON = 300.0
"""Seconds that a session goes on reading after it was last verified, while PostgreSQL is away."""
COUNTED = {tier: (POLICY, "miss" if tier == "database" else "hit", tier) for tier in ("memory", "redis", "database")}
"""As what a look-up is counted, by where the copy was."""
DISPLAY_SECONDS = 30 * 86400
DEFAULT_TTL = 3600.0
"""Seconds for which Redis keeps a copy that nobody uses."""


def not_signed_in() -> NotAuthenticated:
    """The refusal of a token without a session: the same whether there was one once or never."""
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
        self.held = HeldCopies()
        self._database = database
        self._versions = versions
        self._direct = direct
        self._redis = redis
        self._stats = stats
        self.tokens = Tokens([key.get_secret_value() for key in settings.secret_keys])
        self._looks: Flights[Look] = Flights()
        self._clinics = ClinicLooks(database)
        self._background = Background()
        ttl = settings.cache_ttls.get(POLICY, DEFAULT_TTL)
        self._seen = LastSeen(database, redis, self._background, self._forget, ttl)
        self._idle_seconds = settings.session_idle_seconds
        self._max_seconds = settings.session_max_seconds

    async def authenticate(self, token: str, *, slide: bool = True, reading: bool = True) -> SessionCopy:
        """The session of a token, right at this moment; `slide` counts this as its use.

        Raises NotAuthenticated for a token that is none of ours and for a session that has ended. Raises Unavailable
        where the database is away and so nobody can say; but for a request that only reads (`reading`), a session that
        was verified within the last READ_ON seconds is given all the same.
        """
        digest = self.tokens.digest(token)
        if digest is None:
            raise not_signed_in()
        began = boottime()
        tier = "memory"
        for _ in range(ROUNDS):
            if not self._versions.is_fresh() and not await self._read_versions(reading=reading):
                return await self._unverified(digest, slide=slide)
            # From here to the return nothing awaits: lease, versions and clock are those of one moment.
            moment = boottime()
            held = self.held.get(digest, moment)
            if held is None or not (
                self.is_current(held.copy) or held.checked_at >= max(began, moment - times.SESSION_OVERTAKEN)
            ):
                look = await self._look(digest, held)
                if digest not in look.found and look.at >= began:
                    # An earlier look refuses nobody: the user may have been activated again since.
                    raise not_signed_in()
                tier = look.tier
                continue
            now = self._versions.clock.at(moment)
            if now >= held.copy.expires_at:
                raise not_signed_in()
            if held.is_idle(now):
                await self._seen.ask_elsewhere(digest, held, now)
                continue
            self.used(digest, held, now, tier=tier, slide=slide)
            return held.copy
        raise Unavailable("The users change faster than they can be read just now.")

    async def _read_versions(self, *, reading: bool) -> bool:
        """Whether the database could be asked. Raises Unavailable where it is away and this is not only `reading`."""
        try:
            await self._direct.ensure_fresh()
        except Unavailable:
            if not reading:
                raise
            return False
        return True

    async def _unverified(self, digest: bytes, *, slide: bool) -> SessionCopy:
        """The session while PostgreSQL is away: as it was verified a short while ago, by this process or another.

        The request's trace says so, and by it every answer on this session is labelled.
        """
        if self.held.get(digest, boottime()) is None:
            await self._from_redis(digest)
        held = self.held.get(digest, boottime())
        now = self._versions.now()
        if held is None or now - held.verified_at > READ_ON:
            raise Unavailable
        # A process that never reached the database knows no versions.
        if len(self._versions) and not self.is_current(held.copy):
            raise Unavailable
        if now >= held.copy.expires_at:
            raise not_signed_in()
        if held.is_idle(now):
            await self._seen.ask_elsewhere(digest, held, now)
        if slide:
            self._seen.slide(digest, held, now)
        current().session_age = max(0.0, now - held.verified_at)
        self._stats.count(POLICY, "stale", "memory")
        return held.copy

    def digest(self, token: str) -> bytes | None:
        """What a session is looked up by; None for a token that is none of ours."""
        return self.tokens.digest(token)

    def usable(self, digest: bytes, copy: SessionCopy, moment: float, now: float) -> HeldCopy | None:
        """What memory holds of the session, where that is still this very copy, and neither over nor idle at `now`,
        which is the database's clock at `moment` (boottime).

        The caller knows that the lease holds, and that `is_current` does since the version rows last changed.
        """
        held = self.held.get(digest, moment)
        if held is None or held.copy is not copy or now >= copy.expires_at or held.is_idle(now):
            return None
        return held

    def used(self, digest: bytes, held: HeldCopy, now: float, *, tier: str = "memory", slide: bool = True) -> None:
        """Note that a request rests on the copy, which came from `tier` and is right at `now`; `slide` counts it as the
        session's use."""
        held.verified_at = now
        if slide:
            self._seen.slide(digest, held, now)
        self._stats.counts[COUNTED[tier]] += 1

    def is_current(self, copy: SessionCopy) -> bool:
        """Whether the versions that it was read under are still the map's, and stand for the rows that there are."""
        rows = self._versions.rows
        users, clinics = rows.get((copy.clinic_id or 0, "users"), 0), rows.get((0, "clinics"), 0)
        return self._versions.is_whole and (copy.users_version, copy.clinics_version) == (users, clinics)

    async def _look(self, digest: bytes, held: HeldCopy | None) -> Look:
        """Bring the copy into memory where none is held; read it again where the held one's versions are not the map's.

        A copy from Redis is not compared with the map here: the caller does that. Raises Unavailable where PostgreSQL
        has to be asked and is away.
        """
        if held is None:
            return (await self._looks.join(f"fetch {digest.hex()}", partial(self._fetch, digest)))[0]
        clinic_id = held.copy.clinic_id
        users, clinics = self._versions.get(*held.copy.stamp), self._versions.get(0, "clinics")
        if users == held.copy.users_version and self._versions.is_whole:
            seen = await self._clinics.see(clinics)
            self._versions.learn([(0, "clinics", seen.clinics_version)])
            if (copy := seen.renewed(held.copy)) is not None and self.is_current(copy):
                self.held.put(digest, copy, checked_at=seen.at)
                only = frozenset((digest,))
                return Look(only, only, "database", seen.at)
        look, _ = await self._looks.join(
            f"check {clinic_id} {users:x}.{clinics:x}", lambda: self._read(self.held.of_clinic(clinic_id))
        )
        if digest not in look.asked:
            # It came into memory after that flight had begun.
            look, _ = await self._looks.join(f"read {digest.hex()}", lambda: self._read([digest]))
        return look

    async def _fetch(self, digest: bytes) -> Look:
        at = boottime()
        if await self._from_redis(digest):
            only = frozenset((digest,))
            return Look(only, only, "redis", at)
        return await self._read([digest])

    async def _from_redis(self, digest: bytes) -> bool:
        """Whether Redis had it; memory has it then."""
        copy = from_json(digest, await self._redis.get(self._redis.keys.session(digest, COPY)))
        if copy is not None:
            self.held.put(digest, copy)
        return copy is not None

    async def _read(self, digests: Sequence[bytes]) -> Look:
        """Read the sessions of these digests from PostgreSQL, in one statement, into memory. It alone can say that
        there is no such session: what it does not have is dropped from memory and Redis."""
        at = boottime()
        found = await self._database.read(partial(from_postgresql, digests=digests), budget=times.SESSION_READ)
        for digest in digests:
            copy = found.get(digest)
            if copy is None:
                self._forget(digest)
                continue
            self.held.put(digest, copy, checked_at=at)
            users, clinics = copy.users_version, copy.clinics_version
            self._versions.learn([(copy.clinic_id or 0, "users", users), (0, "clinics", clinics)])
            if not self.is_current(copy):
                # Older than the map: a write since, or a database restored from a backup. The next request has the
                # version rows read again.
                self._versions.distrust()
        return Look(frozenset(digests), frozenset(found), "database", at)

    def _forget(self, digest: bytes) -> None:
        self.held.drop(digest)
        self._background.start(self._redis.delete(self._redis.keys.session(digest, COPY)), name="session out of Redis")

    def in_memory(self) -> tuple[str, int, int]:
        """(policy, copies, bytes)"""
        return POLICY, len(self.held), len(self.held) * SIZE

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
        is_display = client == "display"
        token, digest = self.tokens.issue()
        idle_seconds = None if is_display else self._idle_seconds
        session_id, expires_at = await records.insert_session(
            session,
            digest=digest,
            user_id=user_id,
            clinic_id=clinic_id,
            client=client,
            lasts=DISPLAY_SECONDS if is_display else self._max_seconds,
            idle_seconds=idle_seconds,
            ip=ip,
            user_agent=user_agent,
        )
        return Opened(token, session_id, expires_at, idle_seconds)

    async def close(self, within: float) -> None:
        """At shutdown: let looks end and write last seen, `within` seconds at most."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within
        await self._looks.drain(within)
        await self._clinics.drain(max(0.0, until - loop.time()))
        await self._seen.close(max(0.0, until - loop.time()))
        await self._background.drain(max(0.0, until - loop.time()))
