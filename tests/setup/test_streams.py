"""Streams of events of the service behind nginx and haproxy as deploy/ configures them, over HTTP/1.1 and HTTP/2."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from core.settings import Settings
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.event_streams import PATH, Client, lasting
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import Serving, free_port, serving
from tests.support.servers.balancers import KINDS, Balancer, balancer
from tests.support.servers.debian import program
from tests.support.signing_in import bearer

pytestmark = pytest.mark.long

VERSIONS = ("1.1", "2")
"""Of HTTP."""


@asynccontextmanager
async def streamed(found: Balancer, version: str, headers: dict[str, str]) -> AsyncIterator[Client]:
    """A client of a balancer, by curl: nobody else here speaks HTTP/2."""
    words = [str(program("curl", "curl")), "-sSN", f"--http{version}", "--cacert", str(found.authority)]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    running = await asyncio.create_subprocess_exec(*words, f"{found.url}{PATH}", stdout=PIPE)
    client = Client(200, {"content-type": "text/event-stream"})
    reading = asyncio.create_task(_read(running, client))
    try:
        yield client
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()
        await reading


async def _read(running: Process, client: Client) -> None:
    assert running.stdout is not None
    while chunk := await running.stdout.read(4096):
        client.take(chunk)
    client.over()


async def test_streams_come_through_at_once_and_go_on_at_another_replica_when_theirs_is_replaced(
    settings: Settings, seed: Seed, connection: rows.Connection, tmp_path: Path
) -> None:
    ports = [free_port(), free_port()]
    given = environment(lasting(settings), TRUSTED_PROXIES="127.0.0.1")
    async with AsyncExitStack() as stack:
        replicas: list[Serving] = []
        for port in ports:
            log = tmp_path / f"log{port}"
            replicas.append(stack.enter_context(serving(TICKET_HOME, "serve", environment=given, log=log, port=port)))
        found = [stack.enter_context(balancer(kind, tmp_path / kind, ports)) for kind in KINDS]
        headers = bearer(replicas[0].url, seed.sant.viewer)
        ways = [(one, version) for one in found for version in VERSIONS for _ in ports]
        streams = [await stack.enter_async_context(streamed(*way, headers)) for way in ways]
        for stream in streams:
            assert (await stream.next()).name == "versions"
        await connection.execute("UPDATE specialty SET name = 'Neu' WHERE clinic_id = $1", seed.sant.id)
        for stream in streams:
            assert (await stream.next()).name == "change"
        replicas[0].process.terminate()
        assert await asyncio.to_thread(replicas[0].process.wait, machine.PATIENCE) == 0
        ended = [stream for stream in streams if stream.is_over or stream.come()]
        assert 0 < len(ended) < len(streams), "both have been asked"
        for way in ways:
            async with streamed(*way, headers) as again:
                assert (await again.next()).name == "versions"
        await connection.execute("UPDATE specialty SET name = 'Nova' WHERE clinic_id = $1", seed.sant.id)
        for stream in streams:
            if stream not in ended:
                assert (await stream.next()).name == "change"
