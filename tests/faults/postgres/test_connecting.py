"""A server that is away is not stormed: however many ask, one connection is tried, a few times a second."""

import asyncio
import time

import pytest
from pydantic import SecretStr

from core.settings import Settings
from tests.conftest import running
from tests.factories.fixtures import Seed
from tests.faults.reader import Reader
from tests.support.answers import assert_unavailable
from tests.support.servers.breakable import Breakable
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import sign_in

pytestmark = pytest.mark.alone

CLIENTS = 20
SECONDS = 2.0
A_SECOND = 6
"""Attempts; the shortest pauses alone would be ten."""


async def test_twenty_clients_of_a_killed_server_make_a_handful_of_connection_attempts(
    on_own_postgres: Settings, own_seed: Seed, own_database: str, postgres_server: Breakable
) -> None:
    async with WireProxy(own_database) as proxy:
        counted = on_own_postgres.model_copy(
            update={"database_url": SecretStr(proxy.url), "database_listen_url": SecretStr(own_database)}
        )
        async with running(counted) as (app, client):
            await sign_in(client, own_seed.sant.viewer)
            assert (await client.get("/v1/tickets")).status_code == 200
            async with postgres_server.killed():
                await client.get("/v1/tickets")
                until = time.perf_counter() + SECONDS
                before, answers = proxy.connections, 0

                async def ask() -> None:
                    nonlocal answers
                    while time.perf_counter() < until:
                        assert_unavailable(await client.get("/v1/tickets"))
                        answers += 1

                await asyncio.gather(*(ask() for _ in range(CLIENTS)))
                attempts = proxy.connections - before
                assert answers > 10 * attempts
                assert 1 <= attempts <= A_SECOND * SECONDS
            await Reader(app.state.runtime, client).recovered("/v1/surgeries")
