"""Redis in every kind of trouble, under requests: no error, nothing stale, nobody signed out, nobody waits."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from core import times
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.faults.redis.trouble import (
    drop_password,
    fill_up,
    flush,
    make_primary,
    make_replica,
    make_room,
    raise_maxclients,
    reach_maxclients,
    set_password,
    write_garbage,
)
from tests.faults.stream import NOTHING_SLOWER, READS, Stream
from tests.support import machine
from tests.support.servers.breakable import Act, Breakable, command
from tests.support.signing_in import sign_in


@pytest.fixture
async def stream(on_own_redis: Settings, seed: Seed) -> AsyncIterator[Stream]:
    async with running(on_own_redis) as (app, client):
        await sign_in(client, seed.sant.viewer)
        made = Stream(app.state.runtime, client, seed.sant.id, existing=1)
        async with made.flowing():
            yield made


async def restart_empty(server: Breakable) -> None:
    await server.kill()
    await server.start()


async def restart_with_old_data(server: Breakable) -> None:
    await command(server.url, "SAVE")
    await asyncio.sleep(0.4)  # writes go on: what was saved is old when it comes back
    await restart_empty(server)


async def nothing(server: Breakable) -> None:
    """Do nothing: the server is well again by itself."""


@pytest.mark.alone
@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        pytest.param(Breakable.kill, Breakable.start, id="killed"),
        pytest.param(Breakable.hang, Breakable.go_on, id="hung"),
        pytest.param(restart_empty, nothing, id="restarted empty"),
        pytest.param(restart_with_old_data, nothing, id="restarted with old data"),
        pytest.param(make_replica, make_primary, id="READONLY"),
        pytest.param(fill_up, make_room, id="OOM"),
        pytest.param(set_password, drop_password, id="wrong password"),
        pytest.param(reach_maxclients, raise_maxclients, id="maxclients reached"),
        pytest.param(flush, nothing, id="flushed"),
        pytest.param(write_garbage, nothing, id="garbage in every key"),
    ],
)
async def test_trouble_with_redis_reaches_no_client(
    stream: Stream, redis_server: Breakable, break_it: Act, mend_it: Act
) -> None:
    redis, began = stream.runtime.redis, machine.now()
    before = await stream.flow(0.3)
    await break_it(redis_server)
    breaking = await stream.flow(0.4)
    if mend_it is not nothing:
        await machine.until(lambda: redis.breaker.is_open)
    errors, broken_at = redis.errors, machine.now()
    broken = await stream.flow(0.8, READS)
    # Nobody waits for it: who meets its trouble now is the probe, which goes on beside the requests.
    assert redis.errors - errors <= 1 + (machine.now() - broken_at) / times.REDIS_PROBE_EVERY
    await mend_it(redis_server)
    after = await stream.flow(0.3)
    for seen in (before, breaking, broken, after):
        assert seen.answers
        assert seen.wrong == []
        assert seen.slowest < machine.bound(NOTHING_SLOWER, began)
    await used_again(stream, redis_server)
    assert stream.seen.wrong == []


async def used_again(stream: Stream, server: Breakable) -> None:
    """Nothing has to be repaired: entries lie in Redis again within a few probes."""
    await command(server.url, "FLUSHALL")
    await machine.until(lambda: command(server.url, "KEYS", "*doctors*"))


async def test_a_password_that_was_wrong_from_the_start(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    await set_password(redis_server)
    async with running(on_own_redis) as (_, client):
        await sign_in(client, seed.sant.viewer)
        for outcome in ("fwd=miss", "hit", "hit"):
            answer = await client.get("/v1/doctors")
            assert answer.status_code == 200
            assert answer.headers["cache-status"].split("; ")[1] == outcome
