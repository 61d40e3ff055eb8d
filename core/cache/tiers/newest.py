"""Values in Redis that only a newer one overwrites, whichever process writes it."""

from core.cache.tiers.redis import RedisTier

STAMP = 20
"""Digits in front of a value: when it was made, epoch seconds."""
NEWER_BY = 3600
"""Seconds: a stamp that is further ahead is garbage, and would keep every right one out."""
KEEP_NEWER = """
local held = tonumber(redis.call('GETRANGE', KEYS[1], 0, ARGV[3] - 1))
local stamp = tonumber(ARGV[1])
if held and held >= stamp and held <= stamp + ARGV[5] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'EX', ARGV[4])
return 1
"""
"""ARGV: stamp, value, the stamp's length, seconds, how much newer a held one may be."""


class NewestValues:
    """Values in Redis of which the newest stays, in whatever order they arrive."""

    def __init__(self, redis: RedisTier) -> None:
        self._redis = redis

    async def set(self, key: str, value: bytes, made_at: float, ttl: float) -> bool:
        """Keep for `ttl` seconds. `made_at` is epoch seconds. False where a newer one is there, or Redis is away."""
        stamp = f"{made_at:0{STAMP}.6f}"
        sealed = self._redis.seals.seal(f"{key} {stamp}", value)
        kept = await self._redis.script(KEEP_NEWER, key, stamp, sealed, STAMP, max(1, int(ttl)), NEWER_BY)
        return kept == (True, 1)

    async def get(self, key: str) -> bytes | None:
        """The newest value under the key; None where there is none, Redis is away, or what lies there is not ours."""
        raw = await self._redis.get_raw(key)
        if raw is None:
            return None
        stamp = raw[:STAMP].decode("ascii", errors="replace")
        return self._redis.unsealed(f"{key} {stamp}", raw[STAMP:])
