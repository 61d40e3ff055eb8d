"""Between the application and PostgreSQL: counts what goes over the wire, and falls silent without closing."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

SOCKET = ".s.PGSQL.5432"


@dataclass
class Connection:
    is_meant: bool = False
    is_held: bool = False


class WireProxy:
    """`url` is that of the database behind it. Start it before the application, and close it after."""

    def __init__(self, database_url: str) -> None:
        upstream = make_url(database_url)
        self._upstream = Path(str(upstream.query["host"])) / SOCKET
        self._folder = Path(tempfile.mkdtemp(prefix="wire-", dir="/tmp"))
        self.url = upstream.update_query_dict({"host": str(self._folder)}).render_as_string(hide_password=False)
        self.sent = 0
        """Bytes that the application sent to PostgreSQL."""
        self.connections = 0
        self.is_silent = False
        self._is_away = False
        self.delay = 0.0
        """Seconds that answers are held back."""
        self.holds_commit_of: bytes | None = None
        """Words of a statement: on the connection that sends it the answer to COMMIT is held back, for good."""
        self.held = asyncio.Event()
        """Such a COMMIT has gone through, and its answer will not."""
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "WireProxy":
        self._server = await asyncio.start_unix_server(self._serve, str(self._folder / SOCKET))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        shutil.rmtree(self._folder)

    @contextlib.asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Within, what was connected is cut off, and nobody is let through: for whoever is behind this PostgreSQL is
        away, and for all others it is there."""
        self._is_away = True
        for task in self._running:
            task.cancel()
        try:
            yield
        finally:
            self._is_away = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self.connections += 1
        ends = [writer]
        try:
            if self._is_away:
                return  # as the server itself refuses it
            theirs, ours = await asyncio.open_unix_connection(str(self._upstream))
            ends.append(ours)
            one = Connection()
            await asyncio.gather(self._pass_on(reader, ours, one, counting=True), self._pass_on(theirs, writer, one))
        except (OSError, asyncio.CancelledError):
            return  # the server is away, or the test ends
        finally:
            self._running.discard(task)
            for end in ends:
                end.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, one: Connection, *, counting: bool = False
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                if counting:
                    self.sent += len(data)
                    self._watch(data, one)
                elif one.is_held:
                    continue
                elif self.delay:
                    await asyncio.sleep(self.delay)
                if not self.is_silent:
                    to.write(data)
                    await to.drain()
        to.close()

    def _watch(self, data: bytes, one: Connection) -> None:
        if self.holds_commit_of is None:
            return
        one.is_meant = one.is_meant or self.holds_commit_of in data
        if one.is_meant and b"COMMIT" in data:
            one.is_held = True
            self.held.set()
