"""What holds of every tier: of memory, of Redis, of a Redis Cluster, and of memory with either behind it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.cache.entry import GZIP_FROM
from core.cache.tiers.trouble import Trouble
from tests.core.cache.tiers.any_tier import BOUND, KINDS, AnyTier, entry_id
from tests.support import machine
from tests.support.unhurried import unhurried  # noqa: F401  used by all

every = pytest.mark.parametrize("kind", KINDS, indirect=True)
in_redis = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "memory"], indirect=True)
in_memory = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("memory")], indirect=True)
BODIES = (b"", b"{}", b"\x00\n\xff", "{'á': 1}".encode(), b"x" * GZIP_FROM)


@every
@pytest.mark.parametrize("body", BODIES)
async def test_what_was_put_comes_back(tier: AnyTier, body: bytes) -> None:
    put = tier.entry(body, valid_for=30.0)
    await tier.put_entry(entry_id(), put)
    assert await tier.get_entries([entry_id()]) == [put]


@every
async def test_what_was_never_put_is_a_miss(tier: AnyTier) -> None:
    assert await tier.get(entry_id()) == [None]
    assert await tier.get() == []


@every
async def test_parameters_clinics_and_the_network_are_apart(tier: AnyTier) -> None:
    asked = [entry_id(number, clinic_id=clinic_id) for number in (1, 2) for clinic_id in (None, 1, 2, 3)]
    for number, one in enumerate(asked):
        await tier.put(one, b"%d" % number)
    assert await tier.get(*asked) == [b"%d" % number for number in range(len(asked))]


@every
async def test_of_many_those_that_are_held_come_back_each_in_its_place(tier: AnyTier) -> None:
    await tier.put(entry_id(2), b"two")
    await tier.put(entry_id(4), b"four")
    found = await tier.get(*(entry_id(number) for number in range(1, 6)))
    assert found == [None, b"two", None, b"four", None]


@every
async def test_what_is_put_again_is_what_comes_back(tier: AnyTier) -> None:
    for body in (b"first", b"second"):
        await tier.put(entry_id(), body)
    assert await tier.get(entry_id()) == [b"second"]


@every
async def test_what_was_dropped_is_a_miss_and_its_neighbour_is_not(tier: AnyTier) -> None:
    for number in (1, 2):
        await tier.put(entry_id(number), b"%d" % number)
    await tier.drop(entry_id(1))
    assert await tier.get(entry_id(1), entry_id(2)) == [None, b"2"]


@every
async def test_time_runs_out(tier: AnyTier) -> None:
    brief = entry_id(1, ttl=1.0)
    await tier.put(brief, b"brief")
    await tier.put(entry_id(2), b"long")

    async def is_gone() -> bool:
        return await tier.get(brief) == [None]

    await machine.until(is_gone)
    assert await tier.get(brief, entry_id(2)) == [None, b"long"]


@every
async def test_a_crowd_never_gets_anothers_entry(tier: AnyTier) -> None:
    asked = [entry_id(number, clinic_id=number % 7) for number in range(300)]
    await asyncio.gather(*(tier.put(one, b"%d" % number) for number, one in enumerate(asked)))
    found = await asyncio.gather(*(tier.get(one) for one in asked))
    for number, bodies in enumerate(found):
        assert bodies in ([b"%d" % number], [None])


@in_memory
async def test_memory_keeps_its_bound_and_what_exceeds_it_is_given_by_redis(tier: AnyTier, kind: str) -> None:
    huge = b"x" * (BOUND + 1)
    await tier.put(entry_id(1), huge)
    for number in range(2, 100):
        await tier.put(entry_id(number), b"%d" % number)
    assert 0 < tier.memory.bytes <= BOUND
    assert tier.memory.evicted > 0
    found = await tier.get(*(entry_id(number) for number in range(1, 100)))
    everything = [huge, *(b"%d" % number for number in range(2, 100))]
    if kind == "memory":
        assert found[0] is None
        assert found[-1] == b"99"
        assert all(one in (None, body) for one, body in zip(found, everything, strict=True))
    else:
        assert found == everything


@in_redis
async def test_another_process_finds_it(tier: AnyTier, elsewhere: AnyTier) -> None:
    put = tier.entry(b"x" * GZIP_FROM, valid_for=30.0)
    await tier.put_entry(entry_id(), put)
    assert await elsewhere.get_entries([entry_id()]) == [put]


Spoil = Callable[[AnyTier, str, bytes], Awaitable[object]]


async def _delete_and_push(tier: AnyTier, key: str, right: bytes) -> None:
    await tier.redis.client.delete(key)
    await tier.redis.client.rpush(key, right)


SPOILS: dict[str, Spoil] = {
    "nothing": lambda tier, key, _: tier.redis.client.set(key, b""),
    "garbage": lambda tier, key, _: tier.redis.client.set(key, b"th1 garbage"),
    "cut short": lambda tier, key, right: tier.redis.client.set(key, right[:-1]),
    "one bit off": lambda tier, key, right: tier.redis.client.set(key, right[:-1] + bytes([right[-1] ^ 1])),
    "not sealed": lambda tier, key, _: tier.redis.client.set(key, tier.entry(b"forged").encode()),
    "another key's": lambda tier, key, _: tier.redis.client.set(key, tier.redis.seals.seal(f"{key}x", b"{}\n")),
    "another release's": lambda tier, key, _: tier.redis.set(key, b'{"v": 9}\nbody', 60),
    "a list": _delete_and_push,
}


@in_redis
@pytest.mark.parametrize("how", SPOILS)
async def test_what_is_spoilt_is_a_miss_and_heals(tier: AnyTier, how: str) -> None:
    await tier.put(entry_id(1), b"right")
    await tier.put(entry_id(2), b"neighbour")
    key = tier.key(entry_id(1))
    await SPOILS[how](tier, key, await tier.redis.client.get(key))
    tier.memory.clear()
    assert await tier.get(entry_id(1), entry_id(2)) == [None, b"neighbour"]
    assert not tier.redis.breaker.is_open
    await tier.put(entry_id(1), b"right again")
    tier.memory.clear()
    assert await tier.get(entry_id(1)) == [b"right again"]


@every
async def test_without_redis_memory_alone_answers_and_nothing_raises(tier: AnyTier, kind: str) -> None:
    await tier.put(entry_id(1), b"before")
    tier.redis.breaker.failed(Trouble.TIMEOUT, "by the test")
    await tier.put(entry_id(2), b"meanwhile")
    await tier.drop(entry_id(3))
    expected = [b"before", b"meanwhile"] if kind.startswith("memory") else [None, None]
    assert await tier.get(entry_id(1), entry_id(2)) == expected
    tier.redis.breaker.close()
    await tier.put(entry_id(2), b"afterwards")
    assert await tier.get(entry_id(1), entry_id(2)) == [b"before", b"afterwards"]


@pytest.mark.parametrize("kind", ["memory and redis", "memory and cluster"], indirect=True)
async def test_an_entry_whose_time_is_over_is_a_miss_wherever_it_lies(tier: AnyTier, elsewhere: AnyTier) -> None:
    await tier.put_entry(entry_id(), tier.entry(b"until then", valid_for=10.0))
    for one in (tier, elsewhere):
        assert await one.get(entry_id()) == [b"until then"]
        one.versions.clock.shift(20.0)
        assert await one.get(entry_id()) == [None]
