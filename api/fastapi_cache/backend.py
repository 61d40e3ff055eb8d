"""fastapi-cache2's Backend over the service's tiers: memory, Redis, and both.

The one over both does what `@cache` itself leaves out. One request computes while the others wait for it; hit or miss
stands in the request's trace; and what a write overtook while Redis was asked, or another's computation awaited, is
given no longer than any cached read would give it (`RouteKey.is_current`).
"""

from time import perf_counter

from fastapi_cache import Backend

from api.fastapi_cache.invalidation import Bump
from api.fastapi_cache.key import RouteKey, is_current
from api.fastapi_cache.turns import Turns
from core.cache.entry import Entry, decode
from core.cache.keys import policy_in
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.runtime import Runtime
from core.telemetry.trace import current

DEFAULT_TTL = 60
"""Seconds, where a route names none."""
MEMORY_TTL = 60.0
"""Seconds in a process's memory at most: a key that another process cleared is still given for so long."""


class _OneTier(Backend):
    def __init__(self, bump: Bump) -> None:
        self._bump = bump

    async def get(self, key: str) -> bytes | None:
        return (await self.get_with_ttl(key))[1]

    async def drop(self, key: str) -> None:
        raise NotImplementedError

    async def clear(self, namespace: str | None = None, key: str | None = None) -> int:
        """One key is dropped; a namespace (None: all of them) gets a new version, and so new keys."""
        if key is not None:
            await self.drop(key)
        else:
            await self._bump(namespace or "")
        return 1


class MemoryBackend(_OneTier):
    """fastapi-cache2's Backend over this process's memory tier: seconds, bytes; what is not there is (0, None)."""

    def __init__(self, tier: MemoryTier, bump: Bump) -> None:
        super().__init__(bump)
        self._tier = tier

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        value = self._tier.get(key)
        return (round(self._tier.ttl(key)), value) if isinstance(value, bytes) else (0, None)

    async def set(self, key: str, value: bytes, expire: int | None = None) -> None:
        if value:
            self._tier.put(key, value, len(value) + 100, min(expire or DEFAULT_TTL, MEMORY_TTL))

    async def drop(self, key: str) -> None:
        self._tier.drop(key)


class RedisBackend(_OneTier):
    """Values are sealed: corrupt bytes are a miss, where fastapi-cache2's own backend makes them a 500."""

    def __init__(self, tier: RedisTier, bump: Bump) -> None:
        super().__init__(bump)
        self._tier = tier

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        ttl, value = await self._tier.get_with_ttl(key)
        return (max(0, ttl), value) if value is not None else (0, None)

    async def set(self, key: str, value: bytes, expire: int | None = None) -> None:
        if value:
            await self._tier.set(key, value, expire or DEFAULT_TTL)

    async def drop(self, key: str) -> None:
        await self._tier.delete(key)


class TieredBackend(Backend):
    """Memory, then Redis; what neither has the route computes. CACHE_TTL_<policy> stands above the seconds that
    a route names."""

    def __init__(self, runtime: Runtime, bump: Bump) -> None:
        self.runtime = runtime
        self.memory = MemoryBackend(runtime.cache.memory, bump)
        self.redis = RedisBackend(runtime.redis, bump)
        self._versions = runtime.versions
        self._last_good = runtime.cache.last_good
        self._stats = runtime.cache.stats
        self._ttls = runtime.settings.cache_ttls
        self._turns = Turns()

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        """(seconds left, the answer's JSON), or (0, None) where it is this request's turn to compute it."""
        return key.found if isinstance(key, RouteKey) else await self.find_or_take_turn(key)

    async def find_or_take_turn(self, key: str) -> tuple[int, bytes | None]:
        """As `get_with_ttl`. For a request the key builder calls it: `@cache` computes whatever a Backend raises.

        Raises Unavailable where another request computes it for longer than this one can wait.
        """
        ttl, entry, tier = await self._find(key)
        waited = entry is None and await self._turns.take(key)
        if waited:
            ttl, entry, _ = await self._find(key)
            tier = "database"
        if entry is None or not is_current(key):
            return 0, None
        self._turns.give_back(key)
        self._note(key, "miss" if waited else "hit", tier, entry, ttl, collapsed=waited)
        return ttl, entry.body

    async def get(self, key: str) -> bytes | None:
        return (await self.get_with_ttl(key))[1]

    async def set(self, key: str, value: bytes, expire: int | None = None) -> None:
        """What a route returned. Not stored where it is empty, or versions do not tell of every write just now."""
        if isinstance(key, RouteKey) and key.backend is not self:
            await key.backend.set(key, value, expire)
            return
        # Of the moment when its versions were read: one that a restore overtook since is older than the restore.
        computed_at = key.at if isinstance(key, RouteKey) else self._versions.now()
        entry = Entry.make(value, computed_at=computed_at) if value else None
        ttl = max(1, round(self._ttls.get(policy_in(key), expire or DEFAULT_TTL)))
        is_kept = entry is not None and self._versions.is_whole and (not isinstance(key, RouteKey) or key.is_kept)
        if entry is not None and is_kept:
            raw = entry.encode()
            await self.memory.set(key, raw, ttl)
            self._turns.give_back(key)
            await self.redis.set(key, raw, ttl)
            if isinstance(key, RouteKey):
                self._last_good.remember(key.entry_id, entry)
                await self._last_good.store(key.entry_id, raw, entry.computed_at)
        self._turns.give_back(key)
        self._note(key, "miss", "database", entry, ttl, stored=is_kept)

    async def _find(self, key: str) -> tuple[int, Entry | None, str]:
        """(seconds left, entry, tier)"""
        ttl, raw = await self.memory.get_with_ttl(key)
        entry = decode(raw)
        if entry is not None:
            return ttl, entry, "memory"
        ttl, raw = await self.redis.get_with_ttl(key)
        entry = decode(raw)
        if raw is not None and entry is not None:
            if ttl:  # whole seconds: of its last half Redis says 0
                await self.memory.set(key, raw, ttl)
            if isinstance(key, RouteKey):
                self._last_good.remember(key.entry_id, entry)
        return ttl, entry, "redis"

    def _note(
        self,
        key: str,
        outcome: str,
        tier: str,
        entry: Entry | None,
        ttl: int,
        *,
        collapsed: bool = False,
        stored: bool = False,
    ) -> None:
        """Count it, and tell the request's trace."""
        policy = policy_in(key)
        self._stats.count(policy, "collapsed" if collapsed else outcome, tier)
        if not isinstance(key, RouteKey):
            return
        key.entry = entry
        age = max(0.0, self._versions.now() - entry.computed_at) if entry is not None else 0.0
        ms = (perf_counter() - key.started) * 1000
        current().cached(policy, outcome, tier, ms=ms, ttl=ttl, age=age, collapsed=collapsed, stored=stored)

    async def clear(self, namespace: str | None = None, key: str | None = None) -> int:
        """A namespace ends in every process; one key in Redis and in this process's memory. Others may give it for
        another minute (MEMORY_TTL): clear its namespace instead."""
        if key is not None:
            await self.memory.clear(key=key)
        return await self.redis.clear(namespace, key)
