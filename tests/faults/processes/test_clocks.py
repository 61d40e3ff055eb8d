"""Wall clocks that jump or are wrong, and processes that only poll: no answer depends on a wall clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio as redis_client

from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.processes.child import Child, child
from tests.faults.processes.wall_clock import Faked
from tests.support.machine import until

DAY = 86400
ENOUGH = 5
"""Processes."""


@asynccontextmanager
async def with_faked_clock(settings: Settings, seed: Seed, faked: Faked) -> AsyncIterator[Child]:
    async with child(settings, seed.sant.id, faked.environment) as one:
        yield one


@pytest.mark.parametrize("jump", [DAY, -DAY, 3600 * 24 * 365], ids=["a day ahead", "a day back", "a year ahead"])
async def test_a_wall_clock_that_jumps_changes_no_answer(
    settings: Settings, seed: Seed, connection: rows.Connection, tmp_path: Path, jump: int
) -> None:
    faked = Faked(tmp_path)
    async with with_faked_clock(settings, seed, faked) as jumping, child(settings, seed.sant.id) as other:
        assert (await jumping.read()).doctors == (await other.read()).doctors == 1
        fills = (await jumping.read()).fills
        faked.set_off(jump)
        answer = await jumping.read()
        assert abs(answer.wall - time.time() - jump) < 60  # it has jumped
        # What is right for an hour is right still, and what it computes now is right for others.
        assert (answer.doctors, answer.outcome, answer.fills) == (1, "hit", fills)
        for doctors in (2, 3):
            await rows.doctor(connection, seed.sant.id)
            for one in (jumping, other):
                await one.within_two_seconds(doctors)
        assert [(await one.read()).outcome for one in (jumping, other)] == ["hit", "hit"]
        faked.set_off(0)
        assert (await jumping.read())[:2] == (3, "hit")
        await rows.doctor(connection, seed.sant.id)
        for one in (jumping, other):
            await one.within_two_seconds(4)


async def test_a_process_whose_clock_was_wrong_from_the_start_shares_entries_with_the_others(
    settings: Settings, seed: Seed, tmp_path: Path
) -> None:
    faked = Faked(tmp_path)
    faked.set_off(-3 * DAY)
    async with with_faked_clock(settings, seed, faked) as wrong:
        assert (await wrong.read())[:3] == (1, "miss", 1)
        await stored(settings)
        answers: list[tuple[object, ...]] = []
        # One that gets no answer from Redis in its time computes by itself, on a busy machine: it has told nothing.
        while (1, "hit", 0) not in answers and len(answers) < ENOUGH:
            async with child(settings, seed.sant.id) as right:
                answers.append(tuple((await right.read())[:3]))
        assert answers[-1] == (1, "hit", 0), answers


async def stored(settings: Settings) -> None:
    """Return once an entry lies in Redis: it is written beside the answer, and may come later."""
    client = redis_client.Redis.from_url(settings.require_redis_url())
    try:
        await until(lambda: client.keys(f"{settings.cache_prefix}*doctors*"))
    finally:
        await client.aclose()


@pytest.mark.long
async def test_two_processes_that_only_poll_see_every_change_within_two_seconds(
    settings: Settings, seed: Seed, connection: rows.Connection
) -> None:
    """CACHE_PUSH=false: nothing tells them but their own polls, each second."""
    deaf = settings.model_copy(update={"cache_push": False})
    async with child(deaf, seed.sant.id) as one, child(deaf, seed.sant.id) as other:
        assert [(await each.read()).doctors for each in (one, other)] == [1, 1]
        taken: list[float] = []
        for doctors in range(2, 6):
            await rows.doctor(connection, seed.sant.id)
            taken += await asyncio.gather(*(each.within_two_seconds(doctors) for each in (one, other)))
            await asyncio.sleep(0.37)  # at another moment between two polls
        # Push would take milliseconds: these have polled.
        assert max(taken) > 0.3
