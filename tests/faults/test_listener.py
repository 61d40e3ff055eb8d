"""The connection that hears of changes, cut or silently dead: nothing is ever more than two seconds old."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.conftest import running
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.faults.proxy import WireProxy
from tests.faults.stream import Stream
from tests.faults.test_postgres import Signed, sign_in, within_two_seconds

LISTENER = "application_name = 'ticket-home-versions' AND datname = current_database()"


@asynccontextmanager
async def signed_in(settings: Settings, seed: Seed) -> AsyncIterator[Signed]:
    async with running(settings) as (app, client):
        await sign_in(client, seed.sant.viewer)
        yield Signed(app.state.runtime, client)


async def until_listening(signed: Signed) -> None:
    for _ in range(500):
        if signed.runtime.listener.connected:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the listener does not come back")


async def test_a_cut_listening_connection_comes_back_and_hides_no_change(
    settings: Settings, seed: Seed, connection: rows.Connection
) -> None:
    async with signed_in(settings, seed) as signed:
        taken = []
        for doctors in range(2, 7):
            await within_two_seconds(signed, doctors - 1)
            assert await connection.fetchval(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {LISTENER}")
            await rows.doctor(connection, seed.sant.id)
            taken.append(await within_two_seconds(signed, doctors))
            await until_listening(signed)
            await asyncio.sleep(0.1)
        # The cut is noticed at once, and not at the next poll.
        assert sorted(taken)[len(taken) // 2] < 0.8


async def test_a_silently_dead_listening_connection_hides_a_change_for_two_seconds_at_most(
    settings: Settings, seed: Seed, connection: rows.Connection, database_url: str
) -> None:
    async with WireProxy(database_url) as proxy:
        half_dead = settings.model_copy(update={"database_listen_url": SecretStr(proxy.url)})
        async with signed_in(half_dead, seed) as signed:
            await within_two_seconds(signed, 1)
            proxy.is_silent = True
            for doctors in range(2, 6):
                await rows.doctor(connection, seed.sant.id)
                await within_two_seconds(signed, doctors)
                await asyncio.sleep(0.3)
            proxy.is_silent = False
            await until_listening(signed)
            await rows.doctor(connection, seed.sant.id)
            await within_two_seconds(signed, 6)


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


class Child:
    """A process of its own that counts a clinic's doctors through its cache (tests/faults/counting_process.py)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    def ask(self) -> None:
        self._stdin.write(b"read\n")

    async def answer(self) -> tuple[int, str]:
        """(doctors, hit or miss)"""
        count, outcome = (await asyncio.wait_for(self._stdout.readline(), 20)).split()
        return int(count), outcome.decode()


@pytest.fixture
async def child(settings: Settings, seed: Seed) -> AsyncIterator[Child]:
    environment = {
        "DATABASE_URL": settings.require_database_url(),
        "REDIS_URL": settings.require_redis_url(),
        "CACHE_PREFIX": settings.cache_prefix,
        "PATH": os.environ["PATH"],
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.faults.counting_process", str(seed.sant.id)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
    )
    yield Child(process)
    if process.returncode is None:
        process.send_signal(signal.SIGCONT)
        process.kill()
    await process.wait()


async def test_a_process_stopped_for_five_seconds_answers_right_at_once(
    child: Child, seed: Seed, connection: rows.Connection
) -> None:
    for outcome in ("miss", "hit"):
        child.ask()
        assert await child.answer() == (1, outcome)
    child.process.send_signal(signal.SIGSTOP)
    await rows.doctor(connection, seed.sant.id)
    await asyncio.sleep(5)
    child.ask()  # it lies there when the process goes on, beside the notification and the timers
    started = time.perf_counter()
    child.process.send_signal(signal.SIGCONT)
    assert await child.answer() == (2, "miss")
    assert time.perf_counter() - started < 2
