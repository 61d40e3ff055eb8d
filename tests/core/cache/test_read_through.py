"""The cache over real servers: a small loader counts a clinic's tickets, and every run of it is counted."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core.cache.answer import Answer
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded, Loader
from core.cache.fills.find_or_compute import FlightResult, VersionedKey
from core.cache.policy import EntryId
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.cached_reads import POLICY, Counting, process
from tests.support.cache.flights import joins
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]


@pytest.fixture
async def counting(settings: Settings, seed: Seed) -> AsyncIterator[Counting]:
    async with process(settings) as made:
        yield made


async def test_a_miss_is_kept_in_memory_and_in_redis(counting: Counting, settings: Settings, seed: Seed) -> None:
    miss, hit = await counting.read(seed.sant.id), await counting.read(seed.sant.id)
    assert (miss.outcome, miss.tier) == ("miss", "database")
    assert (hit.outcome, hit.tier) == ("hit", "memory")
    assert hit.entry.body == miss.entry.body == b"0"
    assert counting.runs == 1
    await counting.runtime.cache.drain(5)
    async with process(settings) as other:
        from_redis = await other.read(seed.sant.id)
        assert (from_redis.outcome, from_redis.tier) == ("hit", "redis")
        assert from_redis.entry == miss.entry
        assert (await other.read(seed.sant.id)).tier == "memory"
        assert other.runs == 0


async def test_a_write_elsewhere_is_seen_within_two_seconds_and_typically_in_a_tenth(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    taken, began = [], machine.now()
    for expected in range(1, 11):
        assert await counting.count(seed.sant.id) == expected - 1
        await seed.sant.ticket(connection)
        taken.append(await counting.within_two_seconds(expected, seed.sant.id))
    assert sorted(taken)[len(taken) // 2] < machine.bound(0.1, began)


async def test_a_write_elsewhere_is_seen_by_polling_alone(
    settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    async with process(settings.model_copy(update={"cache_push": False})) as polling:
        assert await polling.count(seed.sant.id) == 0
        await seed.sant.ticket(connection)
        await polling.within_two_seconds(1, seed.sant.id)


async def test_another_clinics_write_leaves_an_entry_alone(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    await counting.count(seed.sant.id)
    await seed.maga.ticket(connection)
    await counting.within_two_seconds(1, seed.maga.id)
    runs = counting.runs
    assert (await counting.read(seed.sant.id)).outcome == "hit"
    assert counting.runs == runs


async def test_parameters_and_clinics_never_share_an_entry(counting: Counting, seed: Seed) -> None:
    await counting.read(seed.sant.id)
    assert (await counting.read(seed.sant.id, {"surgery_id": 1})).outcome == "miss"
    assert (await counting.read(seed.maga.id)).outcome == "miss"
    assert (await counting.read(seed.sant.id, {"surgery_id": None})).outcome == "hit"


async def test_two_hundred_at_an_empty_key_run_the_loader_once(counting: Counting, seed: Seed) -> None:
    counting.pause = 0.05
    answers = await asyncio.gather(*(counting.read(seed.sant.id) for _ in range(200)))
    assert counting.runs == 1
    assert sum(not answer.collapsed for answer in answers) == 1
    assert {answer.entry.body for answer in answers} == {b"0"}


async def test_the_loader_still_runs_once_when_the_first_client_disconnects(counting: Counting, seed: Seed) -> None:
    counting.go_on.clear()
    first = asyncio.create_task(counting.read(seed.sant.id))
    await counting.begun.wait()
    come = joins(counting.runtime.cache.flights)
    others = [asyncio.create_task(counting.read(seed.sant.id)) for _ in range(199)]
    await machine.until(lambda: come() == 199)
    first.cancel()
    await asyncio.sleep(0)
    counting.go_on.set()
    assert {answer.entry.body for answer in await asyncio.gather(*others)} == {b"0"}
    assert counting.runs == 1


async def test_a_value_computed_before_a_write_is_not_served_after_it(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    """The fill reads its snapshot, a write commits, the fill ends: it must not be the answer to who asks after."""
    versions = counting.runtime.versions
    before = versions.get(seed.sant.id, "figures")
    counting.go_on.clear()
    early = asyncio.create_task(counting.read(seed.sant.id))
    await counting.begun.wait()
    await seed.sant.ticket(connection)
    await machine.until(lambda: versions.get(seed.sant.id, "figures") > before)
    late = asyncio.create_task(counting.count(seed.sant.id))
    await machine.until(lambda: counting.runs == 2)
    counting.go_on.set()
    assert await late == 1
    await early
    assert await counting.count(seed.sant.id) == 1


async def test_a_required_version_is_reached_before_the_notification_arrives(
    settings: Settings, connection: rows.Connection, seed: Seed
) -> None:
    async with process(settings.model_copy(update={"cache_push": False})) as polling:
        for expected in range(1, 6):
            await seed.sant.ticket(connection)
            version = await connection.fetchval(
                "SELECT version FROM cache_version WHERE clinic_id = $1 AND topic = 'figures'", seed.sant.id
            )
            answer = await polling.read(seed.sant.id, required={(seed.sant.id, "figures"): version})
            assert int(answer.entry.body) == expected


async def test_an_impossible_requirement_is_a_direct_read_and_not_a_miss(counting: Counting, seed: Seed) -> None:
    await counting.read(seed.sant.id)
    answer = await counting.read(seed.sant.id, required={(seed.sant.id, "figures"): 1 << 62})
    assert answer.outcome == "hit"
    assert counting.runs == 1


async def test_a_lapsed_lease_is_renewed_by_the_request_itself(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    await counting.count(seed.sant.id)
    await seed.sant.ticket(connection)
    counting.runtime.versions.distrust()
    assert await counting.count(seed.sant.id) == 1


async def test_an_entry_serves_until_valid_until_on_the_databases_clock(counting: Counting, seed: Seed) -> None:
    counting.valid_for = 1000
    await counting.read(seed.sant.id)
    counting.runtime.versions.clock.shift(990)
    assert (await counting.read(seed.sant.id)).outcome == "hit"
    counting.runtime.versions.clock.shift(20)
    assert (await counting.read(seed.sant.id)).outcome == "miss"


async def test_a_loaders_bug_is_an_error_and_not_a_stale_answer(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    await counting.read(seed.sant.id)

    async def broken(fill: Fill) -> Loaded:
        raise KeyError("a bug")

    versions = counting.runtime.versions
    before = versions.get(seed.sant.id, "figures")
    await seed.sant.ticket(connection)
    await machine.until(lambda: versions.get(seed.sant.id, "figures") > before)
    with pytest.raises(KeyError):
        await counting.runtime.cache.read(CachedRead(POLICY, seed.sant.id, {}, broken))


async def test_a_rolled_back_write_changes_nothing(counting: Counting, connection: rows.Connection, seed: Seed) -> None:
    await counting.count(seed.sant.id)
    transaction = connection.transaction()
    await transaction.start()
    await seed.sant.ticket(connection)
    assert (await counting.read(seed.sant.id)).outcome == "hit"
    await transaction.rollback()
    # Notifications come in order: with this one here, none of the rolled back write is on its way.
    versions = counting.runtime.versions
    before = versions.get(seed.maga.id, "figures")
    await seed.maga.ticket(connection)
    await machine.until(lambda: versions.get(seed.maga.id, "figures") > before)
    answer = await counting.read(seed.sant.id)
    assert (answer.outcome, answer.entry.body) == ("hit", b"0")


async def test_everything_redis_holds_may_vanish_at_any_moment(
    counting: Counting, settings: Settings, seed: Seed
) -> None:
    await counting.read(seed.sant.id)
    await counting.runtime.cache.drain(5)
    redis = counting.runtime.redis.client
    for key in [key async for key in redis.scan_iter(f"{settings.cache_prefix}:*")]:
        await redis.delete(key)
    assert (await counting.read(seed.sant.id)).outcome == "hit"
    async with process(settings) as other:
        assert (await other.read(seed.sant.id)).outcome == "miss"


async def test_who_asks_in_the_turn_in_which_a_fill_ends_that_serves_no_longer_begins_another(
    counting: Counting, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    fills = counting.runtime.cache._fills
    find = fills.find_or_compute
    late: list[asyncio.Task[Answer]] = []
    counting.valid_for = -1.0

    async def find_and_ask(entry_id: EntryId, wanted: VersionedKey, load: Loader) -> FlightResult:
        found = await find(entry_id, wanted, load)
        if not late:
            counting.valid_for = None
            # Its first step is between the fill's last one and those of who waits for it.
            late.append(asyncio.create_task(counting.read(seed.sant.id)))
        return found

    monkeypatch.setattr(fills, "find_or_compute", find_and_ask)
    first = await counting.read(seed.sant.id)
    # Not the last good answer, which is given where rounds are used up.
    assert {first.outcome, (await late[0]).outcome} <= {"miss", "hit"}
    assert counting.runs == 2
