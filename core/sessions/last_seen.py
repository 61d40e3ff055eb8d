"""When a session was last used: noted in memory at once, in Redis every half minute, in PostgreSQL every five."""

import asyncio
from collections.abc import Callable
from math import isfinite

from core.background import Background
from core.cache.tiers.redis import RedisTier
from core.db.transaction import Database, ReadSession, WriteSession
from core.errors import NotAuthenticated, Unavailable
from core.sessions import records
from core.sessions.copies import Held

SHARE_EVERY = 30.0
KEEP_EVERY = 300.0
"""Seconds between writes of one session's last use by one process: to Redis, to PostgreSQL. Where the idle limit is
small (tests, kiosks) they are a part of it, so that it still means something."""
GATHER = 1.0
"""Seconds during which writes to PostgreSQL are gathered into one statement."""
RETRY = 10.0
BUDGET = 1.0


def share_every(idle_seconds: int | None) -> float:
    return SHARE_EVERY if idle_seconds is None else min(SHARE_EVERY, idle_seconds / 20)


def keep_every(idle_seconds: int | None) -> float:
    return KEEP_EVERY if idle_seconds is None else min(KEEP_EVERY, idle_seconds / 4)


def idle(detail: str = "The session was not used for too long. Sign in again.") -> NotAuthenticated:
    return NotAuthenticated(detail)


class LastSeen:
    """`on_missing` is told the digests of sessions that PostgreSQL does not have (it was restored from a backup)."""

    def __init__(
        self, database: Database, redis: RedisTier, background: Background, on_missing: Callable[[bytes], None]
    ) -> None:
        self._database = database
        self._redis = redis
        self._on_missing = on_missing
        self._pending: dict[bytes, float] = {}
        self._flushing: asyncio.Task[None] | None = None
        self._background = background

    def _key(self, digest: bytes) -> str:
        return self._redis.keys.plain(f"{{{digest.hex()}}}:seen")

    @staticmethod
    def is_idle(held: Held, now: float) -> bool:
        """By what this process knows. Nobody is refused for it: other processes may know better."""
        return held.copy.idle_seconds is not None and now - held.seen > held.copy.idle_seconds

    async def ask_elsewhere(self, digest: bytes, held: Held, now: float) -> None:
        """Learn what other processes noted. Raises NotAuthenticated where the session is idle by that too, and
        Unavailable where nobody can tell."""
        slack = share_every(held.copy.idle_seconds)
        shared = read_time(await self._redis.get(self._key(digest)))
        if shared is not None:
            held.seen = max(held.seen, shared + slack)
            if not self.is_idle(held, now):
                return

        async def work(session: ReadSession) -> float | None:
            return await records.last_seen(session, digest)

        kept = await self._database.read(work, budget=BUDGET)
        if kept is None:
            raise idle()
        if shared is None or shared + slack < kept:
            # Redis has lost it, or came back with old data: only PostgreSQL has it, up to five minutes behind.
            kept += keep_every(held.copy.idle_seconds)
        held.seen = max(held.seen, kept)
        if self.is_idle(held, now):
            raise idle()

    def slide(self, digest: bytes, held: Held, now: float) -> None:
        """The session is used at `now`. Nothing here is waited for."""
        held.seen = max(held.seen, now)
        idle_seconds = held.copy.idle_seconds
        if idle_seconds is not None and now - held.shared_at >= share_every(idle_seconds):
            held.shared_at = now
            ttl = idle_seconds + KEEP_EVERY + SHARE_EVERY
            sharing = self._redis.set(self._key(digest), f"{now:.3f}".encode(), ttl)
            self._background.start(sharing, name="last seen to Redis")
        if now - held.durable_at >= keep_every(idle_seconds):
            held.durable_at = now
            self._pending[digest] = now
            if self._flushing is None:
                self._flushing = self._background.start(self._flush_later(), name="last seen to PostgreSQL")

    async def _flush_later(self) -> None:
        pause = GATHER
        try:
            while self._pending:
                await asyncio.sleep(pause)
                pause = GATHER if await self._flush() else RETRY
        finally:
            self._flushing = None

    async def _flush(self) -> bool:
        """Write what is pending. False where the database is away: it stays pending."""
        seen, self._pending = self._pending, {}

        async def work(session: WriteSession) -> set[bytes]:
            return await records.write_last_seen(session, seen)

        try:
            existing = await self._database.write(work)
        except Unavailable:
            self._pending = seen | self._pending
            return False
        except asyncio.CancelledError:
            self._pending = seen | self._pending
            raise
        for digest in seen.keys() - existing:
            self._on_missing(digest)
        return True

    async def close(self, within: float) -> None:
        """Begin to write what is pending; `within` seconds at most until it has begun."""
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.wait({self._flushing}, timeout=within)
        if self._pending:
            self._background.start(self._flush(), name="last seen to PostgreSQL")


def read_time(raw: bytes | None) -> float | None:
    """Epoch seconds as `slide` wrote them; None for what is absent or garbage."""
    try:
        found = float(raw) if raw is not None else None
    except ValueError:
        return None
    return found if found is not None and isfinite(found) else None
