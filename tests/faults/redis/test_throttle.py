"""Guessing over two processes, with Redis killed in the middle: never off, and nobody sees an error."""

import asyncio
from pathlib import Path

import httpx

from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.factories.rows import PASSWORD
from tests.support import machine
from tests.support.processes.services import workers
from tests.support.servers.breakable import Breakable
from tests.support.signing_in import bearer, log_in

WRONG = "a wrong password"


async def guess(client: httpx.AsyncClient, username: str, password: str = WRONG) -> int:
    return await log_in(client, username, password)


async def test_redis_killed_in_the_middle_of_guessing_lets_no_more_through(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    name = seed.sant.viewer
    async with running(on_own_redis) as (app, one), running(on_own_redis) as (other_app, other):
        # In turns, so that each process knows of the other's.
        assert [await guess(client, name) for client in (one, other) * 3] == [401] * 6
        await redis_server.kill()
        # The one knows of five of them, the other of six; from here on each counts for itself.
        assert [await guess(one, name) for _ in range(8)] == [401] * 5 + [429] * 3
        assert [await guess(other, name) for _ in range(8)] == [401] * 4 + [429] * 4
        assert await guess(other, seed.sant.admin, PASSWORD) == 200
        # It comes back empty, and what was counted stays counted.
        await redis_server.start()
        for each in (app, other_app):
            breaker = each.state.runtime.redis.breaker
            await machine.until(lambda breaker=breaker: not breaker.is_open)
        for client in (one, other):
            assert await guess(client, name, PASSWORD) == 429


async def test_a_hung_redis_delays_a_sign_in_by_a_budget_and_no_more(
    on_own_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    async with running(on_own_redis) as (_, client):
        assert await guess(client, seed.sant.viewer, PASSWORD) == 200
        async with redis_server.hung():
            began = machine.now()
            assert await guess(client, seed.sant.viewer) == 401
            assert machine.now() - began < machine.bound(1.5, began)
            assert [await guess(client, seed.sant.viewer) for _ in range(10)] == [401] * 9 + [429]


async def test_two_workers_let_ten_guesses_through_between_them(settings: Settings, seed: Seed, tmp_path: Path) -> None:
    with workers(settings, 2, tmp_path / "log") as served:

        async def tried() -> int:
            # A connection each: either worker may get it.
            async with httpx.AsyncClient(base_url=served.url, timeout=20) as client:
                return await guess(client, seed.sant.viewer)

        answers = [status for _ in range(4) for status in await asyncio.gather(*(tried() for _ in range(4)))]
        # In each process one at a time: what is on its way in the other is all that may come on top.
        assert 10 <= answers.count(401) <= 11
        assert answers.count(429) == len(answers) - answers.count(401)
        bearer(served.url, seed.sant.admin)
