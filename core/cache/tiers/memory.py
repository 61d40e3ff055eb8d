"""The first tier: this process's memory, least recently used out first, bounded in bytes."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from core.cache.keys import policy_in
from core.clock import boottime

OVERHEAD = 400
"""Bytes of Python around an item: its key, its place in the order, its numbers."""


@dataclass(slots=True)
class Item:
    """A value in memory."""

    value: Any
    size: int
    """Bytes, its key and OVERHEAD included."""
    until: float
    """boottime"""
    policy: str


class MemoryTier:
    """Entries are immutable and their keys carry versions, so nothing here can go stale: it can only be useless.

    `bound`: bytes.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.bytes = 0
        self.evicted = 0
        self._items: OrderedDict[str, Item] = OrderedDict()
        self._policies: dict[str, list[int]] = {}

    def get(self, key: str) -> Any | None:
        """The value; None where it is absent or its time is over."""
        item = self._items.get(key)
        if item is None:
            return None
        if item.until <= boottime():
            self.drop(key)
            return None
        self._items.move_to_end(key)
        return item.value

    def put(self, key: str, value: Any, size: int, ttl: float) -> None:
        """Keep a value of `size` bytes for `ttl` seconds at most. One that alone exceeds the bound is not kept."""
        self.drop(key)
        size += len(key) + OVERHEAD
        if size > self.bound:
            return
        self._items[key] = item = Item(value, size, boottime() + ttl, policy_in(key))
        self._count(item, 1)
        while self.bytes > self.bound:
            _, oldest = self._items.popitem(last=False)
            self._count(oldest, -1)
            self.evicted += 1

    def ttl(self, key: str) -> float:
        """Seconds left, 0 where it is absent."""
        item = self._items.get(key)
        return max(0.0, item.until - boottime()) if item else 0.0

    def drop(self, key: str) -> None:
        item = self._items.pop(key, None)
        if item is not None:
            self._count(item, -1)

    def clear(self) -> None:
        self._items.clear()
        self._policies.clear()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def by_policy(self) -> dict[str, tuple[int, int]]:
        """Policy → (entries, bytes)."""
        return {policy: (entries, size) for policy, (entries, size) in self._policies.items() if entries}

    def _count(self, item: Item, sign: int) -> None:
        self.bytes += sign * item.size
        counted = self._policies.setdefault(item.policy, [0, 0])
        counted[0] += sign
        counted[1] += sign * item.size
