"""Closed-loop load over plain sockets: each connection asks, waits for the answer, asks again.

`Load` runs beside other things and keeps a sample of every request; `closed_loop` does nothing else, and is quick.
"""

import asyncio
import statistics
from array import array
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter
from typing import NamedTuple


class Sample(NamedTuple):
    ended: float
    """perf_counter"""
    seconds: float
    status: int
    """0: the connection broke."""


@dataclass(frozen=True)
class Window:
    """What was answered in a stretch of time. Times are milliseconds; infinite where nothing was."""

    began: float
    requests: int
    failed: int
    p50: float
    p99: float


def window(samples: Sequence[Sample], began: float, seconds: float) -> Window:
    inside = [sample for sample in samples if began <= sample.ended < began + seconds]
    times = sorted(sample.seconds * 1000 for sample in inside)
    failed = sum(sample.status != 200 for sample in inside)
    if not times:
        return Window(began, 0, failed, float("inf"), float("inf"))
    return Window(began, len(times), failed, statistics.median(times), times[int(0.99 * (len(times) - 1))])


class Load:
    """`requests` are (path, bearer header), asked in turns by all connections."""

    def __init__(self, port: int, requests: Sequence[tuple[str, str]]) -> None:
        self._port = port
        self._requests = [
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {bearer}\r\n\r\n".encode()
            for path, bearer in requests
        ]
        self._next = 0
        self.samples: list[Sample] = []

    @asynccontextmanager
    async def on(self, connections: int) -> AsyncIterator[None]:
        clients = [asyncio.create_task(self._ask()) for _ in range(connections)]
        try:
            yield
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

    async def _ask(self) -> None:
        while True:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            try:
                while True:
                    self._next = (self._next + 1) % len(self._requests)
                    started = perf_counter()
                    writer.write(self._requests[self._next])
                    status = await _answer(reader)
                    self._note(started, status)
            except (ConnectionError, asyncio.IncompleteReadError):
                self._note(started, 0)
                await asyncio.sleep(0.01)
            finally:
                writer.close()

    def _note(self, started: float, status: int) -> None:
        ended = perf_counter()
        self.samples.append(Sample(ended, ended - started, status))


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    at = head.lower().index(b"content-length:") + 15
    await reader.readexactly(int(head[at : head.index(b"\r", at)]))
    return int(head[9:12])


@dataclass(frozen=True)
class Measured:
    """Times are milliseconds; `meant` is the share of answers whose head has the mark that was asked for."""

    rate: float
    p50: float
    p99: float
    meant: float


async def closed_loop(
    port: int, requests: Sequence[bytes], mark: bytes, *, connections: int, seconds: float, warm: float = 0.5
) -> Measured:
    """Raises ConnectionError where the server closed a connection. Run it in a uvloop: it must outrun the server."""
    loop = asyncio.get_running_loop()
    tally = Tally(cycle(requests), mark, loop.create_future())
    clients = [(await loop.create_connection(lambda: Client(tally), "127.0.0.1", port))[1] for _ in range(connections)]
    for client in clients:
        client.ask()
    await asyncio.wait([tally.broken], timeout=warm)
    tally.times, tally.meant = array("d"), 0
    started = perf_counter()
    await asyncio.wait([tally.broken], timeout=seconds)
    took, times, meant = perf_counter() - started, sorted(tally.times), tally.meant
    tally.over = True
    for client in clients:
        client.close()
    if tally.broken.done():
        raise ConnectionError("the server closed a connection")
    p50, p99 = (times[int(share * (len(times) - 1))] * 1000 for share in (0.5, 0.99))
    return Measured(len(times) / took, p50, p99, meant / len(times))


class Tally:
    """What all connections share."""

    def __init__(self, requests: Iterator[bytes], mark: bytes, broken: "asyncio.Future[None]") -> None:
        self.requests, self.mark, self.broken = requests, mark, broken
        self.times = array("d")
        self.meant = 0
        self.over = False


class Client(asyncio.Protocol):
    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._held = b""
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def ask(self) -> None:
        self._asked = perf_counter()
        self._transport.write(next(self._tally.requests))

    def data_received(self, data: bytes) -> None:
        tally = self._tally
        if self._held:
            data = self._held + data
        end = data.find(b"\r\n\r\n") + 4
        # uvicorn writes headers in lower case, and a 304 without this one.
        at = data.find(b"content-length: ", 0, end)
        if end < 4 or (at > 0 and len(data) < end + int(data[at + 16 : data.index(b"\r", at)])):
            self._held = data
            return
        self._held = b""
        tally.times.append(perf_counter() - self._asked)
        if data.find(tally.mark, 0, end) >= 0:
            tally.meant += 1
        if not tally.over:
            self.ask()

    def connection_lost(self, _: Exception | None) -> None:
        if not self._tally.over and not self._tally.broken.done():
            self._tally.broken.set_result(None)

    def close(self) -> None:
        self._transport.close()
