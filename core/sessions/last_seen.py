"""What a session's use leaves behind: when it was last seen, noted in memory at once, in Redis every half minute and in
PostgreSQL every five; and its working copy, kept in Redis."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import isfinite

from core import times
from core.background import Background
from core.cache.tiers.redis import RedisTier
from core.db.transaction import Database
from core.errors import NotAuthenticated, Unavailable
from core.sessions import records
from core.sessions.copies import HeldCopy, to_json

SHARE_EVERY = 30.0
KEEP_EVERY = 300.0
"""Seconds between writes of one session's last use by one process: to Redis, to PostgreSQL. Where the idle limit is
small (tests, kiosks) they are a part of it, so that it still means something."""
STORE_EVERY = 120.0
"""Seconds between writes of a copy to Redis: they keep it there, and say when it was last verified."""
GATHER = 1.0
"""Seconds during which writes to PostgreSQL are gathered into one statement."""
RETRY = 10.0
"""Seconds until PostgreSQL is tried again where it was away."""
COPY, SEEN = "session", "seen"
"""What of a session has a key in Redis (`Keys.session`)."""


def pauses(idle_seconds: int | None) -> tuple[float, float]:
    """(SHARE_EVERY, KEEP_EVERY) of a session with this idle limit."""
    if idle_seconds is None:
        return SHARE_EVERY, KEEP_EVERY
    return min(SHARE_EVERY, idle_seconds / 20), min(KEEP_EVERY, idle_seconds / 4)


def idle() -> NotAuthenticated:
    """The refusal of a session that was not used within its idle limit."""
    return NotAuthenticated("The session was not used for too long. Sign in again.")


class LastSeen:
    """`on_missing` is called with the digest of each session that PostgreSQL does not have any more (it was restored
    from a backup). `ttl`: seconds for which Redis keeps a copy that nobody uses."""

    def __init__(
        self,
        database: Database,
        redis: RedisTier,
        background: Background,
        on_missing: Callable[[bytes], None],
        ttl: float,
    ) -> None:
        self._database = database
        self._redis = redis
        self._background = background
        self._on_missing = on_missing
        self._ttl = ttl
        self._pending: dict[bytes, float] = {}
        self._flushing: asyncio.Task[None] | None = None

    async def ask_elsewhere(self, digest: bytes, held: HeldCopy, now: float) -> None:
        """Bring `held.seen` up to what other processes noted in Redis and PostgreSQL.

        Raises NotAuthenticated where the session is idle by that too, and Unavailable where Redis has no newer use and
        PostgreSQL is away.
        """
        share_every, keep_every = pauses(held.copy.idle_seconds)
        shared = read_time(await self._redis.get(self._redis.keys.session(digest, SEEN)))
        if shared is not None:
            held.seen = max(held.seen, shared + share_every)
            if not held.is_idle(now):
                return
        kept = await self._database.read(partial(records.last_seen, digest=digest), budget=times.SESSION_READ)
        if kept is None:
            raise idle()
        if shared is None or shared + share_every < kept:
            # Redis has lost it, or came back with old data: only PostgreSQL has it, up to five minutes behind.
            kept += keep_every
        held.seen = max(held.seen, kept)
        if held.is_idle(now):
            raise idle()

    def slide(self, digest: bytes, held: HeldCopy, now: float) -> None:
        """The session is used at `now`. Nothing here is waited for."""
        if now > held.seen:
            held.seen = now
        if now < held.due_at:
            return
        idle_seconds = held.copy.idle_seconds
        share_every, keep_every = pauses(idle_seconds)
        if idle_seconds is not None and now >= held.shared_at + share_every:
            held.shared_at = now
            self._to_redis(digest, SEEN, f"{now:.3f}".encode(), idle_seconds + KEEP_EVERY + SHARE_EVERY)
        if now >= held.stored_at + STORE_EVERY:
            held.stored_at = now
            copy = replace(held.copy, verified_at=held.verified_at)
            self._to_redis(digest, COPY, to_json(digest, copy), self._ttl)
        if now >= held.kept_at + keep_every:
            held.kept_at = now
            self._pending[digest] = now
            if self._flushing is None:
                self._flushing = self._background.start(self._flush_later(), name="last seen to PostgreSQL")
        held.due_at = min(held.stored_at + STORE_EVERY, held.kept_at + keep_every)
        if idle_seconds is not None:
            held.due_at = min(held.due_at, held.shared_at + share_every)

    def _to_redis(self, digest: bytes, kind: str, value: bytes, ttl: float) -> None:
        key = self._redis.keys.session(digest, kind)
        self._background.start(self._redis.set(key, value, ttl), name=f"{kind} to Redis")

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
        try:
            existing = await self._database.write(partial(records.write_last_seen, seen=seen))
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
