"""Counts of all live processes: each publishes its own in Redis, and whoever wants them all adds them up."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import uuid4

from core import times
from core.cache.stats.counters import CacheStats, merge
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.cache.versions.map import VersionMap

MEMBERS = 1000
"""Processes that are asked for their counts, at most."""
REGISTER = """
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
return 1
"""
"""ARGV: process, now, and the time up to which processes are forgotten that did not register again."""


@dataclass(frozen=True, slots=True)
class StatsTotals:
    """Counts of one process, or of several summed."""

    processes: int
    """Whose counts these are."""
    complete: bool
    """False where Redis could not be asked for all of them: then there may be more."""
    counts: dict[tuple[str, str, str], int]
    """(policy, outcome, tier) → times."""
    memory: dict[str, tuple[int, int]]
    """Policy → (entries, bytes) in memory."""
    redis_errors: int


class PublishedStats:
    """Each process writes its counts to Redis, and sums up those of all: any of them can tell of the whole service."""

    def __init__(self, stats: CacheStats, memory: MemoryTier, redis: RedisTier, versions: VersionMap) -> None:
        self.id = uuid4().hex
        self._stats = stats
        self._memory = memory
        self._redis = redis
        self._versions = versions
        self.also_in_memory: list[Callable[[], tuple[str, int, int]]] = []
        """Each gives (policy, entries, bytes) of what this process holds in memory outside of the tier."""
        self._register = redis.keys.plain("{stats}:processes")

    def _key(self, process: str) -> str:
        return self._redis.keys.plain(f"{{stats}}:{process}")

    def _own(self) -> dict[str, Any]:
        return {
            "counts": self._stats.rows(),
            "memory": [
                *([name, *figures] for name, figures in self._memory.by_policy().items()),
                *(list(held()) for held in self.also_in_memory),
            ],
            "redis_errors": self._redis.errors,
        }

    async def publish(self) -> None:
        """Publish this process's counts every two seconds, until cancelled. A process that was killed is forgotten when
        what it published expires."""
        while True:
            await self.publish_once()
            await asyncio.sleep(times.PUBLISH_EVERY)

    async def publish_once(self) -> None:
        """This process's counts to Redis, where `sums` of every process finds them."""
        if await self._redis.set(self._key(self.id), json.dumps(self._own()).encode(), times.PUBLISHED):
            now = self._versions.now()
            await self._redis.script(REGISTER, self._register, self.id, now, now - 10 * times.PUBLISHED, kind="zset")

    async def withdraw(self) -> None:
        """At shutdown: this process counts no longer."""
        await self._redis.ask(self._redis.client.zrem, self._register, self.id, writes=True)
        await self._redis.delete(self._key(self.id))

    async def sums(self) -> StatsTotals:
        """The counts of all live processes, summed; this one's own are those of this moment."""
        ids = await self._registered()
        others = [process for process in ids or [] if process != self.id]
        published = await self._redis.get_many([self._key(process) for process in others])
        read = [figures for figures in map(_parsed, published) if figures is not None]
        figures = [self._own(), *read]
        memory: dict[str, tuple[int, int]] = {}
        for name, entries, size in (row for one in figures for row in one["memory"]):
            before = memory.get(name, (0, 0))
            memory[name] = (before[0] + entries, before[1] + size)
        return StatsTotals(
            processes=len(figures),
            complete=ids is not None and len(read) == len(others),
            counts=merge([cast("list[list[Any]]", one["counts"]) for one in figures]),
            memory=memory,
            redis_errors=sum(one["redis_errors"] for one in figures),
        )

    async def _registered(self) -> list[str] | None:
        """Ids of live processes; None where Redis is away."""
        since = self._versions.now() - times.PUBLISHED
        ask = partial(self._redis.client.zrangebyscore, self._register, since, "+inf", start=0, num=MEMBERS)
        found, members = await self._redis.ask(ask)
        return [member.decode(errors="replace") for member in members] if found else None


def _parsed(raw: bytes | None) -> dict[str, Any] | None:
    """What `_own` gave in another process. None for what is absent or of another form, and could not be summed."""
    try:
        found = json.loads(raw or b"")
        merge([found["counts"]])
        sizes = [int(entries) + int(size) for _, entries, size in found["memory"]]
        return found if sum(sizes) + int(found["redis_errors"]) >= 0 else None
    except (ValueError, TypeError, KeyError):
        return None
