"""`/readyz`: no replica is taken out that answers as well as any other, and each that does not."""

import asyncio
import signal
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from core import times
from core.clock import boottime
from core.readiness import CUT_OFF, READS_ONLY, STARTING
from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.processes.services import workers
from tests.support.servers.breakable import Breakable
from tests.support.servers.proxy import WireProxy

METRIC = "ticket_home_can_write "


async def ready(client: httpx.AsyncClient) -> str:
    """What the database is said to be, or why it is not ready."""
    answer = await client.get("/readyz")
    assert answer.status_code in (200, 503), answer.text
    said = answer.json()
    if answer.status_code == 503:
        assert int(answer.headers["retry-after"]) >= 1
        return str(said["detail"])
    return str(said["database"])


async def may_write(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz", params={"for": "writes"})).status_code == 200


async def can_write(client: httpx.AsyncClient) -> float:
    """The metric: 1 while all workers can write."""
    lines = (await client.get("/metrics")).text.splitlines()
    return next(float(line.removeprefix(METRIC)) for line in lines if line.startswith(METRIC))


@pytest.mark.long
async def test_all_stay_ready_while_the_database_is_away_for_all(
    on_own_postgres: Settings, own_seed: Seed, postgres_server: Breakable
) -> None:
    async with running(on_own_postgres) as (_, one), running(on_own_postgres) as (_, other):
        async with postgres_server.killed():
            # Longer than it takes until one would be taken for lost, from the first moment on.
            until = asyncio.get_running_loop().time() + 2 * times.LOST
            seen: set[str] = set()
            while asyncio.get_running_loop().time() < until:
                seen |= {await ready(one), await ready(other)}
                await asyncio.sleep(0.05)  # asked as often as an impatient balancer asks
            assert seen <= {"ok", "away"}
            assert await ready(one) == "away"
            assert not await may_write(one)
            await machine.until(lambda: wrote(one, 0.0))
        await machine.until(lambda: is_ready(one, "ok"))
        await machine.until(lambda: may_write(one))  # perhaps later: reads and writes are looked at apart
        await machine.until(lambda: wrote(one, 1.0))


async def wrote(client: httpx.AsyncClient, wanted: float) -> bool:
    return await can_write(client) == wanted


async def is_ready(client: httpx.AsyncClient, wanted: str) -> bool:
    return await ready(client) == wanted


@pytest.mark.long
async def test_one_that_alone_has_lost_the_database_is_not_ready(
    settings: Settings, seed: Seed, database_url: str
) -> None:
    async with WireProxy(database_url) as proxy:
        behind = settings.model_copy(update={"database_url": SecretStr(proxy.url)})
        async with running(behind) as (_, cut_off), running(settings) as (_, other):
            assert (await ready(cut_off), await ready(other)) == ("ok", "ok")
            proxy.is_silent = True
            await machine.until(lambda: is_ready(cut_off, CUT_OFF))
            for _ in range(20):
                assert (await ready(cut_off), await ready(other)) == (CUT_OFF, "ok")
                # It stays so, for two seconds.
                await asyncio.sleep(0.1)
            assert not await may_write(cut_off)
            assert await may_write(other)
            proxy.is_silent = False
            await machine.until(lambda: is_ready(cut_off, "ok"))


@pytest.mark.long
async def test_one_that_alone_has_lost_database_and_redis_cannot_know_and_is_ready(
    settings: Settings, on_own_redis: Settings, seed: Seed, database_url: str, redis_server: Breakable
) -> None:
    async with WireProxy(database_url) as proxy:
        behind = on_own_redis.model_copy(update={"database_url": SecretStr(proxy.url)})
        async with running(behind) as (app, client):
            proxy.is_silent = True
            await redis_server.kill()
            versions = app.state.runtime.versions
            await machine.until(lambda: boottime() - versions.read_at > times.LOST)
            assert await ready(client) == "away"
            proxy.is_silent = False
            await redis_server.start()
            await machine.until(lambda: is_ready(client, "ok"))


@pytest.mark.parametrize("path", ["/readyz", "/readyz?for=writes"])
async def test_nobody_is_ready_before_the_database_was_read_once(
    settings: Settings, database_url: str, path: str
) -> None:
    nowhere = make_url(database_url).set(database="not_made_yet").render_as_string(hide_password=False)
    async with running(settings.model_copy(update={"database_url": SecretStr(nowhere)})) as (_, client):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["detail"]) == (503, STARTING)
        assert (await client.get("/livez")).status_code == 200


@pytest.mark.parametrize("count", [1, 2])
async def test_nobody_is_ready_once_told_to_end(settings: Settings, seed: Seed, tmp_path: Path, count: int) -> None:
    """On connections that are still there: each answer that says it is the last says so, too."""
    with workers(settings, count, tmp_path / "log") as served:
        clients = [httpx.AsyncClient(base_url=served.url, timeout=20) for _ in range(4 * count)]
        assert {(await client.get("/readyz")).status_code for client in clients} == {200}
        served.process.send_signal(signal.SIGTERM)
        last = await asyncio.gather(*(until_the_last(client) for client in clients))
        details = [answer.json()["detail"] for answer in last if answer is not None]
        assert set(details) == {"This process ends."}


async def until_the_last(client: httpx.AsyncClient) -> httpx.Response | None:
    """None where the connection was closed before it was used again."""
    while True:
        try:
            answer = await client.get("/readyz")
        except httpx.TransportError:
            return None
        if answer.headers.get("connection") == "close":
            await client.aclose()
            return answer
        assert answer.status_code in (200, 503)
        await asyncio.sleep(0.02)  # likewise


async def test_a_database_that_takes_no_writes_is_ready_for_reads_alone(
    settings: Settings, seed: Seed, connection: rows.Connection, app: FastAPI, client: httpx.AsyncClient
) -> None:
    assert await may_write(client)
    name = make_url(settings.require_database_url()).database
    await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await app.state.runtime.database.engine.dispose()
    assert await ready(client) == "ok"
    answer = await client.get("/readyz?for=writes")
    assert (answer.status_code, answer.json()["detail"]) == (503, READS_ONLY)
    assert await can_write(client) == 0.0
    await connection.execute("SET default_transaction_read_only = off")
    await connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await app.state.runtime.database.engine.dispose()
    assert await may_write(client)
    assert await can_write(client) == 1.0


async def test_a_look_whether_it_can_write_writes_nothing(
    seed: Seed, connection: rows.Connection, app: FastAPI, client: httpx.AsyncClient
) -> None:
    count = "SELECT pg_current_xact_id()::text::bigint"
    versions = await connection.fetch("SELECT * FROM cache_version ORDER BY 1, 2")
    before = await connection.fetchval(count)
    for _ in range(20):
        assert await may_write(client)
    # This connection's own, and what others in the same server did meanwhile; twenty more would be ours.
    assert await connection.fetchval(count) - before < 20
    assert await connection.fetch("SELECT * FROM cache_version ORDER BY 1, 2") == versions


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
@pytest.mark.parametrize("query", ["verbose=1", "For=writes", "for=", "for=reads", "for=writes&for=writes"])
async def test_what_is_asked_wrongly_is_told(client: httpx.AsyncClient, path: str, query: str) -> None:
    answer = await client.get(f"{path}?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
