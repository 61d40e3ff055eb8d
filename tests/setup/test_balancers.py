"""The service behind nginx and haproxy as deploy/ configures them: no request meets a connection or a replica that is
just ending; whose address counts; what is too large is refused in so many words."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from deploy.rehearsal.steps import LATE
from tests.factories import rows
from tests.factories.fixtures import Seed
from tests.support import machine
from tests.support.processes.commands import TICKET_HOME, environment
from tests.support.processes.services import Serving, free_port, serving
from tests.support.servers.balancers import KINDS, Balancer, balancer
from tests.support.signing_in import LOGIN, credentials, sign_in

pytestmark = pytest.mark.long

SERVICES, BALANCERS = 2.0, 1.0
"""Seconds of keep-alive: in the files' proportion, or a little closer."""
TIMES = {
    "nginx": {"keepalive_timeout 60s;": f"keepalive_timeout {BALANCERS:g}s;"},
    "haproxy": {"pool-purge-delay 5s": f"pool-purge-delay {BALANCERS / 10 * 1000:g}ms"},
}
CLIENTS = 24
ROUNDS = 8
READERS = 4
PATHS = ("/v1/doctors", "/v1/dashboard", "/v1/auth/me", "/v1/nursing-board")
PREVIEW = "/v1/fpa/preview"
MANY = 1024**2
"""Bytes of a body that is just not too large."""
NAMED = "203.0.113.7"
"""An address that a client says it had."""
CLIENT = "127.0.0.2"


@contextmanager
def balancers(folder: Path, ports: Sequence[int]) -> Iterator[list[Balancer]]:
    """Both, before the same replicas."""
    with ExitStack() as held:
        yield [held.enter_context(balancer(kind, folder / kind, ports, TIMES[kind])) for kind in KINDS]


def replica(settings: Settings, log: Path, port: int, **more: str) -> AbstractContextManager[Serving]:
    given = environment(settings, TRUSTED_PROXIES="127.0.0.1", **more)
    return serving(TICKET_HOME, "serve", environment=given, log=log, port=port)


async def posts(found: Balancer, number: int) -> list[int]:
    """The statuses of ROUNDS requests of one client, with pauses about as long as the balancer's keep-alive and the
    service's."""
    statuses = []
    async with found.client() as client:
        for turn in range(ROUNDS):
            answer = await client.post("/v1/tickets", json={"number": number})
            statuses.append(answer.status_code)
            around = BALANCERS if turn % 2 else SERVICES
            await asyncio.sleep(around * (0.9 + 0.2 * number / CLIENTS))
    return statuses


async def test_posts_after_a_pause_are_answered_by_the_service(settings: Settings, tmp_path: Path) -> None:
    port = free_port()
    kept = {"KEEP_ALIVE_SECONDS": f"{SERVICES:g}"}
    with replica(settings, tmp_path / "log", port, **kept), balancers(tmp_path, [port]) as found:
        statuses = await asyncio.gather(*(posts(one, number) for number in range(CLIENTS) for one in found))
    assert {status for of_one in statuses for status in of_one} == {401}, statuses


async def test_whose_address_counts_and_what_is_too_large(
    settings: Settings, seed: Seed, connection: rows.Connection, tmp_path: Path
) -> None:
    port = free_port()
    with replica(settings, tmp_path / "log", port), balancers(tmp_path, [port]) as found:
        for one in found:
            async with one.client(source=CLIENT) as client:
                await sign_in(client, seed.sant.clinical)
                await refused(client)
        assert {row["ip"] for row in await connection.fetch("SELECT ip FROM login_audit")} == {CLIENT}


async def refused(client: httpx.AsyncClient) -> None:
    """Each by an answer that says why, also on a connection that goes on."""
    guessed = await client.post(LOGIN, json=credentials("nobody"), headers={"X-Forwarded-For": NAMED})
    assert guessed.status_code == 401
    assert (await client.post(PREVIEW, content=b" " * MANY)).status_code in (400, 415, 422)
    several = {f"X-{number}": "a" * 4000 for number in range(12)}
    for _ in range(5):
        assert (await client.post(PREVIEW, content=b" " * (MANY + 1))).status_code == 413
        assert (await client.post(PREVIEW, content=chunked(MANY + 1))).status_code == 413
        assert (await client.get("/v1/doctors", params={"q": "a" * 9000})).status_code in (414, 422)
        assert (await client.get("/v1/doctors", headers={"X-Long": "a" * 40000})).status_code in (400, 431)
        assert (await client.get("/v1/doctors", headers=several)).status_code in (400, 431)


async def chunked(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 1024):
        yield b" " * 1024
    yield b" "


@dataclass
class Load:
    """Clients that read all the time, each on a connection that it keeps."""

    found: Balancer
    reader: str
    answers: int = 0
    told_to_come_again: int = 0
    """By a process that got no turn for two seconds: on a busy machine that is no fault of who replaces it."""
    failed: list[str] = field(default_factory=list)

    async def read(self, number: int) -> None:
        async with self.found.client() as client:
            await sign_in(client, self.reader)
            while True:
                try:
                    answer = await client.get(PATHS[number % len(PATHS)])
                except httpx.TransportError as error:
                    self.failed.append(repr(error))
                else:
                    if answer.status_code == 503 and "retry-after" in answer.headers:
                        self.told_to_come_again += 1
                    elif answer.status_code != 200:
                        self.failed.append(f"{answer.status_code} {answer.text}")
                self.answers += 1

    async def more(self) -> None:
        until = self.answers + 10 * READERS
        await machine.until(lambda: self.answers >= until)


async def test_replicas_are_replaced_one_after_the_other_and_no_request_fails(
    settings: Settings, seed: Seed, tmp_path: Path
) -> None:
    ports = [free_port(), free_port()]
    with (
        replica(settings, tmp_path / "first", ports[0]) as first,
        replica(settings, tmp_path / "second", ports[1]) as second,
        balancers(tmp_path, ports) as found,
    ):
        loads = [Load(one, seed.sant.admin) for one in found]
        readers = [asyncio.create_task(load.read(number)) for load in loads for number in range(READERS)]

        async def more() -> None:
            await asyncio.gather(*(load.more() for load in loads))

        await more()
        first.process.terminate()
        assert await asyncio.to_thread(first.process.wait, machine.PATIENCE) == 0
        starting = replica(settings, tmp_path / "third", ports[0])
        await asyncio.to_thread(starting.__enter__)
        await more()
        second.process.terminate()
        assert await asyncio.to_thread(second.process.wait, machine.PATIENCE) == 0
        await more()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        starting.__exit__(None, None, None)
    assert {kind: load.failed for kind, load in zip(KINDS, loads, strict=True)} == {kind: [] for kind in KINDS}
    assert all(load.told_to_come_again <= load.answers * LATE for load in loads), loads
