"""Changes of figures are told once the dashboard that is read is there again, so that whoever fetches it then hits."""

import asyncio
from typing import Any

import pytest
from fastapi import FastAPI

from core.cache.ahead import RefreshAhead
from core.events import held_figures
from core.events.feed import Feed, Name
from core.settings import Settings
from tests.conftest import SignIn
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.answers import outcome
from tests.support.event_streams import lasting, streaming
from tests.support.unhurried import unhurried  # noqa: F401  used by all

DASHBOARD = "/v1/dashboard"
NEVER = 10 * machine.PATIENCE


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return lasting(settings, cache_refresh_ahead=True)


async def test_they_come_when_the_refresh_is_stored_and_the_refetch_hits(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_figures, "AT_MOST", NEVER)
    admin, wide = await sign_in(seed.sant.admin), await sign_in(seed.superuser)
    async with streaming(app, admin.headers) as stream, streaming(app, wide.headers) as network:
        for client in (admin, wide):
            assert outcome(await client.get(DASHBOARD)) == "fwd=miss"
        await seed.sant.ticket(connection)
        for one, client in ((stream, admin), (network, wide)):
            assert (await one.next()).name == "versions"
            told = [await one.next() for _ in range(2)]
            assert [list(event.words) for event in told] == [[(seed.sant.id, "tickets")], [(seed.sant.id, "figures")]]
            word = told[1].words[seed.sant.id, "figures"]
            answer = await client.get(DASHBOARD, headers={"Cache-Version": word})
            assert (outcome(answer), answer.json()["kpis"]["active"]) == ("hit", 1)


async def test_they_wait_for_nobody_where_nobody_reads_and_not_for_long_where_the_refresh_does_not_come(
    app: FastAPI, sign_in: SignIn, seed: Seed, connection: rows.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert held_figures.AT_MOST == 0.3
    held: list[bool] = []
    once = held_figures.HeldFigures.hold

    def hold(self: held_figures.HeldFigures, feed: Feed, name: Name) -> bool:
        held.append(once(self, feed, name))
        return held[-1]

    monkeypatch.setattr(held_figures.HeldFigures, "hold", hold)

    async def never(*_: Any) -> None:
        await asyncio.sleep(NEVER)

    monkeypatch.setattr(RefreshAhead, "_refresh", never)
    admin = await sign_in(seed.sant.admin)
    async with streaming(app, admin.headers) as stream:
        assert (await stream.next()).name == "versions"
        for is_read in (False, True):
            if is_read:
                await admin.get(DASHBOARD)
            held.clear()
            await seed.sant.ticket(connection, id=f"TH-SANT-2026-{is_read:d}", number=is_read + 1)
            told = [topic for _ in range(2) for _, topic in (await stream.next()).words]
            assert sorted(told) == ["figures", "tickets"]
            assert any(held) is is_read
            assert told[0] == "tickets" or not is_read
