"""Two processes, here two runtimes with nothing in common but their servers: one computes, the other waits for it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from core import times
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.fills.lease import FillLeases, Lease
from core.cache.keys import FILL_LEASE, digest
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import ClinicSeed, Seed
from tests.support import machine
from tests.support.cache.cached_reads import POLICY, Counting, process
from tests.support.cache.flights import joins
from tests.support.unhurried import LONG


@pytest.fixture
async def two(settings: Settings, seed: Seed) -> AsyncIterator[tuple[Counting, Counting]]:
    async with process(settings) as one, process(settings) as other:
        yield one, other


@pytest.fixture
def clinic(seed: Seed) -> ClinicSeed:
    return seed.sant


def holders_found_by(process: Counting, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Holders of a lease that the process has found since, in place of the entry: it waits for them."""
    redis = process.runtime.redis
    get_many = redis.get_many
    found: list[bytes] = []

    async def noted(keys: Sequence[str]) -> list[bytes | None]:
        answers = await get_many(keys)
        found.extend(answer for key, answer in zip(keys, answers, strict=True) if answer and f":{FILL_LEASE}:" in key)
        return answers

    monkeypatch.setattr(redis, "get_many", noted)
    return found


async def crowd(processes: tuple[Counting, Counting], clinic_id: int, size: int = 30) -> list[str]:
    """Bodies that `size` readers of each process get."""
    reads = [one.read(clinic_id) for one in processes for _ in range(size)]
    return [answer.entry.body.decode() for answer in await asyncio.gather(*reads)]


@pytest.mark.also_on_a_cluster
async def test_two_processes_compute_an_empty_key_once(two: tuple[Counting, Counting], seed: Seed) -> None:
    for one in two:
        one.pause = 0.2
    assert set(await crowd(two, seed.sant.id)) == {"0"}
    assert sum(one.runs for one in two) == 1


async def test_without_redis_each_process_has_its_own_flight(two: tuple[Counting, Counting], seed: Seed) -> None:
    for one in two:
        one.pause = 0.1
        one.runtime.redis.breaker.is_open = True
    assert set(await crowd(two, seed.sant.id)) == {"0"}
    assert [one.runs for one in two] == [1, 1]


async def test_after_a_failed_fill_the_next_process_computes_at_once(
    two: tuple[Counting, Counting], seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    holders = holders_found_by(second, monkeypatch)

    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fail(_: Fill) -> Loaded:
        begun.set()
        await go_on.wait()
        raise ValueError("a bug")

    failing = asyncio.create_task(first.runtime.cache.read(CachedRead(POLICY, seed.sant.id, {}, fail)))
    await begun.wait()
    counting = asyncio.create_task(second.count(seed.sant.id))
    await machine.until(lambda: holders)  # it waits for the first
    assert second.runs == 0
    began = machine.now()
    go_on.set()
    assert await counting == 0
    assert machine.now() - began < machine.bound(times.FILL_LEASE / 2, began)
    with pytest.raises(ValueError, match="a bug"):
        await failing


async def test_who_waits_for_a_leader_stops_waiting_when_it_hears_of_a_newer_version(
    two: tuple[Counting, Counting], clinic: ClinicSeed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    holders = holders_found_by(second, monkeypatch)
    first.go_on.clear()
    leading = asyncio.create_task(first.read(clinic.id))
    await first.begun.wait()
    waiting = asyncio.create_task(second.read(clinic.id))
    await machine.until(lambda: holders)
    await clinic.ticket(connection)
    assert (await waiting).entry.body == b"1"
    assert not leading.done()
    first.go_on.set()
    await leading
    assert [await one.count(clinic.id) for one in two] == [1, 1]


async def test_garbage_and_what_is_over_do_not_count_as_stored(
    two: tuple[Counting, Counting], clinic: ClinicSeed
) -> None:
    first, second = two
    first.valid_for = second.valid_for = 1000
    assert await first.count(clinic.id) == 0
    await first.runtime.cache.drain(1)
    redis = first.runtime.redis
    for key in await redis.client.keys(f"{redis.keys.of(clinic.id, 'count')}*"):
        await redis.client.set(key, b"garbage", ex=60)
    assert await second.count(clinic.id) == 0
    assert second.runs == 1
    second.runtime.versions.clock.shift(1001)
    assert await second.count(clinic.id) == 0
    assert second.runs == 2


@pytest.mark.also_on_a_cluster
async def test_only_who_holds_a_lease_ends_it(two: tuple[Counting, Counting]) -> None:
    redis = two[0].runtime.redis
    leases = FillLeases(redis)
    key = redis.keys.of(7, "count", "x")
    held = await leases.claim(key)
    assert held is not None
    assert await leases.claim(key) is None
    await leases.release(Lease(held.key, b"another token"))
    assert await leases.claim(key) is None
    assert 0 < await redis.client.pttl(held.key) <= times.FILL_LEASE * 1000
    await leases.release(held)
    assert await leases.claim(key) is not None


async def test_leases_lie_beside_their_entries_and_are_not_counted_as_entries(
    two: tuple[Counting, Counting],
) -> None:
    keys = two[0].runtime.redis.keys
    entry = keys.entry("dashboard", "shape", 5, "1.2", "digest")
    assert keys.lease(entry).count("{c5}") == 1
    assert keys.lease(entry) != entry


async def test_a_waiting_client_that_leaves_takes_nothing_with_it(
    two: tuple[Counting, Counting], clinic: ClinicSeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    holders = holders_found_by(second, monkeypatch)
    first.go_on.clear()
    leading = asyncio.create_task(first.read(clinic.id))
    await first.begun.wait()
    come = joins(second.runtime.cache.flights)
    leaving, staying = (asyncio.create_task(second.read(clinic.id)) for _ in range(2))
    await machine.until(lambda: come() == 2 and holders)
    leaving.cancel()
    leading.cancel()
    await asyncio.sleep(0)
    first.go_on.set()
    assert (await staying).entry.body == b"0"
    assert (first.runs, second.runs) == (1, 0)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its two seconds a request would have too few left on a busy machine: how long it has is not asked here."""
    for name in ("REQUEST", "FILL", "FILL_PATIENCE", "DATABASE"):
        monkeypatch.setattr(times, name, LONG)


@pytest.mark.usefixtures("patient")
async def test_a_leader_without_an_end_is_waited_for_no_longer_than_its_lease(
    two: tuple[Counting, Counting], clinic: ClinicSeed
) -> None:
    second = two[1]
    redis = second.runtime.redis
    token = POLICY.token_now(second.runtime.versions, clinic.id)
    key = redis.keys.entry(POLICY.name, POLICY.shape, clinic.id, token, digest({}))
    assert await FillLeases(redis).claim(key) is not None
    began = machine.now()
    assert await second.count(clinic.id) == 0
    assert times.FILL_LEASE * 0.8 < machine.now() - began < machine.bound(times.FILL_LEASE + 0.5, began)
    assert second.runs == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("leases", [1.2, 1.6])
async def test_a_leader_that_takes_longer_than_a_lease_is_waited_for(
    two: tuple[Counting, Counting], clinic: ClinicSeed, leases: float
) -> None:
    for one in two:
        one.pause = leases * times.FILL_LEASE
    answers = await asyncio.gather(*(one.read(clinic.id) for one in two))
    assert sorted(answer.outcome for answer in answers) == ["hit", "miss"]
    assert sum(one.runs for one in two) == 1
