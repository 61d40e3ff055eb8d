"""Who guesses passwords is made to wait: failed sign-ins are counted by user and by address, in all processes.

A device from which a user has signed in before (core/sessions/devices.py) is counted by itself instead of by its
address: others behind a hospital's one address cannot make it wait.

The counts are `limits`' (fixed windows that begin with the first failure). They lie in Redis and in each process's own
memory, and the higher one holds: without Redis every process goes on counting for itself, and a Redis that comes back
empty, or with old data, forgives nothing. No wall clock is asked: Redis and the machine tell only how much time has
passed.
"""

import asyncio
import re
import secrets
import unicodedata
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from math import ceil
from typing import NamedTuple

from limits import RateLimitItem
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter

from core.cache.single_flight import Locks
from core.cache.tiers.redis import RedisTier
from core.clock import boottime
from core.errors import TooManyAttempts

HELD = 50_000
"""Counts in memory. Every failure costs a password hash, so a window does not fill it."""
MARK = 32
"""Bytes made by chance."""
MARKS = 32
"""Of one user, device or address, that a process remembers."""
IPV6_NETWORK = 64
"""Bits: what one household or one rented server has. Each has more addresses than could be counted."""

COUNTED = re.compile(rb"(\d{1,9})(?: ([0-9a-f]{104}))?")
"""What lies in Redis: failures, and the mark of whoever forgave the ones before. A script counts, and can seal nothing:
whoever else writes to Redis may hold somebody up for a window, but has nobody forgiven, for a mark is sealed."""
COUNT = """
local count, mark = string.match(redis.call('GET', KEYS[1]) or '', '^(%d+) ?(%x*)$')
local left, new = redis.call('PTTL', KEYS[1]), tonumber(ARGV[2])
if count and #count < 10 and left > 0 and left <= tonumber(ARGV[3]) then
    new = tonumber(count) + tonumber(ARGV[1])
    if mark == ARGV[4] then new = math.max(new, tonumber(ARGV[2])) end
else
    mark, left = ARGV[4], ARGV[3]
end
redis.call('SET', KEYS[1], mark == '' and new or new .. ' ' .. mark, 'PX', left)
return {new, mark}
"""
"""ARGV: failures to add; all failures that the caller knows of, those included; milliseconds that a new window lasts;
the mark that the caller knows.

The higher count holds, but where the caller has not heard yet that it was forgiven. Where there is none (Redis was
emptied), garbage, or what would outlast a window, the count goes on from all that the caller knows of."""
FORGIVE = "return redis.call('SET', KEYS[1], '0 ' .. ARGV[2], 'PX', ARGV[1])"


class Own(NamedTuple):
    """What this process knows of a user, a device or an address."""

    failures: int = 0
    uncounted: int = 0
    """How many of them are not in Redis's count: it was away."""
    until: float = 0.0
    """The end of their window."""
    marks: tuple[str, ...] = ()
    """Of those who forgave within it, the last one at the end. Each forgives once: who kept one cannot put it back."""

    @property
    def mark(self) -> str:
        return self.marks[-1] if self.marks else ""


class SharedCounts(Storage):
    """`limits`' storage. Times are seconds on the clock of core.clock.boottime."""

    STORAGE_SCHEME = None
    base_exceptions = ()

    def __init__(self, redis: RedisTier, longest: int, bound: int = HELD) -> None:
        """`longest`: seconds that no window exceeds."""
        super().__init__()
        self._redis = redis
        self._longest = longest
        self._bound = bound
        self._held: OrderedDict[str, Own] = OrderedDict()

    def _key(self, key: str) -> str:
        # A digest: it names users and addresses.
        return self._redis.keys.plain(f"throttle:{blake2b(key.encode(), digest_size=16).hexdigest()}")

    def _own(self, key: str) -> Own:
        held = self._held.get(key)
        return held if held is not None and held.until > boottime() else Own()

    def _hold(self, key: str, own: Own) -> Own:
        self._held[key] = own
        self._held.move_to_end(key)
        if len(self._held) > self._bound:
            self._held.popitem(last=False)
        return own

    async def _look(self, key: str) -> Own:
        """What Redis has counted, and beside it what it has not counted yet; this process's own count where that is
        higher, nobody has forgiven it since, or Redis is away."""
        seconds, value = await self._redis.get_plain_with_ttl(self._key(key))
        own = self._own(key)
        counted = COUNTED.fullmatch(value or b"")
        # What would stay for ever was put there by somebody else.
        if counted is None or not 0 < seconds <= self._longest:
            return own
        shared = int(counted[1]) + own.uncounted
        until = max(own.until, boottime() + seconds) if shared >= own.failures else own.until
        return self._heard(key, own._replace(until=until), shared, counted[2] or b"")

    def _heard(self, key: str, own: Own, shared: int, marked: bytes) -> Own:
        """What is known once Redis has told `shared` failures, since what the mark stands for."""
        mark = marked.decode()
        if mark and mark not in own.marks and self._is_ours(key, mark):
            return self._hold(key, own._replace(failures=shared, marks=(*own.marks, mark)[-MARKS:]))
        return self._hold(key, own._replace(failures=max(own.failures, shared)))

    def _is_ours(self, key: str, mark: str) -> bool:
        return COUNTED.fullmatch(f"0 {mark}".encode()) is not None and (
            self._redis.seals.unseal(self._key(key), bytes.fromhex(mark)) is not None
        )

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        own = self._own(key)
        count, uncounted = own.failures + amount, own.uncounted + amount
        until = own.until if own.failures else boottime() + expiry
        own = self._hold(key, Own(count, uncounted, until, own.marks))
        values = (uncounted, count, expiry * 1000, own.mark)
        answered, told = await self._redis.script(COUNT, self._key(key), *values)
        if answered:
            return self._heard(key, own._replace(uncounted=0), int(told[0]), told[1]).failures
        return count

    async def get(self, key: str) -> int:
        return (await self._look(key)).failures

    async def get_expiry(self, key: str) -> float:
        return (await self._look(key)).until

    async def forgive(self, key: str, expiry: int) -> bool:
        """Set the count of `key` to nothing in every process, for `expiry` seconds. False where Redis is away: then in
        this process alone."""
        mark = self._redis.seals.seal(self._key(key), secrets.token_bytes(MARK)).hex()
        marks = (*self._own(key).marks, mark)[-MARKS:]
        self._hold(key, Own(until=boottime() + expiry, marks=marks))
        return (await self._redis.script(FORGIVE, self._key(key), expiry * 1000, mark))[0]

    async def clear(self, key: str) -> None:
        self._held.pop(key, None)
        await self._redis.delete(self._key(key))

    async def check(self) -> bool:
        return not self._redis.breaker.is_open

    async def reset(self) -> int | None:
        """Forget this process's counts; gives how many. Those in Redis stay: it is never searched."""
        held = len(self._held)
        self._held.clear()
        return held


class Throttled(TooManyAttempts):
    """The refusal of who has guessed too often. `retry_after`: seconds."""

    def __init__(self, retry_after: int, *, is_first: bool) -> None:
        super().__init__("Too many failed attempts. Wait, and try again.", retry_after=retry_after)
        self.is_first = is_first
        """Whether it is the first refusal within this window of a user, device or address: only that one is audited."""


@dataclass
class Tried:
    """How an attempt went, for `Throttle.attempt` to count."""

    right: bool | None = None
    """Whether the password was right: set by whoever verified it. None, where nobody could, counts nothing."""


class Throttle:
    """One per process. `per_user` and `per_address` say how many failures, in which time."""

    def __init__(self, redis: RedisTier, per_user: RateLimitItem, per_address: RateLimitItem) -> None:
        self._counts = SharedCounts(redis, max(per_user.get_expiry(), per_address.get_expiry()))
        self._limiter = FixedWindowRateLimiter(self._counts)
        self._per_user = per_user
        self._per_address = per_address
        self._turns = Locks()
        self.outcomes = {"right": 0, "wrong": 0, "refused": 0, "unknown": 0}
        """Outcome → attempts: `refused` for too many failures before; `unknown` where nobody could verify one."""

    @asynccontextmanager
    async def attempt(self, user: str, address: str | None, device: str | None = None) -> AsyncIterator[Tried]:
        """Around the verification of a password of `user` (`user_key`). Raises Throttled instead, for known and unknown
        names alike. `device` names one from which that very user has signed in before.

        A failure counts for the user, and for the device or else the address; a success forgives user and device their
        own. What is refused here counts nowhere: a machine that repeats one wrong password does not lock out the
        hospital behind its address.
        """
        known = device is not None
        limit, whence = (
            (self._per_user, ("device", f"{device} {user}"))
            if known
            else (self._per_address, ("address", network_of(address)))
        )
        # One at a time for each user: a crowd of guesses would all be looked at before the first one counts.
        async with self._turns.of(user):
            failures, from_there = await asyncio.gather(
                self._admit(self._per_user, "user", user), self._admit(limit, *whence)
            )
            tried = Tried()
            yield tried
            if tried.right is False:
                await asyncio.gather(self._limiter.hit(self._per_user, "user", user), self._limiter.hit(limit, *whence))
            elif tried.right:
                if failures:
                    await self._forgive(self._per_user, "user", user)
                if known and from_there:
                    await self._forgive(limit, *whence)

    async def refusal(self, identity: str) -> None:
        """Count that somebody who has proved who they are was refused. Raises Throttled instead where that was told
        them often enough. Passwords are another matter, and so are others at their address: neither's counts change."""
        async with self._turns.of(identity):
            await self._admit(self._per_user, "identity", identity)
            await self._limiter.hit(self._per_user, "identity", identity)

    async def unlock(self, user: str) -> bool:
        """Forgive a user all failures, in every process. False where Redis is away: then in this process alone."""
        return await self._forgive(self._per_user, "user", user)

    async def unlock_address(self, address: str) -> bool:
        """Forgive an address, or the IPv6 network around it, all failures, in every process. False: Redis is away."""
        return await self._forgive(self._per_address, "address", network_of(address))

    async def _forgive(self, limit: RateLimitItem, *whose: str) -> bool:
        return await self._counts.forgive(limit.key_for(*whose), limit.get_expiry())

    async def _admit(self, limit: RateLimitItem, *whose: str) -> int:
        """Failures so far. Raises Throttled where there were too many."""
        key = limit.key_for(*whose)
        failures = await self._counts.get(key)
        if failures >= limit.amount:
            left = ceil(await self._counts.get_expiry(key) - boottime())
            wait = min(max(1, left), limit.get_expiry())
            raise Throttled(wait, is_first=await self._counts.incr(f"{key}/refused", wait) == 1)
        return failures


def user_key(user_id: int | None, name: str) -> str:
    """What a user's failures are counted under: the same whichever name is used, user name or email, however spelled.
    Names that nobody has are counted alike."""
    return f"name {plain(name)}" if user_id is None else f"id {user_id}"


def plain(name: str) -> str:
    """One form for all that the database may take for the same name: coarser than its lower(), never finer."""
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(character for character in decomposed if not unicodedata.combining(character)).casefold()


def is_address(text: str) -> bool:
    """Whether it is an IP address, of either version."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def network_of(address: str | None) -> str:
    """An IPv4 address itself, an IPv6 one's network; anything else (a unix socket has none) as it is."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return address or ""
    if found.version == 6 and found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, IPV6_NETWORK), strict=False)) if found.version == 6 else str(found)
