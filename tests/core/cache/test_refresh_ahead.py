"""What is read is computed again before its next reader asks: after a write, and before its time is over."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest

from core.cache import ahead as refreshing
from core.cache.ahead import RefreshAhead
from core.cache.answer import Answer
from core.cache.cached_read import CachedRead
from core.cache.fills.fill import Fill, Loaded
from core.cache.keys import digest, successor_of
from core.cache.places import READ_LATELY, Place
from core.cache.policy import EntryId
from core.db.transaction import Database
from core.errors import Unavailable
from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.cached_reads import POLICY, Counting, process
from tests.support.unhurried import unhurried  # noqa: F401  used by all


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"cache_refresh_ahead": True})


@pytest.fixture
async def counting(settings: Settings, seed: Seed) -> AsyncIterator[Counting]:
    async with process(settings) as made:
        yield made


@pytest.fixture
async def other(settings: Settings, seed: Seed) -> AsyncIterator[Counting]:
    async with process(settings) as made:
        yield made


def ahead_of(counting: Counting) -> RefreshAhead:
    assert counting.runtime.cache.ahead is not None
    return counting.runtime.cache.ahead


def only_place(counting: Counting) -> Place:
    [place] = ahead_of(counting).places
    return place


def refreshed(counting: Counting) -> dict[tuple[str, str], int]:
    return dict(counting.runtime.cache.stats.refreshed)


def held(counting: Counting, clinic_id: int) -> bytes | None:
    """What memory has under today's key, and serves now."""
    cache, entry_id = counting.runtime.cache, EntryId(POLICY, clinic_id, digest({}))
    entry = cache.tiers.in_memory(cache._fills.key_now(entry_id).key, cache.versions.now())
    return entry.body if entry is not None else None


async def until_held(counting: Counting, clinic_id: int, body: bytes) -> None:
    await machine.until(lambda: held(counting, clinic_id) == body)


def go_to_end_of(answer: Answer, *processes: Counting) -> None:
    """Let the database's clock stand there."""
    end = answer.entry.valid_until
    assert end is not None
    for one in processes:
        one.runtime.versions.clock.at = lambda moment: end  # type: ignore[method-assign]


async def test_after_a_write_what_was_read_is_there_again_before_it_is_read(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    assert (await counting.read(seed.sant.id)).outcome == "miss"
    read_at = only_place(counting).read_at
    reads = dict(counting.runtime.cache.stats.counts)
    await seed.sant.ticket(connection)
    await until_held(counting, seed.sant.id, b"1")
    # A refresh is no read.
    assert only_place(counting).read_at == read_at
    assert dict(counting.runtime.cache.stats.counts) == reads
    await machine.until(lambda: refreshed(counting) == {("count", "database"): 1})
    answer = await counting.read(seed.sant.id)
    assert (answer.outcome, answer.tier, answer.entry.body) == ("hit", "memory", b"1")
    assert counting.runs == 2


async def test_what_nobody_reads_any_more_is_not_refreshed(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    await counting.read(seed.sant.id)
    await counting.read(seed.maga.id)
    for place in ahead_of(counting).places:
        if place.asked.clinic_id == seed.sant.id:
            place.read_at -= READ_LATELY
    await seed.sant.ticket(connection)
    await seed.maga.ticket(connection)
    await until_held(counting, seed.maga.id, b"1")
    await machine.until(lambda: only_place(counting).asked.clinic_id == seed.maga.id)
    assert counting.runs == 3
    assert held(counting, seed.sant.id) is None


async def test_a_write_of_another_clinic_refreshes_nothing(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    await counting.read(seed.sant.id)
    await seed.maga.ticket(connection)
    await counting.read(seed.maga.id)
    await seed.maga.ticket(connection)
    await until_held(counting, seed.maga.id, b"2")
    assert counting.runs == 3


async def test_a_place_is_refreshed_once_in_a_while_however_often_it_is_written(
    counting: Counting, connection: rows.Connection, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "EVERY", 0.3)
    begun: list[float] = []
    after_a_write = RefreshAhead._after_a_write

    async def noted(self: RefreshAhead, place: Place, *rest: object) -> object:
        begun.append(asyncio.get_running_loop().time())
        return await after_a_write(self, place, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(RefreshAhead, "_after_a_write", noted)
    await counting.read(seed.sant.id)
    while len(begun) < 4:
        await seed.sant.ticket(connection)
        await asyncio.sleep(0.01)  # a write again and again
    assert all(after - before > 0.29 for before, after in pairwise(begun))


async def test_of_two_processes_one_computes_and_the_other_has_it_from_redis(
    counting: Counting, other: Counting, connection: rows.Connection, seed: Seed
) -> None:
    for one in (counting, other):
        await one.read(seed.sant.id)
    await seed.sant.ticket(connection)
    for one in (counting, other):
        await until_held(one, seed.sant.id, b"1")
    assert counting.runs + other.runs == 2
    await machine.until(
        lambda: sorted(tier for one in (counting, other) for _, tier in refreshed(one)) == ["database", "redis"]
    )


async def test_a_reader_joins_a_refresh_and_takes_it_out_of_the_queue(
    counting: Counting, connection: rows.Connection, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await counting.read(seed.sant.id)
    slots = counting.runtime.cache._fills.slots
    monkeypatch.setattr(slots, "_free_ahead", 0)  # as if two others were at work
    await seed.sant.ticket(connection)
    await machine.until(lambda: slots._waiting)
    answer = await counting.read(seed.sant.id)
    assert (answer.entry.body, answer.collapsed) == (b"1", True)
    assert counting.runs == 2


async def test_while_the_database_is_in_trouble_nothing_is_refreshed(
    counting: Counting, connection: rows.Connection, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await counting.read(seed.sant.id)

    async def away(*_: object, **__: object) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(Database, "snapshot", away)
        await seed.sant.ticket(connection)
        await machine.until(lambda: ahead_of(counting)._paused_until > 0)
    looked = asyncio.Event()
    look = RefreshAhead._look

    async def noted(self: RefreshAhead, place: Place) -> None:
        await look(self, place)
        looked.set()

    monkeypatch.setattr(RefreshAhead, "_look", noted)
    await seed.sant.ticket(connection)
    await asyncio.wait_for(looked.wait(), machine.PATIENCE)
    assert counting.runs == 1
    monkeypatch.setattr(ahead_of(counting), "_paused_until", 0.0)
    assert await counting.count(seed.sant.id) == 2
    await seed.sant.ticket(connection)
    await until_held(counting, seed.sant.id, b"3")


# --- before the end


async def ending_soon(*processes: Counting, clinic_id: int) -> Answer:
    """The answer of each, which is over in ten seconds; its successor is due at once."""
    for one in processes:
        one.valid_for = 10.0
        answer = await one.read(clinic_id)
    return answer


async def until_followed(counting: Counting, answer: Answer, clinic_id: int) -> None:
    key = counting.runtime.cache._fills.key_now(EntryId(POLICY, clinic_id, digest({}))).key
    assert answer.entry.valid_until is not None
    after = successor_of(key, answer.entry.valid_until)
    await machine.until(lambda: counting.runtime.cache.memory.get(after) is not None)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Successors are due as soon as there is an entry."""
    monkeypatch.setattr(refreshing, "BEFORE_END", (20.0, 20.0))


@pytest.mark.usefixtures("at_once")
async def test_what_follows_is_there_as_the_entrys_time_is_over(
    counting: Counting, other: Counting, settings: Settings, seed: Seed
) -> None:
    answer = await ending_soon(counting, other, clinic_id=seed.sant.id)
    for one in (counting, other):
        await until_followed(one, answer, seed.sant.id)
        # It serves from then on, and not before.
        assert (await one.read(seed.sant.id)).entry == answer.entry
    assert counting.runs + other.runs == 2
    assert [*counting.computed_for, *other.computed_for][1] == answer.entry.valid_until
    go_to_end_of(answer, counting, other)
    await counting.runtime.cache.drain(5)
    for one in (counting, other):
        following = await one.read(seed.sant.id)
        assert (following.outcome, following.tier, following.age) == ("hit", "memory", 0.0)
        assert following.entry.computed_at == answer.entry.valid_until
        found = await one.runtime.cache.last_good.find(EntryId(POLICY, seed.sant.id, digest({})))
        assert found is not None
        assert found[0] == following.entry
    # A process that has read neither finds both in Redis.
    async with process(settings) as third:
        await third.runtime.direct.ensure_fresh()
        go_to_end_of(answer, third)
        following = await third.read(seed.sant.id)
        assert (following.outcome, following.tier) == ("hit", "redis")
        assert (await third.read(seed.sant.id)).tier == "memory"
        assert third.runs == 0


@pytest.mark.usefixtures("at_once")
async def test_what_follows_is_of_the_versions_that_it_was_computed_under(
    counting: Counting, connection: rows.Connection, seed: Seed
) -> None:
    answer = await ending_soon(counting, clinic_id=seed.sant.id)
    await until_followed(counting, answer, seed.sant.id)
    await seed.sant.ticket(connection)
    await until_held(counting, seed.sant.id, b"1")
    go_to_end_of(answer, counting)
    assert await counting.count(seed.sant.id) == 1


async def test_the_moment_is_the_same_in_every_process_and_differs_from_place_to_place(
    counting: Counting, other: Counting, seed: Seed
) -> None:
    moments: dict[Counting, list[float]] = {}
    for one in (counting, other):
        places = [Place(CachedRead(POLICY, clinic, {}, unread)) for clinic in range(1, 40)]
        for place in places:
            place.valid_until = 1000.0
        moments[one] = [ahead_of(one)._begins(place) for place in places]
    assert moments[counting] == moments[other]
    assert all(980.0 <= moment <= 995.0 for moment in moments[counting])
    assert len(set(moments[counting])) == 39


async def unread(_: Fill) -> Loaded:
    raise AssertionError
