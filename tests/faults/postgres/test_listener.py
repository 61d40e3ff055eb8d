"""The connection that hears of changes, cut or silently dead: nothing is ever more than two seconds old."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.processes.child import child
from tests.faults.reader import Reader
from tests.faults.stream import Stream
from tests.support import machine
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import sign_in

LISTENER = "application_name = 'ticket-home-versions' AND datname = current_database()"


@asynccontextmanager
async def signed_in(settings: Settings, seed: Seed) -> AsyncIterator[Reader]:
    async with running(settings) as (app, client):
        await sign_in(client, seed.sant.viewer)
        yield Reader(app.state.runtime, client)


async def until_listening(signed: Reader) -> None:
    await machine.until(lambda: signed.runtime.listener.connected)


async def test_a_cut_listening_connection_comes_back_and_hides_no_change(
    settings: Settings, seed: Seed, connection: rows.Connection
) -> None:
    async with signed_in(settings, seed) as signed:
        quick = []
        for doctors in range(2, 7):
            await signed.within_two_seconds(doctors - 1)
            assert await connection.fetchval(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {LISTENER}")
            await rows.doctor(connection, seed.sant.id)
            began = machine.now()
            quick.append(await signed.within_two_seconds(doctors) < machine.bound(0.8, began))
            await until_listening(signed)
        # The cut is noticed at once, and not at the next poll.
        assert sum(quick) > len(quick) / 2


@pytest.mark.long
async def test_a_silently_dead_listening_connection_hides_a_change_for_two_seconds_at_most(
    settings: Settings, seed: Seed, connection: rows.Connection, database_url: str
) -> None:
    async with WireProxy(database_url) as proxy:
        half_dead = settings.model_copy(update={"database_listen_url": SecretStr(proxy.url)})
        async with signed_in(half_dead, seed) as signed:
            await signed.within_two_seconds(1)
            proxy.is_silent = True
            for doctors in range(2, 6):
                await rows.doctor(connection, seed.sant.id)
                await signed.within_two_seconds(doctors)
                await asyncio.sleep(0.3)  # the next one is at another moment between two polls
            proxy.is_silent = False
            await until_listening(signed)
            await rows.doctor(connection, seed.sant.id)
            await signed.within_two_seconds(6)


async def test_own_writes_are_read_at_once_while_nothing_is_heard(
    settings: Settings, seed: Seed, database_url: str
) -> None:
    async with WireProxy(database_url) as proxy:
        half_dead = settings.model_copy(update={"database_listen_url": SecretStr(proxy.url)})
        async with signed_in(half_dead, seed) as signed:
            proxy.is_silent = True
            stream = Stream(signed.runtime, signed.client, seed.sant.id, existing=1)
            async with stream.flowing():
                seen = await stream.flow(3.0)
            assert seen.wrong == []
            assert {"hit", "fwd=miss"} <= seen.outcomes


@pytest.mark.long
async def test_a_process_stopped_for_five_seconds_answers_right_at_once(
    settings: Settings, seed: Seed, connection: rows.Connection
) -> None:
    async with child(settings, seed.sant.id) as counting:
        for outcome in ("miss", "hit"):
            assert (await counting.read())[:3] == (1, outcome, 1)
        counting.process.send_signal(signal.SIGSTOP)
        await rows.doctor(connection, seed.sant.id)
        # As long as it stands still.
        await asyncio.sleep(5)
        counting.ask()  # it lies there when the process goes on, beside the notification and the timers
        began = machine.now()
        counting.process.send_signal(signal.SIGCONT)
        assert (await counting.answer())[:3] == (2, "miss", 2)
        assert machine.now() - began < machine.bound(2.0, began)
