"""The second tier: Redis, of which nothing is expected. Every operation answers within its budget, and none raises."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import redis.asyncio as redis_client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from core.cache.breaker import Breaker, Trouble
from core.cache.budget import Budget
from core.cache.keys import Keys

BUDGET = 0.1
"""Seconds per operation, connecting included; no retries."""
AT_ONCE = 32
"""Operations under way at once: a crowd's opening of 200 connections would take longer than the budget by itself."""
PROBE_INTERVAL = 1.0
PAGES = 400
"""Steps of 500 keys that a walk through the keyspace takes at most."""

KEEP_NEWER = """
local stamp = redis.call('GET', KEYS[2])
if stamp and tonumber(stamp) >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
return 1
"""
"""SET that only a newer value may overwrite. KEYS: value, stamp (one hash tag); ARGV: value, stamp, seconds."""

T = TypeVar("T")


class RedisTier:
    """GET, SET EX, DEL with a budget and a breaker. `None` / `False` mean "not there", for whatever reason."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.keys = keys
        self.breaker = Breaker()
        self.errors = 0
        # redis-py's own defaults wait up to a minute on a hung server (dependencies.md). Ours cuts off before these.
        self.client: Any = redis_client.Redis.from_url(
            url,
            socket_timeout=10 * BUDGET,
            socket_connect_timeout=10 * BUDGET,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            health_check_interval=0,
            max_connections=2 * AT_ONCE,
        )
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, key: str) -> bytes | None:
        found, value = await self._ask(self.client.get, key)
        return value if found else None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        found, values = await self._ask(self.client.mget, keys)
        return list(values) if found and values is not None else [None] * len(keys)

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        """(seconds left, value); (0, None) where it is not there."""

        async def both() -> tuple[int, bytes | None]:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.ttl(key)
                pipe.get(key)
                ttl, value = await pipe.execute()
            return ttl, value

        found, answer = await self._ask(both)
        return answer if found and answer is not None and answer[1] is not None else (0, None)

    async def set(self, key: str, value: bytes, ttl: float) -> bool:
        """Keep for `ttl` seconds. False where it was not stored."""
        return (await self._ask(lambda: self.client.set(key, value, px=max(1, int(ttl * 1000))), writes=True))[0]

    async def set_if_newer(self, key: str, value: bytes, stamp: float, ttl: float) -> bool:
        return await self.script(KEEP_NEWER, [key, key + ":at"], [value, repr(stamp), int(ttl)]) == (True, 1)

    async def script(self, script: str, keys: Sequence[str], values: Sequence[str | bytes | int]) -> tuple[bool, Any]:
        """(True, what it returned), or (False, None) where Redis is away. All keys have one hash tag."""
        return await self._ask(self.client.eval, script, len(keys), *keys, *values, writes=True)

    async def delete(self, key: str) -> bool:
        return (await self._ask(self.client.delete, key, writes=True))[0]

    async def register(self, key: str, member: str, score: float, keep: float) -> bool:
        """Add to a sorted set, and drop from it what is older than ten times `keep` seconds."""

        async def both() -> bool:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.zadd(key, {member: score})
                pipe.zremrangebyscore(key, "-inf", score - 10 * keep)
                await pipe.execute()
            return True

        return (await self._ask(both, writes=True))[0]

    async def unregister(self, key: str, member: str) -> bool:
        return (await self._ask(self.client.zrem, key, member, writes=True))[0]

    async def registered(self, key: str, since: float) -> list[str] | None:
        """Members with a score of `since` or more; None where Redis is away."""
        found, members = await self._ask(self.client.zrangebyscore, key, since, "+inf")
        return [member.decode() for member in members] if found else None

    async def sizes(self, pattern: str, at_most: int) -> list[tuple[str, int]] | None:
        """(key, bytes of its value) of keys that match, `at_most` of them; None where Redis is away.

        For the admin's page: it walks the keyspace in small steps, each within the budget.
        """
        found: list[tuple[str, int]] = []
        cursor = 0
        for _ in range(PAGES):
            answered, page = await self._ask(self.client.scan, cursor, pattern, 500)
            if not answered:
                return None
            cursor, keys = int(page[0]), page[1]
            answered, lengths = await self._ask(self._lengths, keys)
            if not answered:
                return None
            found += [(key.decode(errors="replace"), length) for key, length in lengths]
            if cursor == 0 or len(found) >= at_most:
                break
        return found

    async def _lengths(self, keys: Sequence[bytes]) -> list[tuple[bytes, int]]:
        if not keys:
            return []
        async with self.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.strlen(key)
            lengths = await pipe.execute(raise_on_error=False)
        return [(key, length) for key, length in zip(keys, lengths, strict=True) if isinstance(length, int)]

    async def info(self) -> dict[str, Any] | None:
        found, answer = await self._ask(self.client.info)
        return answer if found else None

    async def probe(self) -> None:
        """Once a second, in the background: what opened the breaker must have gone. Runs until cancelled."""
        while True:
            await asyncio.sleep(PROBE_INTERVAL)
            if self.breaker.is_open:
                await self._ask(self._write_and_ping, probing=True)

    async def _write_and_ping(self) -> bool:
        # A replica and a full server answer PING well, and refuse what we need.
        await self.client.set(self.keys.plain("probe"), b"1", ex=60)
        return True

    async def _ask(self, operation: Any, *args: Any, writes: bool = False, probing: bool = False) -> tuple[bool, Any]:
        if self.breaker.is_open and not probing:
            return False, None
        async with self._turns:
            if self.breaker.is_open and not probing:
                return False, None  # opened by one of those that this one waited for
            return await self._within_budget(operation, *args, writes=writes, probing=probing)

    async def _within_budget(self, operation: Any, *args: Any, writes: bool, probing: bool) -> tuple[bool, Any]:
        try:
            async with Budget(BUDGET):
                answer: Awaitable[Any] = operation(*args)
                value = await answer
        except (TimeoutError, RedisTimeoutError) as error:
            self._failed(Trouble.TIMEOUT, error)
        except AuthenticationError as error:
            self._failed(Trouble.ERROR, error)
        except (RedisConnectionError, OSError, RuntimeError) as error:
            # RuntimeError: uvloop's word for a write on a transport that was closed meanwhile.
            self._failed(Trouble.REFUSED, error)
        except RedisError as error:
            self._failed(Trouble.ERROR, error)
        else:
            if probing:
                self.breaker.close()
            else:
                self.breaker.succeeded(wrote=writes)
            return True, value
        return False, None

    def _failed(self, trouble: Trouble, error: Exception) -> None:
        self.errors += 1
        # The first word only: messages may carry addresses and keys.
        words = str(error).split(maxsplit=1)
        detail = type(error).__name__ + (f" {words[0]}" if words and words[0].isupper() else "")
        self.breaker.failed(trouble, detail)

    async def close(self) -> None:
        await self.client.aclose()
