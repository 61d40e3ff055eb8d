"""The server of a folder, started with other options than the embedded one has, at the same address."""

import asyncio
import subprocess
from collections.abc import Sequence
from pathlib import Path

from core.operations.embedded import postgres
from core.operations.embedded.account import ServerAccount, account_for, reaching
from core.operations.embedded.files import ServerFiles
from core.operations.embedded.programs import Programs, ServerProgram
from tests.support import machine


class StartedOtherwise:
    """Whoever has stopped the folder's server starts it, and stops it again before that one starts anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self._files.data

    @property
    def sockets(self) -> Path:
        return self._files.sockets(account_for(self._folder))

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's own programs, as the server's account."""
        with (self._folder / "otherwise.log").open("ab") as log:
            Programs(self.account, log).run(postgres.install() / "bin" / program, *arguments)

    @property
    def account(self) -> ServerAccount:
        return reaching(account_for(self._folder), self._program.reads)

    async def start(self, options: Sequence[str]) -> None:
        """`options` as the server's command line takes them. Return once it takes connections."""
        server = self._program
        with (self._folder / "otherwise.log").open("ab") as log:
            programs = Programs(self.account, log)
            server.prepare(programs)
            process = self._process = programs.start([*server.argv, *options], [])

        def is_ready() -> bool:
            assert process.poll() is None, (self._folder / "otherwise.log").read_text()
            return server.ready()

        await machine.until(is_ready)

    async def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(postgres.ENDING[0])
            await asyncio.to_thread(self._process.wait, 20)
            self._process = None

    @property
    def _files(self) -> ServerFiles:
        return ServerFiles(self._folder, "postgres")

    @property
    def _program(self) -> ServerProgram:
        return postgres.server(self.data, self.sockets, postgres.install(), durable=True)
