"""Reads of one moment go to Redis together: each gets its own, and none what was there before it asked."""

import asyncio
from collections.abc import Sequence

import pytest

from core.cache.tiers.gathered import MOST
from core.cache.tiers.redis import RedisTier
from tests.core.cache.tiers.any_tier import AnyTier

pytestmark = pytest.mark.parametrize("kind", ["redis", "cluster"], indirect=True)


class Noted:
    """How many keys each read of Redis had."""

    def __init__(self, redis: RedisTier, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self._ask = redis.ask
        monkeypatch.setattr(redis, "ask", self.ask)

    async def ask(self, operation: object, keys: Sequence[str]) -> tuple[bool, object]:
        self.sizes.append(len(keys))
        return await self._ask(operation, keys)


async def put(redis: RedisTier, names: Sequence[str]) -> None:
    for name in names:
        assert await redis.set(redis.keys.plain(name), name.encode(), 60)


async def test_reads_of_one_moment_are_one_command_and_each_gets_its_own(
    tier: AnyTier, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = tier.redis
    plain = redis.keys.plain
    await put(redis, ["a", "b", "c"])
    noted = Noted(redis, monkeypatch)
    asked = [["a"], ["b", "nobody's"], ["c", "a", "b"], ["nobody's"]]
    found = await asyncio.gather(*(redis.get_many([plain(name) for name in names]) for names in asked))
    assert found == [[None if name == "nobody's" else name.encode() for name in names] for names in asked]
    assert noted.sizes == [7]
    assert await redis.get_many([plain("a")]) == [b"a"]
    assert noted.sizes == [7, 1]


async def test_a_command_has_no_more_keys_than_one_answer_should(
    tier: AnyTier, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis = tier.redis
    names = [f"number {number}" for number in range(2 * MOST + 10)]
    await put(redis, names)
    noted = Noted(redis, monkeypatch)
    found = await asyncio.gather(*(redis.get_many([redis.keys.plain(name)]) for name in names))
    assert found == [[name.encode()] for name in names]
    assert sorted(noted.sizes) == [10, MOST, MOST]


async def test_what_was_written_before_a_read_was_asked_for_is_seen_by_it(tier: AnyTier) -> None:
    redis, key = tier.redis, tier.redis.keys.plain("a")
    for number in range(50):
        value = b"%d" % number
        others = [asyncio.ensure_future(redis.get_many([key])) for _ in range(3)]
        await redis.set(key, value, 60)
        assert await redis.get_many([key]) == [value]
        await asyncio.gather(*others)


@pytest.mark.parametrize("turns", [0, 1, 2])
async def test_whoever_reads_for_all_and_is_cancelled_leaves_nobody_waiting(tier: AnyTier, turns: int) -> None:
    redis, key = tier.redis, tier.redis.keys.plain("a")
    await put(redis, ["a"])
    first, *others = (asyncio.ensure_future(redis.get_many([key])) for _ in range(4))
    others[0].cancel()
    for _ in range(1 + turns):
        await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(30):
        assert await asyncio.gather(*others[1:]) in ([[None]] * 2, [[b"a"]] * 2)
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await redis.get_many([key]) == [b"a"]
