import pytest

from core.cache.tiers import memory as memory_module
from core.cache.tiers.memory import OVERHEAD, MemoryTier

ROOM = OVERHEAD + 31
"""An item of 30 bytes under a key of one letter."""


def test_the_bound_holds_and_the_least_recently_used_goes_first() -> None:
    tier = MemoryTier(3 * ROOM)
    for key in "abc":
        tier.put(key, key, 30, 60)
    assert tier.get("a") == "a"
    tier.put("d", "d", 30, 60)
    assert tier.bytes == 3 * ROOM
    assert tier.evicted == 1
    assert tier.get("b") is None
    assert tier.get("a") == "a"


def test_replacing_a_value_counts_its_bytes_once() -> None:
    tier = MemoryTier(3 * ROOM)
    for _ in range(10):
        tier.put("a", "a", 30, 60)
    assert tier.bytes == ROOM
    tier.drop("a")
    assert tier.bytes == 0
    assert tier.by_policy() == {}


def test_time_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    at = 10.0
    monkeypatch.setattr(memory_module, "boottime", lambda: at)
    tier = MemoryTier(ROOM)
    tier.put("a", "a", 1, 5)
    assert tier.ttl("a") == 5
    at = 15.0
    assert tier.get("a") is None
    assert tier.bytes == 0


def test_entries_are_counted_by_policy_through_every_kind_of_going() -> None:
    tier = MemoryTier(100 * ROOM)
    tier.put("th:{c5}:dashboard:1:2:3", "", 10, 60)
    tier.put("th:{c6}:dashboard:1:2:3", "", 10, 60)
    tier.put("th:{c6}:last:dashboard:1:2", "", 10, 60)
    counted = tier.by_policy()
    assert counted["dashboard"][0] == 2
    assert counted["last good"][0] == 1
    assert sum(size for _, size in counted.values()) == tier.bytes
    tier.drop("th:{c5}:dashboard:1:2:3")
    assert tier.by_policy()["dashboard"][0] == 1
    tier.put("th:{c7}:doctors:1:2:3", "", 100 * ROOM - OVERHEAD - 30, 60)
    assert set(tier.by_policy()) == {"doctors"}
    tier.clear()
    assert tier.by_policy() == {}
    assert tier.bytes == 0
