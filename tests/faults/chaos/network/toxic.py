"""A network that goes wrong: between one process and one server, over TCP, each way apart.

    async with Toxic(Path("/run/server.sock")) as between:
        …                                   # the process connects to ADDRESS or MOVED_TO, at between.port
        between.ways[DOWN].delay = 1.5      # what the server says comes late
        between.ways[UP].hold()             # what it is told goes nowhere; it comes once `mend()` is called

What was sent is never lost on a connection that lives, as TCP has it: what is held waits, and comes in order.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

ADDRESS = "127.0.0.1"
MOVED_TO = "127.0.0.2"
"""Where the same server is found, too: names may lead here from one moment to the next."""
UP, DOWN = "up", "down"
"""To the server; from it."""
DROP = 7
"""Bytes at a time, where it trickles."""
TRICKLE = 0.02
"""Seconds between two of those."""


class Way:
    """What happens to all that goes one way."""

    def __init__(self) -> None:
        self.delay = 0.0
        """Seconds."""
        self.trickles = False
        self._open = asyncio.Event()
        self._open.set()

    def hold(self) -> None:
        """A black hole: nothing arrives, and nobody is told."""
        self._open.clear()

    def mend(self) -> None:
        self.delay, self.trickles = 0.0, False
        self._open.set()

    async def carry(
        self, source: asyncio.StreamReader, to: asyncio.StreamWriter, arrives: Callable[[], Awaitable[None]]
    ) -> None:
        """Pass on what the source says, and its end, after which it returns. `arrives` is awaited before each part."""
        under_way: deque[tuple[float, bytes]] = deque()
        more = asyncio.Event()
        reading = asyncio.create_task(self._read(source, under_way, more))
        try:
            while True:
                while not under_way:
                    more.clear()
                    await more.wait()
                due, data = under_way.popleft()
                # As late as the network is told to be.
                await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
                await self._open.wait()
                await arrives()
                if not data:
                    to.write_eof()
                    return
                await self._write(data, to)
        finally:
            reading.cancel()

    async def _read(
        self, source: asyncio.StreamReader, under_way: "deque[tuple[float, bytes]]", more: asyncio.Event
    ) -> None:
        data = b"begins"
        while data:
            try:
                data = await source.read(65536)
            except ConnectionError:
                data = b""
            under_way.append((asyncio.get_running_loop().time() + self.delay, data))
            more.set()

    async def _write(self, data: bytes, to: asyncio.StreamWriter) -> None:
        while data and self.trickles:
            if to.is_closing():
                raise ConnectionResetError
            to.write(data[:DROP])
            data = data[DROP:]
            await asyncio.sleep(TRICKLE)
        if to.is_closing():
            raise ConnectionResetError
        to.write(data)
        await to.drain()


class Toxic:
    """One server, as one process sees it: `port` at ADDRESS and at MOVED_TO leads to `server`, a Unix socket."""

    def __init__(self, server: Path) -> None:
        self._server = server
        self.ways = {UP: Way(), DOWN: Way()}
        self.gone: set[str] = set()
        """Addresses at which nothing answers any more: who connects to them waits for ever."""
        self.port = 0
        self._listening: list[asyncio.Server] = []
        self._connections: dict[asyncio.StreamWriter, str] = {}
        """Of the process → the address that it connected to."""
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Toxic":
        first = await asyncio.start_server(self._serve, ADDRESS, 0)
        self.port = first.sockets[0].getsockname()[1]
        self._listening = [first, await asyncio.start_server(self._serve, MOVED_TO, self.port)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._listening:
            server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def cut(self) -> None:
        """Every connection breaks, as when a router forgets them: each side is told."""
        for writer in list(self._connections):
            writer.transport.abort()

    def half_close(self) -> None:
        """The server seems to have said all that it will, and goes on hearing."""
        for writer in list(self._connections):
            with contextlib.suppress(OSError, RuntimeError):
                writer.write_eof()

    def mend(self) -> None:
        for way in self.ways.values():
            way.mend()
        self.gone.clear()

    def abandon(self, address: str) -> None:
        """The server is not at that address any more: who is connected to it hears nothing, and is not told."""
        self.gone.add(address)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        address = writer.get_extra_info("sockname")[0]
        self._connections[writer] = address
        try:
            await self._between(reader, writer, address)
        except (OSError, asyncio.CancelledError):
            pass  # the server refuses it, or the test ends
        finally:
            self._running.discard(task)
            del self._connections[writer]
            writer.close()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        reached = partial(self._reached, address)
        await reached()
        theirs, ours = await asyncio.open_unix_connection(str(self._server))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self.ways[UP].carry(reader, ours, reached))
                both.create_task(self.ways[DOWN].carry(theirs, writer, reached))
        except* (OSError, RuntimeError):
            pass  # one side is gone: so is the connection
        finally:
            ours.close()

    async def _reached(self, address: str) -> None:
        while address in self.gone:  # noqa: ASYNC110  as a network: it tells nobody
            await asyncio.sleep(0.05)  # until it is mended
