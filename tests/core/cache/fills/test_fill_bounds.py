"""How many fills run at once, and for how long memory alone may keep what they found."""

import asyncio

import pytest
from fastapi import FastAPI

from core.cache.fills.slots import AT_ONCE
from core.cache.tiers import memory
from core.cache.tiers.both import MEMORY_TTL_WITHOUT_REDIS
from core.cache.tiers.trouble import Trouble
from core.clock import boottime
from core.settings import Settings
from tests.conftest import SignIn
from tests.factories.fixtures import Seed
from tests.support.cache.cached_reads import process
from tests.support.cache.flights import joins
from tests.support.machine import until
from tests.support.unhurried import unhurried

__all__ = ["unhurried"]


async def test_no_more_than_eight_fills_run_at_once(settings: Settings, seed: Seed) -> None:
    """A cold cache must not take every connection from those who write."""
    async with process(settings) as one:
        come = joins(one.runtime.cache.flights)
        one.go_on.clear()
        reads = [asyncio.create_task(one.read(seed.sant.id, {"number": number})) for number in range(3 * AT_ONCE)]
        await until(lambda: come() == 3 * AT_ONCE and one.at_work == AT_ONCE)
        one.go_on.set()
        await asyncio.gather(*reads)
        assert one.runs == 3 * AT_ONCE
        assert one.most_at_work == AT_ONCE


async def test_without_redis_memory_keeps_an_entry_for_a_minute(
    app: FastAPI, sign_in: SignIn, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an hour: nobody can say how many processes keep what, and the next fill may find Redis well again."""
    user = await sign_in(seed.sant.viewer)
    breaker = app.state.runtime.redis.breaker
    breaker.failed(Trouble.TIMEOUT, "hung")
    # Nor does a probe find it well before the test has asked.
    monkeypatch.setattr(breaker, "close", lambda: None)
    seen = []
    for seconds in (0.0, 0.0, MEMORY_TTL_WITHOUT_REDIS - 1, MEMORY_TTL_WITHOUT_REDIS + 1):
        monkeypatch.setattr(memory, "boottime", lambda seconds=seconds: boottime() + seconds)
        seen.append((await user.get("/v1/doctors")).headers["cache-status"].split("; ")[1])
    assert seen == ["fwd=miss", "hit", "hit", "fwd=miss"]
