"""One computation per key over all processes: the one that holds the key's lease in Redis computes, the others wait.

A lease only saves work. What keeps answers right is that an entry is stored under the versions that it was computed
under: a process that was stopped, and goes on when its lease is long over, stores an entry that nobody asks for.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from core import times
from core.cache.tiers.redis import RedisTier

RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to compute one entry, held by one process of all until it is released or has run out."""

    key: str
    token: bytes
    """Random, and sealed: what others than this service write to Redis makes nobody wait."""


NOBODYS = Lease("", b"")
"""In place of a lease where the process computes without: Redis is away, or others took too long."""


class FillLeases:
    """Leases in Redis (`SET NX` with a time to live, and a random token): of all processes one computes an entry."""

    def __init__(self, redis: RedisTier) -> None:
        self._redis = redis

    async def claim(self, entry_key: str) -> Lease | None:
        """The lease of the entry with the key `entry_key`; None where another process holds it; NOBODYS where Redis is
        away.

        Look for the entry once more before computing: the last holder may have stored it meanwhile.
        """
        key = self._redis.keys.lease(entry_key)
        lease = Lease(key, self._redis.seals.seal(key, secrets.token_bytes(16)))
        taken = await self._redis.set_if_absent(lease.key, lease.token, times.FILL_LEASE)
        if taken is None:
            return NOBODYS
        return lease if taken else None

    @asynccontextmanager
    async def held(self, lease: Lease) -> AsyncIterator[None]:
        """Renew it for as long as the block takes: only a process that was killed or stopped loses it."""
        if lease is NOBODYS:
            yield
            return
        renewing = asyncio.create_task(self._renew(lease))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(times.FILL_LEASE_RENEWAL)
            if await self._redis.script(RENEW, lease.key, lease.token, int(times.FILL_LEASE * 1000)) == (True, 0):
                return  # this process was stopped, and the lease is another's by now

    async def release(self, lease: Lease) -> None:
        """End it. If it has run out and is another process's by now, that one keeps it."""
        if lease is not NOBODYS:
            await self._redis.script(RELEASE, lease.key, lease.token)
