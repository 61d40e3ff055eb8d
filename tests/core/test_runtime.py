"""A process's end: nothing that runs in the background may hold it up."""

import asyncio
import random
import time

import pytest

from core import times
from core.cache.tiers.redis import RedisTier
from core.runtime import open_runtime
from core.settings import Settings
from tests.support.machine import PATIENCE


async def test_no_cancellation_is_lost_on_the_way_to_redis(settings: Settings) -> None:
    dice = random.Random(7)
    async with open_runtime(settings) as runtime:

        async def look() -> None:
            while True:
                await runtime.redis.get("key")
                await asyncio.sleep(0)

        for turn in range(60):
            task = asyncio.create_task(look())
            # The cancellation comes at any moment.
            await asyncio.sleep(dice.random() * 0.004)
            if turn % 2:
                time.sleep(dice.random() * 0.002)  # noqa: ASYNC251  its answer and our word come together
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=PATIENCE)
            assert done
            assert task.cancelled()


async def test_a_runtime_whose_task_swallows_a_cancellation_closes_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, swallowed = asyncio.Event(), asyncio.Event()

    async def deaf_once(_: RedisTier) -> None:
        begun.set()
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if swallowed.is_set():
                    raise
                swallowed.set()

    monkeypatch.setattr(RedisTier, "probe", deaf_once)
    async with asyncio.timeout(times.ENDING + PATIENCE), open_runtime(settings):
        await begun.wait()
    assert swallowed.is_set()
