"""Redis in every kind of trouble, under requests: no error, nothing stale, nobody signed out, nobody waits."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import redis.asyncio as redis_client

from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.factories.rows import PASSWORD
from tests.faults.servers import Breakable, command
from tests.faults.stream import Stream

Act = Callable[[Breakable], Awaitable[object]]

NOTHING_SLOWER = 1.0
"""Seconds: a budget, and room for a busy machine. redis-py by itself waits up to a minute."""


@pytest.fixture
async def stream(on_own_redis: Settings, seed: Seed) -> AsyncIterator[Stream]:
    async with running(on_own_redis) as (app, client):
        login = {"username": seed.sant.viewer, "password": PASSWORD, "client": "mobile"}
        answer = await client.post("/v1/auth/login", json=login)
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        made = Stream(app.state.runtime, client, seed.sant.id, existing=1)
        async with made.flowing():
            yield made


async def kill(server: Breakable) -> None:
    await server.kill()


async def start(server: Breakable) -> None:
    await server.start()


async def hang(server: Breakable) -> None:
    server.hang()


async def go_on(server: Breakable) -> None:
    server.go_on()


async def restart_empty(server: Breakable) -> None:
    await server.kill()
    await server.start()


async def restart_with_old_data(server: Breakable) -> None:
    await command(server.url, "SAVE")
    await asyncio.sleep(0.4)  # writes go on: what was saved is old when it comes back
    await restart_empty(server)


async def make_replica(server: Breakable) -> None:
    await command(server.url, "REPLICAOF", "127.0.0.1", "1")


async def make_primary(server: Breakable) -> None:
    await command(server.url, "REPLICAOF", "NO", "ONE")


async def fill_up(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "maxmemory-policy", "noeviction")
    await command(server.url, "CONFIG", "SET", "maxmemory", "1")


async def make_room(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "maxmemory", "0")


async def set_password(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "requirepass", "another")
    with contextlib.suppress(Exception):
        await command(server.url, "CLIENT", "KILL", "TYPE", "normal", password="another")


async def drop_password(server: Breakable) -> None:
    await command(server.url, "CONFIG", "SET", "requirepass", "", password="another")


async def reach_maxclients(server: Breakable) -> None:
    # An administrator's connection stays: none other could be made to undo it.
    server.kept = redis_client.Redis.from_url(server.url, single_connection_client=True)
    await server.kept.config_set("maxclients", "1")
    await server.kept.execute_command("CLIENT", "KILL", "TYPE", "normal")


async def raise_maxclients(server: Breakable) -> None:
    assert server.kept is not None
    await server.kept.config_set("maxclients", "10000")
    await server.kept.aclose()


async def flush(server: Breakable) -> None:
    await command(server.url, "FLUSHALL")


async def write_garbage(server: Breakable) -> None:
    script = "for _, k in ipairs(redis.call('KEYS', '*')) do redis.call('SET', k, 'th1 00000000 garbage') end"
    await command(server.url, "EVAL", script, "0")


async def nothing(server: Breakable) -> None:
    """It is well again by itself."""


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        pytest.param(kill, start, id="killed"),
        pytest.param(hang, go_on, id="hung"),
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
    before = await stream.flow(0.4)
    assert before.answers > 20
    await break_it(redis_server)
    broken = await stream.flow(1.2)
    await mend_it(redis_server)
    after = await stream.flow(0.3)
    for seen in (before, broken, after):
        assert seen.wrong == []
    assert {"hit", "fwd=miss"} <= broken.outcomes
    assert broken.answers > 20
    assert broken.slowest < NOTHING_SLOWER
    await used_again(stream, redis_server)
    assert stream.seen.wrong == []


async def used_again(stream: Stream, server: Breakable) -> None:
    """Nothing has to be repaired: entries lie in Redis again within a few probes."""
    await command(server.url, "FLUSHALL")
    for _ in range(100):
        await asyncio.sleep(0.05)
        keys = await command(server.url, "KEYS", "*doctors*")
        if keys:
            return
    raise AssertionError("Redis is well, and not used")


async def test_a_password_that_was_wrong_from_the_start(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    await set_password(redis_server)
    async with running(on_own_redis) as (_, client):
        login = {"username": seed.sant.viewer, "password": PASSWORD, "client": "mobile"}
        answer = await client.post("/v1/auth/login", json=login)
        assert answer.status_code == 200
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        for outcome in ("fwd=miss", "hit", "hit"):
            answer = await client.get("/v1/doctors")
            assert answer.status_code == 200
            assert answer.headers["cache-status"].split("; ")[1] == outcome
