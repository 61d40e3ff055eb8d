"""The second tier: Redis, of which nothing is expected. Every operation answers within its budget, and none raises."""

import asyncio
from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Any, TypeVar

from redis.exceptions import AuthenticationError, NoPermissionError, RedisClusterException, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from core.cache.keys import Keys
from core.cache.tiers.address import client_of, is_cluster
from core.cache.tiers.breaker import Breaker, Trouble
from core.cache.tiers.seals import Seals
from core.cache.tiers.time_limit import TimeLimit
from core.log import logger

BUDGET = 0.1
"""Seconds per operation, the wait for a turn and connecting included; no retries."""
AT_ONCE = 32
"""Operations under way at once: a crowd's opening of 200 connections would take longer than the budget by itself."""
PROBE_INTERVAL = 1.0
PROBE_BUDGET = 1.0
"""Nobody waits for a probe. A cluster's layout, or TLS to the next zone, may take longer than an operation may."""
MEMBERS = 1000
"""Processes that are asked for their figures, at most."""
STAMP = 20
"""Digits in front of a value that only a newer one may overwrite."""
NEWER_BY = 3600
"""Seconds: a stamp that is further ahead is garbage, and would keep every right one out."""
STRING = """
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= 'string' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
"""
"""Before every script of a string: what is none goes, for nobody but us writes under our keys, and it would stay."""
KEEP_NEWER = """
local held = tonumber(redis.call('GETRANGE', KEYS[1], 0, ARGV[3] - 1))
local stamp = tonumber(ARGV[1])
if held and held >= stamp and held <= stamp + ARGV[5] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'EX', ARGV[4])
return 1
"""
"""ARGV: stamp, value, the stamp's length, seconds, how much newer a held one may be."""
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
    """GET, SET EX, DEL with a budget and a breaker. `None` / `False` mean "not there", for whatever reason.

    Values are sealed as they are written, and what has no right seal is not there when it is read.
    """

    def __init__(self, url: str, keys: Keys, seals: Seals) -> None:
        self.keys = keys
        self.seals = seals
        self.breaker = Breaker()
        self.errors = 0
        self.foreign = 0
        """Values that were not ours, and were not used."""
        self.is_cluster = is_cluster(url)
        # Ours cuts off before that.
        self.client: Any = client_of(url, timeout=10 * BUDGET, connections=2 * AT_ONCE)
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, key: str) -> bytes | None:
        return self._unsealed(key, await self._get(key))

    async def _get(self, key: str) -> bytes | None:
        found, value = await self.ask(self.client.get, key)
        return value if found else None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """In one round trip, in a cluster one to each node."""
        if not keys:
            return []
        found, values = await self.ask(self._get_each if self.is_cluster else self.client.mget, keys)
        if not found or values is None:
            return [None] * len(keys)
        return [self._unsealed(key, value) for key, value in zip(keys, values, strict=True)]

    async def _get_each(self, keys: Sequence[str]) -> list[bytes | None]:
        # Not MGET: for keys of a slot that is just being moved, a node answers only commands of one key.
        async with self.client.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.get(key)
            values = await pipe.execute(raise_on_error=False)
        for value in values:
            if isinstance(value, Exception) and not is_wrong_type(value):
                raise value
        # As MGET has it: what is no string is not there.
        return [None if isinstance(value, Exception) else value for value in values]

    async def get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        """(seconds left, value); (0, None) where it is not there."""
        ttl, value = await self._get_with_ttl(key)
        value = self._unsealed(key, value)
        return (ttl, value) if value is not None else (0, None)

    async def get_count(self, key: str) -> tuple[int, int | None]:
        """(seconds left, what a script counts there); (0, None) where there is no number.

        Not sealed, for a script cannot do that: whoever can write to Redis can change it.
        """
        ttl, value = await self._get_with_ttl(key)
        return (ttl, int(value)) if value is not None and value.isdigit() and len(value) < STAMP else (0, None)

    async def _get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        async def both() -> tuple[int, bytes | None]:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.ttl(key)
                pipe.get(key)
                ttl, value = await pipe.execute()
            return ttl, value

        found, answer = await self.ask(both)
        return answer if found and answer is not None else (0, None)

    def _unsealed(self, key: str, raw: bytes | None) -> bytes | None:
        value = self.seals.unseal(key, raw)
        if value is None and raw is not None:
            self.foreign += 1
            logger.warning("a value in redis is not ours", bytes=len(raw))
        return value

    async def set(self, key: str, value: bytes, ttl: float) -> bool:
        """Keep for `ttl` seconds. False where it was not stored."""
        sealed = self.seals.seal(key, value)
        return (await self.ask(lambda: self.client.set(key, sealed, px=max(1, int(ttl * 1000))), writes=True))[0]

    async def set_if_absent(self, key: str, sealed: bytes, ttl: float) -> bool | None:
        """False where it is there already, None where Redis is away. What lies there and is not ours is overwritten."""
        taken = await self._set_if_absent(key, sealed, ttl)
        if taken is False and await self.get(key) is None and not self.breaker.is_open:
            await self.delete(key)
            taken = await self._set_if_absent(key, sealed, ttl)
        return taken

    async def _set_if_absent(self, key: str, sealed: bytes, ttl: float) -> bool | None:
        ask = lambda: self.client.set(key, sealed, nx=True, px=max(1, int(ttl * 1000)))  # noqa: E731
        found, done = await self.ask(ask, writes=True)
        return bool(done) if found else None

    async def set_if_newer(self, key: str, value: bytes, stamp: float, ttl: float) -> bool:
        """For `get_stamped`. `stamp` is epoch seconds."""
        text = f"{stamp:0{STAMP}.6f}"
        sealed = self.seals.seal(f"{key} {text}", value)
        return await self.script(KEEP_NEWER, key, text, sealed, STAMP, max(1, int(ttl)), NEWER_BY) == (True, 1)

    async def get_stamped(self, key: str) -> bytes | None:
        raw = await self._get(key)
        if raw is None:
            return None
        stamp = raw[:STAMP].decode("ascii", errors="replace")
        return self._unsealed(f"{key} {stamp}", raw[STAMP:])

    async def script(self, script: str, key: str, *values: str | bytes | float) -> tuple[bool, Any]:
        """(True, what it returned), or (False, None) where Redis is away.

        Of one key: several are refused, even with one hash tag, while a cluster moves their slot.
        """
        return await self.ask(self.client.eval, STRING + script, 1, key, *values, writes=True, scripted=True)

    async def delete(self, key: str) -> bool:
        return (await self.ask(self.client.delete, key, writes=True))[0]

    async def register(self, key: str, member: str, score: float, keep: float) -> bool:
        """Add to a sorted set, and drop from it what is older than ten times `keep` seconds.

        Anything else that lies under its key goes: nobody but us writes there, and it would stay for ever.
        """
        register = self.client.eval
        return (
            await self.ask(register, REGISTER, 1, key, member, score, score - 10 * keep, writes=True, scripted=True)
        )[0]

    async def unregister(self, key: str, member: str) -> bool:
        return (await self.ask(self.client.zrem, key, member, writes=True))[0]

    async def registered(self, key: str, since: float) -> list[str] | None:
        """Members with a score of `since` or more, MEMBERS at most; None where Redis is away."""
        ask = partial(self.client.zrangebyscore, key, since, "+inf", start=0, num=MEMBERS)
        found, members = await self.ask(ask)
        return [member.decode(errors="replace") for member in members] if found else None

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

    async def ask(
        self, operation: Any, *args: Any, writes: bool = False, probing: bool = False, scripted: bool = False
    ) -> tuple[bool, Any]:
        """(True, what `operation(*args)` returned) within the budget; (False, None) where Redis is away.

        Also where the key holds what is no string, or our user may run no scripts (`scripted`): the server is well, the
        cache goes on without that operation, and the breaker would only open and close.
        """
        if self.breaker.is_open and not probing:
            return False, None
        queued = self._turns.locked()
        try:
            async with TimeLimit(PROBE_BUDGET if probing else BUDGET), self._turns:
                if self.breaker.is_open and not probing:
                    return False, None  # opened by one of those that this one waited for
                answer: Awaitable[Any] = operation(*args)
                value = await answer
        except Exception as error:  # noqa: BLE001  `_trouble` raises what is none
            if is_wrong_type(error) or (scripted and is_refused_script(error)):
                self.errors += 1
                logger.warning("redis refuses an operation", detail=words_of(error))
                return False, None
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
        self.breaker.failed(trouble, words_of(error))

    async def close(self) -> None:
        await self.client.aclose()


def words_of(error: Exception) -> str:
    """Its kind, and the first word only: messages may carry addresses and keys."""
    words = str(error).split(maxsplit=1)
    return type(error).__name__ + (f" {words[0]}" if words and words[0].isupper() else "")


def is_wrong_type(error: Exception) -> bool:
    """The key holds a list or the like, which no writer of ours makes."""
    return isinstance(error, ResponseError) and str(error).startswith("WRONGTYPE")


def is_refused_script(error: Exception) -> bool:
    """An ACL without EVAL, or a server that does not know it."""
    return isinstance(error, NoPermissionError) or (
        isinstance(error, ResponseError) and str(error).startswith(("unknown command", "ACL failure"))
    )
