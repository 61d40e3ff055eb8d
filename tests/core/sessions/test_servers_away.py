"""Sessions while Redis or PostgreSQL is killed, hung, empty or back with old data: servers of these tests' own."""

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from core.cache.versions.map import LEASE
from core.db.migrate import upgrade
from core.errors import NotAuthenticated, Unavailable
from core.operations.embedded import Running, start_servers
from core.settings import Settings
from tests.conftest import administer, database_named
from tests.core.sessions.processes import Process, process
from tests.factories import rows
from tests.factories.fixtures import Seed, seed_clinic
from tests.support import machine
from tests.support.machine import until
from tests.support.settled import settled


class Breakable:
    """One server that a test kills, stops and starts again at the same address."""

    def __init__(self, folder: Path, kind: str) -> None:
        self._folder = folder
        self._kind = kind
        self.running = self._start()

    def _start(self) -> Running:
        postgres = self._kind == "postgres"
        # Durable: what was committed before a kill is there after it.
        started = start_servers(self._folder, durable=postgres, postgres=postgres, valkey=not postgres)
        running = started.postgres if postgres else started.valkey
        assert running is not None
        return running

    def kill(self) -> None:
        os.kill(self.running.pid, signal.SIGKILL)
        self.running.stop()

    def start(self) -> None:
        self.running = self._start()

    def hang(self) -> None:
        self._signal_all(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, sent: signal.Signals) -> None:
        """The server and its children: PostgreSQL has one per connection."""
        pid = self.running.pid
        os.kill(pid, sent)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), sent)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.go_on()
        self.running.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Breakable]:
    server = Breakable(tmp_path / "redis", "valkey")
    yield server
    server.end()


@pytest.fixture
def with_redis(settings: Settings, redis_server: Breakable) -> Settings:
    return settings.model_copy(update={"redis_url": SecretStr(redis_server.running.url)})


@pytest.fixture
async def one(with_redis: Settings, seed: Seed) -> AsyncIterator[Process]:
    async with process(with_redis) as made:
        yield made


async def signed_out_within(seconds: float, at: Process, token: str) -> None:
    async def is_signed_out() -> bool:
        try:
            await at.who(token)
        except NotAuthenticated:
            return True
        return False

    await until(is_signed_out, within=seconds)


async def test_redis_killed_logs_nobody_out_and_keeps_nobody_out(
    one: Process, with_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    before = (await one.sign_in(seed.sant.viewer)).token
    await one.who(before)
    redis_server.kill()
    await one.who(before)
    during = (await one.sign_in(seed.sant.viewer)).token
    await one.who(during)
    async with process(with_redis) as other:
        await other.who(before)
        await other.who(during)


async def test_a_revocation_is_known_everywhere_while_redis_is_killed(
    one: Process, with_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    token, kept = [(await one.sign_in(seed.sant.viewer)).token for _ in range(2)]
    async with process(with_redis) as other:
        for at in (one, other):
            await at.who(token)
            await at.who(kept)
        redis_server.kill()
        await one.sign_out(token)
        with pytest.raises(NotAuthenticated):
            await one.who(token)
        await signed_out_within(2, other, token)
        await other.who(kept)


async def test_redis_hung_costs_one_budget_and_no_error(
    one: Process, with_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    tokens = [(await one.sign_in(name)).token for name in (seed.sant.viewer, seed.sant.admin, seed.maga.viewer)]
    await one.who(tokens[0])
    redis_server.hang()
    began = machine.now()
    for _ in range(20):
        await asyncio.gather(*(one.who(token) for token in tokens))
    # One budget, and not one for each.
    assert machine.now() - began < machine.bound(1.0, began)
    await one.sign_out(tokens[1])
    with pytest.raises(NotAuthenticated):
        await one.who(tokens[1])


async def test_redis_restarted_empty_logs_nobody_out(
    one: Process, with_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    token = (await one.sign_in(seed.sant.viewer)).token
    await one.who(token)
    redis_server.kill()
    redis_server.start()
    async with process(with_redis) as other:
        for at in (one, other):
            await at.who(token)


async def test_redis_restarted_with_old_data_revives_nobody(
    one: Process, with_redis: Settings, redis_server: Breakable, seed: Seed
) -> None:
    token, kept = [(await one.sign_in(seed.sant.viewer)).token for _ in range(2)]
    await one.who(token)
    await one.who(kept)
    await settled(one.runtime)
    redis = one.runtime.redis.client
    old = {key: await redis.get(key) async for key in redis.scan_iter("*") if key.endswith((b":session", b":seen"))}
    assert len(old) == 4
    await one.sign_out(token)
    redis_server.kill()
    redis_server.start()
    async with process(with_redis) as other:
        for key, value in old.items():
            await other.runtime.redis.client.set(key, value)
        for at in (one, other):
            with pytest.raises(NotAuthenticated):
                await at.who(token)
            await at.who(kept)


# --- PostgreSQL


@pytest.fixture
def postgres_server(tmp_path: Path) -> Iterator[Breakable]:
    server = Breakable(tmp_path / "postgres", "postgres")
    yield server
    server.end()


@pytest.fixture
async def with_postgres(postgres_server: Breakable, redis_url: str) -> Settings:
    """Of an installation on that server, with the seed in it."""
    await administer(postgres_server.running.url, "CREATE DATABASE sessions")
    url = database_named(postgres_server.running.url, "sessions")
    await asyncio.to_thread(upgrade, url)
    connection = await asyncpg.connect(url)
    await seed_clinic(connection, "SANT", "America/Santiago")
    await rows.user(connection, "superuser", "superuser", None)
    await connection.close()
    return Settings(
        database_url=SecretStr(url),
        redis_url=SecretStr(redis_url),
        secret_keys=(SecretStr("a-test-secret-of-forty-characters-or-so!"),),
        cache_prefix=f"t{secrets.token_hex(6)}",
    )


async def lapsed(*processes: Process) -> None:
    """Until the lease of each has run out: from here on every request asks PostgreSQL itself."""
    await asyncio.sleep(LEASE + 0.1)
    assert not any(at.runtime.versions.is_fresh() for at in processes)


@pytest.mark.parametrize("fault", ["kill", pytest.param("hang", marks=pytest.mark.long)])
async def test_postgresql_away_lets_a_verified_session_read_on_and_refuses_nobody(
    with_postgres: Settings, postgres_server: Breakable, fault: str
) -> None:
    async with process(with_postgres) as one, process(with_postgres) as other, process(with_postgres) as third:
        token = (await one.sign_in("viewer_sant")).token
        await one.who(token)
        await settled(one.runtime)
        unseen = (await one.sign_in("admin_sant")).token
        getattr(postgres_server, fault)()
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
        if fault == "kill":
            postgres_server.start()
        else:
            postgres_server.go_on()
        for at, asked in ((one, token), (one, unseen), (other, token)):

            async def answers(at: Process = at, asked: str = asked) -> bool:
                with contextlib.suppress(Unavailable):
                    await at.who(asked, reading=False)
                    return True
                return False

            await until(answers, within=5)


async def test_a_session_that_ended_before_postgresql_went_does_not_read_on(
    with_postgres: Settings, postgres_server: Breakable
) -> None:
    async with process(with_postgres) as one, process(with_postgres) as other:
        token = (await one.sign_in("viewer_sant")).token
        for at in (one, other):
            await at.who(token)
        await one.sign_out(token)
        await settled(one.runtime)
        # The other process hears of it in milliseconds, or with its next poll.
        while one.runtime.versions.rows != other.runtime.versions.rows:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        postgres_server.kill()
        await lapsed(one, other)
        for at in (one, other):
            with pytest.raises((NotAuthenticated, Unavailable)):
                await at.who(token)


async def test_a_process_started_while_postgresql_is_away_reads_on_by_redis(
    with_postgres: Settings, postgres_server: Breakable
) -> None:
    async with process(with_postgres) as one:
        token = (await one.sign_in("superuser")).token
        await one.who(token)
        await settled(one.runtime)
        postgres_server.kill()
        async with process(with_postgres) as late:
            assert (await late.who(token)).username == "superuser"
