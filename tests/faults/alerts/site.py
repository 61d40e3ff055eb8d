"""Two replicas on servers of their own, read and written all the time, and a real Prometheus that scrapes both."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from core.settings import Settings
from tests.factories.fixtures import Seed
from tests.support.machine import PATIENCE, until
from tests.support.processes import commands
from tests.support.processes.services import Serving, free_port, serving
from tests.support.servers.breakable import Breakable
from tests.support.servers.prometheus import Prometheus, prometheus
from tests.support.servers.proxy import WireProxy
from tests.support.signing_in import bearer

EVENT_STREAMS = 4
POOL = 3
PAUSE = 0.1
PATIENT_FOR = 5.0
"""Seconds after which a client gives up: a worker that was stopped answers nobody."""
WORKERS = 5
"""More than may be replaced within a quarter of an hour, and one."""
RELEASE = "as-it-is"


class Replica:
    """`ticket-home serve`, whose lines go to a collector: whichever process of it dies goes alone."""

    def __init__(self, folder: Path, environment: dict[str, str], workers: int) -> None:
        folder.mkdir()
        self.port = free_port()
        self._environment = environment
        self._workers = workers
        self._lines, self._log = folder / "lines", folder / "log"
        os.mkfifo(self._lines)
        self._stack = ExitStack()
        self._served: Serving | None = None
        self._collector = self._collect()

    @property
    def served(self) -> Serving:
        assert self._served is not None
        return self._served

    async def start(self, release: str = RELEASE) -> None:
        given = self._environment | {"TICKET_HOME_BUILD": release}
        command = (commands.TICKET_HOME, "serve", "--workers", str(self._workers))
        made = serving(*command, environment=given, log=self._lines, port=self.port, within=PATIENCE)
        # In a thread: it asks for PostgreSQL through this process.
        self._served = await asyncio.to_thread(self._stack.enter_context, made)

    async def stop(self) -> None:
        await asyncio.to_thread(self._stack.close)

    def signal_all(self, sent: signal.Signals) -> None:
        os.killpg(self.served.process.pid, sent)

    def lose_the_collector(self) -> None:
        self._collector.kill()
        self._collector.wait()

    def find_the_collector(self) -> None:
        self._collector = self._collect()

    def _collect(self) -> "subprocess.Popen[bytes]":
        # For reading and writing: opening it waits for nobody, and it has no end while there is no writer.
        lines = os.open(self._lines, os.O_RDWR)
        try:
            with self._log.open("ab") as log:
                return subprocess.Popen(["cat"], stdin=lines, stdout=log)
        finally:
            os.close(lines)


@dataclass(frozen=True)
class Site:
    watched: Prometheus
    postgres: Breakable
    redis: Breakable
    one: Replica
    """Of several workers."""
    two: Replica
    """Of one process, which `work` and `listening` lead to PostgreSQL."""
    work: WireProxy
    listening: WireProxy
    database_url: str
    seed: Seed
    headers: dict[str, str]

    async def until_firing(self, *alerts: str) -> None:
        """Until each of them has fired."""
        left = set(alerts)

        async def have_fired() -> bool:
            left.difference_update(await self.watched.firing())
            return not left

        with told("do not fire", left):
            await until(have_fired)

    async def until_quiet(self, *alerts: str) -> None:
        """Until the condition of none of these holds; of none at all, where none is named."""
        left: set[str] = set()

        async def are_quiet() -> bool:
            found = await self.watched.firing_soon()
            left.clear()
            left.update(found & set(alerts) if alerts else found)
            return not left

        with told("do not clear", left):
            await until(are_quiet)


@contextmanager
def told(what: str, alerts: set[str]) -> Iterator[None]:
    """Whatever fails within says of which alerts."""
    try:
        yield
    except AssertionError as error:
        error.add_note(f"{sorted(alerts)} {what}")
        raise


@asynccontextmanager
async def site(
    settings: Settings, postgres: Breakable, redis: Breakable, seed: Seed, folder: Path
) -> AsyncIterator[Site]:
    """Once both replicas serve, and the canary has been seen."""
    url = settings.require_database_url()
    given = commands.environment(settings) | {
        "CANARY_SECONDS": "1",
        "DATABASE_POOL_SIZE": str(POOL),
        "EVENT_SECONDS": "900",
        "EVENT_STREAMS": str(EVENT_STREAMS),
    }
    async with AsyncExitStack() as stack:
        work, listening = [await stack.enter_async_context(WireProxy(url)) for _ in range(2)]
        behind = {"DATABASE_URL": work.url, "DATABASE_LISTEN_URL": listening.url}
        one = Replica(folder / "one", given | {"REPLICA": "one"}, WORKERS)
        two = Replica(folder / "two", given | behind | {"REPLICA": "two"}, 1)
        for replica in (one, two):
            stack.callback(replica.lose_the_collector)
            stack.push_async_callback(replica.stop)
        # One after the other: six processes that start at once take each other's time.
        await one.start()
        await two.start()
        watched = stack.enter_context(prometheus(folder / "prometheus", [one.port, two.port]))
        headers = await asyncio.to_thread(bearer, one.served.url, seed.sant.admin)
        made = Site(watched, postgres, redis, one, two, work, listening, url, seed, headers)
        for replica in (one, two):
            await stack.enter_async_context(asked(made, replica, go_on))
        await until(lambda: watched.ask('sum(ticket_home_canary_reads_total{outcome="current"}) > 0'))
        yield made


Ask = Callable[[httpx.AsyncClient], Awaitable[object]]


@asynccontextmanager
async def asked(made: Site, replica: Replica, ask: Ask, clients: int = 1) -> AsyncIterator[None]:
    """Within, so many clients of the replica ask again and again, whatever becomes of it."""

    async def again_and_again() -> None:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{replica.port}", headers=made.headers, timeout=PATIENT_FOR
        ) as client:
            while True:
                with suppress(httpx.TransportError):
                    await ask(client)
                await asyncio.sleep(PAUSE)

    async with beside(*(again_and_again() for _ in range(clients))):
        yield


@asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Within, all of it goes on; it is over at the end. What of it fails is raised then."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


async def go_on(client: httpx.AsyncClient) -> None:
    """What somebody does all the time: reads, and a write that is refused."""
    for _ in range(5):
        await client.get("/v1/dashboard")
    await client.post("/v1/tickets/0/annulment", json={"reason_id": 1})
