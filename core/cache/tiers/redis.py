"""The second tier: what lies in Redis, sealed, and nothing of it is relied on."""

from collections.abc import Sequence
from typing import Any

from core.cache.keys import Keys
from core.cache.tiers.gathered import GatheredReads
from core.cache.tiers.redis_client import RedisClient
from core.cache.tiers.seals import Seals
from core.cache.tiers.trouble import is_wrong_type
from core.telemetry.log import logger

ONLY = """
local kind = redis.call('TYPE', KEYS[1])['ok']
if kind ~= '{kind}' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
"""
"""Before every script: a value of another type goes. Nobody else writes under our keys, and it would stay for ever."""


class RedisTier(RedisClient):
    """`None` and `False` mean "not there", for whatever reason: none of these raises.

    Values are sealed as they are written, and what has no right seal is not there when it is read.
    """

    def __init__(self, url: str, keys: Keys, seals: Seals) -> None:
        super().__init__(url, keys)
        self.seals = seals
        self._gathered = GatheredReads(self._read)
        self.foreign = 0
        """Values that were not ours, and were not used."""

    async def get(self, key: str) -> bytes | None:
        """The value under the key."""
        return self.unsealed(key, await self.get_raw(key))

    async def get_raw(self, key: str) -> bytes | None:
        """The bytes under the key as they lie in Redis, sealed or not."""
        found, value = await self.ask(self.client.get, key)
        return value if found else None

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The value of each key, in their order; one round trip, in a cluster one to each node, with what others ask
        for at the same moment."""
        if not keys:
            return []
        values = await self._gathered.values(keys)
        return [self.unsealed(key, value) for key, value in zip(keys, values, strict=True)]

    async def _read(self, keys: Sequence[str]) -> list[bytes | None]:
        found, values = await self.ask(self._get_each if self.is_cluster else self.client.mget, keys)
        return values if found and values is not None else [None] * len(keys)

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
        value = self.unsealed(key, value)
        return (ttl, value) if value is not None else (0, None)

    async def get_plain_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        """(seconds left, the bytes that a script keeps there); (0, None) where there are none, (-1, …) where they would
        stay for ever.

        Not sealed, for a script cannot do that: whoever can write to Redis can change them.
        """
        return await self._get_with_ttl(key)

    async def _get_with_ttl(self, key: str) -> tuple[int, bytes | None]:
        async def both() -> tuple[int, bytes | None]:
            async with self.client.pipeline(transaction=False) as pipe:
                pipe.ttl(key)
                pipe.get(key)
                ttl, value = await pipe.execute()
            return ttl, value

        found, answer = await self.ask(both)
        return answer if found and answer is not None else (0, None)

    def unsealed(self, key: str, raw: bytes | None) -> bytes | None:
        """What `get_raw` gave, if it was sealed under `key`. Anything else is counted and logged."""
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

    async def script(
        self, script: str, key: str, *values: str | bytes | float, kind: str = "string"
    ) -> tuple[bool, Any]:
        """(True, what it returned), or (False, None) where Redis is away. `kind` is the type of the key's value.

        Of one key: several are refused, even with one hash tag, while a cluster moves their slot.
        """
        whole = ONLY.format(kind=kind) + script
        return await self.ask(self.client.eval, whole, 1, key, *values, writes=True, scripted=True)

    async def delete(self, key: str) -> bool:
        """False where Redis is away."""
        return (await self.ask(self.client.delete, key, writes=True))[0]
