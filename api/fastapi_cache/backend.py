"""The tiers behind fastapi-cache2's contracts, so that a route with its plain `@cache` runs on them too."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from fastapi_cache import Backend, Coder
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json
from starlette.responses import Response

from core.cache.keys import policy_in
from core.cache.stats.counters import CacheStats
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier

DEFAULT_TTL = 60
"""Seconds, where a route names none."""
MEMORY_TTL = 60.0

Bump = Callable[[str], Awaitable[None]]
"""Commits a new version of a namespace."""


class JsonCoder(Coder):
    """JSON only, never pickle: what lies in Redis must not be able to run."""

    @classmethod
    def encode(cls, value: Any) -> bytes:
        """Of what a route returned. No bytes for what cannot be given again: not JSON, or not a 200."""
        if not isinstance(value, Response):
            return to_json(value)
        is_json = value.headers.get("content-type", "").partition(";")[0] == "application/json"
        return bytes(value.body) if is_json and value.status_code == 200 else b""

    @classmethod
    def decode(cls, value: bytes) -> Any:
        return from_json(value)

    @classmethod
    def decode_as_type(cls, value: bytes, *, type_: Any = None) -> Any:
        """In the route's return type, as fastapi-cache2's own coders do."""
        if isinstance(type_, type) and issubclass(type_, Response):
            return Response(value, media_type="application/json")
        return cls.decode(value) if type_ is None else adapter_of(type_).validate_json(value)


@lru_cache(maxsize=512)
def adapter_of(type_: Any) -> TypeAdapter[Any]:
    return TypeAdapter(type_)


class MemoryBackend(Backend):
    def __init__(self, tier: MemoryTier, bump: Bump) -> None:
        self._tier = tier
        self._bump = bump

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        value = self._tier.get(key)
        return (round(self._tier.ttl(key)), value) if isinstance(value, bytes) else (0, None)

    async def get(self, key: str) -> bytes | None:
        return (await self.get_with_ttl(key))[1]

    async def set(self, key: str, value: bytes, expire: int | None = None) -> None:
        if value:
            self._tier.put(key, value, len(value) + 100, min(expire or DEFAULT_TTL, MEMORY_TTL))

    async def clear(self, namespace: str | None = None, key: str | None = None) -> int:
        """One key is dropped; a namespace gets a new version, and so new keys."""
        if key is not None:
            self._tier.drop(key)
        else:
            await self._bump(namespace or "")
        return 1


class RedisBackend(Backend):
    """Values are sealed: corrupt bytes are a miss, where fastapi-cache2's own backend makes them a 500."""

    def __init__(self, tier: RedisTier, bump: Bump) -> None:
        self._tier = tier
        self._bump = bump

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        ttl, value = await self._tier.get_with_ttl(key)
        return (max(0, ttl), value) if value is not None else (0, None)

    async def get(self, key: str) -> bytes | None:
        return await self._tier.get(key)

    async def set(self, key: str, value: bytes, expire: int | None = None) -> None:
        if value:
            await self._tier.set(key, value, expire or DEFAULT_TTL)

    async def clear(self, namespace: str | None = None, key: str | None = None) -> int:
        """As MemoryBackend.clear. Redis is never searched (KEYS walks everything, and one node of a cluster only)."""
        if key is not None:
            await self._tier.delete(key)
        else:
            await self._bump(namespace or "")
        return 1


class TieredBackend(Backend):
    """Memory, then Redis; what neither has counts as a miss that the route computes."""

    def __init__(self, memory: MemoryTier, redis: RedisTier, bump: Bump, stats: CacheStats) -> None:
        self.memory = MemoryBackend(memory, bump)
        self.redis = RedisBackend(redis, bump)
        self._stats = stats

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        ttl, value = await self.memory.get_with_ttl(key)
        tier = "memory"
        if value is None:
            tier = "redis"
            ttl, value = await self.redis.get_with_ttl(key)
            if value is not None and ttl > 0:
                await self.memory.set(key, value, ttl)
        self._stats.count(policy_in(key), *(("miss", "database") if value is None else ("hit", tier)))
        return ttl, value

    async def get(self, key: str) -> bytes | None:
        return (await self.get_with_ttl(key))[1]

    async def set(self, key: str, value: bytes, expire: int | None = None) -> None:
        await self.memory.set(key, value, expire)
        await self.redis.set(key, value, expire)

    async def clear(self, namespace: str | None = None, key: str | None = None) -> int:
        """A namespace ends in every process; one key in Redis and in this process's memory. Others may give it for
        another minute (MEMORY_TTL): clear its namespace instead."""
        if key is not None:
            await self.memory.clear(key=key)
        return await self.redis.clear(namespace, key)
