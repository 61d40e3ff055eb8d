"""How often a user may do what is worth a look when it is done often: counted in all processes, as failed sign-ins
are (`throttle`)."""

from math import ceil

from limits import RateLimitItem
from limits.aio.strategies import FixedWindowRateLimiter

from core.cache.tiers.redis import RedisTier
from core.clock import boottime
from core.errors import TooManyAttempts
from core.sessions.throttle import SharedCounts

LONGEST = 366 * 24 * 3600
"""Seconds: of any limit that there is."""


class Rates:
    """Counts what users do that costs much, in all processes together. One per process."""

    def __init__(self, redis: RedisTier) -> None:
        self._counts = SharedCounts(redis, LONGEST)
        self._limiter = FixedWindowRateLimiter(self._counts)

    async def count(self, limit: RateLimitItem, what: str, user_id: int) -> None:
        """Count one more `what` of the user. Raises TooManyAttempts where there were as many as `limit` has, in the
        window that began with the first of them; `retry_after` is the seconds that are left of it."""
        whose = (what, str(user_id))
        if await self._limiter.hit(limit, *whose):
            return
        left = ceil(await self._counts.get_expiry(limit.key_for(*whose)) - boottime())
        raise TooManyAttempts(
            f"No more than {limit.amount} in this time. Wait, and try again.",
            retry_after=min(max(1, left), limit.get_expiry()),
        )
