"""One computation per key over all processes: whoever holds the key's lease in Redis computes, the others look again.

A lease only saves work. What keeps answers right is that an entry is stored under the versions it was read under: a
leader that was stopped, and goes on when its lease is long over, stores an entry that nobody asks for any more.
"""

import secrets
from dataclasses import dataclass

from core.cache.redis import RedisTier

LEASE = 1.0
"""Seconds. Half of a fill's budget: who waits for a leader that died has the other half to compute it himself."""
PATIENCE = 1.5
"""Seconds that a fill waits for leaders, one after the other, before it computes whatever others do."""
FIRST_PAUSE = 0.01
LONGEST_PAUSE = 0.1

CLAIM = """
if ARGV[3] == '0' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0
"""
"""KEYS: entry, lease (one hash tag). ARGV: token, milliseconds, and 1 where what lies there as the entry is no use."""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True)
class Lease:
    key: str
    token: str


NOBODYS = Lease("", "")
"""Redis is away, or patience at its end: each process computes for itself."""


class FillLeases:
    def __init__(self, redis: RedisTier) -> None:
        self._redis = redis

    async def claim(self, entry_key: str, *, unusable: bool) -> Lease | None:
        """None where another process computes it, or has just stored it: look again.

        `unusable`: what lies there is garbage, or its time is over, and does not count as stored.
        """
        lease = Lease(self._redis.keys.lease(entry_key), secrets.token_hex(16))
        milliseconds = int(LEASE * 1000)
        keys = [entry_key, lease.key]
        answered, taken = await self._redis.script(CLAIM, keys, [lease.token, milliseconds, int(unusable)])
        if not answered:
            return NOBODYS
        return lease if taken == 1 else None

    async def release(self, lease: Lease) -> None:
        """Once the entry is stored, or will not be. Another's lease stays: ours may have run out."""
        if lease is not NOBODYS:
            await self._redis.script(RELEASE, [lease.key], [lease.token])
