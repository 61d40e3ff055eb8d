"""A metric is one line of api/ops/metrics.py."""

import asyncio
from importlib.metadata import version

import httpx
import pytest
from sqlalchemy import text

from api.ops import metrics
from api.ops.metrics import Counter, Gauge
from core.db.transaction import ReadSession
from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.support.machine import until
from tests.support.signing_in import log_in


async def told(client: httpx.AsyncClient, name: str) -> float:
    """The value of a series of ours, by its name and labels."""
    lines = (await client.get("/metrics")).text.splitlines()
    [value] = [line.rpartition(" ")[2] for line in lines if line.rpartition(" ")[0] == f"ticket_home_{name}"]
    return float(value)


async def test_every_metric_is_told_with_its_text(client: httpx.AsyncClient) -> None:
    lines = (await client.get("/metrics")).text.splitlines()
    for counter in metrics.COUNTERS:
        assert f"# HELP {counter.name}_total {counter.text}" in lines
    for gauge in metrics.GAUGES:
        assert f"# HELP {gauge.name} {gauge.text}" in lines


async def test_a_new_metric_is_one_line(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    beds = Counter("beds_made", "Beds made, by ward", lambda _: [(("UCI",), 3), (("UTI",), 4)], ("ward",))
    nurses = Gauge("nurses", "Nurses awake", sum, lambda _: 5)
    monkeypatch.setattr(metrics, "COUNTERS", (*metrics.COUNTERS, beds))
    monkeypatch.setattr(metrics, "GAUGES", (*metrics.GAUGES, nurses))
    lines = (await client.get("/metrics")).text.splitlines()
    assert {'beds_made_total{ward="UCI"} 3.0', 'beds_made_total{ward="UTI"} 4.0', "nurses 5.0"} <= set(lines)


async def test_passwords_that_are_tried_are_counted_by_what_became_of_them(settings: Settings, seed: Seed) -> None:
    async with running(settings.model_copy(update={"login_limit_user": "2/15 minutes"})) as (_, client):
        statuses = [
            *[await log_in(client, seed.sant.viewer)],
            *[await log_in(client, seed.sant.admin, "a wrong one") for _ in range(4)],
        ]
        assert statuses == [200, 401, 401, 429, 429]
        for outcome, count in {"right": 1, "wrong": 2, "refused": 2, "unknown": 0}.items():
            assert await told(client, f'password_attempts_total{{outcome="{outcome}"}}') == count


async def test_who_waits_for_a_connection_shows_and_so_does_who_has_one(settings: Settings) -> None:
    async with running(settings.model_copy(update={"database_pool_size": 3})) as (app, client):
        runtime = app.state.runtime
        gate = asyncio.Event()

        async def work(session: ReadSession) -> None:
            await session.execute(text("SELECT 1"))
            await gate.wait()

        reads = [asyncio.create_task(runtime.database.read(work, budget=100)) for _ in range(4)]
        await until(lambda: runtime.database.waits.waiting == 1)
        given = 'database_waits_total{outcome="given"}'
        before, seconds = await told(client, given), await told(client, "database_wait_seconds_total")
        assert await told(client, "database_connections_limit") == await told(client, "database_connections") == 3
        assert await told(client, "database_waiting") == 1
        gate.set()
        await asyncio.gather(*reads)
        assert await told(client, "database_waiting") == 0
        assert await told(client, given) > before
        assert await told(client, "database_wait_seconds_total") > seconds


async def test_what_is_served_is_told(settings: Settings) -> None:
    given = settings.model_copy(update={"build": "b1a2", "replica": "ward-7"})
    async with running(given) as (_, client):
        release = f"{version('ticket-home')}+b1a2"
        assert await told(client, f'build_info{{release="{release}",replica="ward-7"}}') == 1
