"""What is broken fires the alert that says so, in a real Prometheus beside a real service; and it clears once all is
well again."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from core import times
from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.support.machine import until
from tests.support.processes import commands
from tests.support.processes.services import Serving, serving
from tests.support.servers.breakable import Breakable
from tests.support.servers.prometheus import Prometheus, prometheus
from tests.support.signing_in import bearer

pytestmark = pytest.mark.long
CANARY_SECONDS = "1"


@asynccontextmanager
async def load(served: Serving, headers: dict[str, str]) -> AsyncIterator[None]:
    """Within, somebody reads and writes all the time."""

    async def go_on() -> None:
        async with httpx.AsyncClient(base_url=served.url, headers=headers, timeout=20) as client:
            while True:
                with suppress(httpx.TransportError):
                    for _ in range(5):
                        await client.get("/v1/dashboard")
                    await client.post("/v1/tickets/0/annulment", json={"reason_id": 1})
                await asyncio.sleep(0.1)

    task = asyncio.create_task(go_on())
    try:
        yield
    finally:
        task.cancel()


@asynccontextmanager
async def fires(watched: Prometheus, *alerts: str) -> AsyncIterator[None]:
    """What is broken within fires these alerts, none of which did before; after it they clear."""
    assert not set(alerts) & await watched.firing()
    yield
    await until(lambda: _none(watched, alerts))


async def _none(watched: Prometheus, alerts: tuple[str, ...]) -> bool:
    return not set(alerts) & await watched.firing()


async def _all(watched: Prometheus, alerts: tuple[str, ...]) -> bool:
    return set(alerts) <= await watched.firing()


async def test_what_is_broken_fires_and_clears(
    on_own_postgres: Settings, own_seed: Seed, postgres_server: Breakable, redis_server: Breakable, tmp_path: Path
) -> None:
    settings = on_own_postgres.model_copy(update={"redis_url": SecretStr(redis_server.url)})
    given = commands.environment(settings) | {"CANARY_SECONDS": CANARY_SECONDS}
    command = (commands.TICKET_HOME, "serve")
    with (
        serving(*command, environment=given, log=tmp_path / "log") as served,
        prometheus(tmp_path / "prometheus", [served.port]) as watched,
    ):
        async with load(served, bearer(served.url, own_seed.sant.admin)):
            written = 'ticket_home_canary_reads_total{outcome="current"} > 0'
            await until(lambda: watched.ask(written))
            await redis_is_lost(watched, redis_server)
            await postgres_is_lost(watched, postgres_server)
            await a_write_is_not_told(watched, settings)
            await the_service_hangs(watched, served)


async def redis_is_lost(watched: Prometheus, server: Breakable) -> None:
    async with fires(watched, "RedisAway"), server.killed():
        await until(lambda: _all(watched, ("RedisAway",)))


async def postgres_is_lost(watched: Prometheus, server: Breakable) -> None:
    alerts = ("DatabaseAway", "LeaseLapsed", "CanarySilent", "Errors")
    async with fires(watched, *alerts), server.killed():
        await until(lambda: _all(watched, alerts))


async def a_write_is_not_told(watched: Prometheus, settings: Settings) -> None:
    """As it looks where a process is not told of a write: it says when it was written, and is not seen until later."""
    async with fires(watched, "StaleAnswers"):
        connection = await asyncpg.connect(settings.require_database_url())
        while not await _all(watched, ("StaleAnswers",)):
            async with connection.transaction():
                await connection.execute("UPDATE canary SET written_at = clock_timestamp()")
                await asyncio.sleep(1.5 * times.VERSION_LEASE)
            await asyncio.sleep(1.0)  # until it was read, scraped and evaluated
        await connection.close()


async def the_service_hangs(watched: Prometheus, served: Serving) -> None:
    async with fires(watched, "NoReplica"):
        os.killpg(served.process.pid, signal.SIGSTOP)
        await until(lambda: _all(watched, ("NoReplica",)))
        os.killpg(served.process.pid, signal.SIGCONT)
