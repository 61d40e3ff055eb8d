"""Both tiers together: memory, then Redis. Beside them lie the last good answers."""

import asyncio
from collections.abc import Mapping
from typing import Any

from core.background import Background
from core.cache.entry import Entry, decode
from core.cache.keys import Keys, successor_of
from core.cache.policy import EntryId, Policy
from core.cache.tiers.last_good import LastGood
from core.cache.tiers.memory import MemoryTier
from core.cache.tiers.redis import RedisTier
from core.cache.versions.map import VersionMap

MEMORY_TTL_WITHOUT_REDIS = 60.0
"""Seconds: what no other process can have is not kept for long."""

OVER = 60.0
"""Seconds for which an entry is kept when its time is over: it leads to its successor."""


class Tiers:
    """`ttls`: seconds by policy name, where they differ from the policy's own."""

    def __init__(self, versions: VersionMap, memory: MemoryTier, redis: RedisTier, ttls: Mapping[str, float]) -> None:
        self.memory = memory
        self.redis = redis
        self._versions = versions
        self._keys: Keys = redis.keys
        self._ttls = ttls
        self._background = Background()
        self.last_good = LastGood(versions, memory, redis, self._background)

    def key_now(self, entry_id: EntryId) -> str:
        """The key of the entry under the versions that are known at this moment."""
        policy, clinic_id = entry_id.policy, entry_id.clinic_id
        token = policy.token_now(self._versions, clinic_id)
        return self._keys.entry(policy.name, policy.shape, clinic_id, token, entry_id.parameters)

    def key(self, entry_id: EntryId, token: str) -> str:
        """The key of the entry under the versions that `token` (Policy.token) stands for."""
        policy = entry_id.policy
        return self._keys.entry(policy.name, policy.shape, entry_id.clinic_id, token, entry_id.parameters)

    def seconds_left(self, policy: Policy, entry: Entry, now: float) -> float:
        """How long the entry may still serve, by time alone."""
        by_policy = entry.computed_at + self._ttls.get(policy.name, policy.ttl) - now
        return max(0.0, by_policy if entry.valid_until is None else min(by_policy, entry.valid_until - now))

    def _seconds_kept(self, policy: Policy, entry: Entry, now: float) -> float:
        by_policy = entry.computed_at + self._ttls.get(policy.name, policy.ttl) - now
        return max(0.0, by_policy if entry.valid_until is None else min(by_policy, entry.valid_until + OVER - now))

    # --- looking

    def in_memory(self, key: str, now: float) -> Entry | None:
        """The entry, if memory has it and it serves at `now`; where its time is over, its successor."""
        held: Entry | None = self.memory.get(key)
        if held is None or held.serves(now):
            return held
        if held.valid_until is None or now < held.valid_until:
            return None
        after = successor_of(key, held.valid_until)
        successor: Entry | None = self.memory.get(after)
        if successor is None or not successor.serves(now):
            return None
        if successor.serves(self._versions.now()):
            # From now on it is what a fill would put there.
            self.memory.put(key, successor, successor.size, self.memory.ttl(after))
        return successor

    def from_redis(self, entry_id: EntryId, key: str, raw: bytes | None) -> Entry | None:
        """The entry in `raw`, which Redis gave, if it serves at this moment. Memory has it too from now on."""
        entry = decode(raw)
        if entry is None or not entry.serves(self._versions.now()):
            return None
        self._remember(entry_id, key, entry)
        return entry

    def successor_from_redis(self, entry_id: EntryId, key: str, until: float, raw: bytes | None) -> Entry | None:
        """The successor in `raw`, which Redis gave for `successor_of(key, until)`. Memory has it too from now on."""
        entry = decode(raw)
        if entry is not None:
            self._put_in_memory(entry_id, successor_of(key, until), entry)
        return entry

    def over(self, key: str, raw: bytes | None) -> str | None:
        """The successor's key, where the entry in `raw`, which Redis gave, or in memory is one whose time is over."""
        entry = decode(raw) or self.memory.get(key)
        if entry is None or entry.valid_until is None or self._versions.now() < entry.valid_until:
            return None
        return successor_of(key, entry.valid_until)

    async def get_many(self, wanted: Mapping[str, EntryId], now: float) -> dict[str, Entry]:
        """Key → entry of what either tier has and serves at `now`; where its time is over by then, its successor."""
        held = {key: self.in_memory(key, now) for key in wanted}
        found = {key: entry for key, entry in held.items() if entry is not None}
        missing = [key for key in wanted if key not in found]
        over: dict[str, str] = {}
        for key, raw in zip(missing, await self.redis.get_many(missing), strict=True):
            entry = decode(raw)
            if entry is not None and entry.serves(now):
                self._put_in_memory(wanted[key], key, entry)
                found[key] = entry
            elif entry is not None and entry.valid_until is not None and entry.valid_until <= now:
                over[key] = successor_of(key, entry.valid_until)
        for (key, after), raw in zip(over.items(), await self.redis.get_many([*over.values()]), strict=True):
            entry = decode(raw)
            if entry is not None and entry.serves(now):
                self._put_in_memory(wanted[key], after, entry)
                found[key] = entry
        return found

    # --- storing

    def put(self, entry_id: EntryId, key: str, entry: Entry) -> "asyncio.Task[Any]":
        """Store in both tiers, and as the last good answer. Memory has it at once; the task ends when Redis has it."""
        self._remember(entry_id, key, entry)
        return self._background.start(self._put_in_redis(entry_id, key, entry, last_good=True), name="entry to Redis")

    def put_part(self, entry_id: EntryId, key: str, entry: Entry) -> "asyncio.Task[Any]":
        """Store in both tiers, and not as a last good answer: one clinic's part of the network, or a successor."""
        self._put_in_memory(entry_id, key, entry)
        return self._background.start(self._put_in_redis(entry_id, key, entry, last_good=False), name="entry to Redis")

    def keep_as_last_good(self, entry_id: EntryId, entry: Entry) -> None:
        """In both tiers, unless a newer one is there."""
        self.last_good.remember(entry_id, entry)
        storing = self.last_good.store(entry_id, entry.encode(), entry.computed_at)
        self._background.start(storing, name="last good answer to Redis")

    def _remember(self, entry_id: EntryId, key: str, entry: Entry) -> None:
        self._put_in_memory(entry_id, key, entry)
        self.last_good.remember(entry_id, entry)

    def _put_in_memory(self, entry_id: EntryId, key: str, entry: Entry) -> None:
        seconds = self._seconds_kept(entry_id.policy, entry, self._versions.now())
        if self.redis.breaker.is_open:
            seconds = min(seconds, MEMORY_TTL_WITHOUT_REDIS)
        self.memory.put(key, entry, entry.size, seconds)

    async def _put_in_redis(self, entry_id: EntryId, key: str, entry: Entry, *, last_good: bool) -> None:
        raw = entry.encode()
        seconds = self._seconds_kept(entry_id.policy, entry, self._versions.now())
        await self.redis.set(key, raw, max(1.0, seconds))
        if last_good:
            await self.last_good.store(entry_id, raw, entry.computed_at)

    async def drain(self, within: float) -> None:
        """At shutdown: let what is on its way to Redis arrive, `within` seconds at most."""
        await self._background.drain(within)
