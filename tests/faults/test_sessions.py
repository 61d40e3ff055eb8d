"""Sessions while Redis or PostgreSQL is killed, hung, empty or back with old data: servers of these tests' own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from core.errors import NotAuthenticated, Unavailable
from core.settings import Settings
from tests.core.sessions.processes import Process, process
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.cache.settled import settled
from tests.support.machine import until
from tests.support.servers.breakable import Away, Breakable


@pytest.fixture
async def one(on_own_redis: Settings, seed: Seed) -> AsyncIterator[Process]:
    async with process(on_own_redis) as made:
        yield made


async def test_redis_killed_logs_nobody_out_and_keeps_nobody_out(
    one: Process, on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    before = (await one.sign_in(seed.sant.viewer)).token
    await one.who(before)
    await redis_server.kill()
    await one.who(before)
    during = (await one.sign_in(seed.sant.viewer)).token
    await one.who(during)
    async with process(on_own_redis) as other:
        await other.who(before)
        await other.who(during)


async def test_a_revocation_is_known_everywhere_while_redis_is_killed(
    one: Process, on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    token, kept = [(await one.sign_in(seed.sant.viewer)).token for _ in range(2)]
    async with process(on_own_redis) as other:
        for at in (one, other):
            await at.who(token)
            await at.who(kept)
        await redis_server.kill()
        await one.sign_out(token)
        with pytest.raises(NotAuthenticated):
            await one.who(token)
        await other.refuses(token, within=2)
        await other.who(kept)


async def test_redis_hung_costs_one_budget_and_no_error(
    one: Process, on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    tokens = [(await one.sign_in(name)).token for name in (seed.sant.viewer, seed.sant.admin, seed.maga.viewer)]
    await one.who(tokens[0])
    await redis_server.hang()
    began = machine.now()
    for _ in range(20):
        await asyncio.gather(*(one.who(token) for token in tokens))
    # One budget, and not one for each.
    assert machine.now() - began < machine.bound(1.0, began)
    await one.sign_out(tokens[1])
    with pytest.raises(NotAuthenticated):
        await one.who(tokens[1])


async def test_redis_restarted_empty_logs_nobody_out(
    one: Process, on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    await redis_server.kill()
    await redis_server.start()
    async with process(on_own_redis) as other:
        for at in (one, other):
            await at.who(token)


async def test_redis_restarted_with_old_data_revives_nobody(
    one: Process, on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    token, kept = [(await one.sign_in(seed.sant.viewer)).token for _ in range(2)]
    await one.who(token)
    await one.who(kept)
    await settled(one.runtime)
    redis = one.runtime.redis.client
    old = {key: await redis.get(key) async for key in redis.scan_iter("*") if key.endswith((b":session", b":seen"))}
    assert len(old) == 4
    await one.sign_out(token)
    await redis_server.kill()
    await redis_server.start()
    async with process(on_own_redis) as other:
        for key, value in old.items():
            await other.runtime.redis.client.set(key, value)
        for at in (one, other):
            with pytest.raises(NotAuthenticated):
                await at.who(token)
            await at.who(kept)


# --- PostgreSQL


async def lapsed(*processes: Process) -> None:
    """Return once the lease of each process has run out: from here on every request asks PostgreSQL itself."""
    await until(lambda: not any(at.runtime.versions.is_fresh() for at in processes))


@pytest.mark.parametrize(
    "away",
    [
        pytest.param(Breakable.killed, id="killed"),
        pytest.param(Breakable.hung, id="hung", marks=pytest.mark.long),
    ],
)
async def test_postgresql_away_lets_a_verified_session_read_on_and_refuses_nobody(
    on_own_postgres: Settings, own_seed: Seed, postgres_server: Breakable, away: Away
) -> None:
    async with process(on_own_postgres) as one, process(on_own_postgres) as other, process(on_own_postgres) as third:
        token = (await one.sign_in("viewer_sant")).token
        await one.who(token)
        await settled(one.runtime)
        unseen = (await one.sign_in("admin_sant")).token
        async with away(postgres_server):
            await lapsed(one, other)
            assert (await one.who(token)).username == "viewer_sant"
            # By the copy in Redis: this process never saw the session.
            assert (await other.who(token)).username == "viewer_sant"
            with pytest.raises(Unavailable):
                await one.who(token, reading=False)
            with pytest.raises(Unavailable):
                await one.who(unseen)
            with pytest.raises(Unavailable):
                await one.sign_in("viewer_sant")
            with pytest.raises(NotAuthenticated):
                await one.who("nonsense")
            for at in (one, third):
                at.clock(301)
                with pytest.raises(Unavailable):
                    await at.who(token)
        for at, asked in ((one, token), (one, unseen), (other, token)):

            async def answers(at: Process = at, asked: str = asked) -> bool:
                with contextlib.suppress(Unavailable):
                    await at.who(asked, reading=False)
                    return True
                return False

            await until(answers, within=5)


async def test_a_session_that_ended_before_postgresql_went_does_not_read_on(
    on_own_postgres: Settings, own_seed: Seed, postgres_server: Breakable
) -> None:
    async with process(on_own_postgres) as one, process(on_own_postgres) as other:
        token = (await one.sign_in("viewer_sant")).token
        for at in (one, other):
            await at.who(token)
        await one.sign_out(token)
        await settled(one.runtime)
        # The other process hears of it in milliseconds, or with its next poll.
        await until(lambda: one.runtime.versions.rows == other.runtime.versions.rows)
        async with postgres_server.killed():
            await lapsed(one, other)
            for at in (one, other):
                with pytest.raises((NotAuthenticated, Unavailable)):
                    await at.who(token)


async def test_a_process_started_while_postgresql_is_away_reads_on_by_redis(
    on_own_postgres: Settings, own_seed: Seed, postgres_server: Breakable
) -> None:
    async with process(on_own_postgres) as one:
        token = (await one.sign_in("superuser")).token
        await one.who(token)
        await settled(one.runtime)
        async with postgres_server.killed(), process(on_own_postgres) as late:
            assert (await late.who(token)).username == "superuser"
