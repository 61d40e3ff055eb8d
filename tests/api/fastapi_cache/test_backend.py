"""The backend of fastapi-cache2's plain `@cache`: for how long it keeps an answer, and of which moment that is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.fastapi_cache.arguments import asked_of
from api.fastapi_cache.backend import TieredBackend
from api.fastapi_cache.key_builder import RouteKeys
from api.fastapi_cache.start import init_fastapi_cache
from api.fastapi_cache.turns import Turns
from core.cache.entry import Entry
from core.runtime import Runtime, open_runtime
from core.settings import Settings


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with open_runtime(settings) as made:
        yield made


@pytest.fixture
def backend(runtime: Runtime) -> TieredBackend:
    return init_fastapi_cache(runtime)


async def test_what_redis_has_for_less_than_a_second_more_memory_does_not_keep_for_a_minute(
    backend: TieredBackend,
) -> None:
    raw = Entry.make(b"1", computed_at=1.0).encode()
    await backend.runtime.redis.set("k", raw, 0.4)
    ttl, found = await backend.get_with_ttl("k")
    assert (ttl, found) == (0, b"1")
    assert backend.runtime.cache.memory.ttl("k") <= 1


async def test_a_time_of_less_than_half_a_second_is_not_the_default(settings: Settings) -> None:
    ttls = {"route": 0.3}
    object.__setattr__(settings, "__dict__", settings.__dict__ | {"cache_ttls": ttls})
    async with open_runtime(settings) as runtime:
        backend = init_fastapi_cache(runtime)
        key = runtime.redis.keys.entry("route", "s", None, "v", "p")
        await backend.set(key, b"1", 60)
        assert runtime.cache.memory.ttl(key) <= 1


async def all_of(active: bool | None = None, page: int = 1) -> int:
    """What is cached here."""
    return page


async def test_an_answer_is_of_the_moment_its_versions_were_read_so_that_a_restore_since_ends_it(
    backend: TieredBackend,
) -> None:
    versions, last_good = backend.runtime.versions, backend.runtime.cache.last_good
    key = await RouteKeys()(all_of, "ns", args=(), kwargs={})
    for restored in versions.on_restored:
        restored()
    await asyncio.sleep(0.01)  # the database's clock goes on
    await backend.set(key, b'"of the timeline that is lost"', 60)
    assert await last_good.find(key.entry_id) is None


@pytest.mark.parametrize(
    ("kwargs", "is_plain"),
    [({}, True), ({"active": None, "page": 1}, True), ({"active": False}, False), ({"page": 0}, False)],
)
def test_only_what_is_asked_by_default_is_plain(kwargs: dict[str, Any], is_plain: bool) -> None:
    assert asked_of(all_of, "ns", None, (), kwargs).is_plain is is_plain


async def test_who_waits_behind_others_looks_again_when_its_turn_comes() -> None:
    turns = Turns()
    assert await turns.take("k") is False
    second = asyncio.create_task(turns.take("k"))
    await asyncio.sleep(0)
    # The lock is free for a moment, and the second is next: the third waits too.
    third = asyncio.create_task(turns.take("k"))
    turns.give_back("k")
    assert await second is True
    assert await third is True
