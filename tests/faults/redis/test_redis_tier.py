"""The second tier: an operation ends within its budget, however many others are under way."""

import asyncio

import pytest
from pydantic import SecretStr

from core.cache.stats.published import PublishedStats
from core.settings import Settings
from core.telemetry.log import FIRST, configure
from tests.factories.fixtures import Seed
from tests.faults.redis.trouble import write_garbage
from tests.support import machine
from tests.support.cache.cached_reads import process
from tests.support.servers.breakable import Breakable, command


@pytest.mark.alone
async def test_the_wait_for_a_turn_is_in_the_budget_and_is_not_taken_for_trouble(settings: Settings) -> None:
    async with process(settings) as one:
        redis = one.runtime.redis
        errors = redis.errors

        async def slow() -> bytes:
            # As a slow Redis.
            await asyncio.sleep(0.08)
            return b"1"

        async def timed() -> tuple[bool, float]:
            started = machine.now()
            found, _ = await redis.ask(slow)
            return found, machine.now() - started

        began = machine.now()
        outcomes = await asyncio.gather(*(timed() for _ in range(300)))
        assert max(seconds for _, seconds in outcomes) < machine.bound(0.4, began)
        assert 32 <= sum(found for found, _ in outcomes) < 300
        assert (redis.breaker.is_open, redis.errors) == (False, errors)


async def test_garbage_in_the_statistics_is_skipped_and_heals(on_own_redis: Settings, redis_server: Breakable) -> None:
    async with process(on_own_redis) as one, process(on_own_redis) as other:
        processes: list[PublishedStats] = [each.runtime.published for each in (one, other)]
        for each in processes:
            await each.publish_once()
        first = processes[0]
        assert ((await first.sums()).processes, (await first.sums()).complete) == (2, True)
        await one.runtime.redis.set(first._key(processes[1].id), b"th1 00000000 garbage", 60)
        assert ((await first.sums()).processes, (await first.sums()).complete) == (1, False)
        await write_garbage(redis_server)
        assert not (await first.sums()).complete
        for each in processes:
            await each.publish_once()
        assert ((await first.sums()).processes, (await first.sums()).complete) == (2, True)


@pytest.mark.parametrize("denied", ["-eval", "-@scripting", "-type", "-getrange"])
async def test_a_user_who_may_run_no_scripts_has_a_cache_all_the_same_and_a_breaker_that_stays_closed(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed, denied: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await command(redis_server.url, "ACL", "SETUSER", "few", "on", ">pw", "~*", "+@all", denied)
    few = SecretStr(redis_server.url.replace("unix://", "unix://few:pw@"))
    denying = on_own_redis.model_copy(update={"redis_url": few})
    configure("json")
    async with process(denying) as one, process(denying) as other:
        await one.read(seed.sant.id)  # and a last good answer of it
        for number in range(40):
            await one.read(seed.sant.id, {"number": number})
            await one.runtime.cache.drain(5)
            # Each a write that succeeds, and scripts that are refused.
            await one.runtime.published.publish_once()
        answers = [await other.read(seed.sant.id, {"number": number}) for number in range(40)]
        assert {(answer.outcome, answer.tier) for answer in answers} == {("hit", "redis")}
        assert (one.runtime.redis.breaker.opened, other.runtime.redis.breaker.opened) == (0, 0)
        assert one.runtime.redis.errors > 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "refuses an operation" in line]
    assert 0 < len(lines) <= FIRST
