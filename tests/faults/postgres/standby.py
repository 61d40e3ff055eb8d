"""A primary that is demoted: the same folder and address, started again as a standby."""

import asyncio
import subprocess
from pathlib import Path

import asyncpg

from core.operations.embedded import postgres
from core.operations.embedded.account import ServerAccount, account_for, reaching
from core.operations.embedded.files import ServerFiles
from core.operations.embedded.programs import Programs, ServerProgram
from tests.support import machine
from tests.support.servers.breakable import Breakable
from tests.support.servers.databases import database_named

REPLICATING = ("-c", "wal_level=replica", "-c", "hot_standby=on")
"""The embedded server writes less, and what it wrote so no standby reads: it is started like this once before."""


class Demoted:
    """`async with Demoted(folder, server):` the server of `folder` is a standby until it is promoted.

    Leaving starts it again as it was, with all that the promoted one took.
    """

    def __init__(self, folder: Path, server: Breakable) -> None:
        self._folder = folder
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> "Demoted":
        await self._server.kill()
        try:
            await self._start()
            await self._stop()
            account, data, _ = self._facts()
            (data / "standby.signal").touch()
            account.own(data / "standby.signal")
            await self._start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()
        (self._facts()[1] / "standby.signal").unlink(missing_ok=True)
        await self._server.start()

    async def promote(self) -> None:
        connection = await asyncpg.connect(database_named(self._server.url, "postgres"))
        assert await connection.fetchval("SELECT pg_promote()")
        await connection.close()

    def _facts(self) -> tuple[ServerAccount, Path, ServerProgram]:
        files = ServerFiles(self._folder, "postgres")
        account = account_for(self._folder)
        server = postgres.server(files.data, files.sockets(account), postgres.install(), durable=True)
        return reaching(account, server.reads), files.data, server

    async def _start(self) -> None:
        account, _, server = self._facts()
        with (self._folder / "standby.log").open("ab") as log:
            programs = Programs(account, log)
            server.prepare(programs)
            self._process = programs.start([*server.argv, *REPLICATING], [])
        process = self._process

        def is_ready() -> bool:
            assert process.poll() is None, (self._folder / "standby.log").read_text()
            return server.ready()

        await machine.until(is_ready)

    async def _stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(postgres.ENDING[0])
            await asyncio.to_thread(self._process.wait, 20)
            self._process = None
