"""The second tier: Redis, of which nothing is expected. Every operation answers within its budget, and none raises."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from redis.exceptions import AuthenticationError, RedisClusterException, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from core.cache.address import client_of, is_cluster
from core.cache.breaker import Breaker, Trouble
from core.cache.budget import Budget
from core.cache.keys import Keys

BUDGET = 0.1
"""Seconds per operation, the wait for a turn and connecting included; no retries."""
AT_ONCE = 32
"""Operations under way at once: a crowd's opening of 200 connections would take longer than the budget by itself."""
PROBE_INTERVAL = 1.0
PROBE_BUDGET = 1.0
"""Nobody waits for a probe. A cluster's layout, or TLS to the next zone, may take longer than an operation may."""
STAMP = 20
"""Digits in front of a value that only a newer one may overwrite."""
KEEP_NEWER = """
local held = tonumber(redis.call('GETRANGE', KEYS[1], 0, ARGV[3] - 1))
if held and held >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'EX', ARGV[4])
return 1
"""
"""ARGV: stamp, value, the stamp's length, seconds."""
REGISTER = """
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'zset' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
return 1
"""
"""ARGV: member, score, the score up to which members are dropped."""

T = TypeVar("T")


class RedisTier:
    """GET, SET EX, DEL with a budget and a breaker. `None` / `False` mean "not there", for whatever reason."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.keys = keys
        self.breaker = Breaker()
        self.errors = 0
        self.is_cluster = is_cluster(url)
        # Ours cuts off before that.
        self.client: Any = client_of(url, timeout=10 * BUDGET, connections=2 * AT_ONCE)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, key: str) -> bytes | None:
        found, value = await self.ask(self.client.get, key)
        return value if found else None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """In one round trip, in a cluster one to each node."""
        if not keys:
            return []
        found, values = await self.ask(self._get_each if self.is_cluster else self.client.mget, keys)
        return list(values) if found and values is not None else [None] * len(keys)

    async def _get_each(self, keys: Sequence[str]) -> list[bytes | None]:
        # Not MGET: for keys of a slot that is just being moved, a node answers only commands of one key.
        async with self.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.get(key)
            values: list[bytes | None] = await pipe.execute()
        return values

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        """(seconds left, value); (0, None) where it is not there."""

        async def both() -> tuple[int, bytes | None]:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.ttl(key)
                pipe.get(key)
                ttl, value = await pipe.execute()
            return ttl, value

        found, answer = await self.ask(both)
        return answer if found and answer is not None and answer[1] is not None else (0, None)

    async def set(self, key: str, value: bytes, ttl: float) -> bool:
        """Keep for `ttl` seconds. False where it was not stored."""
        return (await self.ask(lambda: self.client.set(key, value, px=max(1, int(ttl * 1000))), writes=True))[0]

    async def set_if_absent(self, key: str, value: str, ttl: float) -> bool | None:
        """False where it is there already, None where Redis is away."""
        ask = lambda: self.client.set(key, value, nx=True, px=max(1, int(ttl * 1000)))  # noqa: E731
        found, done = await self.ask(ask, writes=True)
        return bool(done) if found else None

    async def set_if_newer(self, key: str, value: bytes, stamp: float, ttl: float) -> bool:
        """For `get_stamped`. `stamp` is epoch seconds."""
        text = f"{stamp:0{STAMP}.6f}"
        return await self.script(KEEP_NEWER, key, text, value, STAMP, max(1, int(ttl))) == (True, 1)

    async def get_stamped(self, key: str) -> bytes | None:
        value = await self.get(key)
        return value[STAMP:] if value is not None else None

    async def script(self, script: str, key: str, *values: str | bytes | float) -> tuple[bool, Any]:
        """(True, what it returned), or (False, None) where Redis is away.

        Of one key: several are refused, even with one hash tag, while a cluster moves their slot.
        """
        return await self.ask(self.client.eval, script, 1, key, *values, writes=True)

    async def delete(self, key: str) -> bool:
        return (await self.ask(self.client.delete, key, writes=True))[0]

    async def register(self, key: str, member: str, score: float, keep: float) -> bool:
        """Add to a sorted set, and drop from it what is older than ten times `keep` seconds.

        Anything else that lies under its key goes: nobody but us writes there, and it would stay for ever.
        """
        return (await self.script(REGISTER, key, member, score, score - 10 * keep))[0]

    async def unregister(self, key: str, member: str) -> bool:
        return (await self.ask(self.client.zrem, key, member, writes=True))[0]

    async def registered(self, key: str, since: float) -> list[str] | None:
        """Members with a score of `since` or more; None where Redis is away."""
        found, members = await self.ask(self.client.zrangebyscore, key, since, "+inf")
        return [member.decode() for member in members] if found else None

    async def nodes(self) -> list[Any]:
        """A cluster's primaries, as `target_nodes` takes them; of a single server None. Raises what redis-py raises."""
        if not self.is_cluster:
            return [None]
        await self.client.initialize()
        primaries: list[Any] = self.client.get_primaries()
        return primaries

    async def probe(self) -> None:
        """Once at the start, so that a cluster's layout is known before the first request; then once a second, in the
        background, while the breaker is open: what opened it must have gone. Runs until cancelled."""
        await self.ask(self._write_to_all, probing=True)
        while True:
            await asyncio.sleep(PROBE_INTERVAL)
            if self.breaker.is_open:
                await self.ask(self._write_to_all, probing=True)

    async def _write_to_all(self) -> bool:
        # A replica and a full server answer PING well, and refuse what we need.
        nodes = await self.nodes()
        # Half a cluster is none: every request to the other half would cost its client a budget.
        keys = self._key_of_each(nodes) if self.is_cluster else [self.keys.plain("probe")]
        await asyncio.gather(*(self.client.set(key, b"1", ex=60) for key in keys))
        return True

    def _key_of_each(self, nodes: Sequence[Any]) -> list[str]:
        found: dict[str, str] = {}
        for number in range(100 * len(nodes)):
            key = self.keys.plain(f"probe:{number}")
            found.setdefault(self.client.get_node_from_key(key).name, key)
            if len(found) == len(nodes):
                break
        return list(found.values())

    async def ask(self, operation: Any, *args: Any, writes: bool = False, probing: bool = False) -> tuple[bool, Any]:
        """(True, what `operation(*args)` returned) within the budget; (False, None) where Redis is away."""
        if self.breaker.is_open and not probing:
            return False, None
        queued = self._turns.locked()
        try:
            async with Budget(PROBE_BUDGET if probing else BUDGET), self._turns:
                if self.breaker.is_open and not probing:
                    return False, None  # opened by one of those that this one waited for
                answer: Awaitable[Any] = operation(*args)
                value = await answer
        except Exception as error:  # noqa: BLE001  `_trouble` raises what is none
            trouble = self._trouble(error)
            # Who had to queue tells nothing of Redis by being late: the budget went to those before, each answered in
            # time. It is a miss. Where Redis hangs, those that did not queue tell.
            if trouble is not Trouble.TIMEOUT or not queued:
                self._failed(trouble, error)
            return False, None
        if probing:
            self.breaker.close()
        else:
            # One node's success tells nothing of the others: in a cluster only a probe of all does.
            self.breaker.succeeded(wrote=writes and not self.is_cluster)
        return True, value

    def _trouble(self, error: Exception) -> Trouble:
        """Raises it again where it is not Redis's."""
        match error:
            case TimeoutError() | RedisTimeoutError():
                return Trouble.TIMEOUT
            case AuthenticationError():
                return Trouble.ERROR
            case RedisConnectionError() | OSError() | RuntimeError():
                # RuntimeError: uvloop's word for a write on a transport that was closed meanwhile.
                return Trouble.REFUSED
            case RedisError() | RedisClusterException():
                return Trouble.ERROR
            case AttributeError() | LookupError() if self.is_cluster:
                # The cluster client's, for a node that it does not know yet or any more.
                return Trouble.ERROR
        raise error

    def _failed(self, trouble: Trouble, error: Exception) -> None:
        self.errors += 1
        # The first word only: messages may carry addresses and keys.
        words = str(error).split(maxsplit=1)
        detail = type(error).__name__ + (f" {words[0]}" if words and words[0].isupper() else "")
        self.breaker.failed(trouble, detail)

    async def close(self) -> None:
        await self.client.aclose()
