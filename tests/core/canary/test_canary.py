"""The canary tells how old answers are: as they are, and where something is broken."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest

from core import times
from core.cache.answer import Answer
from core.cache.cached_read import CachedRead
from core.canary.canary import ASKED, Canary
from core.clock import boottime
from core.db.transaction import WriteSession
from core.errors import Unavailable
from core.runtime import Runtime, open_runtime
from core.settings import Settings
from tests.factories import rows
from tests.support.cache.bumps import bumps
from tests.support.machine import until


@asynccontextmanager
async def canaries(settings: Settings, count: int, seconds: float = 0.01) -> AsyncIterator[list[Runtime]]:
    """That many processes' runtimes. Their canaries are asked to look by the test alone."""
    given = settings.model_copy(update={"canary_seconds": seconds})
    async with AsyncExitStack() as opened:
        yield [await opened.enter_async_context(open_runtime(given)) for _ in range(count)]


async def looks(*canaries: Canary) -> None:
    for _ in range(3):
        for canary in canaries:
            await canary.look()


async def test_what_one_process_writes_the_others_read(settings: Settings) -> None:
    async with canaries(settings, 2) as (one, other):
        await one.canary.look()
        assert one.canary.writes == {"written": 1}

        async def reads_it() -> bool:
            await other.canary.look()
            # Or what it wrote itself by then.
            return (other.canary._written_at or 0.0) >= (one.canary._written_at or float("inf"))

        await one.canary.look()
        await until(reads_it)
        await asyncio.sleep(0.02)
        await looks(one.canary, other.canary)
        for runtime in (one, other):
            assert runtime.canary.reads["stale"] == runtime.canary.reads["failed"] == 0
            assert runtime.canary.silent() < 3600


async def test_of_several_that_find_it_is_time_one_writes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async with canaries(settings, 3, seconds=3600) as runtimes:
        all_have_read = asyncio.Barrier(3)

        async def read_with_the_others(read: Callable[[], Awaitable[None]]) -> None:
            await read()
            await all_have_read.wait()

        with monkeypatch.context() as together:
            for canary in [runtime.canary for runtime in runtimes]:
                together.setattr(canary, "_read", partial(read_with_the_others, canary._read))
            await asyncio.gather(*(runtime.canary.look() for runtime in runtimes))
        outcomes = [outcome for runtime in runtimes for outcome, count in runtime.canary.writes.items() if count]
        # One that would have to wait for another's lock, on a slow machine, fails instead.
        assert (outcomes.count("written"), len(outcomes)) == (1, 3)
        await looks(*(runtime.canary for runtime in runtimes))
        assert sum(runtime.canary.writes["written"] for runtime in runtimes) == 1


async def test_its_writes_are_versions_of_no_other_answer(settings: Settings, connection: rows.Connection) -> None:
    async with canaries(settings, 1) as (runtime,):
        async with bumps(connection) as noted:
            await runtime.canary.look()
        assert noted.seen == {(0, "canary")}


class Overtaken:
    """In place of the cache: gives the value of before, however new the one in the database is."""

    def __init__(self, runtime: Runtime) -> None:
        self._cache = runtime.cache
        self.kept: Answer | None = None
        self.is_stuck = False
        self.is_away = False

    async def read(self, asked: CachedRead) -> Any:
        if self.is_away:
            raise Unavailable
        if not self.is_stuck or self.kept is None:
            self.kept = await self._cache.read(asked)
        return self.kept


@pytest.fixture
async def broken(settings: Settings) -> AsyncIterator[tuple[Runtime, Overtaken, Canary]]:
    async with canaries(settings, 1, seconds=3600) as (runtime,):
        await runtime.canary.look()
        cache = Overtaken(runtime)
        yield runtime, cache, Canary(runtime.database, runtime.versions, cache, 3600)  # type: ignore[arg-type]


async def written_by_another(runtime: Runtime) -> None:
    """After whatever this process has read so far, also by what it takes for the database's clock."""
    update = f"UPDATE canary SET written_at = greatest(clock_timestamp(), to_timestamp({runtime.versions.now()!r}))"

    async def work(session: WriteSession) -> None:
        await (await session.connection()).exec_driver_sql(update)

    await runtime.database.write(work)


@pytest.mark.parametrize(("late", "outcome"), [(1.0, "overtaken"), (2.5, "stale")])
async def test_an_answer_that_a_write_overtook_is_seen_with_its_age(
    broken: tuple[Runtime, Overtaken, Canary], late: float, outcome: str
) -> None:
    runtime, cache, canary = broken
    await canary.look()
    cache.is_stuck = True
    await written_by_another(runtime)
    runtime.versions.clock.shift(late)
    await canary.look()
    cache.is_stuck = False
    await canary.look()
    assert {name: count for name, count in canary.reads.items() if count} == {"current": 1, outcome: 1}
    assert late <= canary.staleness.longest(boottime()) < late + times.VERSION_LEASE


async def test_a_reader_that_never_sees_a_write_is_silent(
    broken: tuple[Runtime, Overtaken, Canary], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime, cache, canary = broken
    await canary.look()
    for is_stuck, is_away in ((True, False), (False, True)):
        cache.is_stuck, cache.is_away = is_stuck, is_away
        before = canary._moved_at
        await written_by_another(runtime)
        await looks(canary)
        assert canary._moved_at == before
    assert canary.reads["failed"] == 3


async def test_what_is_labelled_stale_is_not_held_against_it(broken: tuple[Runtime, Overtaken, Canary]) -> None:
    runtime, cache, canary = broken
    await canary.look()
    entry = (await runtime.cache.read(ASKED)).entry
    cache.kept, cache.is_stuck = Answer(entry, "stale", "memory", 9.0, 0.0), True
    await looks(canary)
    cache.is_stuck = False
    await written_by_another(runtime)
    await canary.look()
    assert {name: count for name, count in canary.reads.items() if count} == {"labelled": 3, "current": 1}


async def test_an_older_value_is_another_timelines_and_no_old_answer(
    broken: tuple[Runtime, Overtaken, Canary], connection: rows.Connection
) -> None:
    _, _, canary = broken
    await canary.look()
    await connection.execute("UPDATE canary SET written_at = written_at - interval '1 day'")
    await until(lambda: _reads_older(canary))
    assert canary.reads["stale"] == 0
    assert canary.staleness.longest(boottime()) == 0


async def _reads_older(canary: Canary) -> bool:
    before = canary._written_at
    await canary.look()
    return canary._written_at != before


async def test_it_is_off_where_nobody_wants_it(settings: Settings) -> None:
    async with canaries(settings, 1, seconds=0) as (runtime,):
        await runtime.canary.run()  # at once
        assert runtime.canary.silent() == 0
